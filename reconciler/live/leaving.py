"""What is ours and no longer declared: the organizations it stands in, and what is live of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from reconciler.kinds import BY_NAME, TENANT
from reconciler.live.names import Names
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
    leaving: Mapping[Address, Entry], lists: Lists, tenants: Sequence[Wire], names: Names, *, lost: Collection[str]
) -> dict[Address, Leaving]:
    """Say what is live of everything that is leaving."""
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
        found[address] = Leaving(entry, observed, is_within_reach=address.org not in lost)
    return found


def _beside(address: Address, lists: Lists, tenants: Sequence[Wire]) -> Sequence[Wire]:
    """Return everything live of an address's kind and organization."""
    kind = BY_NAME[address.kind]
    if kind is TENANT:
        return tenants
    if kind.parent is None:
        return lists.get((address.org, kind.name), ())
    parents = lists.get((address.org, kind.parent), ())
    return [child for parent in parents for child in parent.get(kind.wire.inside or "") or ()]
