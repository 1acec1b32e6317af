"""From an API object to a Shape and back, as a kind says."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from reconciler.kinds.fields import SET
from reconciler.kinds.kind import ON_EVERYTHING, Kind, Shape
from reconciler.kinds.markers import References
from reconciler.kinds.traits import apart, joined_as, references, sensitive
from reconciler.kinds.walk import Step, field_names, reach, replaced


def shape_of(kind: Kind, wire: Mapping[str, Any]) -> Shape:
    """Return the canonical Shape of an API object, without any secret; its references still hold ids."""
    shape = kind.wire.from_wire(wire)
    for name, theirs in _direct(kind):
        if wire.get(theirs) is not None:
            shape[name] = wire[theirs]
    for name in apart(kind):
        if joined_as(name) in wire:
            shape[name] = wire[joined_as(name)]
    shape = kind.canonical(shape)
    for path in sensitive(kind):  # in canonical form, where every variant goes by the name that the path knows
        if reach(path)(shape):
            shape = replaced(shape, path, _hidden)
    return shape


def _hidden(_secret: Any, _path: Any) -> Any:
    return SET


@cache
def _direct(kind: Kind) -> tuple[tuple[str, str], ...]:
    """Return the top-level fields that refer to others, with the API's names for them."""
    return tuple((str(path[0]), wire_name(path, ref)) for path, ref in references(kind) if len(path) == 1)


def body_of(kind: Kind, shape: Shape) -> dict[str, Any]:
    """Return the request body of a Shape whose references already hold ids."""
    body = dict(shape)
    for name, theirs in _direct(kind):
        if name in body:
            body[theirs] = body.pop(name)
    return kind.wire.to_wire(body)


def has_one_time_key(kind: Kind, shape: Shape) -> bool:
    """Say whether the platform makes a key for such a resource, which it shows once and can make anew."""
    return kind.wire.create(shape, "").renewed_by is not None


def news(kind: Kind, wire: Mapping[str, Any]) -> list[str]:
    """Return the members of an API object that hold something and that the kind has no field for, in order."""
    fields = {
        *field_names(kind.spec),
        *(theirs for _, theirs in _direct(kind)),
        *kind.wire.known,
        *ON_EVERYTHING,
        *map(joined_as, apart(kind)),
    }
    return sorted(name for name, value in wire.items() if value not in (None, [], {}) and name not in fields)


def wire_name(path: tuple[Step, ...], reference: References) -> str:
    """Return the API's name of a field that refers to another resource."""
    return reference.wire or f"{path[-1]}_id"
