"""AWAIT: after the last write, whether content came from elsewhere that a write made the platform fetch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from reconciler.kinds.kind import Sync
from reconciler.live.client import WriteClient
from reconciler.live.ids import Ids
from reconciler.live.readers import readers
from reconciler.live.standing import current, synced_now
from reconciler.plan.change import Action, Change
from reconciler.plan.outcome import Done, Outcome, Remainder

_POLL = 5.0
_DID = {Action.SYNC: "it was asked to sync, and ", Action.AWAIT: ""}


def await_syncs(
    outcomes: Iterable[Outcome], *, client: WriteClient, ids: Ids, parallelism: int
) -> tuple[Remainder, ...]:
    """Wait for the syncs that changes ask for, all at once; return those that failed or did not end in time.

    Raises ApiError, and Interrupted or Stopped when the run ends before.
    """
    waiting = [outcome.change for outcome in outcomes if isinstance(outcome, Done) and outcome.change.patience]
    found: dict[str, Remainder] = {}
    begun, is_told = client.now(), False
    while waiting:
        with readers(parallelism) as pool:
            states = [*pool.map(partial(_state, client=client, ids=ids), waiting)]
        waited = client.now() - begun
        for change, state in zip(waiting, states, strict=True):
            if message := _trouble(change, state, waited=waited):
                found[change.step] = Remainder(change.address, (), message)
        waiting = [
            change
            for change, state in zip(waiting, states, strict=True)
            if change.step not in found and _is_to_come(state)
        ]
        if waiting:
            if not is_told:
                _tell(waiting, client=client)
                is_told = True
            client.rest(_POLL)
    return tuple(found.values())


def cut_short(outcomes: Iterable[Outcome]) -> tuple[Remainder, ...]:
    """Return what an interrupted run no longer waits for."""
    message = "the run was interrupted before its sync was seen to end: the next apply waits for it"
    waiting = [one.change for one in outcomes if isinstance(one, Done) and one.change.patience]
    return tuple(Remainder(change.address, (), message) for change in waiting)


def _tell(waiting: Sequence[Change], *, client: WriteClient) -> None:
    """Say once for how long this may take, and of what."""
    first, *more = (str(change.address) for change in waiting)
    whose = f"{first} and {len(more)} more" if more else first
    client.tell(max(change.patience or 0 for change in waiting), f"at most, for the sync of {whose}")


def _state(change: Change, *, client: WriteClient, ids: Ids) -> Sync | None:
    """Read how the content of a change's resource stands, None where there is none to come."""
    wire = current(change, client=client, ids=ids)
    return synced_now(change, wire) if wire is not None else None


def _is_to_come(state: Sync | None) -> bool:
    return state is not None and not state.failed and (state.is_running or state.at is None)


def _trouble(change: Change, state: Sync | None, *, waited: float) -> str | None:
    did = _DID.get(change.action, "it was written, and ")
    if state is not None and state.failed:
        return f"{did}its sync failed{f': {state.error}' if state.error else ''}"
    if _is_to_come(state) and waited >= (change.patience or 0):
        return f"{did}its sync has not ended after {change.patience} s"
    return None
