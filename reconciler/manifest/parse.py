"""Turn YAML text into plain values, in one pass over the parser's events.

No loader of pyyaml is used: `CSafeLoader` reads YAML 1.1 (`no` is False), keeps the last of two equal keys
without a word, and crashes the process on deep nesting. This reads the YAML 1.2 core schema, notes every
fault with its place, refuses what would cost too much, and is faster: nothing stands between event and value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from reconciler.kinds.secrecy import holds_secret
from reconciler.manifest.parsed import MAX_BYTES, MAX_DEPTH, Parsed
from reconciler.manifest.places import ParseFault, explain, number_of, open_events, unreadable, word_of
from reconciler.manifest.suggest import shown

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_NODES: Final = 100_000
MAX_DIGITS: Final = 40  # of a number that may still fit into 64 bits, signs and zeros of a base aside
MAX_FAULTS: Final = 100
_BEYOND: Final = 2**63  # JSON carries larger numbers, the platform does not
_MAX_TAG_DIRECTIVES: Final = 1_000  # libyaml compares each with all others: a million would take hours

_STR_TAG: Final = "tag:yaml.org,2002:str"
_MERGE: Final = object()  # stands for a plain `<<`, which a quoted one must not equal
_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMERIC: Final = frozenset("-+.0123456789")
_SPECIAL: Final = _NUMERIC | {word[:1] for word in _WORDS} | {"<"}  # the rest is text, and most scalars are
_INT: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_JSON: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def parse(text: str) -> tuple[list[Parsed], list[ParseFault]]:
    """Return the sound documents of a stream and the faults of the others; a syntax error ends the stream."""
    text = text.removeprefix("\ufeff")
    if text.count("%TAG") > _MAX_TAG_DIRECTIVES:
        return [], [ParseFault("too many %TAG directives", 1, 1)]
    stream = _Stream()
    try:
        stream.read(open_events(text))
    except ParseFault as fault:
        stream.faults.append(fault.with_traceback(None))
    except MarkedYAMLError as error:
        stream.faults.append(explain(error, text))
    except (YAMLError, ValueError, OverflowError):
        # A character that YAML does not know, as such or behind an escape; parsers differ in what they raise.
        stream.faults.append(unreadable(text))
    return stream.documents, stream.faults


@dataclass(slots=True)
class _Anchor:
    """What an anchor names, and what an alias of it costs; no nodes yet: it is still being read."""

    value: Any = None
    nodes: int = 0
    levels: int = 0
    chars: int = 0


class _Stream:
    """Builds the values of one stream; the recursion is bounded by MAX_DEPTH."""

    next_event: Callable[[], Any]
    end: Any  # the event that ended the last collection

    def __init__(self) -> None:
        self.documents: list[Parsed] = []
        self.faults: list[ParseFault] = []

    def read(self, next_event: Callable[[], Any]) -> None:
        """Read all documents; raise the fault that leaves no way to go on."""
        self.next_event = next_event
        index = -1
        while (event := next_event()).__class__ is not StreamEndEvent:
            if event.__class__ is DocumentStartEvent:
                index += 1
                self.document(index)

    def document(self, index: int) -> None:
        """Read one document, and keep it when it is neither empty nor at fault."""
        self.anchors: dict[str, _Anchor] = {}
        self.depth = self.deepest = self.nodes = self.repeated = 0
        known = len(self.faults)
        root = self.next_event()
        value = self.node(root)
        self.next_event()  # the document's end: a syntax error just before it makes the value worthless
        if len(self.faults) == known and (value is not None or root.value):
            self.documents.append(Parsed(value, root.start_mark.line + 1, index))

    def node(self, event: Any) -> Any:
        """Read the node that begins with this event."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise ParseFault.at(event.start_mark, f"document has more than {MAX_NODES:,} nodes: split it")
        if event.__class__ is ScalarEvent:
            if event.tag is not None or event.anchor is not None:
                return self.marked(event)
            text = event.value
            return text if event.style or text[:1] not in _SPECIAL else self.plain(event)
        if event.__class__ is AliasEvent:
            return self.alias(event)
        return self.collection(event)

    def plain(self, event: Any) -> Any:
        """Read a scalar that stands without quotes."""
        try:
            return meaning_of(event.value)
        except ValueError as refused:
            return self.fault(str(refused), event)

    def marked(self, event: Any) -> Any:
        """Read a scalar that carries a tag or an anchor."""
        self.check_tag(event, allowed=_STR_TAG)
        value = event.value if event.style or event.tag else self.plain(event)
        if event.anchor is not None:
            chars = event.end_mark.index - event.start_mark.index
            self.anchors[event.anchor] = _Anchor(value, nodes=1, chars=chars)
        return value

    def collection(self, event: Any) -> Any:
        """Read a list or a mapping, one level down."""
        if self.depth == MAX_DEPTH:
            raise ParseFault.at(event.start_mark, f"nested more than {MAX_DEPTH} levels deep")
        self.check_tag(event)
        self.depth += 1
        if self.depth > self.deepest:  # noqa: PLR1730 - max() takes three times as long
            self.deepest = self.depth
        read = self.mapping if event.__class__ is MappingStartEvent else self.sequence
        value = read() if event.anchor is None else self.anchored(event, read)
        self.depth -= 1
        return value

    def sequence(self) -> list[Any]:
        """Read a list up to its end."""
        out: list[Any] = []
        next_event = self.next_event
        while (event := next_event()).__class__ is not SequenceEndEvent:
            out.append(self.node(event))
        self.end = event
        return out

    def mapping(self) -> dict[Any, Any]:
        """Read a mapping up to its end."""
        out: dict[Any, Any] = {}
        keys: list[Any] = []  # the event of each key in `out`, in the same order
        next_event = self.next_event
        while (event := next_event()).__class__ is not MappingEndEvent:
            key = self.key(event)
            if key is None:
                self.node(next_event())
            elif key in out:
                self.duplicate(key, event, first=keys[list(out).index(key)])
                self.node(next_event())
            else:
                keys.append(event)
                out[key] = self.node(next_event()) if key is not _MERGE else self.merged(next_event())
        self.end = event
        return {**out.pop(_MERGE), **out} if _MERGE in out else out

    def key(self, event: Any) -> Any:
        """Read a key: text, the merge sign, or None when it is at fault."""
        if event.__class__ is ScalarEvent and event.tag is None and event.anchor is None:
            text = event.value
            if event.style or text[:1] not in _SPECIAL:
                return text
            if text == "<<":
                return _MERGE
        known = len(self.faults)
        key = self.node(event)
        if key.__class__ is str:
            return key
        if event.__class__ is not ScalarEvent:
            del self.faults[known:]  # `{{ name }}` is one mistake, not one per brace
        if len(self.faults) == known:
            self.fault("keys must be text: quote it", event)
        return None

    def duplicate(self, key: Any, event: Any, *, first: Any) -> None:
        """Note a key that stands twice in one mapping."""
        name = '"<<"' if key is _MERGE else word_of(key)
        self.fault(f"duplicate key {name} (first on line {first.start_mark.line + 1})", event)

    def merged(self, event: Any) -> dict[Any, Any]:
        """Read what stands behind `<<`: a mapping or a list of them; the first to know a key wins."""
        known = len(self.faults)
        value = self.node(event)
        out: dict[Any, Any] = {}
        for source in reversed(value) if value.__class__ is list else [value]:
            if source.__class__ is dict:
                out |= source
            elif len(self.faults) == known:
                self.fault('"<<" takes an alias of a mapping, or a list of such aliases', event)
        return out

    def anchored(self, event: Any, read: Callable[[], Any]) -> Any:
        """Read a collection that has an anchor, and measure what an alias of it will cost."""
        anchor = self.anchors[event.anchor] = _Anchor()
        nodes, repeated, deepest = self.nodes, self.repeated, self.deepest
        self.deepest = self.depth
        anchor.value = read()
        anchor.nodes = self.nodes - nodes + 1
        anchor.levels = self.deepest - self.depth + 1
        anchor.chars = self.repeated - repeated + self.end.end_mark.index - event.start_mark.index
        self.deepest = max(deepest, self.deepest)
        return anchor.value

    def alias(self, event: Any) -> Any:
        """Repeat what an anchor names, at its full price: whoever reads the value later pays it."""
        anchor = self.anchors.get(event.anchor)
        name = "this alias" if holds_secret(event.anchor) else f"alias *{shown(event.anchor)}"
        if anchor is None:
            return self.fault(f"{name} has no anchor above it", event)
        if not anchor.nodes:
            return self.fault(f"{name} stands inside what it repeats", event)
        levels = self.depth + anchor.levels
        if levels > MAX_DEPTH:
            return self.fault(f"{name} nests more than {MAX_DEPTH} levels deep", event)
        self.deepest = max(self.deepest, levels)
        self.nodes += anchor.nodes - 1
        self.repeated += anchor.chars
        if self.nodes > MAX_NODES:
            raise ParseFault.at(event.start_mark, f"aliases expand to more than {MAX_NODES:,} nodes")
        if self.repeated > MAX_BYTES:
            raise ParseFault.at(event.start_mark, f"aliases expand to more than {MAX_BYTES:,} characters")
        return anchor.value

    def check_tag(self, event: Any, *, allowed: str | None = None) -> None:
        """Note a tag that means nothing here."""
        if event.tag is not None and event.tag != allowed:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.fault(
                "this tag is not supported" if holds_secret(tag) else f"tag {shown(tag)} is not supported", event
            )

    def fault(self, message: str, event: Any) -> None:
        """Note a fault and go on, so that one run shows them all; a flood is cut."""
        self.faults.append(ParseFault.at(event.start_mark, message))
        if len(self.faults) >= MAX_FAULTS:
            raise ParseFault.at(event.start_mark, "too many faults: the rest was not read")


def meaning_of(text: str) -> Any:
    """Return what a scalar without quotes means in YAML 1.2; raise ValueError for what others may read differently."""
    if text[:1] not in _NUMERIC:
        return _WORDS.get(text, text)
    if _INT.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _finite(text)
    if _NOT_JSON.fullmatch(text):
        raise ValueError(f"{text} has no place in JSON: quote it if it is text")
    return text


def _integer(text: str) -> int:
    digits = text.lstrip("+-")
    if digits[0] == "0" and digits[1:].isdigit():
        advice = "quote it, or drop the zero"
        raise ValueError(f"{number_of(text)} is read differently by different YAML versions: {advice}")
    if len(digits) > MAX_DIGITS or not -_BEYOND <= (value := int(text, 0)) < _BEYOND:
        raise ValueError(
            f"{number_of(text)} does not fit into 64 bits, and would not arrive whole: quote it if it is text"
        )
    return value


def _finite(text: str) -> float:
    if abs(value := float(text)) == float("inf"):
        raise ValueError(f"{number_of(text)} is too large a number: quote it if it is text")
    return value
