"""Defects end as one error with a place: never a traceback, a message, a line of source or a local."""

import pytest

BROKEN = """
import threading
import {module}

def _broken(*_given, **_named):
    local = "sesame-in-a-local"
    try:
        {{"sesame-in-a-key": 1}}["sesame-as-cause"]
    except KeyError as error:
        raise RuntimeError(f"sesame in {{local}}") from error

{how}
"""
MAIN = BROKEN.format(module="reconciler.reconcile", how="reconciler.reconcile.read_manifests = _broken")
THREAD = BROKEN.format(
    module="reconciler.manifest.load",
    how="""
_load = reconciler.reconcile.load
def _beside(*given, **named):
    thread = threading.Thread(target=_broken)
    thread.start()
    thread.join()
    return _load(*given, **named)
import reconciler.reconcile
reconciler.reconcile.load = _beside
""",
).replace("_load = reconciler.reconcile.load", "import reconciler.reconcile\n_load = reconciler.reconcile.load")
DESTRUCTOR = (
    THREAD.replace("thread = threading.Thread(target=_broken)", "thread = _Falling()")
    .replace("    thread.start()\n    thread.join()\n", "    del thread\n")
    .replace("_load = ", "class _Falling:\n    __del__ = _broken\n_load = ")
)
WORKER = BROKEN.format(module="reconciler.live.apply", how="reconciler.live.apply.carry_out = _broken")


def broken(shell, code):
    """Have the next runs of a shell break as this code, which Python runs before them, says."""
    folder = shell.folder / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(code)
    shell.env["PYTHONPATH"] = f"{folder}:{shell.environment()['PYTHONPATH']}"
    shell.env["PYTHONFAULTHANDLER"] = "1"


@pytest.mark.parametrize("flags", [(), ("--json",)], ids=["text", "json"])
def test_a_defect_is_told_by_type_and_place(shell, flags):
    """What nobody foresaw ends the run with exit code 1, its type, our frames, and what to do."""
    shell.agents("a")
    broken(shell, MAIN)
    ran = shell.run("validate", *flags)
    assert ran.code == 1
    assert "RuntimeError from KeyError, at cli/main.py:" in ran.text
    assert "in command" in ran.text
    assert "report it" in ran.text
    assert "sesame" not in ran.text
    if flags:
        (error,) = ran.of("error")
        assert error["error"] == "Defect"
        assert error["exit_code"] == 1


@pytest.mark.parametrize("code", [THREAD, DESTRUCTOR], ids=["thread", "destructor"])
def test_what_escapes_from_elsewhere_is_told_the_same_way(shell, code):
    """A thread of ours, or a destructor, that fails is told of, and the run goes on."""
    shell.agents("a")
    broken(shell, code)
    ran = shell.run("validate")
    assert ran.code == 0, ran.text
    assert "RuntimeError from KeyError, at a place outside of reconciler" in ran.err
    assert "sesame" not in ran.text


@pytest.mark.parametrize("flags", [(), ("--json",)], ids=["text", "json"])
def test_a_defect_in_one_change_is_its_outcome(site, flags):
    """A worker that breaks fails its change, as text and as an event."""
    site.agents("a")
    broken(site, WORKER)
    ran = site.run("apply", "--auto-approve", *flags)
    assert ran.code in (1, 6)
    assert "RuntimeError from KeyError while applying" in ran.text
    assert "sesame" not in ran.text


def test_the_emulator_of_a_run_tells_no_values(shell):
    """The embedded emulator logs where it failed, without the text of the exception."""
    shell.agents("a")
    how = "reconciler.emulator.dispatch.run = _broken"
    broken(shell, BROKEN.format(module="reconciler.emulator.dispatch", how=how))
    ran = shell.run("plan", "--local")
    assert ran.code == 1
    assert "RuntimeError from KeyError, at cli/" in ran.err or "RuntimeError from KeyError, at emulator/" in ran.err
    assert "sesame" not in ran.text


def test_what_breaks_before_the_first_line_is_one_too(shell):
    """An import that fails is a defect like any other."""
    broken(shell, "import sys\nsys.modules['reconciler.reconcile'] = None\n")
    shell.agents("a")
    ran = shell.run("validate")
    assert ran.code == 1
    assert "at cli/main.py:" in ran.text
