"""DOUBT: a write whose answer was lost is never repeated blindly; reading decides what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.api_errors import ApiError, Unreachable
from reconciler.kinds.kind import Identity, Shape
from reconciler.kinds.traits import parted
from reconciler.live.climb import Again, Climb, Refusal, Settled
from reconciler.live.holder import differences, is_ours
from reconciler.live.perform import collection, key_note, perform, released_now, renew
from reconciler.live.shapes import Wire
from reconciler.live.standing import Before, Gone, Moved, Reached, current, standing, told
from reconciler.plan.change import Action, Change, secrets_in
from reconciler.plan.outcome import Conflicted, Done, Failed, Outcome
from reconciler.plan.release import publishes

PAUSES = (0.5, 1.0, 2.0, 4.0)
"""How long to wait between looks for what may still arrive, in seconds."""
_BRIEF = (0.5,)
_POLL = 2.0


def settle_doubt(refusal: Refusal) -> Settled:
    """Find out by reading whether a write was carried out, and go on from there. Raises ApiError."""
    climb, error = refusal.climb, refusal.error
    climb.is_in_doubt = True
    if wait := refusal.problem.retry_after:
        climb.client.pause(wait)
    if climb.creates:
        return _creation(climb, error)
    if refusal.change.action is Action.CREATE:
        return Again()  # what is in doubt is the rest of it: to write that twice does no harm
    if climb.change.action is Action.RELEASE:
        return _release(climb, error)
    if climb.change.action is Action.ROTATE and error.may_come_late:
        climb.client.rest(sum(PAUSES))  # a key that is made after the next one would be the death of that
    return _change(climb)


def _release(climb: Climb, error: ApiError) -> Settled:
    """Settle a release: look for the version, for longer where it may still be under way; a second try looks as well.

    The hash of the newest version tells: sent twice, the same would be published twice.
    """
    if not error.may_come_late:
        return _change(climb)
    for pause in (0.0, *PAUSES):
        climb.client.rest(pause)
        change, ids = climb.change, climb.ids
        known = released_now(change, change.id or ids.of(change.address), client=climb.client, ids=ids)
        if publishes(change) is None or known.is_current:
            return _change(climb)
    message = f"{error.message}; the version is not there yet, and may still come: it was not published again"
    return Failed(
        climb.change, Unreachable(message, hint="run again: it is looked for first", ambiguous=True), in_doubt=True
    )


def _change(climb: Climb) -> Settled:
    """Settle a write to what exists: done, still to be done, or made impossible by others."""
    change = climb.change
    found = standing(change, client=climb.client, ids=climb.ids)
    match found:
        case Reached() if not change.secrets:
            return Done(change, note="its answer was lost; read back: it was done")
        case Gone() if change.action is Action.ARCHIVE:
            return Done(change, note="its answer was lost; read back: it was done")
        case Before() | Reached():
            return Again()
        case Moved(why, fields) if not climb.overwrites:
            return Conflicted(change, f"its answer was lost, and {why}", fields, hint="plan again and review")
        case Gone():
            return Conflicted(change, told(found), hint="plan again and review")
    return Again()


def _creation(climb: Climb, error: ApiError) -> Settled:
    """Settle a create: look for what it may have made, for longer where it may still be under way."""
    for pause in (0.0, *(PAUSES if error.may_come_late else _BRIEF)):
        climb.client.rest(pause)
        found = _made(climb)
        if found:
            break
    return _settled(climb, found) if found else _not_made(climb, error)


def await_arrival(climb: Climb) -> Outcome | None:
    """Wait for what an earlier run sent and nobody knows the fate of, where two of a name are possible.

    Return the conflict that it came to, None when the creation can go on: it is there, or will not come any more.
    """
    change, client = climb.change, climb.client
    left = client.may_arrive(change.step)
    if not left or change.kind.has_unique_names:
        return None
    client.tell(left, f"as an earlier run's create of {change.address} may still arrive")
    while not (found := _made(climb)):
        if (left := client.may_arrive(change.step)) <= 0:
            return None
        client.rest(min(_POLL, left))
    settled = _settled(climb, found)
    return settled if isinstance(settled, Conflicted) else None


def await_version(climb: Climb) -> None:
    """Wait for a version that an earlier run asked for and nobody knows the fate of: twice would be two.

    Raises ApiError.
    """
    change, client, ids = climb.change, climb.client, climb.ids
    if publishes(change) is None or not (left := client.may_arrive(change.step)):
        return
    id_ = change.id or ids.of(change.address)
    client.tell(left, f"as an earlier run's version of {change.address} may still arrive")
    while not released_now(change, id_, client=client, ids=ids).is_current:
        if (left := client.may_arrive(change.step)) <= 0:
            return
        client.rest(min(_POLL, left))


def await_key(climb: Climb) -> None:
    """Wait until no key that an earlier run asked for can arrive any more: it would be the death of the next one."""
    if left := climb.client.may_arrive(climb.change.step):
        climb.client.tell(left, f"as an earlier run's key of {climb.change.address} may still be made")
        climb.client.rest(left)


def _settled(climb: Climb, found: Sequence[Wire]) -> Again | Conflicted:
    """Take what a create made, if it can only be that. Raises ApiError."""
    change, ids = climb.change, climb.ids
    if len(found) > 1:
        listed = ", ".join(wire["id"] for wire in found)
        message = f"its answer was lost, and {len(found)} of its name are there by now: {listed}"
        return Conflicted(change, message, hint="plan again, and say with metadata.id which one is meant")
    (wire,) = found
    if wire["id"] != ids.chosen(change.address):
        own, _ = parted(change.kind, change.body)
        creation = change.kind.wire.create(own, collection(change, ids))
        first = own if not creation.follow_up else _first(change, creation.follow_up)
        conflict = differences(wire, change, climb, first)
        if conflict is not None:
            return conflict
    note = key_note(change, wire["id"], climb.ids, base=climb.client.base)
    again = is_ours(wire, climb)
    if wire["id"] != ids.chosen(change.address):
        _send_secrets(climb, wire["id"])
    if change.key_to is not None:
        again_at = renew(change, client=climb.client, ids=ids)
        climb.notes.append(f"its key was lost with it, and another one made: {again_at}")
    elif note:
        climb.notes.append(f"its key was lost with it: {note}")
    return again


def _send_secrets(climb: Climb, id_: str) -> None:
    """Send what holds secrets once more: that they arrived cannot be read, and it may be somebody else's after all."""
    change = climb.change
    later = change.kind.wire.create(change.body, collection(change, climb.ids)).follow_up
    held = {name: value for name, value in change.body.items() if name not in later and any(secrets_in(value))}
    if held:
        perform(replace(change, action=Action.UPDATE, id=id_, body=held), client=climb.client, ids=climb.ids)


