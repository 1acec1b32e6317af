"""The tree of one document with the offsets of everything in it: where to cut when a value is changed in place.

Built from the parser's events, as in `places.py`; what it is built from was found sound by `parse`, which bounds the
recursion. Offsets count characters of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from yaml.error import YAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from reconciler.manifest.places import open_events

BREAKS: Final = "\r\n\x85\u2028\u2029"
_COMMENT: Final = rf"#[^{BREAKS}]*"
_GAP: Final = re.compile(rf"(?:[ \t{BREAKS}]|{_COMMENT})*")
_PROPERTY: Final = re.compile(r"!<[^>]*>|[&!][^\s,\[\]{}]*")
_PROPERTIES: Final = re.compile(rf"(?:(?:{_PROPERTY.pattern})(?:[ \t{BREAKS}]|{_COMMENT})*)+")
_HEADER: Final = re.compile(rf"[|>][-+0-9]*(?:[ \t]+(?:{_COMMENT})?)?")
_REST: Final = re.compile(rf"[^{BREAKS}]*")
_BLANK: Final = re.compile(r" *\Z")
_LINE: Final = re.compile(rf"(?:\r\n|[{BREAKS}])([^{BREAKS}]*)")


class Form(Enum):
    """What a node is."""

    SCALAR = "scalar"
    MAP = "map"
    LIST = "list"
    ALIAS = "alias"


@dataclass(slots=True)
class Node:
    """A node: `start` is where its anchor or tag begins, `body` where its content does, `end` is just behind it.

    `text` is a scalar's value, or the name of an alias; `style` how it is quoted. The `end` of a block text is that
    of its last line, blank lines below it being nobody's unless it keeps them.
    """

    form: Form
    start: int
    body: int
    end: int
    text: str = ""
    style: str | None = None
    is_flow: bool = False
    anchor: str | None = None
    tag: str | None = None
    entries: list[Entry] = field(default_factory=list)

    @property
    def is_block(self) -> bool:
        """Whether it is a list or map that is told by its indentation."""
        return self.form in (Form.MAP, Form.LIST) and not self.is_flow

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written, which means null."""
        return self.form is Form.SCALAR and self.style is None and self.body == self.end

    def inside(self) -> Iterator[Node]:
        """Yield this node and all below it, keys included."""
        yield self
        for entry in self.entries:
            if entry.key is not None:
                yield from entry.key.inside()
            yield from entry.value.inside()


@dataclass(slots=True)
class Entry:
    """A pair of a map or an item of a list, from `start` on; `mark` is just behind its `:` or `-`, None without."""

    key: Node | None
    value: Node
    start: int
    mark: int | None

    @property
    def end(self) -> int:
        """Where it ends."""
        ends = [self.value.end, self.mark or 0, self.key.end if self.key else 0]
        return max(ends[1:]) if self.value.is_empty and self.value.anchor is None else max(ends)

    @property
    def name(self) -> str | None:
        """The key, if it is a text that is written here."""
        is_text = self.key is not None and self.key.form is Form.SCALAR and not self.is_merge
        return self.key.text if is_text and self.key is not None else None

    @property
    def is_merge(self) -> bool:
        """Whether it is `<<`."""
        key = self.key
        return key is not None and key.form is Form.SCALAR and key.style is None and not key.tag and key.text == "<<"


def tree_of(text: str, *, document: int) -> Node:
    """Return the root of a document that `parse` found sound; `text` is without byte order mark."""
    return _Builder(text).root(document)


def starts_of(text: str) -> list[int]:
    """Return where each document of a stream starts, empty ones included, up to a syntax error."""
    starts: list[int] = []
    with suppress(YAMLError, ValueError, OverflowError):
        next_event: Callable[[], Any] = open_events(text)
        while (event := next_event()).__class__ is not StreamEndEvent:
            if event.__class__ is DocumentStartEvent:
                starts.append(_offset(event.start_mark))
    return starts


def _offset(mark: Any) -> int:
    return int(mark.index)


def after_gap(text: str, offset: int) -> int:
    """Return where the next thing stands that is neither space nor comment."""
    match = _GAP.match(text, offset)
    return match.end() if match else offset


def line_end(text: str, offset: int) -> int:
    """Return the end of the line of an offset, before its line break."""
    match = _REST.match(text, offset)
    return match.end() if match else offset


def line_start(text: str, offset: int) -> int:
    """Return the beginning of the line of an offset."""
    return 1 + max(text.rfind(sign, 0, offset) for sign in BREAKS)


def after_break(text: str, offset: int) -> int:
    """Return the beginning of the next line, given the end of a line."""
    return offset + (2 if text.startswith("\r\n", offset) else 1 if offset < len(text) else 0)


