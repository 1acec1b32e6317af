"""Live objects under suspicion: what every object must have, and shapes of those that make sense."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.errors import ServerFault
from reconciler.kinds import BY_NAME
from reconciler.kinds.kind import Kind, Shape, shape_of

Wire = Mapping[str, Any]
_HINT = "is EVERRUNS_API_URL the address of an Everruns API?"


def objects_of(kind: Kind, items: Any, *, doing: str) -> Sequence[Wire]:
    """Return the objects of an answer, children included, if each has what every one has; raises ServerFault."""
    if not isinstance(items, list) or not _are_objects(items, kind.wire.members):
        raise ServerFault(f"{doing}: the answer is not a list of {kind.plural}", hint=_HINT)
    if kind.children:
        field, child = kind.children
        for item in items:
            objects_of(BY_NAME[child], item.get(field) or [], doing=doing)
    return items


def _are_objects(items: Sequence[Any], members: Iterable[str]) -> bool:
    """Say whether each item is an object whose `members` are texts; written for long lists."""
    for item in items:
        if type(item) is not dict:
            return False
        for member in members:
            if type(item.get(member)) is not str:
                return False
    return True


_foreseen: dict[tuple[str, int], tuple[Wire, Shape]] = {}
"""By kind and identity of the object: Shapes made in advance, each for whoever asks first."""


def foresee(kind: Kind, answer: Any) -> None:
    """Make the Shapes of a page that just came in, while the manifests are read; later its objects are cold again.

    Any error is left for `shape_from` to meet, if anybody asks for that object.
    """
    for wire in answer["data"]:
        _foreseen[kind.name, id(wire)] = wire, shape_of(kind, wire)


def forget() -> None:
    """Drop the Shapes that nobody asked for."""
    _foreseen.clear()


def shape_from(kind: Kind, wire: Wire) -> Shape:
    """Return the canonical Shape of a live object; raises ServerFault for one whose members make no sense."""
    if known := _foreseen.pop((kind.name, id(wire)), None):
        return known[1]
    try:
        return shape_of(kind, wire)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        message = f"reading {kind.noun} {wire.get('id')}: its members make no sense ({type(error).__name__})"
        raise ServerFault(message, hint=_HINT) from error
