"""STANDING: how the resource of a change is now, by reading: as it was planned with, as git wants it, or neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from reconciler.api_errors import NotFound
from reconciler.kinds.kind import Kind, Shape, Sync
from reconciler.kinds.release import Released
from reconciler.kinds.traits import apart
from reconciler.live.apart import joined_for
from reconciler.live.client import ReadClient
from reconciler.live.ids import Ids
from reconciler.live.listing import Query, listed
from reconciler.live.perform import collection, org_of, released_now
from reconciler.live.readers import SERIAL
from reconciler.live.shapes import Wire, objects_of, shape_from
from reconciler.plan.change import Action, Change, FieldChange, covered
from reconciler.plan.diff import diff, same
from reconciler.plan.freshness import is_synced
from reconciler.plan.leaves import value_at
from reconciler.plan.release import chooses, published_before, publishes


@dataclass(frozen=True, slots=True)
class Before:
    """It is as the plan saw it: the write is still to be made."""

    wire: Wire


@dataclass(frozen=True, slots=True)
class Reached:
    """It is as git wants it, secrets aside: they cannot be read."""


@dataclass(frozen=True, slots=True)
class Moved:
    """It is neither; `fields` say how it differs from what git wants."""

    why: str
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Gone:
    """It is not there any more."""


Standing = Before | Reached | Moved | Gone

OTHERWISE = "it is not what git says: something else would be released"


def standing(change: Change, *, client: ReadClient, ids: Ids) -> Standing:
    """Read the one resource that a change is about to write, and say how it stands. Raises ApiError."""
    wire = current(change, client=client, ids=ids)
    if wire is None or wire.get("status") == "deleted":
        return Gone()
    is_archived = change.kind.wire.archived(wire)
    match change.action:
        case Action.ARCHIVE if is_archived:
            return Reached()
        case Action.RESTORE:
            if is_archived:
                return _compared(change, wire, ids, when_reached=Before(wire))
            found = _compared(change, wire, ids)
            return found if isinstance(found, Reached) else Moved("it was restored on the platform meanwhile")
        case _ if is_archived:
            return Moved("it was archived on the platform meanwhile")
        case Action.RELEASE:
            return _released(change, wire, released_now(change, wire["id"], client=client, ids=ids), ids)
        case Action.AWAIT:
            return Before(wire)
        case Action.SYNC:
            return Reached() if is_synced(change, synced_now(change, wire)) else Before(wire)
    return _compared(change, wire, ids)


def _released(change: Change, wire: Wire, known: Released, ids: Ids) -> Standing:
    """Compare the versions that there are with those that a release reckoned with, and the resource with git."""
    if left := unheld(change, wire, ids):
        return Moved(OTHERWISE, left)
    if not unreleased_yet(change, known):
        return Reached()
    newest = known.newest.number if known.newest else None
    if newest != published_before(change) and not known.is_current:
        return Moved(f"version {newest} was published on the platform meanwhile")
    return Before(wire)


def unheld(change: Change, wire: Wire, ids: Ids) -> tuple[FieldChange, ...]:
    """Return in what a resource is not what git says of it, where a step is held to that."""
    if not change.holds:
        return ()
    kind = change.kind
    wanted = kind.canonical(ids.filled(kind, change.address.org, change.holds))
    return tuple(diff(kind, wanted, shape_from(kind, wire)))


def unreleased_yet(change: Change, known: Released) -> tuple[FieldChange, ...]:
    """Return what a release wants and is not so: a newest version that holds what is there, and as the default."""
    is_published = publishes(change) is None or known.is_current
    is_chosen = chooses(change) is None or (known.newest is not None and known.newest.id == known.chosen)
    return () if is_published and is_chosen else change.fields


def synced_now(change: Change, wire: Wire) -> Sync | None:
    """Return how the content of a change's resource stands, None where there is none to come."""
    return change.kind.sync(wire) if change.kind.sync else None


