"""Every verb, as a user runs it."""

import json
import signal
import subprocess

import pytest

from reconciler import __version__
from reconciler.cli.main import VERBS

SHELLS = {"bash": "complete -o", "zsh": "#compdef reconciler", "fish": "complete --no-files"}


@pytest.mark.parametrize("verb", VERBS)
def test_help(shell, verb):
    """Every verb explains itself and its flags, in plain text."""
    ran = shell.run(verb, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"Usage: reconciler {verb}")
    assert "--help" in ran.out
    assert "\x1b" not in ran.out


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_lists_verbs_and_exit_codes(shell, flag):
    """The help of the program names every verb and every exit code."""
    ran = shell.run(flag)
    assert ran.code == 0
    assert all(f"\n  {verb} " in ran.out for verb in VERBS)
    assert all(f"{code} " in ran.out for code in (0, 1, 2, 4, 5, 6, 7, 64, 130))


def test_version(shell):
    """The version is the package's."""
    ran = shell.run("version")
    assert (ran.code, ran.out) == (0, f"reconciler {__version__}\n")


def test_unknown_verb_suggests(shell):
    """A misspelled verb is wrong usage, and the nearest one is named."""
    ran = shell.run("aply")
    assert ran.code == 64
    assert "Did you mean apply?" in ran.err


def test_no_verb_shows_help(shell):
    """Without a verb the help is shown."""
    ran = shell.run()
    assert "Usage: reconciler" in ran.text
    assert all(verb in ran.text for verb in VERBS)


def test_validate_counts(shell):
    """Valid manifests are counted by kind; nothing but the files is needed."""
    shell.agents("one", "two")
    ran = shell.run("validate")
    assert (ran.code, ran.out) == (0, "Valid: 2 resources (2 agents).\n")


def test_validate_shows_every_fault(shell):
    """Every fault is shown with its place, and the run fails."""
    shell.write("manifests/a.yaml", "apiVersion: everruns.reconciler/v1\nkind: Agnt\nmetadata: {name: a}\n")
    shell.write("manifests/b.yaml", "apiVersion: everruns.reconciler/v1\nkind: Agent\nmetadata: {name: b}\nspc: {}\n")
    ran = shell.run("validate")
    assert ran.code == 1
    assert "manifests/a.yaml:2:7: " in ran.err
    assert "manifests/b.yaml:4:1: " in ran.err


def test_validate_as_events(shell):
    """Faults are events of their own, before the error that counts them."""
    shell.write("manifests/a.yaml", "apiVersion: everruns.reconciler/v1\nkind: Agnt\nmetadata: {name: a}\n")
    ran = shell.run("validate", "--json")
    assert [event["type"] for event in ran.events] == ["started", "fault", "error", "finished"]
    (fault,) = ran.of("fault")
    assert (fault["path"], fault["line"], fault["column"]) == ("manifests/a.yaml", 2, 7)


def test_schema_is_written_once_and_checked(shell):
    """The schema is written, found up to date, and found stale when somebody edits it."""
    assert shell.run("schema").out == "Wrote schemas/manifest.schema.json\n"
    path = shell.folder / "schemas" / "manifest.schema.json"
    assert json.loads(path.read_text())["$schema"]
    assert shell.run("schema").out == "Up to date: schemas/manifest.schema.json\n"
    assert shell.run("schema", "--check").code == 0
    path.write_text("{}")
    stale = shell.run("schema", "--check")
    assert stale.code == 1
    assert "stale" in stale.out
    assert path.read_text() == "{}"


def test_schema_where_nothing_can_be_written(shell):
    """A place that cannot be written to is wrong usage."""
    shell.write("schemas", "a file in the way")
    assert shell.run("schema").code == 64


@pytest.mark.parametrize("name", SHELLS)
def test_completion(shell, name):
    """The completion script is one for the shell, and goes to stdout alone."""
    ran = shell.run("completion", name)
    assert (ran.code, ran.err) == (0, "")
    assert SHELLS[name] in ran.out
    assert "_RECONCILER_COMPLETE" in ran.out


def test_completion_completes_verbs(shell):
    """What the script asks is answered with the verbs and what they are for."""
    ran = shell.run(COMP_WORDS="reconciler va", COMP_CWORD="1", _RECONCILER_COMPLETE="bash_complete")
    assert ran.out.split() == ["plain,validate"]


def test_completion_script_is_bash(shell):
    """The script for bash is one that bash can read."""
    script = shell.run("completion", "bash").out
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_emulator_says_where_it_is(served, shell):
    """The emulator tells its address, begins without any organization, keeps its data in the file and stops cleanly."""
    shell.agents("triage")
    env = {"EVERRUNS_API_URL": served.url, "EVERRUNS_API_KEY": "evr_pat_local"}
    assert shell.run("plan", **env).code == 64
    shell.write(
        "manifests/org.yaml", "apiVersion: everruns.reconciler/v1\nkind: Organization\nmetadata: {name: acme}\n"
    )
    assert shell.run("apply", "--auto-approve", **env).code == 0
    assert shell.run("plan", "--detailed-exitcode", **env).code == 0
    assert served.data.stat().st_size > 0


def test_emulator_stops_on_ctrl_c(shell, finish):
    """Ctrl-C ends the emulator without an error."""
    process = shell.start("emulator", "--port", "0")
    assert process.stdout
    assert "data: memory" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert finish(process).code == 0


def test_emulator_on_a_taken_port(shell, site):
    """A port that is taken is wrong usage, not a crash."""
    ran = shell.run("emulator", "--port", site.url.rpartition(":")[2])
    assert ran.code == 64
    assert "cannot serve on port" in ran.err


def test_emulator_with_a_file_it_cannot_use(shell):
    """A data file in no folder, or that is no database, is wrong usage."""
    shell.write("notes.txt", "no database at all, but long enough to be looked at twice\n" * 20)
    for data in ("nowhere/data.sqlite", "notes.txt"):
        ran = shell.run("emulator", "--port", "0", "--data", data)
        assert ran.code == 64
        assert data in ran.err


def test_local_emulator_with_a_damaged_file(shell):
    """--local says which file is damaged and what to do about it."""
    shell.agents("triage")
    shell.write(".reconciler/emulator.sqlite", "no database at all, but long enough to be looked at twice\n" * 20)
    ran = shell.run("plan", "--local")
    assert ran.code == 64
    assert ".reconciler/emulator.sqlite" in ran.err
