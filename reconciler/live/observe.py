"""OBSERVE: what the platform has at each desired address; ids become addresses here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from reconciler.errors import Fault
from reconciler.kinds import BY_NAME, KINDS, TENANT
from reconciler.kinds.kind import Identity
from reconciler.kinds.traits import references
from reconciler.kinds.walk import at
from reconciler.live.client import ReadClient
from reconciler.live.depths import editions_of, with_apart
from reconciler.live.editions import Editions, having_versions
from reconciler.live.founding import founding, joined_notes
from reconciler.live.identify import Matches, Remembered, identify, identify_children, is_renamed, nowhere
from reconciler.live.leaving import orgs_of_leaving, seen_leaving
from reconciler.live.listing import Query, listed
from reconciler.live.names import Directory, Names, needed
from reconciler.live.offers import offers
from reconciler.live.readers import readers
from reconciler.live.seen import observed_at
from reconciler.live.shapes import Wire, shape_from
from reconciler.live.tenants import crowded, ensure_same, organizations
from reconciler.plan.change import Action, Change
from reconciler.plan.found import Found
from reconciler.plan.freshness import Heads, origins_due
from reconciler.plan.names_given_up import Holder, Holders
from reconciler.plan.offers import Offered
from reconciler.plan.owned import Entry
from reconciler.plan.plan import OrgRef, Situation
from reconciler.plan.rules import Rules
from reconciler.resource import Address, Desired


@dataclass(slots=True)
class Observation:
    """What was seen: the situation for the plan, the desired with their references bound, and the faults met.

    `offered` reads what an organization can choose from, once a plan would write such a choice.
    """

    situation: Situation
    desired: list[Desired]
    offered: Offered
    faults: list[Fault] = field(default_factory=list)


def observe(  # noqa: PLR0913 - each is a side of what is read
    client: ReadClient,
    everything: Sequence[Desired],
    chosen: Sequence[Desired],
    *,
    rules: Rules,
    leaving: Mapping[Address, Entry],
    org_id: str | None,
    parallelism: int,
    heads: Heads,
) -> Observation:
    """Read one list per kind and organization that `chosen` needs, and say what each desired address means there.

    `everything` is all that is declared, chosen or not: it gives names to what is live. `rules` has the ids that
    addresses are remembered by, `leaving` what is ours and not declared any more. `org_id` stands for the organization
    of documents without one, or for the only organization of the run. `heads` asks for the branches that content is
    synced from. Raises ApiError.
    """
    with readers(parallelism) as pool:
        faults: list[Fault] = []
        live = listed(client, [Query(TENANT, None, "this key")], pool=pool).popitem()[1]
        orgs, tenants = organizations(live, chosen, faults, org_id=org_id, remembered=rules.id_of)
        ensure_same(orgs, tenants.live, live, rules.ledger)
        lost = orgs_of_leaving(orgs, leaving, live, rules.ledger)
        queries = _queries(chosen, orgs, [address for address in leaving if address.org not in lost])
        lists = {(query.label, query.kind.name): wires for query, wires in listed(client, queries, pool=pool).items()}
    matches = matched(everything, lists, faults, remembered=rules.id_of, archived=rules.archived_at)
    matches.live |= tenants.live
    faults += with_apart(chosen, matches, orgs, rules=rules, client=client, parallelism=parallelism)
    ours = {address: entry.id for address, entry in leaving.items()}
    names = directories(
        everything, lists, matches, new=[org for org, ref in orgs.items() if ref.id is None], leaving=ours
    )
    for query in queries:
        if (query.label, query.kind.name) not in lists:
            names.withhold(query.label, query.kind.name)
    bound, unbound = names.bind(chosen)
    begun = founding(bound, everything, orgs, live, client=client)
    faults += unbound + _left_out(bound, everything, chosen, names) + begun.faults
    bound = [*having_versions(bound, orgs, faults, client=client)]
    editions = editions_of(bound, matches, names, orgs, client=client, parallelism=parallelism)
    editions.known_to(names)
    found = _found(bound, matches, names, lists, editions)
    reports = tuple(_undeclared_children(bound, found, matches.live, ours.values()))
    heirs = {wire["id"]: address for address, wire in matches.live.items()} if leaving else {}
    due = {*origins_due(bound, found)}
    left = seen_leaving(leaving, lists, live, names, lost=lost, heirs=heirs)
    return Observation(
        Situation(
            found,
            orgs,
            names.id_of,
            reports,
            left,
            _holders(lists),
            _beside(everything, chosen),
            editions.released,
            joined_notes(names.unchecked, crowded(orgs, live), begun.told),
            heads(due) if due else {},
        ),
        bound,
        offers(client, orgs),
        faults,
    )


def _queries(chosen: Sequence[Desired], orgs: Mapping[str, OrgRef], leaving: Iterable[Address]) -> list[Query]:
    """Return the lists that are to be read: of what is declared, referred to and leaving, where the organization is."""
    kinds = needed(chosen)
    for address in leaving:
        if address.kind != TENANT.name:
            kinds.setdefault(address.org, set()).add(BY_NAME[address.kind].parent or address.kind)
    return [
        Query(BY_NAME[kind], orgs[org].id, org)
        for org, names in sorted(kinds.items())
        if orgs[org].id
        for kind in sorted(names)
    ]


def _beside(everything: Sequence[Desired], chosen: Sequence[Desired]) -> list[Desired]:
    """Return what is declared and not part of this run."""
    if len(chosen) == len(everything):
        return []
    taken = {one.address for one in chosen}
    return [one for one in everything if one.address not in taken]


def _holders(lists: Lists) -> Holders:
    """Say who holds which name: everything live, archived ones included."""

    def of(org: str, kind: str) -> Iterable[Holder]:
        archived = BY_NAME[kind].wire.archived
        return (
            Holder(wire["id"], str(wire.get("name", "")), archived(wire))
            for wire in lists.get((org, kind), ())
            if wire.get("status") != "deleted"
        )

    return of


Lists = Mapping[tuple[str, str], Sequence[Wire]]


def matched(
    everything: Sequence[Desired],
    lists: Lists,
    faults: list[Fault],
    *,
    remembered: Remembered,
    archived: Remembered = nowhere,
) -> Matches:
    """Match everything declared of the kinds that were listed; faults go into `faults`."""
    groups: dict[tuple[str, str], list[Desired]] = {}
    children: dict[Address, list[Desired]] = {}
    for one in everything:
        if one.address.above:
            children.setdefault(one.address.above, []).append(one)
        elif (one.address.org, one.address.kind) in lists:
            groups.setdefault((one.address.org, one.address.kind), []).append(one)
    matches = Matches()
    for (org, kind), desired in groups.items():
        _take(
            matches,
            identify(BY_NAME[kind], desired, lists[org, kind], remembered=remembered, archived=archived),
            faults,
        )
    for parent, desired in children.items():
        live = matches.live.get(parent)
        inside = desired[0].kind.wire.inside
        if live is not None and inside:
            _take(matches, identify_children(desired, live.get(inside) or [], remembered=remembered), faults)
    return matches


def _take(matches: Matches, more: Matches, faults: list[Fault]) -> None:
    matches.live |= more.live
    matches.twins |= more.twins
    faults += more.faults


def directories(
    everything: Sequence[Desired],
    lists: Lists,
    matches: Matches,
    *,
    new: Iterable[str],
    leaving: Mapping[Address, str] = MappingProxyType({}),
) -> Names:
    """Build the directories: every declared address with its id, if it has one, and every live resource.

    What is `leaving` still goes by its address. An organization that is `new` has what is declared in it, and what
    comes with every organization.
    """
    declared: dict[tuple[str, str], dict[str, str | None]] = {}
    returning: dict[tuple[str, str], dict[str, str]] = {}
    renamed: dict[tuple[str, str], set[str]] = {}
    for one in everything:
        wire, twin = matches.live.get(one.address), matches.twins.get(one.address)
        key = one.address.org, one.address.kind
        if wire and is_renamed(one, wire):
            renamed.setdefault(key, set()).add(wire["id"])
        declared.setdefault(key, {})[one.address.name] = wire["id"] if wire else None
        if wire is None and twin and one.kind.can_restore and one.kind.has_unique_names and not one.archive:
            returning.setdefault(key, {})[twin["id"]] = one.address.name
    for address, id_ in leaving.items():
        declared.setdefault((address.org, address.kind), {}).setdefault(address.name, id_)
    names = Names()
    for (org, kind), wires in lists.items():
        live = {wire["id"]: wire for wire in wires}
        key = org, kind
        named = declared.get(key, {}), returning.get(key, {}), renamed.get(key, ())
        names.add(org, Directory(BY_NAME[kind], live, *named))
    for org in new:
        for absent in (kind for kind in KINDS if not kind.comes_with_tenant):
            names.add(org, Directory(absent, {}, declared.get((org, absent.name), {})))
    return names


def _left_out(
    bound: Sequence[Desired], everything: Sequence[Desired], chosen: Sequence[Desired], names: Names
) -> list[Fault]:
    """Report references to what is declared, does not exist yet, and was left out of this run."""
    if len(everything) == len(chosen):
        return []
    missing = {one.address for one in everything} - {one.address for one in chosen}
    faults = []
    for one in bound:
        for path, reference in references(one.kind):
            for holder, key, where in at(one.spec, path):
                target = Address(one.address.org, reference.kind, str(holder[key]))
                if target in missing and names.id_of(target) is None:
                    message = f"refers to {target.local}, which does not exist yet and is left out of this run"
                    faults.append(
                        Fault(
                            message,
                            one.source,
                            (*one.path, *where),
                            hint="leave this out too, or include both",
                        )
                    )
    return faults


def _found(
    bound: Sequence[Desired], matches: Matches, names: Names, lists: Lists, editions: Editions
) -> dict[Address, Found]:
    """Say what was found at each chosen address, in canonical form with names for ids."""
    found: dict[Address, Found] = {}
    for one in bound:
        wire, twin, kind = matches.live.get(one.address), matches.twins.get(one.address), one.kind
        parent = matches.live.get(one.address.above) if one.address.above else None
        siblings = [child["id"] for child in (parent or {}).get(kind.wire.inside or "", [])] if kind.parent else []
        if kind.identity is Identity.CALLER:
            siblings = [wire["id"] for wire in lists.get((one.address.org, kind.name), ())]
        if wire is None and twin is None and not siblings:
            continue
        released = editions.released.get(one.address)
        found[one.address] = Found(
            observed=observed_at(one.address, kind, wire, names, released=released) if wire else None,
            twin=observed_at(one.address, kind, twin, names, released=released) if twin else None,
            siblings=siblings,
            has_children=bool(wire and kind.children and wire.get(kind.children[0])),
        )
    return found


def _undeclared_children(
    bound: Iterable[Desired], found: Mapping[Address, Found], live: Mapping[Address, Wire], ours: Collection[str]
) -> Iterable[Change]:
    """Report the live children of a parent whose children are listed in git and do not include them, nor are ours."""
    listing = [one for one in bound if one.lists_children and not one.archive]
    known = {wire["id"] for wire in live.values()} | {*ours} if listing else set()
    for one in listing:
        wire = live.get(one.address)
        if not (wire and one.kind.children and one.address in found):
            continue
        field_name, child = one.kind.children
        for extra in wire.get(field_name) or []:
            if extra["id"] not in known:
                type_ = shape_from(BY_NAME[child], extra).get("type")
                note = f"{type_} {child.lower()} {extra['id']} exists on the platform and is not declared: left alone"
                yield Change(
                    Address(one.address.org, child, extra["id"], one.address.name),
                    Action.REPORT,
                    notes=(note,),
                )
