"""The file: replaced in one step whatever happens, and locked for as long as its process lives."""

import errno
import fcntl
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from reconciler.errors import LedgerError, LedgerLocked
from reconciler.ledger import codec
from reconciler.ledger.file_backend import FileBackend
from reconciler.plan.owned import Ledger

from .conftest import BOT, OWNER, TRIAGE, known, lock_by

KILLS = 200
_WRITER = """
import os, sys
from pathlib import Path
from reconciler.plan.owned import Entry, Ledger, Owner
from reconciler.ledger.file_backend import FileBackend
from reconciler.ledger.lock import lock_of
from reconciler.resource import Address

folder, owner = Path(sys.argv[1]), Owner(*sys.argv[2:])
while True:  # every life of this process is killed; the next begins at once, without an interpreter's start
    reading, writing = os.pipe()
    if child := os.fork():
        os.close(writing)
        print(child, os.read(reading, 1).decode(), flush=True)
        os.close(reading)
        os.waitpid(child, 0)
        if sys.stdin.readline() != "again\\n":
            sys.exit()
        continue
    backend = FileBackend(folder, owner)
    with backend.lock(lock_of({"GITHUB_ACTOR": "writer"}), wait=10):
        ledger = backend.read()
        os.write(writing, b"!")
        while True:
            number = ledger.serial + 1
            entry = Entry(id=f"id_{number}", applied_at="2026-11-02T10:00:00Z", commit="x" * (number % 7 * 3000 + 1))
            ledger = backend.checkpoint(ledger.with_applied({Address("acme", "Agent", "a"): entry}), message="")
"""


def test_killed_at_any_moment(tmp_path):
    """Two hundred times killed while it writes, the ledger is whole each time, the old one or the new one."""
    chance, pipe = random.Random(4), subprocess.PIPE
    command = [sys.executable, "-c", _WRITER, str(tmp_path), *OWNER]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as nurse:
        serials = [0]
        for _ in range(KILLS):
            child = int(nurse.stdout.readline().split()[0])
            time.sleep(chance.uniform(0, 0.01))
            os.kill(child, signal.SIGKILL)
            ledger = FileBackend(tmp_path, OWNER).read()
            serials.append(ledger.serial)
            assert [entry.id for entry in ledger.entries.values()] == ([f"id_{ledger.serial}"] if ledger.serial else [])
            nurse.stdin.write("again\n")
            nurse.stdin.flush()
        last = int(nurse.stdout.readline().split()[0])
        os.kill(last, signal.SIGKILL)
        with suppress(BrokenPipeError):
            nurse.stdin.write("end\n")
            nurse.stdin.flush()
    assert serials == sorted(serials)
    assert serials[-1] > KILLS // 2
    assert FileBackend(tmp_path, OWNER).holder() is None


def test_a_half_written_file_is_never_read(tmp_path):
    """What a killed run left beside the ledger is written over by the next one."""
    backend = FileBackend(tmp_path, OWNER)
    part = backend._path.with_suffix(".part")
    part.write_bytes(b"{" * 100_000)
    assert backend.read() == Ledger(OWNER)
    with backend.lock(lock_by("alice")):
        backend.write(known(TRIAGE), message="Apply")
    assert backend.read().serial == 1
    assert not part.exists()


def test_order_of_the_replacement(tmp_path, monkeypatch):
    """The bytes are on the disk before the name leads to them, and the name before the run goes on."""
    calls = []
    for name in ("write", "fsync", "replace", "rename"):
        real = getattr(os, name)

        def noted(*arguments, _name=name, _real=real, **options):
            calls.append(_name)
            return _real(*arguments, **options)

        monkeypatch.setattr(f"os.{name}", noted)
    backend = FileBackend(tmp_path, OWNER)
    with backend.lock(lock_by("alice")):
        backend.write(known(TRIAGE), message="Apply")
    assert [call for call in calls if call != "write"] == ["fsync", "replace", "fsync"]
    assert calls.index("write") < calls.index("fsync")


