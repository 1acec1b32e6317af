"""LOOK: what is about to be imported, as it is live, with the names for its ids that it will be known by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace

from reconciler.errors import Source, SourceFile
from reconciler.kinds import BY_NAME
from reconciler.kinds.kind import Identity, Kind
from reconciler.kinds.translate import news
from reconciler.live.identify import Matches
from reconciler.live.names import Names
from reconciler.live.observe import directories
from reconciler.live.seen import observed_at
from reconciler.live.shapes import Wire, shape_from
from reconciler.live.survey import Survey
from reconciler.plan.capture import Candidate, Seen
from reconciler.plan.naming import Taken, is_slug, slug
from reconciler.plan.release import said_of_versions
from reconciler.resource import Address, Desired

_NOWHERE = Source(SourceFile(path="", text=""), 0, 1)


def look(survey: Survey, chosen: Sequence[Candidate], *, without: Container[Address] = ()) -> list[Seen]:
    """Return the chosen as they are live.

    What is declared or among them goes by its address, everything else by its title, as do those `without` a manifest.
    """
    soon = [Desired(a.address, {}, _NOWHERE, a.title, pinned=a.id) for a in chosen if a.address not in without]
    known = [*(one for one in survey.declared if not one.address.parent), *soon]
    names = directories(known, survey.lists, Matches(live=dict(survey.wires)), new=())
    survey.editions.known_to(names)
    return [_seen(one, survey, names) for one in chosen]


def _seen(one: Candidate, survey: Survey, names: Names) -> Seen:
    address, wire = one.address, survey.wires[one.address]
    kind = BY_NAME[address.kind]
    refused = None
    if kind.identity is Identity.SLUG and not is_slug(one.title):
        refused = f'its name "{one.title}" cannot be an address (lowercase letters, digits, single hyphens, 64 at most)'
    elif one.title in kind.reserved | kind.built_in:
        refused = f'its name "{one.title}" is one that the platform keeps for itself, and no manifest may say it'
    observed = observed_at(address, kind, wire, names, released=survey.editions.released.get(address))
    return Seen(
        replace(observed, spec=said_of_versions(observed)),
        one.title,
        children=tuple(_children(address, kind, wire, names)),
        is_shared=one.title in survey.shared[address.org, address.kind],
        news=tuple(news(kind, wire)),
        refused=refused,
    )


def _children(address: Address, kind: Kind, wire: Wire, names: Names) -> Iterator[Seen]:
    """Yield the children, which have no names there, each called by its type; numbered where a type has several.

    Only the order among those of one type means something, so that types stand in an order of our own.
    """
    if not kind.children:
        return
    child = BY_NAME[kind.children[1]]
    typed = [(str(shape_from(child, one).get("type")), one) for one in wire.get(kind.children[0]) or []]
    counts, taken = Counter(type_ for type_, _ in typed), Taken()
    for type_, one in sorted(typed, key=lambda pair: pair[0]):
        below = Address(address.org, child.name, taken.slug(slug(type_, otherwise="channel")), parent=address.name)
        observed = observed_at(below, child, one, names)
        yield Seen(observed, type_, is_shared=counts[type_] > 1, news=tuple(news(child, one)))
