"""A ledger in a file: replaced in one step, held by an advisory lock that ends with its process."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from reconciler.errors import LedgerError
from reconciler.ledger import codec, lock
from reconciler.ledger.backend import changed_hands, ensure_owned, key_of, outdated, taken_away
from reconciler.ledger.former import Former, Look, ensure_not_left, in_file, nowhere
from reconciler.ledger.lock import Lock, locked
from reconciler.plan.owned import Ledger, Owner

_POLL: Final = 0.05
_PATIENCE: Final = 0.1  # somebody who only looks holds the file for a moment
_PRIVATE: Final = 0o600


class FileBackend:
    """One owner's ledger below a folder, as `<key>.json`, with `<key>.lock` beside it.

    Of the lock file, what counts is the kernel's lock on it; its text only says whose that is. A holder whose file
    is no longer the one at the path was unlocked by somebody, and writes no more. An `ignored` folder is hidden
    from git. `before` looks at where the ledger was kept earlier.
    """

    def __init__(self, folder: Path, owner: Owner, *, ignored: bool = False, before: Look = nowhere) -> None:
        self._folder = folder
        self._ignored = ignored
        self._before = before
        self._owner = owner
        self._path = folder / f"{key_of(owner)}.json"
        self._lock_path = folder / f"{key_of(owner)}.lock"
        self._held: int | None = None

    @property
    def place(self) -> str:
        """The file's path."""
        return str(self._path)

    @property
    def owner(self) -> Owner:
        """Whose it is to be."""
        return self._owner

    def neighbours(self) -> list[str]:
        """Return the names of other files beside it."""
        return sorted(path.stem for path in self._folder.glob("*.json") if path != self._path)

    def read(self) -> Ledger:
        """Read the file; without one the ledger is empty."""
        return ensure_not_left(self._found(), place=self.place, former=self._before)

    def _found(self) -> Ledger:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return Ledger(self._owner)
        except OSError as error:
            raise self._unusable(error) from error
        ledger = codec.loads(data, place=self.place)
        if self._ignored and ledger.owner[1:] == self._owner[1:] and ledger.owner != self._owner:
            raise LedgerError(  # git ignores the folder, so that no fork brings it along
                f"the ledger in {self.place} belongs to {ledger.owner}; this is {self._owner}",
                hint="if the repository got a remote, or moved: reconciler ledger move --ledger file makes it yours; "
                "in a fork, name another branch or environment in reconciler.yaml",
            )
        return ensure_owned(ledger, by=self._owner, place=self.place)

    def former(self) -> Former | None:
        """Look at the file itself as the repository was called before, else at the branch."""
        found = in_file(self._path, by=self._owner) if self._ignored else None
        if found is not None and found.ledger.owner != self._owner:
            return replace(found, path=None)  # it is replaced where it stands
        return self._before()

    @contextmanager
    def lock(self, lock: Lock, *, wait: float = 0.0, serial: int | None = None) -> Iterator[Lock | None]:
        """Hold the file's lock; nobody's is ever stale, as a lock ends with its process."""
        self._held = self._taken(replace(lock, expires_at=None), until=time.monotonic() + max(wait, _PATIENCE))
        try:
            if serial is not None and (found := self._found().serial) != serial:
                raise outdated(self.place, expected=serial, found=found)
            yield None
        finally:
            self._release()

    def checkpoint(self, ledger: Ledger, *, message: str) -> Ledger:  # noqa: ARG002 - a file has no history
        """Replace the file."""
        self._ensure_held()
        written = replace(ledger, serial=ledger.serial + 1)
        try:
            _replace(self._path, codec.dumps(written))
        except OSError as error:
            raise self._unusable(error) from error
        return written

    def write(self, ledger: Ledger, *, message: str) -> Ledger:
        """Replace the file and let go of its lock."""
        written = self.checkpoint(ledger, message=message)
        self._release()
        return written

    def holder(self) -> Lock | None:
        """Return whose lock is on the file."""
        try:
            handle = os.open(self._lock_path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _said(handle)
        finally:
            os.close(handle)
        return None

    def unlock(self, lock: Lock) -> None:
        """Remove the locked file: its holder finds out before it writes, the next run makes another."""
        by = self.holder()
        if by is None:
            return
        if by.id != lock.id:
            raise changed_hands(self.place, to=by)
        try:
            self._lock_path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    def erase(self, *, message: str) -> None:  # noqa: ARG002 - a file has no history
        """Remove the file."""
        self._ensure_held()
        try:
            self._path.unlink(missing_ok=True)
            _settle(self._folder)
        except OSError as error:
            raise self._unusable(error) from error

    def _taken(self, mine: Lock, *, until: float) -> int:
        """Return the handle of the lock file, locked and signed; raises LedgerLocked when the time is over."""
        while True:
            handle = self._opened()
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_current(handle):
                    os.ftruncate(handle, 0)
                    os.pwrite(handle, lock.dumps(mine), 0)
                    return handle
            except BlockingIOError:
                if time.monotonic() >= until:
                    by = _said(handle)
                    os.close(handle)
                    raise locked(by, place=self.place) from None
                time.sleep(_POLL)
            except OSError as error:
                os.close(handle)
                raise self._unusable(error) from error
            os.close(handle)

    def _opened(self) -> int:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._ignored and not (ignore := self._folder / ".gitignore").exists():
                ignore.write_text("*\n", encoding="utf-8")
            return os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
        except OSError as error:
            raise self._unusable(error) from error

    def _is_current(self, handle: int) -> bool:
        """Say whether the lock is on the file that stands at the path, not on one that was removed."""
        with suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(handle), self._lock_path.stat())
        return False

    def _ensure_held(self) -> None:
        if self._held is None or not self._is_current(self._held):
            raise taken_away(self.place)

    def _release(self) -> None:
        if self._held is not None:
            handle, self._held = self._held, None
            with suppress(OSError):  # what it says is for people; the lock itself goes with the handle
                os.ftruncate(handle, 0)
            os.close(handle)

    def _unusable(self, error: OSError) -> LedgerError:
        return LedgerError(
            f"cannot use the ledger in {self.place}: {error.strerror}",
            hint=_remedy(error),
        )


def _remedy(error: OSError) -> str:
    """Say what helps: of a full disk, permissions are not what is wrong."""
    elsewhere = "or name another folder in reconciler.yaml: ledger: {path: ...}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"make room on the disk, {elsewhere}; then plan again: what is there already is found"
    return f"check the folder's permissions, {elsewhere}"


def _said(handle: int) -> Lock:
    return lock.loads(os.pread(handle, 64 * 1024, 0))


def _replace(path: Path, data: bytes) -> None:
    """Put a file in the place of another, so that at any moment, even of a power cut, one of them is there."""
    temporary = path.with_suffix(".part")  # one writer at a time: what an earlier one left behind is written over
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _PRIVATE)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    finally:
        os.close(handle)
    temporary.replace(path)
    _settle(path.parent)


def _settle(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
