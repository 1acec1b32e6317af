"""One run's hold on its ledger: locked before the first write, announced, and written once at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from reconciler.errors import LedgerMoved
from reconciler.ledger.backend import Backend
from reconciler.ledger.lock import Lock, locked, message_of
from reconciler.ledger.remember import announced
from reconciler.plan.journal import Head
from reconciler.plan.owned import Ledger
from reconciler.plan.plan import Plan

_POLL = 1.0


@dataclass(frozen=True, slots=True)
class Keeper:
    """Where a run's ledger is kept, who holds it, and how many seconds it waits for others; `commit` is git's."""

    backend: Backend
    lock: Lock
    wait: float = 0.0
    commit: str | None = None

    @property
    def run(self) -> str:
        """What the run is called, in the ledger and to `undo`."""
        return self.lock.id

    def head(self, plan: Plan, *, api_url: str) -> Head:
        """Return what the journal of this run begins with, before it is begun."""
        owner, lock = self.backend.owner, self.lock
        return Head(
            self.run,
            lock.started_at,
            lock.who,
            lock.host,
            lock.pid,
            *owner,
            api_url=api_url,
            steps=len(plan.steps),
            commit=self.commit,
            ci=lock.run,
        )

    @contextmanager
    def held(self, plan: Plan) -> Iterator[None]:
        """Hold the ledger that a plan was made with. Raises LedgerLocked, and LedgerMoved when it is another by now."""
        with self.backend.lock(self.lock, wait=self.wait, serial=plan.serial):
            yield

    def begin(self, plan: Plan) -> Ledger:
        """Read the ledger, and announce in it what is about to be created."""
        ledger = self.backend.read()
        if plan.owner != ledger.owner:
            raise LedgerMoved(
                f"the plan was made for {plan.owner}, and the ledger in {self.backend.place} is that of {ledger.owner}",
                hint="plan again here; nothing was written",
            )
        with_begun = announced(ledger, plan.writes)
        if with_begun.begun == ledger.begun:
            return ledger
        return self.backend.checkpoint(with_begun, message=self._message(ledger, len(plan.steps), "Begin: "))

    def end(self, before: Ledger, after: Ledger, *, changes: int) -> None:
        """Write what was learnt of so many changes, if anything was. Raises LedgerError."""
        if replace(after, serial=before.serial) != before:
            self.backend.write(after, message=self._message(after, changes, ""))

    def restart(self, after: Ledger, *, serial: int, changes: int) -> None:
        """Put a ledger that begins anew in the place of whatever stands there.

        Raises LedgerMoved when the ledger that could be read is not the one of `serial` any more (-1: it could not be).
        """
        with self.backend.lock(self.lock, wait=self.wait, serial=serial if serial >= 0 else None):
            self.backend.erase(message=f"Begin anew\n\nBy {self.lock}\n")
            self.backend.write(
                replace(after, serial=max(serial, 0)), message=self._message(after, changes, "Rebuild: ")
            )

    def wait_for_others(self) -> None:
        """Wait until nobody holds the ledger, as long as was asked: what is planned before would be stale.

        Raises LedgerLocked when the time is over.
        """
        until = time.monotonic() + self.wait
        while self.wait and (by := self.backend.holder()) is not None and not by.is_stale:
            if time.monotonic() >= until:
                raise locked(by, place=self.backend.place)
            time.sleep(_POLL)

    def _message(self, ledger: Ledger, changes: int, start: str) -> str:
        return start + message_of(self.lock, commit=self.commit, changes=changes, environment=ledger.owner.environment)
