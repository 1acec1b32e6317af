"""Places in YAML text: where a key or value stands, and where and why the parser gave up.

Reading keeps no places, as nobody asks for them until something is wrong; then the text is read once more.
Both go by events: pyyaml's composer would crash the process on deep nesting.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from reconciler.kinds.secrecy import holds_secret
from reconciler.manifest.suggest import shown

if TYPE_CHECKING:
    from collections.abc import Callable

_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_UNREADABLE: Final = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NAMED: Final = 4  # characters of a number that a message may repeat
_HINTS: Final = {
    "mapping values are not allowed": 'quote a text that holds ": ", or check the indentation',
    "could not find expected ':'": 'write "key: value", or check the indentation',
    "did not find expected key": "check the indentation and the quotes",
    "did not find expected '-' indicator": "check the indentation",
    "block sequence entries are not allowed": "start the list on a line of its own",
    "did not find expected <document start>": 'separate documents with "---"',
    "found unknown escape character": "use single quotes, or double the backslash",
    "found undefined tag handle": "quote a text that begins with !",
    "did not find expected alphabetic or numeric character": "quote a text that begins with * or &",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a text; lines and columns count from 1, columns in characters."""

    line: int
    column: int


class ParseFault(Exception):
    """What is wrong with a text, in one line, and where; lines and columns count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message, line, column)
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.message}"

    @classmethod
    def at(cls, mark: Any, message: str) -> ParseFault:
        """Return a fault at a mark of the parser, which counts from 0."""
        return cls(message, mark.line + 1, mark.column + 1)


class _PythonParser(Reader, Scanner, Parser):
    """Stands in for libyaml's parser where pyyaml was built without it."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)

    def get_event(self) -> Any:
        """Return the next event; libyaml refuses half a character by itself, this parser does not."""
        event: Any = super().get_event()  # type: ignore[no-untyped-call]
        if event.__class__ is ScalarEvent and _SURROGATE.search(event.value):
            mark: Any = event.start_mark
            raise MarkedYAMLError(problem="found invalid Unicode character", problem_mark=mark)
        return event


try:
    from yaml.cyaml import CParser as _Parser  # type: ignore[attr-defined]
except ImportError:
    _Parser = _PythonParser  # type: ignore[misc,assignment]


def open_events(text: str) -> Callable[[], Any]:
    """Return a function that gives the next event of a text at each call, and raises where it is no YAML."""
    return _Parser(text).get_event


def line_at(text: str, line: int) -> str:
    """Return a line of a text by its number, empty when there is none."""
    lines = _BREAK.split(text.removeprefix("\ufeff"))
    return lines[line - 1] if 0 < line <= len(lines) else ""


def word_of(key: str) -> str:
    """Name a key in a message, unless a value may have slipped into its place."""
    return "in this map" if holds_secret(key) else f'"{shown(key)}"'


def number_of(text: str) -> str:
    """Name a number in a message, unless it is long enough to be somebody's password."""
    return text if len(text) <= _NAMED else "this number"


def place(text: str, *, index: int, path: tuple[str | int, ...], key: bool = True) -> Place:
    """Return where the key at a path of a document stands, or else its nearest ancestor that exists.

    With `key=False` it is the value; a list item has no key, so its place is the item's. What came through an
    alias or a merge stands elsewhere: the key that leads to it is the answer.
    """
    walk = _Walk()
    with suppress(YAMLError, ValueError, OverflowError):
        walk.to_document(text, index)
        if walk.follow(path) and not key:
            walk.settle(walk.event)
    return walk.here