def after_properties(text: str, node: Node) -> int:
    """Return the end of a node's anchor and tag, or its beginning where it has none."""
    offset = end = node.start
    while offset < node.body and (match := _PROPERTY.match(text, offset)) is not None:
        end = match.end()
        offset = after_gap(text, end)
    return end


def header_end(text: str, node: Node) -> int:
    """Return the end of the first line of a block text, its comment included."""
    match = _HEADER.match(text, node.body)
    return match.end() if match else node.body


def indicators(text: str, node: Node) -> str:
    """Return what the header of a block text says, as `|2-`."""
    return text[node.body : header_end(text, node)].partition("#")[0].rstrip()


def indent_of_text(text: str, node: Node) -> int | None:
    """Return how far a block text is indented, None when it has no line that would tell."""
    lines = [line for line in _LINE.findall(text, header_end(text, node), node.end) if line.strip(" ")]
    values = [line for line in re.split(rf"[{BREAKS}]", node.text) if line.strip(" ")]
    if not lines or not values:
        return None
    return (len(lines[0]) - len(lines[0].lstrip(" "))) - (len(values[0]) - len(values[0].lstrip(" ")))


class _Builder:
    """Builds nodes from events."""

    next_event: Callable[[], Any]

    def __init__(self, text: str) -> None:
        self.text = text
        self.next_event = open_events(text)

    def root(self, document: int) -> Node:
        """Read on to a document, and build it."""
        while document >= 0:
            document -= self.next_event().__class__ is DocumentStartEvent
        return self.node(self.next_event())

    def node(self, event: Any) -> Node:
        """Build the node that begins with this event."""
        start, end = event.start_mark.index, event.end_mark.index
        if event.__class__ is AliasEvent:
            return Node(Form.ALIAS, start, start, end, text=str(event.anchor))
        body = self.body(event, start)
        if event.__class__ is ScalarEvent:
            return self.scalar(event, start, body, end)
        form = Form.MAP if event.__class__ is MappingStartEvent else Form.LIST
        node = Node(form, start, body, end, is_flow=bool(event.flow_style), anchor=event.anchor)
        last = self.pairs(node) if form is Form.MAP else self.items(node)
        if node.is_flow:
            node.end = last
        elif node.entries:
            node.body, node.end = node.entries[0].start, node.entries[-1].end
        return node

    def body(self, event: Any, start: int) -> int:
        """Return where the content begins, behind anchor and tag."""
        if event.anchor is None and event.tag is None:
            return int(start)
        match = _PROPERTIES.match(self.text, start)
        return match.end() if match else int(start)

    def scalar(self, event: Any, start: int, body: int, end: int) -> Node:
        """Build a scalar; the parser has a block text end where the next line begins."""
        body = min(body, end)
        node = Node(Form.SCALAR, start, body, end, event.value, event.style or None, anchor=event.anchor, tag=event.tag)
        if node.style in ("|", ">"):
            node.end = self.end_of_text(node)
        return node

    def end_of_text(self, node: Node) -> int:
        """Return the end of the last line that belongs to a block text."""
        head = header_end(self.text, node)
        if "+" in indicators(self.text, node):
            end = node.end
            if end > head and self.text[end - 1] in BREAKS:
                end -= 2 if self.text[end - 2 : end] == "\r\n" else 1
            return max(head, end)
        indent, last = indent_of_text(self.text, node) or 0, head
        for match in _LINE.finditer(self.text, head, node.end):
            if not _BLANK.match(match[1]) or (node.text and len(match[1]) > indent):
                last = match.end()
        return last

    def pairs(self, node: Node) -> int:
        """Read the pairs of a map; return where the event ends that ends it."""
        before = node.body
        while (event := self.next_event()).__class__ is not MappingEndEvent:
            key = self.node(event)
            value = self.node(self.next_event())
            start = after_gap(self.text, before + self.text.startswith(("{", ","), before))
            start = start if self.text.startswith("?", start) and start < key.start else key.start
            colon = after_gap(self.text, key.end)
            mark = colon + 1 if self.text.startswith(":", colon) else None
            if value.is_empty and value.start == value.end:
                value.start = value.body = value.end = mark or key.end
            node.entries.append(Entry(key, value, start, mark))
            before = after_gap(self.text, node.entries[-1].end)
        return _offset(event.end_mark)

    def items(self, node: Node) -> int:
        """Read the items of a list; return where the event ends that ends it."""
        before = node.body
        while (event := self.next_event()).__class__ is not SequenceEndEvent:
            value = self.node(event)
            if node.is_flow:
                node.entries.append(Entry(None, value, value.start, None))
                continue
            dash = after_gap(self.text, before)
            if value.is_empty and value.start == value.end:
                value.start = value.body = value.end = dash + 1
            node.entries.append(Entry(None, value, dash, dash + 1))
            before = node.entries[-1].end
        return _offset(event.end_mark)
