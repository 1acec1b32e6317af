"""APPLY: the changes of a plan in parallel over their graph; a failure blocks what depends on it, nothing else."""

from __future__ import annotations

import heapq
import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from graphlib import TopologicalSorter

from reconciler.api_errors import ApiError, is_ambiguous
from reconciler.defect import defect_of
from reconciler.errors import Interrupted, JournalError, ReconcilerError, SecretUnavailable, Stopped
from reconciler.live.client import WriteClient
from reconciler.live.ids import Ids
from reconciler.live.journal import Doing, Journal, about
from reconciler.live.ladder import carry_out
from reconciler.plan.change import Change
from reconciler.plan.outcome import Blocked, Conflicted, Done, Failed, NotStarted, Outcome
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
    overwrites: bool = False,
) -> tuple[tuple[Outcome, ...], bool]:
    """Carry out every change; return the outcomes in the plan's order, and whether the run was interrupted.

    `listen` is called from this thread only. On KeyboardInterrupt what is in flight is finished and nothing new is
    started; a second one is not held back. The same happens when the client may send nothing more (`client.stopped`),
    and once the `journal` cannot be written. With `overwrites` what others changed since the plan is written over.
    """
    run = _Run(plan, client=client, ids=ids, parallelism=parallelism, listen=listen)
    run.journal, run.overwrites = journal, overwrites
    pool = ThreadPoolExecutor(max_workers=parallelism, thread_name_prefix="apply")
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
    finally:
        pool.shutdown(wait=not run.interrupted)  # who interrupts once more waits for nobody
    return run.result(), run.interrupted


def may_exist(outcome: Outcome) -> bool:
    """Say whether a creation that is not known to have succeeded may have happened all the same."""
    if isinstance(outcome, Conflicted):
        return outcome.in_doubt
    if not isinstance(outcome, Failed):
        return False
    return outcome.in_doubt or (
        is_ambiguous(outcome.error)
        if isinstance(outcome.error, ApiError)
        else not isinstance(outcome.error, SecretUnavailable)
    )


def _halfway(change: Change, error: ReconcilerError) -> ReconcilerError:
    """Return why a change was left half done: some of it was written, or may have been."""
    return type(error)(
        f"{change.address}: something of it was sent when the run was stopped, and what became of it is not known "
        f"({error.message})",
        hint="run again: what was written is read back first",
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
    ) -> None:
        self.steps = {change.step: change for change in plan.steps}
        self.sorter = TopologicalSorter(
            {step: [s for s in c.after if s in self.steps] for step, c in self.steps.items()}
        )
        self.sorter.prepare()
        self.rank = {step: number for number, step in enumerate(self.steps)}
        self.client, self.ids, self.parallelism = client, ids, parallelism
        self.listen = listen
        self.journal: Journal | None = None
        self.overwrites = False
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
            if not self.ready or self.in_flight == self.parallelism or self.client.has_ended:
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
        before = self.client.written
        try:
            return carry_out(change, client=self.client, ids=self.ids, overwrites=self.overwrites)
        except (Interrupted, Stopped) as error:
            return NotStarted(change) if self.client.written == before else Failed(change, _halfway(change, error))
        except JournalError as error:  # what could not be noted was not sent
            return Failed(change, error) if doing.begun else NotStarted(change)
        except ReconcilerError as error:
            return Failed(change, error, in_doubt=self.client.written != before)
        except Exception as error:  # noqa: BLE001 - a defect in one change must not hang the run or hide the others
            return Failed(change, defect_of(error, doing=f"applying {change.address}"))

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
