"""Two runs at once, as processes against a real bare remote: one has the ledger, the other stops before it writes."""

import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import OWNER, on_branch

ROUNDS = 50
_RUN = """
import sys
from pathlib import Path
from reconciler.errors import LedgerLocked, LedgerMoved
from reconciler.plan.owned import Owner
from reconciler.ledger.file_backend import FileBackend
from reconciler.ledger.git import Git
from reconciler.ledger.git_backend import GitBackend
from reconciler.ledger.lock import lock_of

place, who, written = sys.argv[1], sys.argv[2], Path(sys.argv[3])
owner = Owner(*sys.argv[4:])
for line in sys.stdin:
    folder = Path(place)
    git = (folder / ".git").exists()
    backend = GitBackend(Git(folder), owner, remote="origin") if git else FileBackend(folder, owner)
    serial = int(line)
    try:
        with backend.lock(lock_of({"GITHUB_ACTOR": who}), serial=serial):
            with written.open("a") as platform:
                platform.write(f"{who}\\n")
            backend.write(backend.read(), message=f"Apply by {who}")
        print("applied", flush=True)
    except (LedgerLocked, LedgerMoved) as error:
        print(type(error).__name__, flush=True)
"""


def start(place: Path, who: str, written: Path) -> "subprocess.Popen[str]":
    """Start a process that does a run for every line it is given: the serial that it planned with."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", _RUN, str(place), who, str(written), *OWNER]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)


def raced(two: list["subprocess.Popen[str]"], written: Path) -> None:
    """Race the two processes again and again: each time exactly one applies, and only that one writes."""
    for number in range(ROUNDS):
        for process in two:
            process.stdin.write(f"{number}\n")
            process.stdin.flush()
        ended = sorted(process.stdout.readline().strip() for process in two)
        assert ended[1] == "applied", (number, ended)
        assert ended[0] in ("LedgerLocked", "LedgerMoved"), (number, ended)
        assert len(written.read_text().splitlines()) == number + 1
    for process in two:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


@pytest.mark.timeout(600)
def test_one_of_two_clones_wins(repositories, tmp_path):
    """Of two runs in two clones, fifty times from the very first one on, exactly one gets the ledger."""
    written = tmp_path / "platform"
    raced([start(repositories.clone(who), who, written) for who in ("alice", "bob")], written)
    assert on_branch(repositories.clone("c")).read().serial == ROUNDS
    assert on_branch(repositories.clone("d")).holder() is None


@pytest.mark.timeout(600)
def test_one_of_two_in_one_clone_wins(clone, tmp_path):
    """The same in one clone, whose own references the two move in turn."""
    raced([start(clone, who, tmp_path / "platform") for who in ("alice", "bob")], tmp_path / "platform")
    assert on_branch(clone).read().serial == ROUNDS


def test_one_of_two_wins_a_file(tmp_path):
    """The same with a file."""
    written = tmp_path / "platform"
    raced([start(tmp_path / "ledger", who, written) for who in ("alice", "bob")], written)
