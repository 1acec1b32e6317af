"""Spell a value so that it fits into a text that is there: quoted, indented and broken into lines as what it replaces.

Every function gives candidates, the one that keeps most of the old style first; whoever asks takes the first that
`parse` reads back equal. Where nothing is to be kept the words are those of `write.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from reconciler.manifest.tree import BREAKS, Form, Node, header_end, indent_of_text, indicators, line_start
from reconciler.manifest.write import scalar_of, stands_in_lines

_LONGEST_FLOW: Final = 80
_LONGEST_DIGIT: Final = 9
_NARROWEST: Final = 40
_MOST_BLANK: Final = 4
_BREAK: Final = re.compile(f"\r\n|[{BREAKS}]")
_REFERENCES: Final = ({"env"}, {"file"})


@dataclass(frozen=True, slots=True)
class Hand:
    """How a file is written: its line break, how far maps are indented below a key, how far dashes are."""

    line_break: str
    step: int
    dash: int


@dataclass(frozen=True, slots=True)
class Words:
    """A spelled value: what stands behind the `:` or `-`, and the lines below, which are indented already."""

    head: str
    below: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a value is to stand: what is there, how far its key or dash is indented, what surrounds it."""

    old: Node | None
    column: int
    in_flow: bool = False
    in_list: bool = False
    quotes: str | None = None


def hand_of(text: str, root: Node) -> Hand:
    """Tell from a document how it is written; what most of it does counts."""
    steps: Counter[int] = Counter()
    dashes: Counter[int] = Counter()
    for node in root.inside():
        if node.form is not Form.MAP or not node.is_block:
            continue
        for entry in node.entries:
            if entry.value.is_block and entry.value.entries:
                deeper = column(text, entry.value.entries[0].start) - column(text, entry.start)
                (steps if entry.value.form is Form.MAP else dashes)[deeper] += 1
    broken = _BREAK.search(text)
    step = next((n for n, _ in steps.most_common() if n > 0), 2)
    dash = next((n for n, _ in dashes.most_common() if n >= 0), 2)
    return Hand(broken[0] if broken else "\n", step, dash)


def column(text: str, offset: int) -> int:
    """Return how many characters stand before an offset in its line."""
    return offset - line_start(text, offset)


def quotes_of(node: Node) -> str | None:
    """Return the double quote if a flow list or map has all its texts in such, as JSON does."""
    texts = [entry.key or entry.value for entry in node.entries]
    styles = {one.style for one in texts if one.form is Form.SCALAR and (node.form is Form.MAP or one.style)}
    return '"' if styles == {'"'} else None


def spelled(value: Any, spot: Spot, hand: Hand, text: str) -> Iterator[Words]:
    """Yield ways to write a value at a spot."""
    old = spot.old
    if spot.in_flow:
        if isinstance(value, str) and old is not None and old.style in ("'", '"'):
            yield Words(scalar_of(value, style=old.style, in_flow=True))
        yield Words(flow(value, quotes=spot.quotes))
        yield Words(flow(value, quotes='"'))
    elif isinstance(value, (dict, list)):
        if not value or (old is not None and old.is_flow and fits(value)) or _is_reference(value):
            yield Words(flow(value, quotes=quotes_of(old) if old is not None else None))
        if value:
            yield _block(value, spot, hand)
    else:
        yield from _scalar(value, spot, hand, text)


def flow(value: Any, *, quotes: str | None) -> str:
    """Return a value on one line."""
    match value:
        case dict():
            pairs = (f"{flow(key, quotes=quotes)}: {flow(item, quotes=quotes)}" for key, item in value.items())
            return f"{{{', '.join(pairs)}}}"
        case list():
            return f"[{', '.join(flow(item, quotes=quotes) for item in value)}]"
    return scalar_of(value, style=quotes, in_flow=True)


def pair(key: str, words: Words) -> tuple[str, ...]:
    """Return the lines of a pair in a block map, the first without its indentation."""
    return (f"{scalar_of(key)}:{' ' if words.head else ''}{words.head}", *words.below)


def _block(value: Any, spot: Spot, hand: Hand) -> Words:
    """Return a list or map in lines of its own; an item of a list begins in the line of its dash."""
    is_map = isinstance(value, dict)
    indent = spot.column + (2 if spot.in_list else hand.step if is_map else hand.dash)
    lines: list[str] = []
    for key, item in value.items() if is_map else ((None, item) for item in value):
        words = next(spelled(item, Spot(None, indent, in_list=key is None), hand, ""))
        first, *rest = pair(key, words) if key is not None else (f"- {words.head}", *words.below)
        lines += [" " * indent + first, *rest]
    return Words(lines[0][indent:], tuple(lines[1:])) if spot.in_list else Words("", tuple(lines))