def _compared(change: Change, wire: Wire, ids: Ids, *, when_reached: Standing | None = None) -> Standing:
    shape = shape_from(change.kind, wire)
    if change.pre.digest is not None and _is_as_planned(change, wire, shape, ids):
        return Before(wire)
    if change.action is Action.ARCHIVE:
        return Moved("it was changed on the platform meanwhile")
    left = tuple(diff(change.kind, expected(change, change.kind, ids), shape))
    if not left:
        return when_reached or Reached()
    if change.pre.digest is None:
        return Before(wire)  # it was made in this run: nobody saw it otherwise
    if all(_is_untouched(change, field, ids) for field in left):
        return Before(wire)  # the first of several calls was carried out: repeating them does no harm
    return Moved("it was changed on the platform meanwhile", left)


def _is_untouched(change: Change, left: FieldChange, ids: Ids) -> bool:
    """Say whether what is left to a call of its own, still to come, is as the plan saw it: nobody else wrote it."""
    name, *below = left.path
    planned = {field.path: field.old for field in change.fields}
    whole = planned.get((name,))
    if name in change.then:
        shape = change.kind.canonical(ids.filled(change.kind, change.address.org, {name: whole}))
        return same(shape.get(name), left.old)
    if name not in apart(change.kind) or name not in change.body:
        return False
    old = planned.get(left.path, whole.get(below[0]) if below and isinstance(whole, dict) else whole)
    return bool(left.old == old)


def _is_as_planned(change: Change, wire: Wire, shape: Shape, ids: Ids) -> bool:
    """Say whether what the plan compared is as it was; a name that this run gave for a while is its own doing."""
    before = ids.name_before(wire["id"], str(wire.get("name", "")))
    if before is not None and change.kind.named_by:
        shape = shape | {change.kind.named_by: before}
    now = covered(change.kind, shape, change.pre, updated_at=wire.get("updated_at"), fields=change.fields)
    if now == change.pre.digest:
        return True
    # the renaming itself moved `updated_at`, so that only the fields can tell
    return before is not None and change.pre.with_time and all(value_at(shape, f.path) == f.old for f in change.fields)


def expected(change: Change, kind: Kind, ids: Ids) -> Shape:
    """Return the fields that a change writes, as they should read back; what a PUT clears, it leaves out."""
    if change.action in (Action.PUBLISH, Action.UNPUBLISH):
        return {change.fields[0].path[0]: change.fields[0].new}
    if change.action is Action.ROTATE:
        return {}
    cleared = {field.path[0]: None for field in change.fields if len(field.path) == 1 and field.new is None}
    wrote = {name: value for name, value in change.body.items() if name not in kind.wire.revival}
    return kind.canonical(cleared | ids.filled(kind, change.address.org, wrote | change.then))


def current(change: Change, *, client: ReadClient, ids: Ids) -> Wire | None:
    """Read the resource with the id of a change, None when there is none."""
    id_ = change.id or ids.of(change.address)
    if change.kind.parent:
        return next((wire for wire in siblings(change, client=client, ids=ids) if wire["id"] == id_), None)
    path = f"{collection(change, ids)}/{id_}"
    doing = f"reading {change.address}"
    try:
        wire = client.get(path, doing=doing, org=org_of(change, ids))
    except NotFound as error:
        if error.problem is None or not error.problem.is_document:
            raise  # the route is missing, not the resource
        return None
    (one,) = objects_of(change.kind, [wire], doing=doing)
    return joined_for(change, one, org=org_of(change, ids), client=client)


def siblings(change: Change, *, client: ReadClient, ids: Ids) -> Sequence[Wire]:
    """Read everything live beside a change's resource, itself included, archived ones too."""
    kind = change.kind
    if kind.parent:
        above = change.address.above
        doing = f"reading {above}"
        parent = client.get(collection(change, ids).rpartition("/")[0], doing=doing, org=org_of(change, ids))
        children = parent.get(kind.wire.inside or "") if isinstance(parent, dict) else None
        return objects_of(kind, children or [], doing=doing)
    query = Query(kind, org_of(change, ids), change.address.org)
    return listed(client, [query], pool=SERIAL)[query]


def told(found: Standing) -> str:
    """Say in words how a resource stands."""
    match found:
        case Before():
            return "it is as it was"
        case Reached():
            return "it is as git wants it"
        case Moved(why):
            return why
        case Gone():
            return "it is gone from the platform"
        case _:
            assert_never(found)
