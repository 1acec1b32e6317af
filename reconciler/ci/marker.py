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
from typing import Any, Literal
from urllib.parse import quote

Purpose = Literal["plan", "applied", "drift"]

_LINE = re.compile(r"<!-- reconciler:([a-z]+):(\S+) ([A-Za-z0-9+/=]*) -->(?:\r?\n|$)")
_MOST = 4 * 2**20
"""What the data of a marker may come to in bytes; ours is far below."""


def mark(purpose: Purpose, environment: str, data: Mapping[str, Any]) -> str:
    """Return the line that marks a text, without its end."""
    packed = base64.b64encode(zlib.compress(json.dumps(data, sort_keys=True).encode(), 9)).decode()
    return f"<!-- reconciler:{purpose}:{_name(environment)} {packed} -->"


def marked(body: str, purpose: Purpose, environment: str) -> Mapping[str, Any] | None:
    """Return what the marker of a text remembers; None when the text has none of this purpose and environment.

    A marker whose data cannot be read is still a marker: it remembers nothing.
    """
    found = _LINE.match(body)
    if not found or found[1] != purpose or found[2] != _name(environment):
        return None
    try:
        data = zlib.decompressobj().decompress(base64.b64decode(found[3], validate=True), _MOST)
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
