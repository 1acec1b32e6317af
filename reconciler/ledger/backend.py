"""Where a ledger is kept, as the rest of the program sees it.

with backend.lock(lock_of(env), wait=0, serial=plan_was_made_with.serial):
    backend.checkpoint(ledger.with_begun(...), message=...)    as often as it is worth it
    ...                                                        the writes to the platform
    backend.write(ledger.with_applied(...), message=...)       at the end; this releases the lock
"""

from __future__ import annotations

import hashlib
import re
from contextlib import AbstractContextManager
from typing import Protocol

from reconciler.errors import LedgerError, LedgerMoved
from reconciler.ledger.former import Former
from reconciler.ledger.lock import Lock
from reconciler.plan.owned import Ledger, Owner


class Backend(Protocol):
    """One owner's ledger in its place; every method raises LedgerError when the place cannot be used."""

    @property
    def place(self) -> str:
        """Where it is, in words."""

    @property
    def owner(self) -> Owner:
        """Whose it is to be."""

    def neighbours(self) -> list[str]:
        """Return the names of other ledgers in the same place."""

    def read(self) -> Ledger:
        """Read it, empty when there is none yet; raises LedgerDamaged, and LedgerError when it is another owner's.

        So it does where there is none yet, and another place keeps what these manifests own.
        """

    def former(self) -> Former | None:
        """Return what was kept for the same manifests before they had this place, None for nothing."""

    def lock(self, lock: Lock, *, wait: float = 0.0, serial: int | None = None) -> AbstractContextManager[Lock | None]:
        """Hold it for as long as the block lasts, or until `write`.

        Waits up to `wait` seconds for another run, then raises LedgerLocked. With a `serial`, raises LedgerMoved when
        the ledger is not the one of that serial any more: what was planned with it is stale. The block is given the
        stale lock that this one replaced, if there was one.
        """

    def checkpoint(self, ledger: Ledger, *, message: str) -> Ledger:
        """Write it and keep the lock; return it with its new serial. Raises LedgerMoved when it is not held."""

    def write(self, ledger: Ledger, *, message: str) -> Ledger:
        """Write it and release the lock; return it with its new serial. Raises LedgerMoved as above."""

    def holder(self) -> Lock | None:
        """Return who holds it now."""

    def unlock(self, lock: Lock) -> None:
        """Take a lock away, if it is still there: its run will not write the ledger any more.

        Raises LedgerMoved when it is another run's by now.
        """

    def erase(self, *, message: str) -> None:
        """Remove it, unread, so that a new one begins; needs the lock."""


def key_of(owner: Owner) -> str:
    """Name an owner's documents within a place: readable, and different for different roots and environments.

    The repository is not part of it: a copy of a ledger in a fork has to be met and refused, not passed by.
    """
    exact = f"{owner.root}\n{owner.environment}"
    readable = re.sub(r"[^a-z0-9]+", "-", exact.lower()).strip("-")[:60]
    return f"{readable or 'ledger'}-{hashlib.sha256(exact.encode()).hexdigest()[:8]}"


def ensure_owned(ledger: Ledger, *, by: Owner, place: str) -> Ledger:
    """Return the ledger if it is the owner's; raises LedgerError for another's, as a fork brings with it."""
    if ledger.owner == by:
        return ledger
    raise LedgerError(
        f"the ledger in {place} belongs to {ledger.owner}; this is {by}",
        hint="if the repository moved: reconciler ledger rebuild, which takes over what agrees; "
        "in a fork, name another branch or environment in reconciler.yaml",
    )


def outdated(place: str, *, expected: int, found: int) -> LedgerMoved:
    """Say that what was planned with one ledger meets another."""
    what = "another run wrote the ledger" if found else "there is no ledger any more"
    return LedgerMoved(
        f"{what} in {place} since this plan was made (serial {found}, planned with {expected}); nothing was written",
        hint="plan again",
    )


def taken_away(place: str) -> LedgerMoved:
    """Say that a run's lock is not there any more when it is to write."""
    return LedgerMoved(
        f"the lock of the ledger in {place} was taken away from this run; the ledger was not written",
        hint="plan again: what this run wrote to the platform is found there",
    )


def changed_hands(place: str, *, to: Lock) -> LedgerMoved:
    """Say that a lock to be taken away is another run's by now."""
    return LedgerMoved(
        f"the lock of the ledger in {place} is another run's by now: {to}; it was left alone",
        hint="look again: reconciler ledger show",
    )
