"""What is ours and no longer declared: the organizations it stands in, and what is live of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from reconciler.kinds import BY_NAME, TENANT
from reconciler.kinds.traits import references
from reconciler.live.client import ReadClient
from reconciler.live.listing import Query, listed
from reconciler.live.names import Directory, Names
from reconciler.live.readers import readers
from reconciler.live.seen import observed_at
from reconciler.live.shapes import Wire
from reconciler.plan.owned import Entry, Ledger
from reconciler.plan.plan import OrgRef
from reconciler.plan.removal import Leaving
from reconciler.resource import Address

Lists = Mapping[tuple[str, str], Sequence[Wire]]


def orgs_of_leaving(
    orgs: dict[str, OrgRef], leaving: Mapping[Address, Entry], live: Sequence[Wire], ledger: Ledger
) -> set[str]:
    """Add the organizations that only what is leaving stands in; return those that are out of reach."""
    ids = {wire["id"]: str(wire.get("name", "")) for wire in live}
    lost = set()
    for org in sorted({address.org for address in leaving}):
        id_ = ledger.orgs.get(org)
        if org in orgs:
            if orgs[org].id != id_ and id_ is not None:
                lost.add(org)
        elif id_ in ids:
            orgs[org] = OrgRef(id_, ids[id_])
        else:
            lost.add(org)
    return lost


def seen_leaving(
    leaving: Mapping[Address, Entry],
    lists: Lists,
    tenants: Sequence[Wire],
    names: Names,
    *,
    lost: Collection[str],
    heirs: Mapping[str, Address] = MappingProxyType({}),
) -> dict[Address, Leaving]:
    """Say what is live of everything that is leaving; `heirs` are the declared addresses by the ids they mean."""
    by_id: dict[tuple[str, str], dict[str, Wire]] = {}
    found = {}
    for address, entry in leaving.items():
        key = address.org, address.kind
        if key not in by_id:
            by_id[key] = {wire["id"]: wire for wire in _beside(address, lists, tenants)}
        wire = by_id[key].get(entry.id)
        kind = BY_NAME[address.kind]
        is_there = wire is not None and wire.get("status") != "deleted"
        observed = observed_at(address, kind, wire, names) if wire is not None and is_there else None
        found[address] = Leaving(entry, observed, is_within_reach=address.org not in lost, heir=heirs.get(entry.id))
    return found


def observe_known(
    client: ReadClient, ids: Mapping[Address, str], ledger: Ledger, *, parallelism: int
) -> tuple[dict[str, OrgRef], dict[Address, Leaving], Names]:
    """Read what is live of addresses that the ledger gives ids for; references keep their titles. Raises ApiError."""
    known = {address: Entry(id_, "") for address, id_ in ids.items()}
    orgs: dict[str, OrgRef] = {}
    with readers(parallelism) as pool:
        live = listed(client, [Query(TENANT, None, "this key")], pool=pool).popitem()[1]
        lost = orgs_of_leaving(orgs, known, live, ledger)
        kinds = {(address.org, kind) for address in known if address.org not in lost for kind in _read_for(address)}
        queries = [Query(BY_NAME[kind], orgs[org].id, org) for org, kind in sorted(kinds)]
        lists = {(query.label, query.kind.name): wires for query, wires in listed(client, queries, pool=pool).items()}
    names = Names()
    for (org, kind), wires in lists.items():
        names.add(org, Directory(BY_NAME[kind], {wire["id"]: wire for wire in wires}, {}))
    return orgs, seen_leaving(known, lists, live, names, lost=lost), names


def _read_for(address: Address) -> set[str]:
    """Return the kinds to list for an address: its own, and those that it refers to."""
    kind = BY_NAME[BY_NAME[address.kind].parent or address.kind]
    names = {kind.name, *(reference.kind for _, reference in references(kind))}
    wires = {name: BY_NAME[name].wire for name in names if BY_NAME[name].listed_below is None}
    return {name for name, wire in wires.items() if wire.org_scoped and not wire.may_be_withheld}


def _beside(address: Address, lists: Lists, tenants: Sequence[Wire]) -> Sequence[Wire]:
    """Return everything live of an address's kind and organization."""
    kind = BY_NAME[address.kind]
    if kind is TENANT:
        return tenants
    if kind.parent is None:
        return lists.get((address.org, kind.name), ())
    is_gone = BY_NAME[kind.parent].wire.archived  # and what stood in it went along
    parents = [parent for parent in lists.get((address.org, kind.parent), ()) if not is_gone(parent)]
    return [child for parent in parents for child in parent.get(kind.wire.inside or "") or ()]
