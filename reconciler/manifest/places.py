"""Places in YAML text: where a key or value stands, and where and why the parser gave up.

Reading keeps no places, as nobody asks for them until something is wrong; then the text is read once more.
Both go by events: pyyaml's composer would crash the process on deep nesting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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
    from collections.abc import Callable, Iterable, Sequence

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


def lines_of(text: str) -> Sequence[str]:
    """Return the lines of a text as YAML counts them."""
    return _BREAK.split(text.removeprefix("\ufeff"))


def word_of(key: str) -> str:
    """Name a key in a message, unless a value may have slipped into its place."""
    return "in this map" if holds_secret(key) else f'"{shown(key)}"'


def number_of(text: str) -> str:
    """Name a number in a message, unless it is long enough to be somebody's password."""
    return text if len(text) <= _NAMED else "this number"


class Wanted(NamedTuple):
    """What is to be found: the key at a path of a document, or with `key` False its value."""

    document: int
    path: tuple[str | int, ...]
    key: bool = True


def place(text: str, *, index: int, path: tuple[str | int, ...], key: bool = True) -> Place:
    """Return the place of one key or value, as `places` has it."""
    wanted = Wanted(index, path, key)
    return places(text, [wanted])[wanted]


def places(text: str, wanted: Iterable[Wanted]) -> Mapping[Wanted, Place]:
    """Return where each of these stands, or else its nearest ancestor that exists; the text is read once for all.

    A list item has no key, so its place is the item's. What came through an alias or a merge stands elsewhere: the
    key that leads to it is the answer.
    """
    walk = _Walk(wanted)
    with suppress(YAMLError, ValueError, OverflowError, _Enough):
        walk.through(text)
    return walk.found


_STEPS: Final[Mapping[type, type]] = {MappingStartEvent: str, SequenceStartEvent: int}
"""What leads further down from a collection."""


class _Enough(Exception):
    """Whatever is wanted was found, or cannot be: the rest of the text need not be read."""


class _Walk:
    """Walks down a text, as far as anything is wanted; `found` has the deepest place reached of each."""

    events: Callable[[], Any]

    def __init__(self, wanted: Iterable[Wanted]) -> None:
        self.found = dict.fromkeys(wanted, Place(1, 1))
        self.pending = {*self.found}

    def next_event(self) -> Any:
        """Return the next event; raises _Enough when nothing is wanted any more."""
        if not self.pending:
            raise _Enough
        return self.events()

    def through(self, text: str) -> None:
        """Visit every document in which something is wanted."""
        self.events = open_events(text)
        documents = _grouped(self.found, lambda one: one.document)
        index = -1
        while not isinstance(event := self.next_event(), StreamEndEvent):
            if event.__class__ is DocumentStartEvent:
                index += 1
                root, wanted = self.next_event(), documents.pop(index, ())
                self.settle(wanted, root)
                self.visit(root, wanted, depth=0)

    def settle(self, wanted: Iterable[Wanted], event: Any) -> None:
        """Remember where an event starts as the place of these, for as long as no deeper one is found."""
        here = Place(event.start_mark.line + 1, event.start_mark.column + 1)
        self.found.update(dict.fromkeys(wanted, here))

    def visit(self, event: Any, wanted: Sequence[Wanted], *, depth: int) -> None:
        """Pass the node that begins with this event, stopping at what is wanted in it or of it."""
        self.settle([one for one in wanted if len(one.path) == depth and not one.key], event)
        step = _STEPS.get(event.__class__, ())
        below = [one for one in wanted if len(one.path) > depth and isinstance(one.path[depth], step)]
        self.pending.difference_update(wanted)
        self.pending.update(below)
        if not below:
            self.skip(event)
        elif step is str:
            self.visit_keys(_grouped(below, lambda one: one.path[depth]), depth=depth)
        else:
            self.visit_items(_grouped(below, lambda one: one.path[depth]), depth=depth)
        self.pending.difference_update(below)

    def visit_keys(self, below: dict[Any, list[Wanted]], *, depth: int) -> None:
        """Pass the rest of the mapping just begun; of a key that stands twice, the first is meant."""
        while not isinstance(event := self.next_event(), MappingEndEvent):
            wanted = below.pop(event.value, []) if isinstance(event, ScalarEvent) else []
            self.settle(wanted, event)
            self.skip(event)
            self.visit(self.next_event(), wanted, depth=depth + 1)

    def visit_items(self, below: dict[Any, list[Wanted]], *, depth: int) -> None:
        """Pass the rest of the list just begun."""
        number = 0
        while not isinstance(event := self.next_event(), SequenceEndEvent):
            wanted = below.get(number, [])
            self.settle(wanted, event)
            self.visit(event, wanted, depth=depth + 1)
            number += 1

    def skip(self, event: Any) -> None:
        """Pass over the node that begins with this event."""
        depth = int(isinstance(event, CollectionStartEvent))
        while depth:
            event = self.next_event()
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)


def _grouped(wanted: Iterable[Wanted], key: Callable[[Wanted], Any]) -> dict[Any, list[Wanted]]:
    """Sort what is wanted by the step that leads to it."""
    groups: dict[Any, list[Wanted]] = {}
    for one in wanted:
        groups.setdefault(key(one), []).append(one)
    return groups


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
