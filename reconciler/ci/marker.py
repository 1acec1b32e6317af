"""The hidden first line by which a comment or an issue of ours is found again, and what it remembers.

It reads `<!-- reconciler:plan:production:manifests DATA -->`: purpose, environment, place of the manifests, and JSON
that is compressed, as base64. Earlier ones have no place of the manifests: who finds none of its own takes them over.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, Protocol, TypeVar
from urllib.parse import quote, unquote

Purpose = Literal["plan", "applied", "drift"]

_LINE = re.compile(r"<!-- reconciler:([a-z]+):(\S+) ([A-Za-z0-9+/=]*) -->(?:\r?\n|$)")
_MOST = 4 * 2**20
"""What the data of a marker may come to in bytes; ours is far below."""


class Fleet(NamedTuple):
    """What a text is about: an environment, and the manifests that are applied to it.

    `root` is as the ledger's owner has it, paths from the repository's top; empty in what an earlier version marked.
    """

    environment: str
    root: str = ""


def mark(purpose: Purpose, fleet: Fleet, data: Mapping[str, Any]) -> str:
    """Return the line that marks a text, without its end."""
    packed = base64.b64encode(zlib.compress(json.dumps(data, sort_keys=True).encode(), 9)).decode()
    return f"<!-- reconciler:{purpose}:{':'.join(map(_name, fleet))} {packed} -->"


class Mark(NamedTuple):
    """A marker: what its text is about, and what it remembers."""

    purpose: str
    fleet: Fleet
    data: Mapping[str, Any]


def mark_of(body: str) -> Mark | None:
    """Return the marker that a text begins with, None where it has none.

    A marker whose data cannot be read is still a marker: it remembers nothing.
    """
    found = _LINE.match(body)
    if found is None:
        return None
    environment, _, root = found[2].partition(":")
    fleet = Fleet(unquote(environment, errors="replace"), unquote(root, errors="replace"))
    return Mark(found[1], fleet, _unpacked(found[3]))


class Marked(Protocol):
    """Something that has a text: a comment, an issue."""

    @property
    def body(self) -> str:
        """The text."""


T = TypeVar("T", bound=Marked)


def among(texts: Iterable[T], purpose: Purpose, fleet: Fleet) -> list[T]:
    """Return those that are about a fleet; where there are none, those about its environment that name no manifests."""
    marks = [(one, mark) for one in texts if (mark := mark_of(one.body)) and mark.purpose == purpose]
    own = [one for one, mark in marks if mark.fleet == fleet]
    return own or [one for one, mark in marks if mark.fleet == Fleet(fleet.environment)]


def remembered_by(body: str) -> Mapping[str, Any]:
    """Return what the marker of a text remembers, nothing where it has none."""
    found = mark_of(body)
    return found.data if found else {}


def _unpacked(packed: str) -> Mapping[str, Any]:
    try:
        data = zlib.decompressobj().decompress(base64.b64decode(packed, validate=True), _MOST)
        told = json.loads(data)
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _name(text: str) -> str:
    """Spell a part of a fleet's name so that it neither ends an HTML comment nor looks like two.

    >>> _name("eu--west prod")
    'eu%2D%2Dwest%20prod'
    """
    return quote(text, safe="").replace("-", "%2D")
