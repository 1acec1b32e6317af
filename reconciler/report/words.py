"""What changed in a prose: the lines that differ with two lines around, and in each the words that differ."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from reconciler.report.lines import Hunk, alike, hunks
from reconciler.report.style import cells, counted, cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.report.style import Style

_CONTEXT = 2
_MOST_LINES = 400
_MOST_CELLS = 10_000
_LEAST_ALIKE = 0.4
_LONGEST_RUN, _KEPT_OF_RUN = 70, 30
_LONGEST_SHOWN = 2_000
_LEAST_WIDTH = 20
_WORD = re.compile(r"\s+|\w+|[^\w\s]")


class Piece(NamedTuple):
    """A run of a changed line: what it was and what it is; both the same where nothing changed."""

    old: str
    new: str


def prose_diff(old: str, new: str, *, style: Style, indent: str = "") -> Iterator[str]:
    """Yield the lines that show how a text changed; changed words are marked `[-old-]{+new+}`, or by colour."""
    before, after = _lines(old), _lines(new)
    here = shown = 0
    for hunk in hunks(before, after):
        yield from _unchanged(after[here : hunk.new.start], style, indent, is_first=here == 0)
        here = hunk.new.stop
        room = max(0, _MOST_LINES - shown)
        for line in _changed(before, after, hunk, style, most=room):
            shown += 1
            yield indent + line
        if shown >= _MOST_LINES:
            yield indent + style.paint("⋮ the rest is too much to show here", "dim")
            return
    yield from _unchanged(after[here:], style, indent, is_first=here == 0, is_last=True)
    if old.endswith("\n") != new.endswith("\n"):
        sign, color = ("+ ", "green") if new.endswith("\n") else ("- ", "red")
        yield indent + style.paint(sign, color) + style.paint("the end of the last line", "dim")


def _lines(text: str) -> list[str]:
    """Part a text at line feeds alone; other line ends are shown as the characters they are."""
    return text.removesuffix("\n").split("\n") if text else []


def _unchanged(
    lines: Sequence[str], style: Style, indent: str, *, is_first: bool, is_last: bool = False
) -> Iterator[str]:
    """Yield two lines on each side of a change and count the others."""
    head = 0 if is_first else _CONTEXT
    tail = 0 if is_last else _CONTEXT
    hidden = len(lines) - head - tail
    if hidden <= 1:
        head, tail, hidden = len(lines), 0, 0
    width = max(style.width - len(indent) - 2, _LEAST_WIDTH)
    for line in lines[:head]:
        yield indent + "  " + style.paint(cut(line, width), "dim")
    if hidden:
        yield indent + style.paint(f"⋮ {counted(hidden, 'line')} unchanged", "dim")
    for line in lines[len(lines) - tail :]:
        yield indent + "  " + style.paint(cut(line, width), "dim")


def _changed(
    before: Sequence[str], after: Sequence[str], hunk: Hunk, style: Style, *, most: int
) -> Iterator[str]:
    """Yield the lines of one hunk, at most so many: each old line beside the new one that it became."""
    old, new = before[hunk.old.start : hunk.old.stop][:most], after[hunk.new.start : hunk.new.stop][:most]
    for was, now in _paired(old, new)[:most]:
        pieces = words(was, now) if was is not None and now is not None else None
        if pieces is not None and alike(*zip(*pieces, strict=True)) >= _LEAST_ALIKE:
            yield style.paint("~ ", "yellow") + _marked(pieces, style)
            continue
        if was is not None:
            yield style.paint("- " + _bounded(was), "red")
        if now is not None:
            yield style.paint("+ " + _bounded(now), "green")
