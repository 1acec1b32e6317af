"""Which lines of a text changed, in bounded time.

difflib is quadratic, or worse, where lines repeat. So what both versions begin and end with is set aside, the rest is
parted at the lines that stand exactly once in both (patience diff), and difflib only sees the small pieces between.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_MOST_CELLS = 10_000
_MOST_CELLS_IN_ALL = 300_000


class Hunk(NamedTuple):
    """A run of old lines that became a run of new lines; either may be empty."""

    old: range
    new: range


def hunks(old: Sequence[str], new: Sequence[str]) -> Iterator[Hunk]:
    """Yield what differs between two lists of lines, in order."""
    head = equal_run(zip(old, new, strict=False))
    end = min(len(old), len(new)) - head
    tail = min(end, equal_run(zip(reversed(old), reversed(new), strict=False)))
    bounds = (len(old) - tail, len(new) - tail)
    i, j = head, head
    budget = _MOST_CELLS_IN_ALL
    for to_i, to_j in [*_anchors(old, new, Hunk(range(i, bounds[0]), range(j, bounds[1]))), bounds]:
        piece = Hunk(range(i, to_i), range(j, to_j))
        if piece.old or piece.new:
            size = len(piece.old) * len(piece.new)
            budget -= size
            yield from _refined(old, new, piece) if 0 < size <= _MOST_CELLS and budget > 0 else (piece,)
        i, j = to_i + 1, to_j + 1


def equal_run(pairs: Iterable[tuple[str, str]]) -> int:
    """Count the pairs that are equal before the first that is not."""
    count = 0
    for a, b in pairs:
        if a != b:
            break
        count += 1
    return count


def _anchors(old: Sequence[str], new: Sequence[str], piece: Hunk) -> list[tuple[int, int]]:
    """Return the longest rising sequence of lines that stand exactly once on each side."""
    in_old = Counter(old[i] for i in piece.old)
    in_new = Counter(new[j] for j in piece.new)
    at = {new[j]: j for j in piece.new if in_new[new[j]] == 1 and in_old.get(new[j]) == 1}
    return _rising([(i, at[old[i]]) for i in piece.old if old[i] in at])


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest subsequence whose second members rise (patience sorting)."""
    tops: list[int] = []
    ends: list[int] = []
    before: list[int | None] = []
    for number, (_, j) in enumerate(pairs):
        pile = bisect_left(tops, j)
        before.append(ends[pile - 1] if pile else None)
        tops[pile : pile + 1] = [j]
        ends[pile : pile + 1] = [number]
    chain: list[tuple[int, int]] = []
    here = ends[-1] if ends else None
    while here is not None:
        chain.append(pairs[here])
        here = before[here]
    return chain[::-1]


def _refined(old: Sequence[str], new: Sequence[str], piece: Hunk) -> Iterator[Hunk]:
    a, b = [old[i] for i in piece.old], [new[j] for j in piece.new]
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag != "equal":
            yield Hunk(piece.old[i1:i2], piece.new[j1:j2])
