"""What is there already where something was to be created: adopted when it agrees, revived, or left as a conflict."""

from __future__ import annotations

from dataclasses import replace

from reconciler.api_errors import AllowedAction, Problem
from reconciler.kinds.kind import Shape, Twin
from reconciler.kinds.traits import kept_by_replace
from reconciler.live.apart import joined_for
from reconciler.live.climb import Again, Climb, Settled
from reconciler.live.links import own_path
from reconciler.live.shapes import Wire, objects_of, shape_from
from reconciler.plan.change import Action, Change, holds_unknown_secret
from reconciler.plan.diff import diff
from reconciler.plan.outcome import Conflicted, Done, Outcome
from reconciler.plan.sent_back import unfit

_UNARCHIVING = ("POST", "PUT", "PATCH")
_NOT_FOLLOWED = "find out why the platform does that before you go on"


def named_by(action: AllowedAction, climb: Climb) -> Wire | Conflicted | None:
    """Read what a get-existing means: its link, on the API's own origin alone, or else whoever has the name."""
    if not action.href:
        return holder(climb)
    path = own_path(action.href, base=climb.client.base)
    if path is None:
        message = "the platform points at an address that is not its own: not followed"
        return Conflicted(climb.change, message, hint=_NOT_FOLLOWED)
    doing = f"reading what stands in the way of {climb.change.address}"
    wire = climb.client.get(path, doing=doing, org=climb.org)
    return objects_of(climb.change.kind, [wire], doing=doing)[0]


def holder(climb: Climb) -> Wire | None:
    """Find the one resource that holds the name which a create wanted; several, or none, settle nothing."""
    found = climb.namesakes(climb.change.title)
    alive = [wire for wire in found if not climb.change.kind.wire.archived(wire)]
    one = alive or found
    return one[0] if len(one) == 1 else None


def settled_with(wire: Wire, climb: Climb, problem: Problem) -> Settled:
    """Take over what is there, as far as the rule of adoption allows, or report the conflict. Raises ApiError."""
    change = climb.change
    if wire["id"] == climb.ids.chosen(change.address) and not change.kind.wire.archived(wire):
        return is_ours(wire, climb)
    if not climb.is_called(wire):
        return Conflicted(change, f"the platform points at {wire['id']}, which is not called {change.title}")
    if change.kind.wire.archived(wire):
        return _revive(wire, climb, problem)
    return _adopted(wire, climb, problem)


def is_ours(wire: Wire, climb: Climb) -> Again:
    """Know what an earlier attempt made; what is left to write of it is written next."""
    climb.ids.created(climb.change.address, wire["id"])
    how = "its answer was lost; read back: it was created" if climb.is_in_doubt else "it is there, created by us,"
    climb.notes.append(f"{how} as {wire['id']}")
    return Again()


def differences(wire: Wire, change: Change, climb: Climb, body: Shape | None = None) -> Conflicted | None:
    """Compare what is there with what was to be created, None when every declared field agrees."""
    wire = joined_for(change, wire, org=climb.org, client=climb.client)
    wanted = climb.ids.filled(change.kind, change.address.org, change.body if body is None else body)
    fields = tuple(diff(change.kind, change.kind.canonical(wanted), shape_from(change.kind, wire)))
    if not fields:
        return None
    hint = "plan again: it is compared with what is there, and the difference shown"
    return Conflicted(change, f"{wire['id']} is already there and differs", fields, hint=hint)


def _adopted(wire: Wire, climb: Climb, problem: Problem) -> Outcome:
    """Take over what agrees in every declared field; what differs is for the next plan, where a person sees it."""
    change = climb.change
    conflict = differences(wire, change, climb)
    if conflict is not None:
        return replace(conflict, message=f"{conflict.message} ({problem})")
    may_be_ours = climb.is_in_doubt and climb.ids.chosen(change.address) is None
    if change.adopt == "never" and not may_be_ours:
        message = f"{wire['id']} is already there, and adopt: never forbids to take it over ({problem})"
        return Conflicted(change, message, hint="give yours another name, or adopt: exact")
    climb.ids.created(change.address, wire["id"])
    if may_be_ours:
        return Done(change, note=f"its answer was lost; read back: it is there as {wire['id']}")
    return Done(change, adopted=True, note=f"was already there as {wire['id']}")


def unarchived(action: AllowedAction, climb: Climb, problem: Problem) -> Settled:
    """Restore what the platform says is archived, then bring it to what git wants. Raises ApiError."""
    change, client = climb.change, climb.client
    if change.kind.twin is Twin.IGNORE:
        return Conflicted(change, f"an archived resource stands in its way ({problem})", hint="choose another name")
    if action.href:
        path, method = own_path(action.href, base=client.base), action.method or "POST"
        if path is None:
            message = "the platform offers to unarchive at an address that is not its own: not followed"
            return Conflicted(change, message, hint=_NOT_FOLLOWED)
        if method not in _UNARCHIVING:
            return Conflicted(change, f"the platform offers to unarchive by {method}: not followed")
        if change.adopt != "overwrite":
            return _foreign(change, "an archived resource holds its name", problem)
        if change.kind.twin is not Twin.REVIVE:  # which takes the whole resource, not a mere call
            client.send(method, path, doing=f"unarchiving {change.address}", org=climb.org)
    wire = holder(climb)
    if wire is None:
        return Conflicted(change, f"it is archived and cannot be found by name ({problem})", hint="plan again")
    if change.kind.wire.archived(wire):
        return _revive(wire, climb, problem)
    if change.adopt != "overwrite":
        return _adopted(wire, climb, problem)
    return _instead(replace(change, action=Action.UPDATE, id=wire["id"]), climb)


def _instead(change: Change, climb: Climb) -> Again:
    """Carry out another change in the place of the plan's: what is refused or lost of it climbs the same ladder."""
    climb.ids.created(change.address, change.id or "")
    climb.change = change
    climb.notes.append("was archived; restored")
    return Again()


def _foreign(change: Change, what: str, problem: Problem) -> Conflicted:
    hint = "plan again: an archived twin is seen and dealt with there"
    return Conflicted(change, f"{what} ({problem})", hint=hint)


def _revive(wire: Wire, climb: Climb, problem: Problem) -> Settled:
    """Bring back an archived holder of the name by PUT, where the kind knows that; what is undeclared stays."""
    change = climb.change
    live = shape_from(change.kind, wire)
    body = {key: value for key, value in (live | change.body).items() if value is not None}
    is_ours_to_revive = change.adopt == "overwrite" or wire["id"] == climb.ids.chosen(change.address)
    may = is_ours_to_revive and change.kind.twin is Twin.REVIVE
    lost = next(unfit(change.kind, body, change.body, live), None)
    if not may or lost is not None or holds_unknown_secret(body):
        return _foreign(change, f"an archived {change.kind.name.lower()} ({wire['id']}) holds the name", problem)
    kept = [str(path[0]) for path in kept_by_replace(change.kind)]
    then: Shape = {name: [] for name in kept if body.get(name) == [] and live.get(name)}
    restore = replace(change, action=Action.RESTORE, body=body, then=then, id=wire["id"], replace=True)
    return _instead(restore, climb)
