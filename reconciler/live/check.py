"""Preconditions and proof: read again what a plan touches, before the first write and after the last."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from reconciler.errors import StalePlan
from reconciler.kinds import BY_NAME
from reconciler.kinds.kind import Identity
from reconciler.kinds.traits import apart
from reconciler.live.apart import joined_for
from reconciler.live.client import ReadClient
from reconciler.live.ids import Ids
from reconciler.live.listing import Query, listed
from reconciler.live.perform import released_now
from reconciler.live.readers import readers
from reconciler.live.shapes import Wire, shape_from
from reconciler.live.standing import expected, synced_now, unheld, unreleased_yet
from reconciler.plan.change import Action, Change, covered
from reconciler.plan.diff import diff
from reconciler.plan.freshness import is_synced
from reconciler.plan.names_given_up import givers, new_name
from reconciler.plan.outcome import Done, Outcome, Remainder
from reconciler.plan.plan import Plan
from reconciler.resource import Address

Lists = dict[tuple[str, str], Sequence[Wire]]


def ensure_fresh(plan: Plan, *, client: ReadClient, parallelism: int) -> None:
    """Check every precondition by reading; raises StalePlan naming all that moved."""
    orgs = {name: org.id for name, org in plan.orgs.items()}
    lists = _read(plan.steps, orgs, {}, client=client, parallelism=parallelism)
    given_up = frozenset(givers(plan.steps))
    moved = {change.step: why for change in plan.steps if (why := _moved(change, plan, lists, given_up))}
    if moved:
        raise StalePlan(moved)


def _read(
    changes: Collection[Change],
    orgs: Mapping[str, str | None],
    made: Mapping[Address, str],
    *,
    client: ReadClient,
    parallelism: int,
) -> Lists:
    """Read one list for each kind and organization that the changes touch, and what stands apart of their resources.

    `made` has the ids of what was created.
    """
    wanted = {(change.address.org, change.kind.parent or change.kind.name) for change in changes}
    queries = {}
    for org, name in sorted(wanted):
        kind = BY_NAME[name]
        if not kind.wire.org_scoped:
            queries[Query(kind, None, "this key")] = (org, name)
        elif orgs.get(org):
            queries[Query(kind, orgs[org], org)] = (org, name)
    with readers(parallelism) as pool:
        read = listed(client, queries, pool=pool)
        lists: Lists = {}
        for query, wires in read.items():
            for org, name in wanted:
                if name == query.kind.name and query.org in (None, orgs.get(org)):
                    lists[org, name] = wires
        for change in (change for change in changes if apart(change.kind)):
            place, id_ = (change.address.org, change.kind.name), change.id or made.get(change.address)
            own = orgs.get(change.address.org) if change.kind.wire.org_scoped else None
            lists[place] = [
                joined_for(change, wire, org=own, client=client, pool=pool) if wire["id"] == id_ else wire
                for wire in lists.get(place, ())
            ]
    return lists


def _beside(change: Change, lists: Lists, parent_id: str | None) -> Sequence[Wire]:
    """Return the live resources among which a change's resource stands."""
    kind = change.kind
    if kind.parent is None:
        return lists.get((change.address.org, kind.name), ())
    return _parent(change, lists, parent_id).get(kind.wire.inside or "") or ()


def _parent(change: Change, lists: Lists, parent_id: str | None) -> Wire:
    """Return the live parent of a child's change, an empty one when it is gone."""
    parents = lists.get((change.address.org, change.kind.parent or ""), ())
    return next((wire for wire in parents if wire["id"] == parent_id), {})


def _moved(change: Change, plan: Plan, lists: Lists, given_up: frozenset[str]) -> str | None:
    """Say what happened to a resource since the plan was made, None when nothing did.

    `given_up` are the ids of the resources that this plan renames.
    """
    if change.action is Action.FORGET:  # it is about the ledger alone, and what it was for is gone anyway
        return None
    above = change.address.above
    parent_id = plan.bindings.get(above) if above else None
    wires = _beside(change, lists, parent_id)
    if above and BY_NAME[above.kind].wire.archived(_parent(change, lists, parent_id)):
        return f"its {above.kind} was archived"
    if change.pre.id is None:
        going = {one.id for one in plan.steps if one.replaces and one.address == change.address}
        wires = [wire for wire in wires if wire["id"] not in going]
        return _appeared(change, wires, given_up, parent_known=parent_id is not None)
    wire = next((wire for wire in wires if wire["id"] == change.pre.id), None)
    if wire is None:
        return "is gone from the platform"
    archived = change.kind.wire.archived(wire)
    if archived != (change.action is Action.RESTORE):
        return "was archived" if archived else "was restored"
    shape = shape_from(change.kind, wire)
    if (
        covered(change.kind, shape, change.pre, updated_at=wire.get("updated_at"), fields=change.fields)
        != change.pre.digest
    ):
        return "was changed on the platform"
    return _name_taken(change, wires, given_up) if new_name(change) is not None else None


