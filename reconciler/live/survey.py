"""SURVEY: everything that is live and could be imported, at the addresses it would have beside what is declared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from reconciler.errors import Fault, Source, SourceFile, UsageError
from reconciler.kinds import BY_NAME, KINDS, TENANT
from reconciler.kinds.kind import Identity, Kind
from reconciler.kinds.traits import references
from reconciler.live.client import ReadClient
from reconciler.live.editions import Editions, owners_with_default, read_editions
from reconciler.live.identify import Remembered
from reconciler.live.listing import Query, listed
from reconciler.live.names import refers
from reconciler.live.observe import Lists, matched
from reconciler.live.readers import readers
from reconciler.live.shapes import Wire, shape_from
from reconciler.live.tenants import organizations
from reconciler.plan.capture import Candidate, Home
from reconciler.plan.naming import Taken, slug
from reconciler.resource import DEFAULT_ORG, Address, Desired, by_rank

_NOWHERE = Source(SourceFile(path="", text=""), 0, 1)


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found: the organizations by name, what could be imported, and the addresses of what is archived.

    `faults` say why something declared could not be matched with what is live; the rest is for `looked_at`.
    """

    homes: Mapping[str, Home]
    candidates: tuple[Candidate, ...]
    archived: tuple[str, ...]
    faults: tuple[Fault, ...]
    declared: Sequence[Desired]
    lists: Lists
    wires: Mapping[Address, Wire]
    shared: Mapping[tuple[str, str], frozenset[str]]
    editions: Editions


def survey(
    client: ReadClient,
    declared: Sequence[Desired],
    *,
    orgs: Sequence[str],
    org_id: str | None,
    kinds: Collection[str],
    parallelism: int,
    remembered: Remembered,
) -> Survey:
    """Read one list per organization for each of the `kinds` and for what they refer to.

    `orgs` chooses organizations by id, display name or name here; without any it is the one of `org_id`, or every
    one of the key's. Raises ApiError, and UsageError for an organization that is not there.
    """
    faults: list[Fault] = []
    with readers(parallelism) as pool:
        live = listed(client, [Query(TENANT, None, "this key")], pool=pool).popitem()[1]
        about = [one for one in declared if one.address.org in orgs] or declared
        homes = _homes(live, about, faults, org_id=org_id, remembered=remembered)
        chosen = _chosen(homes, orgs or ([org_id] if org_id else []))
        read = _read(kinds)
        queries = [Query(kind, home.id, home.name) for home in chosen for kind in read]
        lists = {(query.label, query.kind.name): wires for query, wires in listed(client, queries, pool=pool).items()}
        lists |= {(home.name, TENANT.name): [wire for wire in live if wire["id"] == home.id] for home in chosen}
        queries = [Query(kind, home.id, home.name) for home in chosen for kind in _offered(home, lists)]
        lists |= {(query.label, query.kind.name): wires for query, wires in listed(client, queries, pool=pool).items()}
    parents = [one for one in declared if not one.address.parent]
    matches = matched([one for one in parents if one.kind is not TENANT], lists, faults, remembered=remembered)
    documents = {str(matches.live[one.address]["id"]): one for one in parents if one.address in matches.live}
    found = sorted(_addressed(chosen, parents, documents, lists), key=lambda item: by_rank(item[0]))
    org_of = {home.name: home.id for home in chosen}
    with readers(parallelism) as pool:
        editions = read_editions(owners_with_default(found, org_of, client=client), client=client, pool=pool)
    sources = {id_: one.source for id_, one in documents.items()} | {home.id: home.document for home in chosen}
    shared = {key: _shared(BY_NAME[key[1]], wires) for key, wires in lists.items()}
    return Survey(
        homes={home.name: home for home in chosen},
        candidates=tuple(Candidate(a, wire["id"], _title(wire), sources.get(wire["id"])) for a, wire in found),
        archived=tuple(_archived(lists, kinds)),
        faults=tuple(faults),
        declared=declared,
        lists=lists,
        wires=matches.live | dict(found),
        shared=shared | {(home.name, TENANT.name): _shared(TENANT, live) for home in chosen},
        editions=editions,
    )


