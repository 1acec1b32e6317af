"""What the markers on the fields of a kind come to: references, switches, what is cleared how, what stands apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from reconciler.kinds.fields import AS_SET, EXPOSES, IMMUTABLE, KEPT_BY_REPLACE, SENSITIVE, WHOLE
from reconciler.kinds.kind import Kind, Shape
from reconciler.kinds.markers import Apart, Beside, Clear, Listed, Marker, References, Switch, Syncs, Waits
from reconciler.kinds.walk import Step, field_names, markers


@dataclass(frozen=True, slots=True)
class Marked:
    """A marker and where in a Shape it applies."""

    path: tuple[Step, ...]
    marker: References | Listed | Marker | Clear | Switch | Apart | Waits | Syncs | Beside


@cache
def marked(kind: Kind) -> tuple[Marked, ...]:
    """Return every marker of the kind's spec with its path, nested models included."""
    return tuple(Marked(path, marker) for path, marker in markers(kind.spec)) if kind.managed else ()


@cache
def references(kind: Kind) -> tuple[tuple[tuple[Step, ...], References], ...]:
    """Return where the kind refers to others."""
    return tuple((m.path, m.marker) for m in marked(kind) if isinstance(m.marker, References))


@cache
def listings(kind: Kind) -> tuple[tuple[tuple[Step, ...], Listed], ...]:
    """Return where the kind names what the platform lists, and nothing else knows."""
    return tuple((m.path, m.marker) for m in marked(kind) if isinstance(m.marker, Listed))


@cache
def switches(kind: Kind) -> Mapping[str, Switch]:
    """Return the top-level fields that are turned by calls of their own."""
    return {str(m.path[0]): m.marker for m in marked(kind) if isinstance(m.marker, Switch)}


@cache
def turned(kind: Kind) -> frozenset[str]:
    """Return the top-level fields that are not written with the rest, but by steps of their own."""
    return frozenset(switches(kind)) | ({kind.release.field} if kind.release else set())


def may_be_replaced(kind: Kind) -> bool:
    """Say whether there is a change of such a resource that takes away what it holds, and so is asked leave for."""
    return bool(immutable(kind)) or kind.discards is not None


@cache
def apart(kind: Kind) -> Mapping[str, Apart]:
    """Return the top-level fields that stand below the resource, in calls of their own."""
    return {str(m.path[0]): m.marker for m in marked(kind) if isinstance(m.marker, Apart)}


@cache
def waits(kind: Kind) -> Mapping[str, Waits]:
    """Return the top-level fields that say how long an apply waits."""
    return {str(m.path[0]): m.marker for m in marked(kind) if isinstance(m.marker, Waits)}


@cache
def syncs(kind: Kind) -> Mapping[str, Syncs]:
    """Return the top-level fields that ask for content to be fetched anew."""
    return {str(m.path[0]): m.marker for m in marked(kind) if isinstance(m.marker, Syncs)}


@cache
def of_the_apply(kind: Kind) -> frozenset[str]:
    """Return the top-level fields that are about the apply alone: neither compared nor sent."""
    return frozenset({*waits(kind), *syncs(kind)})


def joined_as(name: str) -> str:
    """Return the member of an API object in which what was read apart is kept: no answer of the API has such a one."""
    return f"/{name}"


def parted(kind: Kind, shape: Shape) -> tuple[Shape, Shape]:
    """Part the fields that the resource's own body holds from those that stand apart."""
    others = apart(kind)
    if not others:
        return shape, {}
    own = {name: value for name, value in shape.items() if name not in others}
    return own, {name: shape[name] for name in others if name in shape}


@cache
def clears(kind: Kind) -> Mapping[str, Clear]:
    """Return how each clearable top-level field is cleared."""
    return {str(m.path[0]): m.marker for m in marked(kind) if isinstance(m.marker, Clear) and len(m.path) == 1}


@cache
def having(kind: Kind, marker: Marker) -> frozenset[tuple[Step, ...]]:
    """Return the paths that carry a yes-or-no marker."""
    return frozenset(m.path for m in marked(kind) if m.marker is marker)


@cache
def beside(kind: Kind) -> tuple[tuple[tuple[Step, ...], Beside], ...]:
    """Return where texts stand that may have a file of their own."""
    return tuple((m.path, m.marker) for m in marked(kind) if isinstance(m.marker, Beside))


def whole(kind: Kind) -> frozenset[tuple[Step, ...]]:
    """Return the maps that are compared and sent as one value."""
    return having(kind, WHOLE)


def sensitive(kind: Kind) -> frozenset[tuple[Step, ...]]:
    """Return where secrets stand."""
    return having(kind, SENSITIVE)


def sets(kind: Kind) -> frozenset[tuple[Step, ...]]:
    """Return the lists whose order means nothing."""
    return having(kind, AS_SET)


def kept_by_replace(kind: Kind) -> frozenset[tuple[Step, ...]]:
    """Return the fields that a PUT does not empty."""
    return having(kind, KEPT_BY_REPLACE)


@cache
def immutable(kind: Kind) -> frozenset[str]:
    """Return the top-level fields that never change once the resource is there."""
    return frozenset(str(path[0]) for path in having(kind, IMMUTABLE))


def exposing(kind: Kind) -> frozenset[tuple[Step, ...]]:
    """Return the fields that have a say in who can reach what."""
    return having(kind, EXPOSES)


def in_order(kind: Kind, shape: Shape) -> Shape:
    """Return a Shape with its fields in the order of the kind, whatever order they were written in; a name first."""
    ranks = _ranks(kind)
    return {name: shape[name] for name in sorted(shape, key=lambda name: ranks.get(name, -1))}


@cache
def _ranks(kind: Kind) -> Mapping[str, int]:
    return {name: rank for rank, name in enumerate(field_names(kind.spec))}
