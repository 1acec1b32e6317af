"""Keys that are shown once: what is written where, what is refused, and that nothing else hears of them."""

import stat
import sys

import pytest

from reconciler.errors import KeyUndelivered
from reconciler.kinds.key_to import Command, EnvFile
from reconciler.kinds.taint import shown_once
from reconciler.live import keys
from reconciler.live.keys import deliver, ensure_deliverable
from reconciler.resource import Address

DOOR = Address("acme", "Channel", "door", "bot")
KEY = "evra2a_" + "5" * 64


def shown(value=KEY):
    """Give a key as an answer brings it."""
    return shown_once({"api_key": value}, "api_key")["api_key"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, f"DOOR={KEY}\n"),
        ("", f"DOOR={KEY}\n"),
        ("A=1\n\n# why\nB=2", f"A=1\n\n# why\nB=2\nDOOR={KEY}\n"),
        ("A=1\nDOOR=old\nB=2\n", f"A=1\nDOOR={KEY}\nB=2\n"),
        ("export DOOR=old\nDOORS=3\nDOOR=older\n", f"DOOR={KEY}\nDOORS=3\n"),
    ],
    ids=["no file", "empty", "other lines", "in its place", "said twice"],
)
def test_a_line_of_a_file(tmp_path, before, after):
    """The variable gets the key, every other line stays, and the file is its owner's alone; nothing lies beside it."""
    path = tmp_path / "keys.env"
    if before is not None:
        path.write_text(before)
        path.chmod(0o644)
    deliver(shown(), EnvFile(str(path), "DOOR"), DOOR)
    assert path.read_text() == after
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [*tmp_path.iterdir()] == [path]


def test_a_link_is_not_followed(tmp_path):
    """A link in the place of the file is replaced: what it leads to is as it was."""
    other, path = tmp_path / "other", tmp_path / "keys.env"
    other.write_text("A=1\n")
    path.symlink_to(other)
    deliver(shown(), EnvFile(str(path), "DOOR"), DOOR)
    assert (other.read_text(), path.is_symlink()) == ("A=1\n", False)


def test_a_command_gets_it_on_standard_input(tmp_path, monkeypatch, capfd):
    """A command gets the key and nothing behind it, is told for whom, and what it prints is heard by nobody."""
    monkeypatch.setenv("EVERRUNS_API_KEY", "mine")
    code = (
        "import os, sys; key = sys.stdin.read(); print(key); print(key, file=sys.stderr);"
        "told = [key, os.environ['RECONCILER_ADDRESS'], str('EVERRUNS_API_KEY' in os.environ)];"
        "open(sys.argv[1], 'w').write(' '.join(told))"
    )
    deliver(shown(), Command((sys.executable, "-c", code, str(tmp_path / "got"))), DOOR)
    assert (tmp_path / "got").read_text() == f"{KEY} {DOOR} False"
    assert capfd.readouterr() == ("", "")


UNWILLING = [
    (Command((sys.executable, "-c", "import sys; sys.exit(sys.stdin.read() and 3)")), "ended with exit code 3"),
    (Command(("/nowhere/at-all",)), "No such file or directory"),
    (EnvFile("/dev/null/keys.env", "DOOR"), "Not a directory"),
]


@pytest.mark.parametrize(("key_to", "why"), UNWILLING)
def test_what_could_not_be_handed_over_is_told(key_to, why):
    """Why a key is lost is said, with the way to another one, and never the key."""
    with pytest.raises(KeyUndelivered, match=why) as raised:
        deliver(shown(), key_to, DOOR)
    assert f"--rotate '{DOOR}'" in raised.value.hint
    assert KEY not in f"{raised.value} {raised.value.hint}"


def test_a_command_that_does_not_end(monkeypatch):
    """A command that does not end is ended."""
    monkeypatch.setattr(keys, "PATIENCE", 0.05)
    with pytest.raises(KeyUndelivered, match="did not end within"):
        deliver(shown(), Command((sys.executable, "-c", "import time; time.sleep(60)")), DOOR)


@pytest.mark.parametrize("key", [None, 7, "plain", shown("a\nB=2"), shown(""), shown("a b"), shown("k" * 5000)])
def test_no_key(tmp_path, key):
    """What is no key, or would be more than a line, is written nowhere."""
    path = tmp_path / "keys.env"
    with pytest.raises(KeyUndelivered, match="lost"):
        deliver(key, EnvFile(str(path), "DOOR"), DOOR)
    assert not path.exists()


def test_what_is_no_file_of_variables_stays(tmp_path):
    """A file of another sort is not touched, and refused before anything is written to the platform."""
    path = tmp_path / "fleet.yaml"
    path.write_text("kind: Agent\n")
    to = EnvFile(str(path), "DOOR")
    with pytest.raises(KeyUndelivered, match="line 1 of it is not NAME=value") as raised:
        ensure_deliverable([(to, DOOR)])
    assert "nothing was written" in raised.value.hint
    with pytest.raises(KeyUndelivered, match="line 1 of it is not NAME=value"):
        deliver(shown(), to, DOOR)
    assert path.read_text() == "kind: Agent\n"


def test_obstacles_are_found_beforehand(tmp_path):
    """What is no folder, or a program that is not there, is found before the key is made; the rest is no obstacle."""
    (tmp_path / "link.env").symlink_to("keys.env")
    (tmp_path / ".git").mkdir()
    (tmp_path / "aside").symlink_to(".git")
    (tmp_path / "no").write_text("a file")
    ensure_deliverable([(EnvFile(str(tmp_path / "new" / "keys.env"), "DOOR"), DOOR)])
    ensure_deliverable([(EnvFile(str(tmp_path / "keys.env"), "DOOR"), DOOR), (Command((sys.executable,)), DOOR)])
    for key_to, why in [
        (EnvFile(str(tmp_path / "no" / "keys.env"), "DOOR"), "is no folder"),
        (EnvFile(str(tmp_path), "DOOR"), "Is a directory"),
        (EnvFile(str(tmp_path / "link.env"), "DOOR"), "it is a link"),
        (EnvFile(str(tmp_path / "aside" / "config"), "DOOR"), "it leads into git's own folder"),
        (Command(("no-such-program",)), "there is no program no-such-program"),
    ]:
        with pytest.raises(KeyUndelivered, match=why):
            ensure_deliverable([(key_to, DOOR)])