def _first(change: Change, later: Shape) -> Shape:
    """Return what the first of two calls writes of a creation."""
    return {key: value for key, value in change.body.items() if key not in later}


def _not_made(climb: Climb, error: ApiError) -> Settled:
    """Repeat a create that left nothing, unless it could arrive late and then be there twice."""
    if not error.may_come_late or climb.change.kind.has_unique_names:
        return Again()
    message = f"{error.message}; it is not there yet, and may still come: it was not sent again"
    return Failed(
        climb.change, Unreachable(message, hint="run again: it is looked for first", ambiguous=True), in_doubt=True
    )


def _made(climb: Climb) -> list[Wire]:
    """Return what a create may have made: by the id it was given, or else what was not there before."""
    change, ids = climb.change, climb.ids
    kind = change.kind
    if chosen := ids.chosen(change.address):
        wire = current(replace(change, id=chosen), client=climb.client, ids=ids)
        return [wire] if wire is not None else []
    if kind.identity is Identity.POSITION:
        before = {*change.pre.beside, *ids.known().values()}
        typed = change.body.get("type")
        new = [wire for wire in climb.siblings() if wire["id"] not in before]
        return [wire for wire in new if kind.wire.from_wire(wire).get("type") == typed]
    known = set(ids.known().values())
    alive = (wire for wire in climb.namesakes(change.title) if not kind.wire.archived(wire))
    return [wire for wire in alive if wire["id"] not in known]