def _appeared(change: Change, wires: Sequence[Wire], given_up: frozenset[str], *, parent_known: bool) -> str | None:
    """Say whether what a plan wants to create is there by now."""
    if change.action is not Action.CREATE:
        return None
    if change.kind.identity is Identity.POSITION:
        changed = parent_known and tuple(sorted(wire["id"] for wire in wires)) != change.pre.beside
        return f"its {change.kind.parent} has other {change.kind.plural} by now" if changed else None
    if change.kind.has_unique_names:
        return _name_taken(change, wires, given_up)
    alive = [wire for wire in wires if not change.kind.wire.archived(wire) and wire.get("status") != "deleted"]
    return "exists on the platform by now" if any(wire.get("name") == change.title for wire in alive) else None


def _name_taken(change: Change, wires: Sequence[Wire], given_up: frozenset[str]) -> str | None:
    """Say whether the name that a change takes has another holder by now than the plan reckoned with."""
    kind = change.kind
    name = kind.folded(new_name(change) or "")
    holders = {
        wire["id"]: wire
        for wire in wires
        if kind.folded(str(wire.get("name", ""))) == name and wire.get("status") != "deleted"
    }
    if change.frees is not None and change.frees not in holders:
        return (
            "the archived twin that held its name is gone" if change.detour is None else "its name has another holder"
        )
    others = [wire for id_, wire in holders.items() if id_ not in {change.id, change.frees} and id_ not in given_up]
    if any(not kind.wire.archived(wire) for wire in others):
        return "exists on the platform by now" if change.action is Action.CREATE else "its new name is taken by now"
    return "an archived resource holds its name by now" if others else None


def prove(outcomes: Iterable[Outcome], *, client: ReadClient, ids: Ids, parallelism: int) -> tuple[Remainder, ...]:
    """Read again what was written and diff it again; what still differs is returned, in the plan's order."""
    done = [outcome.change for outcome in outcomes if isinstance(outcome, Done) and outcome.change.action.writes]
    if not done:
        return ()
    known = ids.known()
    lists = _read(done, ids.orgs(), known, client=client, parallelism=parallelism)
    remainders = []
    for change in done:
        above = change.address.above
        wires = _beside(change, lists, known.get(above) if above else None)
        id_ = change.id or known.get(change.address)
        wire = next((wire for wire in wires if wire["id"] == id_), None)
        left = _left(change, wire, ids, client)
        if left:
            remainders.append(left)
        elif wire is not None and (fields := unheld(change, wire, ids)) and change.address not in _told(remainders):
            remainders.append(Remainder(change.address, fields, "it was changed while it was released"))
    return tuple(remainders)


def _told(remainders: Iterable[Remainder]) -> set[Address]:
    return {one.address for one in remainders}


def _left(change: Change, wire: Wire | None, ids: Ids, client: ReadClient) -> Remainder | None:
    """Return what a change should have brought about and did not."""
    kind = change.kind
    if change.action is Action.ARCHIVE:
        there = wire is not None and not kind.wire.archived(wire)
        return Remainder(change.address, (), "it was archived, and is still there") if there else None
    if wire is None:
        return Remainder(change.address, (), "it was written, and cannot be found")
    if kind.wire.archived(wire):
        return Remainder(change.address, (), "it was written, and is archived")
    if change.action is Action.RELEASE:
        fields = unreleased_yet(change, released_now(change, wire["id"], client=client, ids=ids))
        return Remainder(change.address, fields) if fields else None
    if change.action is Action.AWAIT:  # it is seen by who waits
        return None
    if change.action is Action.SYNC:
        now = synced_now(change, wire)
        is_due = is_synced(change, now) or (now is not None and now.failed)
        return None if is_due else Remainder(change.address, (), "a sync was asked for, and none is due")
    fields = tuple(diff(kind, expected(change, kind, ids), shape_from(kind, wire)))
    return Remainder(change.address, fields) if fields else None