def _homes(
    live: Sequence[Wire],
    declared: Sequence[Desired],
    faults: list[Fault],
    *,
    org_id: str | None,
    remembered: Remembered,
) -> list[Home]:
    """Say how manifests know each live organization, or would."""
    refs, _ = organizations(live, declared, faults, org_id=org_id, remembered=remembered)
    known = {ref.id: name for name, ref in refs.items()}
    documents = {one.address: one.source for one in declared if one.address.kind == TENANT.name}
    taken = Taken({DEFAULT_ORG, *refs})
    homes = []
    for wire in _oldest_first(live):
        id_, title = str(wire["id"]), _title(wire)
        name = known.get(id_)
        if name is None:
            wish = slug(title, otherwise=f"org-{id_[-8:]}")
            free = taken.slug(f"{wish}-org" if wish == DEFAULT_ORG else wish)
            homes.append(Home(free, id_, title, is_new=True))
        else:
            homes.append(Home(name, id_, title, documents.get(Address(name, TENANT.name, name))))
    return homes


def _oldest_first(wires: Iterable[Wire]) -> list[Wire]:
    """Put resources in the order in which they get their names, which must not depend on what comes later."""
    return sorted(wires, key=lambda wire: (str(wire.get("created_at", "")), str(wire["id"])))


def _chosen(homes: Sequence[Home], words: Sequence[str]) -> list[Home]:
    for word in words:
        if not any(word in (home.id, home.name, home.title) for home in homes):
            names = [home.name for home in homes]
            close = get_close_matches(word, names, n=1)
            hint = f"did you mean {close[0]}?" if close else f"this key's are: {', '.join(names) or 'none'}"
            raise UsageError(f"--org {word}: no organization of this key", hint=hint)
    return [home for home in homes if not words or {home.id, home.name, home.title} & {*words}]


def _read(kinds: Iterable[str]) -> list[Kind]:
    """Return the kinds to list: those asked for, and what they, their children and the organization refer to."""
    wanted = [BY_NAME[name] for name in {*kinds, TENANT.name}]
    below = [BY_NAME[kind.children[1]] for kind in wanted if kind.children]
    names = {kind.name for kind in wanted} | {one.kind for kind in (*wanted, *below) for _, one in references(kind)}
    listable = [kind for kind in KINDS if kind.wire.org_scoped and not kind.listed_below]
    return [kind for kind in listable if kind.name in names and not kind.wire.may_be_withheld]


def _offered(home: Home, lists: Lists) -> list[Kind]:
    """Return the kinds that may be withheld and that something live of an organization refers to."""
    found = {
        reference.kind
        for (org, name), wires in lists.items()
        if org == home.name
        for path, reference in references(BY_NAME[name])
        if BY_NAME[reference.kind].wire.may_be_withheld
        and any(refers(reference, path, shape_from(BY_NAME[name], wire)) for wire in wires)
    }
    return [kind for kind in KINDS if kind.name in found]


def _shared(kind: Kind, wires: Iterable[Wire]) -> frozenset[str]:
    """Return the titles that several live resources have, where the platform allows that."""
    if kind.identity not in (Identity.NAME, Identity.TAG):
        return frozenset()
    alive = (_title(wire) for wire in wires if _is_alive(kind, wire))
    return frozenset(title for title, count in Counter(alive).items() if count > 1)


def _is_alive(kind: Kind, wire: Wire) -> bool:
    return wire.get("status") != "deleted" and not kind.wire.archived(wire)


def _can_be_meant(kind: Kind, wire: Wire) -> bool:
    """Say whether an address can mean it: what the API gives no name may be nobody's to declare."""
    return kind.wire.named is None or bool(_title(wire))


def _title(wire: Wire) -> str:
    return str(wire.get("name", ""))


def _archived(lists: Lists, kinds: Container[str]) -> Iterator[str]:
    """Yield what the archived resources of some kinds would be called."""
    for (org, name), wires in lists.items():
        if name in kinds:
            yield from (f"{org}/{name}/{_title(wire)}" for wire in wires if BY_NAME[name].wire.archived(wire))


def _addressed(
    homes: Sequence[Home], declared: Sequence[Desired], documents: Mapping[str, Desired], lists: Lists
) -> Iterator[tuple[Address, Wire]]:
    """Yield everything live that may be managed with its address: the declared one, or a free one like its title."""
    tenants = {home.name for home in homes if home.is_new or home.document}
    for (org, name), wires in sorted(lists.items(), key=lambda item: item[0]):
        kind = BY_NAME[name]
        taken = Taken(one.address.name for one in declared if (one.address.org, one.address.kind) == (org, name))
        for wire in _oldest_first(wires):
            if kind is TENANT:
                if org in tenants:
                    yield Address(org, name, org), wire
            elif wire["id"] in documents:
                yield documents[wire["id"]].address, wire
            elif kind.managed and _is_alive(kind, wire) and not kind.wire.provided(wire) and _can_be_meant(kind, wire):
                wish = slug(_title(wire), otherwise=f"{name.lower()}-{wire['id'][-8:]}")
                yield Address(org, name, taken.slug(wish)), wire
