"""On a terminal: colours, a question before anything is written, and progress that fits."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time

import pytest

QUESTION = "Only yes is taken for yes: "


class Terminal:
    """A run on a terminal of its own, read as it goes."""

    def __init__(self, site, *arguments: str, columns: int = 100, **more: str) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", *arguments],
            cwd=site.folder,
            env=site.environment(**{"TERM": "xterm-256color"} | more),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.shown = ""

    def until(self, text: str | None) -> str:
        """Read until a text is shown, or, without one, until the run ends."""
        deadline = time.monotonic() + 60
        while text is None or text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            if not select.select([self.master], [], [], 0.1)[0]:
                continue
            try:
                data = os.read(self.master, 65536)
            except OSError:  # the other end is closed
                data = b""
            if not data:
                assert text is None, self.shown
                break
            self.shown += data.decode(errors="replace")
        return self.shown

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self.master, text.encode())

    def end(self) -> tuple[int, str]:
        """Read to the end and return the exit code with all that was shown."""
        self.until(None)
        code = self.process.wait(timeout=30)
        os.close(self.master)
        assert "Traceback" not in self.shown
        return code, self.shown


def test_yes_applies(site):
    """The word yes, and nothing shorter, sets an apply going."""
    site.agents("triage")
    terminal = Terminal(site, "apply")
    terminal.until(QUESTION)
    assert not site.lines
    terminal.type("yes\n")
    code, shown = terminal.end()
    assert code == 0
    assert "Proved:" in shown
    assert site.lines == ["POST /v1/agents"]


@pytest.mark.parametrize("answer", ["y", "no", "YES", "yes please", "", "\x04"], ids=repr)
def test_anything_else_writes_nothing(site, answer):
    """Any other answer, and the end of input, write nothing, and no pipeline takes that for done."""
    site.agents("triage")
    terminal = Terminal(site, "apply")
    terminal.until(QUESTION)
    terminal.type(answer if answer == "\x04" else f"{answer}\n")
    code, shown = terminal.end()
    assert code == 1
    assert "Nothing was written." in shown
    assert not site.lines


def test_ctrl_c_at_the_question(site):
    """Ctrl-C at the question writes nothing."""
    site.agents("triage")
    terminal = Terminal(site, "apply")
    terminal.until(QUESTION)
    terminal.process.send_signal(2)
    code, shown = terminal.end()
    assert code == 130
    assert "nothing more was started" in shown
    assert not site.lines


def test_what_moved_while_asking(site):
    """What moves between the question and the answer makes the plan stale."""
    site.agents("triage")
    terminal = Terminal(site, "apply")
    terminal.until(QUESTION)
    site.world.post("/v1/agents", name="triage", system_prompt="Was here first.")
    terminal.type("yes\n")
    code, shown = terminal.end()
    assert code == 5
    assert "exists on the platform by now" in shown


def test_nothing_to_ask(site):
    """Without changes there is no question."""
    site.agents("triage")
    site.converge()
    code, shown = Terminal(site, "apply").end()
    assert code == 0
    assert QUESTION not in shown


def test_saved_plan_is_not_asked_about(site):
    """A saved plan was reviewed, so it is applied without a question."""
    site.agents("triage")
    site.run("plan", "--out", "a.plan")
    code, shown = Terminal(site, "apply", "a.plan").end()
    assert code == 0
    assert QUESTION not in shown


@pytest.mark.parametrize(
    ("arguments", "env", "is_coloured"),
    [
        (["plan"], {}, True),
        (["plan", "--no-color"], {}, False),
        (["plan"], {"NO_COLOR": "1"}, False),
        (["plan"], {"TERM": "dumb"}, False),
        (["plan", "--json"], {}, False),
        (["validate", "-f", "nowhere"], {}, True),
        (["validate", "-f", "nowhere"], {"NO_COLOR": "1"}, False),
    ],
)
def test_colours(site, arguments, env, is_coloured):
    """A terminal gets colours unless somebody says no, and JSON never has any."""
    site.agents("triage")
    _, shown = Terminal(site, *arguments, **env).end()
    assert ("\x1b[" in shown) is is_coloured


@pytest.mark.parametrize("columns", [10, 40, 300])
def test_progress_fits(site, columns):
    """Live progress works on a terminal of any width, with names far wider than it."""
    site.agents(*[f"an-agent-with-a-rather-long-name-{number}" for number in range(30)])
    site.world.meddler.before("POST", "/v1/agents", lambda: time.sleep(0.02), times=None)
    code, shown = Terminal(site, "apply", "--auto-approve", columns=columns).end()
    assert code == 0
    assert len(site.lines) == 30
    assert "\x1b[" in shown


def test_progress_without_colours_is_plain(site):
    """With NO_COLOR progress is lines, without a single escape code."""
    site.agents("one", "two")
    code, shown = Terminal(site, "apply", "--auto-approve", NO_COLOR="1").end()
    assert code == 0
    assert "\x1b" not in shown


def test_manifests_on_stdin_leave_no_answer(site):
    """Manifests on stdin leave nothing to answer on, so that is wrong usage."""
    site.agents("triage")
    code, shown = Terminal(site, "apply", "-f", "-").end()
    assert code == 64
    assert "--auto-approve" in shown