class _Walk:
    """Walks down a text; `here` is the deepest place reached, `event` the first of what stands there."""

    next_event: Callable[[], Any]

    def __init__(self) -> None:
        self.here = Place(1, 1)
        self.event: Any = None

    def to_document(self, text: str, index: int) -> None:
        """Stop at the root of a document."""
        self.next_event = open_events(text)
        while index >= 0:
            event = self.next_event()
            index -= event.__class__ is DocumentStartEvent
            if event.__class__ is StreamEndEvent:
                return
        self.event = self.next_event()
        self.settle(self.event)

    def settle(self, event: Any) -> None:
        """Remember where an event starts."""
        self.here = Place(event.start_mark.line + 1, event.start_mark.column + 1)

    def follow(self, path: tuple[str | int, ...]) -> bool:
        """Go down as far as the path exists; return whether that was to its end."""
        for step in path:
            found = False
            if isinstance(step, str) and isinstance(self.event, MappingStartEvent):
                found = self.to_key(step)
            elif isinstance(step, int) and isinstance(self.event, SequenceStartEvent):
                found = self.to_item(step)
            if not found:
                return False
        return self.event is not None

    def to_key(self, name: str) -> bool:
        """Stop at the value of a key of the mapping just begun."""
        while not isinstance(event := self.next_event(), MappingEndEvent):
            if isinstance(event, ScalarEvent) and event.value == name:
                self.settle(event)
                self.event = self.next_event()
                return True
            self.skip(event)
            self.skip(self.next_event())
        return False

    def to_item(self, number: int) -> bool:
        """Stop at an item of the list just begun."""
        while not isinstance(event := self.next_event(), SequenceEndEvent):
            if number == 0:
                self.settle(event)
                self.event = event
                return True
            number -= 1
            self.skip(event)
        return False

    def skip(self, event: Any) -> None:
        """Pass over the node that begins with this event."""
        depth = int(isinstance(event, CollectionStartEvent))
        while depth:
            event = self.next_event()
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)


def unreadable(text: str) -> ParseFault:
    """Return which character of a text YAML does not allow."""
    if (match := _UNREADABLE.search(text)) is not None:
        lines = _BREAK.split(text[: match.start()])
        return ParseFault(f"character U+{ord(match[0]):04X} is not allowed", len(lines), len(lines[-1]) + 1)
    line = column = 1  # an escape went wrong, and all that is known is how far the text can be read
    with suppress(YAMLError, ValueError, OverflowError):
        next_event = open_events(text)
        while not isinstance(event := next_event(), StreamEndEvent):
            line, column = event.start_mark.line + 1, event.start_mark.column + 1
    return ParseFault("what follows this cannot be read: check its escapes", line, column)


def explain(error: MarkedYAMLError, text: str) -> ParseFault:
    """Return the parser's complaint in one line of plain words, and where it helps to look."""
    problem = " ".join(str(error.problem or error.context).split())
    mark, opened = error.problem_mark, error.context_mark
    if mark is None:
        return ParseFault(problem, 1, 1)
    lines = _BREAK.split(text)
    if "start any token" in problem or "tab character" in problem:
        problem = _stray("".join(lines[mark.line :])[mark.column :][:1])
    elif opened is not None:
        problem, mark = _unclosed(problem, error.context or "", lines, mark, opened)
    hints = [hint for start, hint in _HINTS.items() if problem.startswith(start)]
    return ParseFault(": ".join([problem, *hints]), *_within(lines, mark))


def _stray(character: str) -> str:
    if character == "\t":
        return "found a tab where only spaces can stand: use spaces"
    return f'found character "{shown(character)}" that cannot start any token: quote the text'


def _unclosed(problem: str, context: str, lines: list[str], mark: Any, opened: Any) -> tuple[str, Any]:
    """Return a problem and its mark, or those of the bracket, quote or key that caused it far above."""
    if "quoted scalar" in context and problem.startswith("found unexpected"):
        return "this quote is never closed", opened
    if "simple key" in context:
        return problem, opened
    is_last = not "".join(lines[mark.line :])[mark.column :].strip()
    if "flow sequence" in context or "flow mapping" in context:
        bracket = lines[opened.line][opened.column]
        if is_last:
            return f'this "{bracket}" is never closed', opened
        if opened.line < mark.line:
            return f'{problem} for the "{bracket}" of line {opened.line + 1}', mark
    if "flow node" in context and is_last:
        return 'a "[" or "{" above is never closed', mark
    return problem, mark


def _within(lines: list[str], mark: Any) -> tuple[int, int]:
    """Return the line and column of a mark, or of the last text: the parser also counts a line after it."""
    if "".join(lines[mark.line :])[mark.column :]:
        return mark.line + 1, mark.column + 1
    last = max((number for number, line in enumerate(lines) if line.strip()), default=0)
    return last + 1, len(lines[last]) + 1
