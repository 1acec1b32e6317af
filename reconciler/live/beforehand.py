"""BEFOREHAND: the last look at what is about to be written over, as the API knows no versions to check for us."""

from __future__ import annotations

from reconciler.live.climb import Climb
from reconciler.live.doubt import await_arrival, await_key, await_version
from reconciler.live.standing import (
    OTHERWISE,
    Before,
    Gone,
    Moved,
    Reached,
    Standing,
    current,
    standing,
    told,
    unheld,
)
from reconciler.plan.change import Action
from reconciler.plan.outcome import Conflicted, Done, Outcome

SYNC_PATIENCE = 300.0
"""For so many seconds a sync under way is waited for."""
_POLL = 5.0
_NOT_RELEASED = "plan again and review: nothing was released"


def beforehand(climb: Climb) -> Outcome | None:
    """Return what became of a change without a write, None when it is to be written. Raises ApiError.

    Whoever edits the resource after this look and before the write arrives loses: nothing on the platform can tell.
    """
    change = climb.change
    if change.action is Action.CREATE:
        return await_arrival(climb)
    if change.action is Action.RELEASE:
        await_version(climb)
    if change.action is Action.ROTATE:
        await_key(climb)
    if not change.action.writes or change.id is None or change.pre.digest is None:
        return _fit_to_release(climb) if change.holds else None
    found = _when_at_rest(climb)
    match found:
        case Conflicted():
            return found
        case Reached() if not change.secrets:
            return Done(change, adopted=True, note="somebody else did it meanwhile")
        case Gone() if change.action is Action.ARCHIVE:
            return Done(change, adopted=True, note="it was gone already")
        case Gone():
            return Conflicted(change, told(found), hint="plan again and review")
        case Moved(why, fields) if change.holds and fields:
            return Conflicted(change, why, fields, hint=_NOT_RELEASED)
        case Moved(why, fields) if not climb.overwrites:
            hint = "plan again and review; --on-conflict overwrite writes over what others did"
            return Conflicted(change, why, fields, hint=hint)
    return None


def _fit_to_release(climb: Climb) -> Conflicted | None:
    """Look at what this run made and is to publish: what others wrote into it since is not what was planned."""
    wire = current(climb.change, client=climb.client, ids=climb.ids)
    fields = unheld(climb.change, wire, climb.ids) if wire else ()
    return Conflicted(climb.change, OTHERWISE, fields, hint=_NOT_RELEASED) if fields else None


def _when_at_rest(climb: Climb) -> Standing | Conflicted:
    """Look, and wait while content is being fetched: a write would discard that.

    everruns-api/agents-memories-sessions.md, 4.4: a PATCH while syncing leaves a memory syncing for minutes.
    """
    begun = climb.client.now()
    while True:
        found = standing(climb.change, client=climb.client, ids=climb.ids)
        sync = climb.change.kind.sync
        state = sync(found.wire) if sync and isinstance(found, Before) else None
        if climb.change.action is Action.ARCHIVE or state is None or not state.is_fetching:
            return found
        if climb.client.now() - begun >= SYNC_PATIENCE:
            why = f"its content is still being fetched after {SYNC_PATIENCE:.0f} s"
            return Conflicted(climb.change, why, hint="run again when that has ended: a write would discard it")
        climb.client.rest(_POLL)
