"""APPLY: the changes of a plan in parallel over their graph; a failure blocks what depends on it, nothing else."""

from __future__ import annotations

import heapq
import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from graphlib import TopologicalSorter

from reconciler.errors import ApiError, Interrupted, JournalError, ReconcilerError, SecretUnavailable
from reconciler.live.client import WriteClient, is_ambiguous
from reconciler.live.ids import Ids
from reconciler.live.journal import Doing, Journal, about
from reconciler.live.recover import carry_out
from reconciler.plan.change import Change
from reconciler.plan.outcome import Blocked, Done, Failed, NotStarted, Outcome
from reconciler.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class Started:
    """A change is being carried out."""

    change: Change


Listener = Callable[[Started | Outcome], None]


def apply(
    plan: Plan,
    *,
    client: WriteClient,
    ids: Ids,
    parallelism: int,
    listen: Listener,
    journal: Journal | None = None,
) -> tuple[tuple[Outcome, ...], bool]:
    """Carry out every change; return the outcomes in the plan's order, and whether the run was interrupted.

    `listen` is called from this thread only. On KeyboardInterrupt what is in flight is finished and nothing new is
    started; a second one is not held back. Nothing new is started either once the `journal` cannot be written.
    """
    run = _Run(plan, client=client, ids=ids, parallelism=parallelism, listen=listen, journal=journal)
    with ThreadPoolExecutor(max_workers=parallelism, thread_name_prefix="apply") as pool:
        try:
            run.start_ready(pool)
            while run.in_flight:
                run.take_one()
                run.start_ready(pool)
        except KeyboardInterrupt:
            run.interrupted = True
            client.stop()
            pool.shutdown(wait=True)
            run.settle_rest()
    return run.result(), run.interrupted


def may_exist(outcome: Outcome) -> bool:
    """Say whether a creation that is not known to have succeeded may have happened all the same."""
    if not isinstance(outcome, Failed):
        return False
    return (
        is_ambiguous(outcome.error)
        if isinstance(outcome.error, ApiError)
        else not isinstance(outcome.error, SecretUnavailable)
    )


class _Run:
    """The state of one apply; touched by the coordinating thread alone, workers only bring outcomes.

    An outcome is kept in `brought` until the end: an interrupt may strike while it is being taken from the queue.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        client: WriteClient,
        ids: Ids,
        parallelism: int,
        listen: Listener,
        journal: Journal | None,
    ) -> None:
        self.steps = {change.step: change for change in plan.steps}
        self.sorter = TopologicalSorter(
            {step: [s for s in c.after if s in self.steps] for step, c in self.steps.items()}
        )
        self.sorter.prepare()
        self.rank = {step: number for number, step in enumerate(self.steps)}
        self.client, self.ids, self.parallelism = client, ids, parallelism
        self.listen, self.journal = listen, journal
        self.ready: list[tuple[int, str]] = []
        self.brought: dict[str, Outcome] = {}
        self.finished: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.outcomes: dict[str, Outcome] = {}
        self.in_flight = 0
        self.interrupted = False

    def start_ready(self, pool: ThreadPoolExecutor) -> None:
        """Hand the next steps that wait for nothing to idle workers; settle at once those whose base is missing."""
        while True:
            if self.journal and self.journal.broken:
                return
            for step in self.sorter.get_ready():
                heapq.heappush(self.ready, (self.rank[step], step))
            if not self.ready or self.in_flight == self.parallelism:
                return
            change = self.steps[heapq.heappop(self.ready)[1]]
            missing = next(
                (s for s in change.after if s in self.outcomes and not isinstance(self.outcomes[s], Done)),
                None,
            )
            if missing:
                self.settle(Blocked(change, by=missing))
            else:
                self.listen(Started(change))
                self.in_flight += 1
                pool.submit(self.work, change)

    def work(self, change: Change) -> None:
        """Carry out one change in a worker; whatever happens, its outcome reaches the queue."""
        with about(change) as doing:
            outcome = self.carried_out(change, doing)
        self.brought[change.step] = outcome
        self.finished.put(change.step)

    def carried_out(self, change: Change, doing: Doing) -> Outcome:
        """Carry out one change; whatever goes wrong is its outcome."""
        try:
            return carry_out(change, client=self.client, ids=self.ids)
        except Interrupted:
            return NotStarted(change)
        except JournalError as error:  # what could not be noted was not sent
            return Failed(change, error) if doing.begun else NotStarted(change)
        except ReconcilerError as error:
            return Failed(change, error)
        except Exception as error:  # noqa: BLE001 - a defect in one change must not hang the run or hide the others
            return Failed(
                change,
                ReconcilerError(
                    f"{type(error).__name__} while applying {change.address}",
                    hint="this is a defect of reconciler: please report it",
                ),
            )

    def take_one(self) -> None:
        """Wait for a worker and settle what it brings."""
        step = self.finished.get()
        self.in_flight -= 1
        self.settle(self.brought[step])

    def settle_rest(self) -> None:
        """Settle what was brought and not taken, once no worker is left."""
        for step in self.steps:
            if step in self.brought and step not in self.outcomes:
                self.settle(self.brought[step])

    def settle(self, outcome: Outcome) -> None:
        """Record an outcome and let what waits for it go on."""
        self.outcomes[outcome.change.step] = outcome
        self.sorter.done(outcome.change.step)
        if self.journal:
            self.journal.outcome(outcome)
        self.listen(outcome)

    def result(self) -> tuple[Outcome, ...]:
        """Return an outcome for every step, in the plan's order."""
        return tuple(self.outcomes.get(step) or NotStarted(change) for step, change in self.steps.items())
