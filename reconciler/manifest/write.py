"""Write plain values as YAML for people: block style, texts of several lines as they are, quotes only where needed.

The counterpart of `parse.py`: values become events, and pyyaml's emitter lays them out. Its representer would write
for YAML 1.1, where `1e3` is text; a scalar stands without quotes only if it is text to 1.1 and to 1.2 alike.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from yaml.emitter import Emitter
from yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)
from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

from reconciler.manifest.parse import meaning_of

_NEVER_FOLDED = 2**31
_TEXT_TAG = "tag:yaml.org,2002:str"
_LINES = re.compile(r"(?!\s)[^\n]+(?:\n+[^\n]+)*\n?")
"""A text that can stand in lines of its own: it begins with no space, and ends in one line end at most."""


class Inline(dict[str, Any]):
    """A map that is written on one line."""


class _Emitter(Emitter):
    """Lays lists out below their key, indented as people do."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002, ARG002
        """Go one level down, whatever the container."""
        super().increase_indent(flow=flow, indentless=False)


def yaml_of(value: Any) -> str:
    """Return the YAML of a plain value; `parse` reads it back equal, whatever texts are in it.

    Raises ValueError for what YAML cannot hold: half of a surrogate pair, what is no plain value.
    """
    stream = io.StringIO()
    emitter = _Emitter(stream, width=_NEVER_FOLDED, allow_unicode=True)
    for event in (
        StreamStartEvent(),
        DocumentStartEvent(explicit=False),
        *_events(value),
        DocumentEndEvent(explicit=False),
        StreamEndEvent(),
    ):
        emitter.emit(event)
    return stream.getvalue()


def scalar_of(value: Any, *, style: str | None = None, in_flow: bool = False) -> str:
    """Return how a scalar is written on one line, quoted as asked for (`'` or `"`) where that is possible.

    Raises ValueError as `yaml_of` does.
    """
    if not isinstance(value, str):
        return _word(value)
    value.encode()
    stream = io.StringIO()
    emitter = _Emitter(stream, width=_NEVER_FOLDED, allow_unicode=True)
    quotes = style if value.isprintable() else '"'
    for event in (
        StreamStartEvent(),
        DocumentStartEvent(explicit=False),
        MappingStartEvent(None, None, implicit=True, flow_style=in_flow),
        ScalarEvent(None, None, (True, True), "k"),
        ScalarEvent(None, None, (quotes is None and _is_plain(value), True), value, style=quotes),
        MappingEndEvent(),
        DocumentEndEvent(explicit=False),
        StreamEndEvent(),
    ):
        emitter.emit(event)
    return stream.getvalue().partition(": ")[2].removesuffix("\n").removesuffix("}" if in_flow else "")


def stands_in_lines(text: str) -> bool:
    """Say whether a text of several lines is written in lines of its own."""
    return _style(text) == "|"


def _events(value: Any) -> Iterator[Event]:
    match value:
        case dict():
            yield MappingStartEvent(None, None, implicit=True, flow_style=isinstance(value, Inline))
            for key, item in value.items():
                yield from _events(key)
                yield from _events(item)
            yield MappingEndEvent()
        case list():
            yield SequenceStartEvent(None, None, implicit=True, flow_style=False)
            for item in value:
                yield from _events(item)
            yield SequenceEndEvent()
        case str():
            value.encode()  # half of a surrogate pair would be written, and could not be read
            yield ScalarEvent(None, None, (_is_plain(value), True), value, style=_style(value))
        case _:
            yield ScalarEvent(None, None, (True, False), _word(value))


def _word(value: Any) -> str:
    """Spell what is no text as JSON does."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
    raise ValueError(f"YAML has no word for a {type(value).__name__}")


@cache
def _resolver() -> Resolver:
    return Resolver()


def _is_plain(text: str) -> bool:
    """Say whether a text is one without quotes, for every reader."""
    try:
        is_text = meaning_of(text) == text
    except ValueError:
        return False
    older: str = _resolver().resolve(ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return is_text and older == _TEXT_TAG


def _style(text: str) -> str | None:
    """Return how a text must be written: in lines of its own, in double quotes, or None to leave it to the emitter."""
    if "\n" not in text:
        return None if text.isprintable() else '"'
    if _LINES.fullmatch(text) and all(line.isprintable() and not line.endswith(" ") for line in text.split("\n")):
        return "|"
    return '"'
