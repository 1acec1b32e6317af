"""Several processes read many files, and nobody can tell from what comes out."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reconciler.manifest import crew
from reconciler.manifest.load import load
from reconciler.manifest.resolve import resolve

AGENT = "apiVersion: everruns.reconciler/v1\nkind: Agent\nmetadata:\n  name: {name}\nspec:\n  system_prompt: {prompt}\n"
SECRET = "  mcpServers:\n    crm:\n      url: https://crm.example\n      headers: {Authorization: {env: TOKEN}}\n"
ODD = {
    "secret.yaml": AGENT.format(name="secret", prompt="Help.") + SECRET,
    "fault.yaml": AGENT.format(name="fault", prompt="[1]"),
    "two.yaml": AGENT.format(name="one", prompt="a") + "---\n" + AGENT.format(name="two", prompt="b"),
    "broken.yaml": "a: [",
    "empty.yaml": "",
    "prompt.yaml": AGENT.format(name="prompt", prompt="{file: prompt.md}"),
}
# Reads a folder with so many hands and prints all that came of it; `{death}` may be a line that kills the others.
SCRIPT = """
import os, sys
from reconciler.manifest import crew, resolve
from reconciler.manifest.load import load
asked, read = os.getpid(), crew.read_quickly
def dying(path, *, roots):
    {death}
    return read(path, roots=roots)
crew.read_quickly = dying
crew._hands = lambda files: {hands}
crew.SHARE = 3
own = []
def counted(path, *, roots):
    own.append(path)
    return dying(path, roots=roots)
crew.read_quickly = counted
{more}
resolved = resolve.resolve(load([sys.argv[1]]))
print(len(own), "read by the one that asked", file=sys.stderr)
for one in resolved.desired:
    print(one.address, one.spec, one.source, one.title)
for fault in resolved.faults:
    print(fault)
try:
    print(os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print("nobody is left behind")
"""

# The one that asked reads nothing before another has taken a share.
PATIENT = """
import time
mark = sys.argv[1] + "/taken"
def patient(path, *, roots):
    if os.getpid() != asked:
        open(mark, "w").close()
    while not os.path.exists(mark):
        time.sleep(0.01)
    return counted(path, roots=roots)
crew.read_quickly = patient
"""


@pytest.fixture
def folder(tmp_path):
    """Give a folder with files of every sort."""
    for number in range(40):
        (tmp_path / f"{number:02}.yaml").write_text(AGENT.format(name=f"agent-{number}", prompt=f"Number {number}."))
    for name, text in ODD.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "latin.yaml").write_bytes(b"a: \xff\n")
    (tmp_path / "prompt.md").write_text("From a file.\n")
    return tmp_path


def ran(folder: Path, *, hands: int, death: str = "pass", more: str = "") -> subprocess.CompletedProcess[str]:
    """Let a process of its own read a folder with so many hands."""
    script = SCRIPT.format(hands=hands, death=death, more=more)
    command = [sys.executable, "-c", script, str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)


def told(folder: Path, *, hands: int, **how: str) -> str:
    """Return what a process of its own says of a folder that so many processes read."""
    return ran(folder, hands=hands, **how).stdout


@pytest.mark.skipif(sys.platform != "linux", reason="one process reads everything elsewhere")
@pytest.mark.parametrize("hands", [2, 3, 7, 60])
def test_many_hands_read_what_one_reads(folder, hands):
    """However many processes share the work, documents, faults and their order are the same, and none stays."""
    alone = told(folder, hands=1)
    assert "agent-39" in alone
    assert "broken.yaml" in alone
    shared = ran(folder, hands=hands, more=PATIENT)
    assert shared.stdout == alone
    files = len(list(folder.glob("*.yaml")))
    assert int(shared.stderr.split()[0]) <= files - 3


@pytest.mark.skipif(sys.platform != "linux", reason="one process reads everything elsewhere")
@pytest.mark.parametrize(
    "death",
    ["os.getpid() == asked or os.kill(os.getpid(), 9)", "if os.getpid() != asked: raise RuntimeError"],
    ids=["killed", "in error"],
)
def test_a_lost_share_is_read_again(folder, death):
    """What a process took with it when it died is read by the one that asked."""
    assert told(folder, hands=3, death=death, more=PATIENT) == told(folder, hands=1)


@pytest.mark.skipif(sys.platform != "linux", reason="one process reads everything elsewhere")
@pytest.mark.parametrize(
    "lack",
    [
        "def fork(): raise OSError(11, 'no room')\nos.fork = fork",
        "def pipe(): raise OSError(24, 'too many')\nos.pipe = pipe",
        "def memfd_create(name): raise OSError(24, 'too many')\nos.memfd_create = memfd_create",
        "forks = [os.fork]\ndef fork():\n    return forks.pop()() if forks else os.open('/nowhere', 0)\nos.fork = fork",
    ],
    ids=["no process", "no pipe", "no memory", "one process only"],
)
def test_a_machine_without_room(folder, lack):
    """Where no process or pipe is to be had, the one that asked reads all, and nothing stays open."""
    left = "import atexit\natexit.register(lambda: print(len(os.listdir('/proc/self/fd'))))"
    assert told(folder, hands=4, more=f"{lack}\n{left}") == told(folder, hands=1, more=left)


@pytest.mark.parametrize(("first", "wrong"), [("", 1), ("sub", 0)])
def test_overlapping_paths(folder, first, wrong):
    """A folder that is named twice, by itself and within another, has the root under which it was named last."""
    (folder / "sub").mkdir()
    (folder / "sub" / "up.yaml").write_text(AGENT.format(name="up", prompt="{file: ../prompt.md}"))
    paths = [str(folder / first), str(folder / ("" if first else "sub"))]
    faults = [str(fault.message) for fault in resolve(load(paths)).faults]
    assert sum("root" in fault for fault in faults) == wrong


def test_few_files_are_not_worth_it(folder, monkeypatch):
    """Nothing is forked for a folder of ordinary size, nor where threads run."""
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("forked"))
    assert len(load([str(folder)]).documents) > 40
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    monkeypatch.setattr(crew, "MANY", 1)
    assert len(load([str(folder)]).documents) > 40
    stop.set()
    thread.join()


def test_a_fault_keeps_its_place(folder):
    """A document that was validated where it was read is still shown with its line when it is at fault later."""
    (folder / "again.yaml").write_text(AGENT.format(name="agent-7", prompt="Twice."))
    assert f"{folder}/again.yaml" in told(folder, hands=2)
