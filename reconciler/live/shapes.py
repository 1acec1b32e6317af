"""Live objects under suspicion: what every object must have, and shapes of those that make sense."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from reconciler.api_errors import ServerFault
from reconciler.kinds import BY_NAME
from reconciler.kinds.kind import Kind, Shape
from reconciler.kinds.translate import shape_of

_LONGEST_ID = 200
_ID = re.compile(r"[A-Za-z0-9_-]+").fullmatch
Wire = Mapping[str, Any]
_HINT = "is EVERRUNS_API_URL the address of an Everruns API?"


def objects_of(kind: Kind, items: Any, *, doing: str) -> Sequence[Wire]:
    """Return the objects of an answer, children included, if each has what every one has; raises ServerFault."""
    if not isinstance(items, list) or not _are_objects(items, kind.wire.members):
        raise ServerFault(f"{doing}: the answer is not a list of {kind.plural}", hint=_HINT)
    if kind.parent is None and is_too_deep(items):
        raise ServerFault(f"{doing}: the answer is nested deeper than anything the API has", hint=_HINT)
    if kind.children:
        field, child = kind.children
        for item in items:
            objects_of(BY_NAME[child], item.get(field) or [], doing=doing)
    return [_called(kind, item) for item in items] if kind.wire.named else items


def _called(kind: Kind, item: Wire) -> Wire:
    """Return an object with the name that its kind finds in it; raises ServerFault for one that makes no sense."""
    assert kind.wire.named
    try:
        return {**item, "name": kind.wire.named(item)}
    except (TypeError, AttributeError) as error:
        message = f"reading {kind.noun} {item.get('id')}: its members make no sense ({type(error).__name__})"
        raise ServerFault(message, hint=_HINT) from error


def is_id(text: str) -> bool:
    """Say whether a text can stand in a path as the id of something, and nothing else."""
    return len(text) <= _LONGEST_ID and _ID(text) is not None


def is_too_deep(value: Any) -> bool:
    """Say whether what came as JSON goes so deep that it could not be written as JSON again, with room to wrap it.

    orjson reads four times as deep as it writes (254), and walks in Python give up in between.
    """
    try:
        orjson.dumps([[[[[[[[value]]]]]]]])
    except orjson.JSONEncodeError:
        return True
    return False


def _are_objects(items: Sequence[Any], members: Iterable[str]) -> bool:
    """Say whether each item is an object whose `members` are texts, and whose id can stand in a path.

    Written for long lists. An id that could lead elsewhere, as `../orgs/x`, must never become part of a request.
    """
    for item in items:
        if type(item) is not dict:
            return False
        id_ = item.get("id")
        if type(id_) is str and not is_id(id_):
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