def test_a_dead_run_holds_nothing(tmp_path):
    """A lock file of a process that is gone is no lock, whatever it says."""
    backend = FileBackend(tmp_path, OWNER)
    with backend.lock(lock_by("alice")):
        said = backend._lock_path.read_bytes()
    backend._lock_path.write_bytes(said)
    assert backend.holder() is None
    with backend.lock(lock_by("bob")):
        assert backend.holder().who == "bob"


def test_nobody_is_kept_from_the_lock_by_who_only_looks(tmp_path):
    """Asking who holds the ledger does not make a run fail."""
    backend = FileBackend(tmp_path, OWNER)
    with backend.lock(lock_by("alice")):
        pass
    with backend._lock_path.open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        with pytest.raises(LedgerLocked):
            backend.lock(lock_by("bob")).__enter__()
        threading.Timer(0.03, lambda: fcntl.flock(looking, fcntl.LOCK_UN)).start()
        with backend.lock(lock_by("bob")):
            pass


def test_private_and_hidden(tmp_path):
    """The file is for its owner alone, and the default folder is not for git."""
    backend = FileBackend(tmp_path / "a", OWNER, ignored=True)
    with backend.lock(lock_by("alice")):
        backend.write(known(TRIAGE), message="Apply")
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "a").glob("*production*")} == {0}
    assert (tmp_path / "a" / ".gitignore").read_text() == "*\n"
    with FileBackend(tmp_path / "b", OWNER).lock(lock_by("alice")):
        assert not (tmp_path / "b" / ".gitignore").exists()


def test_a_place_that_cannot_be_used(tmp_path):
    """A folder that is a file, or a file that is a folder, is an error of ours that says where."""
    (tmp_path / "file").write_text("")
    backend = FileBackend(tmp_path / "file", OWNER)
    for act in (backend.read, backend.holder, lambda: backend.lock(lock_by("alice")).__enter__()):
        with pytest.raises(LedgerError, match=re.escape(f"cannot use the ledger in {tmp_path}/file")) as caught:
            act()
        assert "reconciler.yaml" in caught.value.hint
    backend = FileBackend(tmp_path, OWNER)
    backend._path.mkdir()
    with pytest.raises(LedgerError, match="Is a directory"):
        backend.read()
    with backend.lock(lock_by("alice")), pytest.raises(LedgerError, match="cannot use"):
        backend.write(known(BOT), message="Apply")


def test_damage_is_refused_with_a_way_out(tmp_path):
    """A ledger cut short is neither read nor replaced by an empty one, and the message says what to do."""
    backend = FileBackend(tmp_path, OWNER)
    backend._path.write_bytes(codec.dumps(known(TRIAGE))[:-40])
    with pytest.raises(LedgerError, match="is damaged") as caught:
        backend.read()
    assert str(backend._path) in str(caught.value)
    assert "ledger rebuild" in caught.value.hint


def test_a_lock_file_removed_while_it_is_taken(tmp_path, monkeypatch):
    """A lock on a file that was removed meanwhile is worth nothing: the run takes the one that stands there."""
    opened, plain = [], FileBackend._opened

    def removed(self):
        handle = plain(self)
        opened.append(handle)
        if len(opened) == 1:
            self._lock_path.unlink()
        return handle

    monkeypatch.setattr(FileBackend, "_opened", removed)
    backend = FileBackend(tmp_path, OWNER)
    with backend.lock(lock_by("alice")):
        assert len(opened) == 2
        assert backend.holder().who == "alice"
        backend.write(known(TRIAGE), message="Apply")


def test_a_full_disk_is_no_matter_of_permissions(tmp_path, monkeypatch):
    """The hint names what helps: room, where there is none."""
    backend = FileBackend(tmp_path, OWNER)

    def full(*_arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    with backend.lock(lock_by("alice")):
        monkeypatch.setattr("reconciler.ledger.file_backend._replace", full)
        with pytest.raises(LedgerError, match="No space left") as caught:
            backend.write(Ledger(OWNER), message="x")
    assert "make room" in caught.value.hint
    assert "permissions" not in caught.value.hint
