"""What changed in a prose, as values: which lines stay, which came and went, and in a changed one the words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, NamedTuple

from reconciler.report.lines import Hunk, equal_run, hunks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_LINES = 400
"""No more changed lines than this are told of a text."""

_CONTEXT = 2
_MOST_CELLS = 10_000
_LEAST_ALIKE = 0.4
_MOST_PAIRS = 150
_LEAST_PAIRED = 0.6
_WORD = re.compile(r"\s+|\w+|[^\w\s]")


class Piece(NamedTuple):
    """A run of a changed line: what it was and what it is; both the same where nothing changed."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Same:
    """A line that stays."""

    text: str


@dataclass(frozen=True, slots=True)
class Hidden:
    """So many lines that stay and are not told."""

    count: int


@dataclass(frozen=True, slots=True)
class Reworded:
    """A line that became another which is like it, in runs of words."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Swapped:
    """An old line, a new line, or both where the one became the other and has little of it left."""

    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class EndMoved:
    """Only the end of the last line came or went."""

    came: bool


@dataclass(frozen=True, slots=True)
class Untold:
    """More changed than is told."""


Line = Same | Hidden | Reworded | Swapped | EndMoved | Untold


def prose_lines(old: str, new: str, *, most: int = MOST_LINES) -> Iterator[Line]:
    """Yield what shows how a text changed: at most so many changed lines, each run of them with two lines around."""
    before, after = _lines(old), _lines(new)
    here = shown = 0
    for hunk in hunks(before, after):
        yield from _unchanged(after[here : hunk.new.start], is_first=here == 0)
        here = hunk.new.stop
        for line in _changed(before, after, hunk, most=max(0, most - shown)):
            shown += 2 if isinstance(line, Swapped) and line.old is not None and line.new is not None else 1
            yield line
        if shown >= most:
            yield Untold()
            return
    yield from _unchanged(after[here:], is_first=here == 0, is_last=True)
    if old.endswith("\n") != new.endswith("\n"):
        yield EndMoved(came=new.endswith("\n"))


def _lines(text: str) -> list[str]:
    """Part a text at line feeds alone; other line ends are shown as the characters they are."""
    return text.removesuffix("\n").split("\n") if text else []


def _unchanged(lines: Sequence[str], *, is_first: bool, is_last: bool = False) -> Iterator[Line]:
    """Yield two lines on each side of a change and count the others."""
    head = 0 if is_first else _CONTEXT
    tail = 0 if is_last else _CONTEXT
    hidden = len(lines) - head - tail
    if hidden <= 1:
        head, tail, hidden = len(lines), 0, 0
    yield from map(Same, lines[:head])
    if hidden:
        yield Hidden(hidden)
    yield from map(Same, lines[len(lines) - tail :])


def _changed(before: Sequence[str], after: Sequence[str], hunk: Hunk, *, most: int) -> Iterator[Line]:
    """Yield the lines of one hunk, at most so many: each old line beside the new one that it became."""
    old, new = before[hunk.old.start : hunk.old.stop][:most], after[hunk.new.start : hunk.new.stop][:most]
    for was, now in _paired(old, new)[:most]:
        pieces = words(was, now) if was is not None and now is not None else None
        yield Reworded(tuple(pieces)) if pieces and _alike(pieces) >= _LEAST_ALIKE else Swapped(was, now)


def _paired(old: Sequence[str], new: Sequence[str]) -> list[tuple[str | None, str | None]]:
    """Lay each old line beside the new one that it became; by place when there are as many, else by likeness."""
    if len(old) == len(new):
        return list(zip(old, new, strict=True))
    if len(old) * len(new) > _MOST_PAIRS:
        return [*((line, None) for line in old), *((None, line) for line in new)]
    pairs: list[tuple[str | None, str | None]] = []
    here = 0
    for was in old:
        found = next((at for at in range(here, len(new)) if _quick_ratio(was, new[at]) > _LEAST_PAIRED), None)
        if found is None:
            pairs.append((was, None))
        else:
            pairs += [(None, line) for line in new[here:found]]
            pairs.append((was, new[found]))
            here = found + 1
    return pairs + [(None, line) for line in new[here:]]


def _quick_ratio(was: str, now: str) -> float:
    return SequenceMatcher(None, _WORD.findall(was), _WORD.findall(now), autojunk=False).quick_ratio()


def words(was: str, now: str) -> list[Piece]:
    """Return the runs of a changed line, by words; where there are too many, only its ends are compared."""
    a, b = _WORD.findall(was), _WORD.findall(now)
    head = equal_run(zip(a, b, strict=False))
    tail = min(min(len(a), len(b)) - head, equal_run(zip(reversed(a), reversed(b), strict=False)))
    inner_a, inner_b = a[head : len(a) - tail], b[head : len(b) - tail]
    pieces = [_same(a[:head])]
    if len(inner_a) * len(inner_b) > _MOST_CELLS:
        pieces.append(Piece("".join(inner_a), "".join(inner_b)))
    else:
        matcher = SequenceMatcher(None, inner_a, inner_b, autojunk=False)
        for _, i1, i2, j1, j2 in matcher.get_opcodes():
            pieces.append(Piece("".join(inner_a[i1:i2]), "".join(inner_b[j1:j2])))
    pieces.append(_same(a[len(a) - tail :]))
    return _joined([piece for piece in pieces if piece.old or piece.new])


def _same(run: Sequence[str]) -> Piece:
    text = "".join(run)
    return Piece(text, text)


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Join changes that only a space parts: two words that changed side by side are one change."""
    joined: list[Piece] = []
    for number, piece in enumerate(pieces):
        is_changed = piece.old != piece.new
        is_gap = not is_changed and piece.old.isspace() and 0 < number < len(pieces) - 1
        if joined and (is_changed or is_gap) and joined[-1].old != joined[-1].new:
            joined[-1] = Piece(joined[-1].old + piece.old, joined[-1].new + piece.new)
        else:
            joined.append(piece)
    return joined


def _alike(pieces: Sequence[Piece]) -> float:
    """Return which part of both versions of a line is common to them."""
    common = sum(2 * len(piece.old) for piece in pieces if piece.old == piece.new)
    return common / (sum(len(piece.old) + len(piece.new) for piece in pieces) or 1)
