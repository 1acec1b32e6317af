"""One run's hold on its ledger: locked before the first write, announced, and written once at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from reconciler.errors import LedgerMoved
from reconciler.ledger.backend import Backend
from reconciler.ledger.lock import Lock, message_of
from reconciler.ledger.remember import announced
from reconciler.plan.owned import Ledger
from reconciler.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class Keeper:
    """Where a run's ledger is kept, who holds it, and how many seconds it waits for others; `commit` is git's."""

    backend: Backend
    lock: Lock
    wait: float = 0.0
    commit: str | None = None

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
        return self.backend.checkpoint(with_begun, message=self._message(plan, ledger, "Begin: "))

    def end(self, before: Ledger, after: Ledger, plan: Plan) -> None:
        """Write what was learnt, if anything was. Raises LedgerError."""
        if replace(after, serial=before.serial) != before:
            self.backend.write(after, message=self._message(plan, after, ""))

    def _message(self, plan: Plan, ledger: Ledger, start: str) -> str:
        return start + message_of(
            self.lock, commit=self.commit, changes=len(plan.steps), environment=ledger.owner.environment
        )
