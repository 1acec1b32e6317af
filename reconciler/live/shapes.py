"""Live objects under suspicion: what every object must have, and shapes of those that make sense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.errors import ServerFault
from reconciler.kinds import BY_NAME
from reconciler.kinds.kind import Kind, Shape, shape_of

Wire = Mapping[str, Any]
_HINT = "is EVERRUNS_API_URL the address of an Everruns API?"


def objects_of(kind: Kind, items: Any, *, doing: str) -> Sequence[Wire]:
    """Return the objects of an answer, children included, if each has what every one has; raises ServerFault."""
    if not isinstance(items, list) or not all(_is_one(kind, item) for item in items):
        raise ServerFault(f"{doing}: the answer is not a list of {kind.plural}", hint=_HINT)
    if kind.children:
        field, child = kind.children
        for item in items:
            objects_of(BY_NAME[child], item.get(field) or [], doing=doing)
    return items


def _is_one(kind: Kind, item: Any) -> bool:
    return isinstance(item, dict) and all(isinstance(item.get(member), str) for member in kind.wire.members)


def shape_from(kind: Kind, wire: Wire) -> Shape:
    """Return the canonical Shape of a live object; raises ServerFault for one whose members make no sense."""
    try:
        return shape_of(kind, wire)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        message = f"reading {kind.name.lower()} {wire.get('id')}: its members make no sense ({type(error).__name__})"
        raise ServerFault(message, hint=_HINT) from error
