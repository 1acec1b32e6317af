"""A ledger on a branch of the manifests' own repository: shared, with a history, and its own lock.

The branch has one flat folder: for each owner `<key>.json`, and `<key>.lock` while a run holds it. A lock is a
commit that was pushed before the first write to the platform; the commit that writes the ledger takes it away.
Every push names the commit it expects to replace, so of two at once the remote takes one.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

from reconciler.errors import LedgerError, LedgerLocked, LedgerMoved
from reconciler.ledger import codec
from reconciler.ledger import lock as locks
from reconciler.ledger.backend import changed_hands, ensure_owned, key_of, outdated, taken_away
from reconciler.ledger.former import Former, Look, ensure_not_left, nowhere
from reconciler.ledger.git import Git, Pushed, without_login
from reconciler.ledger.lock import Lock, locked
from reconciler.plan.owned import Ledger, Owner

BRANCH: Final = "reconciler-ledger"
_POLL: Final = 2.0
_TRIES: Final = 30
_PAUSE: Final = 0.05
_NOTE: Final = "README.md"
_README: Final = b"""# What reconciler owns

Written by `reconciler apply`, never by hand: which resources of the platform these manifests manage, and digests of
what was last written. No values are in it. Nothing breaks when this branch is deleted: nothing is archived then, and
what agrees with the manifests is taken over again. `reconciler ledger show` prints it.
"""

_OURS: Final = re.compile(r"README\.md|[a-z0-9-]+-[0-9a-f]{8}\.(?:json|lock)")

Files = dict[str, str]
"""Names in the branch's folder and the ids of their blobs."""


@dataclass(frozen=True, slots=True)
class _Own:
    """What a run has put on the branch without a break: its last commit, and the one that the first stands on."""

    base: str | None
    last: str
    commits: int = 1