def _scalar(value: Any, spot: Spot, hand: Hand, text: str) -> Iterator[Words]:
    if not isinstance(value, str):
        yield Words(scalar_of(value))
        return
    old = spot.old
    style = old.style if old is not None and old.form is Form.SCALAR else None
    if old is not None and style in ("|", ">"):
        yield from _in_block(value, spot, hand, text, is_folded=style == ">")
        if style == ">":
            yield from _in_block(value, spot, hand, text, is_folded=False)
    elif old is not None and style in ("'", '"') and ("\n" not in value or (style == '"' and "\n" in old.text)):
        yield Words(scalar_of(value, style=style))
    if stands_in_lines(value):
        yield from _in_block(value, Spot(None, spot.column, in_list=spot.in_list), hand, text, is_folded=False)
    yield Words(scalar_of(value))
    yield Words(scalar_of(value, style='"'))


def _in_block(value: str, spot: Spot, hand: Hand, text: str, *, is_folded: bool) -> Iterator[Words]:
    """Yield a text in lines of its own, as far indented as the one it replaces."""
    body = value.rstrip("\n")
    if not body.strip(" ") or not all(part.isprintable() for part in re.split("[\n\t]", value)):
        return
    old = spot.old
    known = indent_of_text(text, old) if old is not None else None
    indent = known if known is not None else spot.column + (2 if spot.in_list else hand.step)
    digit = _digit(value, text, old, indent - spot.column)
    if digit is None:
        return
    ends = len(value) - len(body)
    lines = body.split("\n") + [""] * (ends - 1)
    if is_folded:
        kept = folded(body, text, old, indent) if old is not None else None
        if kept is None:
            return
        lines = kept + [""] * (ends - 1)
    chomping = "+" if ends > 1 else "" if ends else "-"
    below = tuple(" " * indent + line if line else "" for line in lines)
    sign = ">" if is_folded else "|"
    if ends == 1 and old is not None and old.style in ("|", ">") and "+" in indicators(text, old):
        yield Words(f"{sign}{digit}+", below)
    if not ends and old is not None and old.end == len(text):  # where a text ends without a line end, so do its values
        yield Words(indicators(text, old), below)
    for blank in range(max(1, min(ends, _MOST_BLANK))):  # as many blank lines may stand below already
        yield Words(f"{sign}{digit}{chomping}", below[: len(below) - blank])


def _digit(value: str, text: str, old: Node | None, deeper: int) -> str | None:
    """Return the digit of a block text's header, which is needed where it begins with a space; None: impossible."""
    has_digit = old is not None and old.style in ("|", ">") and any(map(str.isdigit, indicators(text, old)))
    if not value.lstrip("\n").startswith((" ", "\t")) and not has_digit:
        return ""
    return str(deeper) if 0 < deeper <= _LONGEST_DIGIT else None


def folded(body: str, text: str, old: Node, indent: int) -> list[str] | None:
    """Return the source lines of a folded text, those that need no change as they were; None where it cannot be folded.

    Paragraphs keep their lines where they are unchanged; a changed one keeps the lines before and behind the change.
    """
    before = [line[indent:] for line in _BREAK.split(text[header_end(text, old) : old.end])[1:]]
    if any(part.startswith((" ", "\t")) or part != part.rstrip(" ") for part in [*body.split("\n"), *before]):
        return None
    groups: list[list[str]] = [[]]
    for line in before:
        groups[-1].append(line) if line else groups.append([])
    width = max([len(line) for line in before] + [_NARROWEST])
    known = [" ".join(group) for group in groups]
    wanted = body.split("\n")
    lines: list[str] = []
    for tag, first, last, begin, end in SequenceMatcher(None, known, wanted, autojunk=False).get_opcodes():
        for number, paragraph in enumerate(wanted[begin:end]):
            source = groups[first + number] if first + number < last else []
            lines += ["", *(source if tag == "equal" else _wrapped(paragraph, source, width))]
    return lines[1:]


def _wrapped(paragraph: str, source: list[str], width: int) -> list[str]:
    if not paragraph:
        return []
    head: list[str] = []
    tail: list[str] = []
    while source and paragraph.startswith(f"{source[0]} "):
        head.append(source[0])
        paragraph, source = paragraph.removeprefix(f"{source[0]} "), source[1:]
    while source and paragraph.endswith(f" {source[-1]}"):
        tail.insert(0, source[-1])
        paragraph, source = paragraph.removesuffix(f" {source[-1]}"), source[:-1]
    middle: list[str] = []
    for word in re.split("(?<! ) (?! )", paragraph):
        if middle and len(middle[-1]) + 1 + len(word) <= width:
            middle[-1] += f" {word}"
        else:
            middle.append(word)
    return [*head, *middle, *tail]


def fits(value: Any) -> bool:
    """Say whether a value reads well on one line."""
    try:
        line = flow(value, quotes=None)
    except ValueError:
        return False
    return len(line) <= _LONGEST_FLOW and "\\n" not in line


def _is_reference(value: Any) -> bool:
    """Say whether a value leads to a secret or a file, which is written on one line."""
    return isinstance(value, dict) and set(value) in _REFERENCES and isinstance(next(iter(value.values())), str)
