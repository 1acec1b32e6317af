"""The hidden first line by which a comment or an issue of ours is found again, and what it remembers.

It reads `<!-- reconciler:plan:production DATA -->`: purpose, environment, and JSON that is compressed, as base64.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import quote, unquote

Purpose = Literal["plan", "applied", "drift"]

_LINE = re.compile(r"<!-- reconciler:([a-z]+):(\S+) ([A-Za-z0-9+/=]*) -->(?:\r?\n|$)")
_MOST = 4 * 2**20
"""What the data of a marker may come to in bytes; ours is far below."""


def mark(purpose: Purpose, environment: str, data: Mapping[str, Any]) -> str:
    """Return the line that marks a text, without its end."""
    packed = base64.b64encode(zlib.compress(json.dumps(data, sort_keys=True).encode(), 9)).decode()
    return f"<!-- reconciler:{purpose}:{_name(environment)} {packed} -->"


class Mark(NamedTuple):
    """A marker: what its text is about, and what it remembers."""

    purpose: str
    environment: str
    data: Mapping[str, Any]


def mark_of(body: str) -> Mark | None:
    """Return the marker that a text begins with, None where it has none.

    A marker whose data cannot be read is still a marker: it remembers nothing.
    """
    found = _LINE.match(body)
    return Mark(found[1], unquote(found[2], errors="replace"), _unpacked(found[3])) if found else None


def marked(body: str, purpose: Purpose, environment: str) -> Mapping[str, Any] | None:
    """Return what the marker of a text remembers; None when the text has none of this purpose and environment."""
    found = mark_of(body)
    return found.data if found and found[:2] == (purpose, environment) else None


def _unpacked(packed: str) -> Mapping[str, Any]:
    try:
        data = zlib.decompressobj().decompress(base64.b64decode(packed, validate=True), _MOST)
        told = json.loads(data)
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _name(environment: str) -> str:
    """Spell an environment so that no name of one ends an HTML comment.

    >>> _name("eu--west prod")
    'eu%2D%2Dwest%20prod'
    """
    return quote(environment, safe="").replace("-", "%2D")