class GitBackend:
    """One owner's ledger on a branch of a remote.

    A run ends with one commit: it replaces those that held the lock, unless others pushed in between or the remote
    does not let a branch be replaced. `before` looks at where the ledger was kept earlier.
    """

    def __init__(self, git: Git, owner: Owner, *, remote: str, branch: str = BRANCH, before: Look = nowhere) -> None:
        self._git = git
        self._owner = owner
        self._remote = remote
        self._before = before
        self._branch = branch
        self._ref = f"refs/heads/{branch}"
        self._document = f"{key_of(owner)}.json"
        self._lock = f"{key_of(owner)}.lock"
        self._mine: Lock | None = None
        self._own: _Own | None = None

    @property
    def place(self) -> str:
        """The branch and its remote."""
        return f"branch {self._branch} of {without_login(self._remote)}"

    @property
    def owner(self) -> Owner:
        """Whose it is to be."""
        return self._owner

    def neighbours(self) -> list[str]:
        """Return the names of other ledgers on the branch."""
        files = self._files(self._tip())
        return sorted(name.removesuffix(".json") for name in files if name.endswith(".json") and name != self._document)

    def read(self) -> Ledger:
        """Fetch the branch and read it; without one the ledger is empty."""
        return ensure_not_left(self._ledger(self._files(self._tip())), place=self.place, former=self._before)

    def former(self) -> Former | None:
        """Look at the file of a time before the remote."""
        return self._before()

    @contextmanager
    def lock(self, lock: Lock, *, wait: float = 0.0, serial: int | None = None) -> Iterator[Lock | None]:
        """Push a lock, and one commit more to take it away again unless the block wrote the ledger."""
        try:
            yield self._take(lock, until=time.monotonic() + wait, serial=serial)
        except (LedgerLocked, LedgerMoved):  # not ours to release
            self._mine = None
            raise
        except BaseException:
            with suppress(LedgerError):  # why it ended matters more
                self._release()
            raise
        self._release()

    def checkpoint(self, ledger: Ledger, *, message: str) -> Ledger:
        """Push the ledger beside the lock."""
        return self._push_ledger(ledger, message=message, drop=(), is_last=False)

    def write(self, ledger: Ledger, *, message: str) -> Ledger:
        """Push the ledger and the end of the lock as one commit."""
        written = self._push_ledger(ledger, message=message, drop=(self._lock,), is_last=True)
        self._mine = None
        return written

    def holder(self) -> Lock | None:
        """Return whose lock stands on the branch, stale or not."""
        return self._holder(self._files(self._tip()))

    def unlock(self, lock: Lock) -> None:
        """Push the end of the lock."""

        def change(files: Files) -> Files | None:
            by = self._holder(files)
            if by is not None and by.id != lock.id:
                raise changed_hands(self.place, to=by)
            return _less(files, self._lock) if by else None

        self._push(change, message=lambda: f"Unlock: it was held by {lock}\n")

    def erase(self, *, message: str) -> None:
        """Push the ledger's removal; its history stays on the branch."""
        self._push(lambda files: _less(self._held(files), self._document), message=lambda: message)

    # --- the branch ---

    def _take(self, mine: Lock, *, until: float, serial: int | None) -> Lock | None:
        """Push our lock; return the stale one that it replaced. Raises LedgerLocked when the time is over."""
        blob = self._git.blob(locks.dumps(mine))
        self._own = None
        self._mine = mine  # from here on it may stand on the branch, whether we are told so or not
        stale: list[Lock | None] = [None]

        def change(files: Files) -> Files:
            by = stale[0] = self._holder(files)
            if by is not None and not by.is_stale:
                raise locked(by, place=self.place)
            if serial is not None and (found := self._ledger(files).serial) != serial:
                raise outdated(self.place, expected=serial, found=found)
            return {**files, self._lock: blob}

        while True:
            try:
                self._push(change, message=lambda: f"Lock for {mine}\n")
            except LedgerLocked:
                if (left := until - time.monotonic()) <= 0:
                    raise
                time.sleep(min(_POLL, left))
            else:
                return stale[0]

    def _push_ledger(self, ledger: Ledger, *, message: str, drop: tuple[str, ...], is_last: bool) -> Ledger:
        written = replace(ledger, serial=ledger.serial + 1)
        blob = self._git.blob(codec.dumps(written))

        def change(files: Files) -> Files | None:
            if files.get(self._document) == blob:
                return None  # by the push that was interrupted
            return {**_less(self._held(files), *drop), self._document: blob}

        try:
            self._push(change, message=lambda: message, is_last=is_last)
        except KeyboardInterrupt:  # what was done on the platform is to be remembered; who insists interrupts again
            self._push(change, message=lambda: message)
            raise
        return written

    def _release(self) -> None:
        """Push the end of our lock, if it is still there."""
        mine, self._mine = self._mine, None
        if mine is None:
            return

        if self._taken_back():
            return

        def change(files: Files) -> Files | None:
            by = self._holder(files)
            return _less(files, self._lock) if by and by.id == mine.id else None

        self._push(change, message=lambda: f"Release the lock of {mine}: the ledger is as it was\n")

    def _taken_back(self) -> bool:
        """Put the branch back to where it was before the lock, if nobody pushed since; say whether that was done."""
        own = self._own
        if own is None or own.base is None or own.commits > 1 or self._tip() != own.last:
            return False
        try:
            return self._git.push(own.base, remote=self._remote, ref=self._ref, expected=own.last) is Pushed.DONE
        except LedgerError:  # not every remote lets a branch be put back
            return False

    def _held(self, files: Files) -> Files:
        """Return the files when our lock is among them; raises LedgerMoved otherwise."""
        by = self._holder(files)
        if self._mine is None or by is None or by.id != self._mine.id:
            raise taken_away(self.place)
        return files

    def _push(
        self, change: Callable[[Files], Files | None], *, message: Callable[[], str], is_last: bool = False
    ) -> None:
        """Push what becomes of the branch's files, anew on top of whatever others push; None changes nothing.

        What is the last of a run replaces what it pushed before, where that works at once.
        """
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(_PAUSE * random.uniform(1, 1 + attempt))  # noqa: S311 - so that two do not keep step
            tip = self._tip()
            files = change(self._files(tip))
            if files is None:
                return
            if _NOTE not in files:
                files[_NOTE] = self._git.blob(_README)
            own = self._own if self._own and self._own.last == tip else None
            replaces = is_last and own is not None and not attempt
            parent = own.base if own and replaces else tip
            commit = self._git.commit(self._git.tree(files), parent=parent, message=message())
            try:
                pushed = self._git.push(commit, remote=self._remote, ref=self._ref, expected=tip)
            except LedgerError:
                if replaces:  # not every remote lets a branch be replaced
                    continue
                raise
            if pushed is Pushed.DONE:
                self._own = _Own(own.base, commit, own.commits + 1) if own else _Own(tip, commit)
                return
        raise LedgerError(f"{self.place} is written by others all the time", hint="run again")

    def _tip(self) -> str | None:
        return self._git.tip(self._remote, self._ref)

    def _files(self, tip: str | None) -> Files:
        """Return what is on the branch; raises LedgerError when that is somebody's work."""
        files = {} if tip is None else self._git.files(tip)
        if (other := next((name for name in files if not _OURS.fullmatch(name)), None)) is not None:
            raise LedgerError(
                f"{self.place} holds {other}, so it is no ledger's branch",
                hint="name another in reconciler.yaml: ledger: {branch: ...}",
            )
        return files

    def _ledger(self, files: Mapping[str, str]) -> Ledger:
        if self._document not in files:
            return Ledger(self._owner)
        found = codec.loads(self._git.text(files[self._document]), place=self.place)
        return ensure_owned(found, by=self._owner, place=self.place)

    def _holder(self, files: Mapping[str, str]) -> Lock | None:
        return locks.loads(self._git.text(files[self._lock])) if self._lock in files else None


def _less(files: Files, *names: str) -> Files:
    return {name: blob for name, blob in files.items() if name not in names}
