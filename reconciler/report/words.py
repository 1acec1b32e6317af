"""What changed in a prose: the lines that differ with two lines around, and in each the words that differ.

difflib is quadratic where lines repeat, so it only ever sees small pieces: a text is first parted at the lines that
stand in both exactly once (patience diff), a line at what both versions begin and end with.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from reconciler.report.style import counted, cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.report.style import Style

_CONTEXT = 2
_MOST_LINES = 400
_MOST_CELLS = 40_000
_MOST_WORD_CELLS = 10_000
_ALIKE = 0.4
_LONGEST_RUN = 60
_LONGEST_CHANGED_RUN = 2_000
_LEAST_WIDTH = 20
_WORD = re.compile(r"\s|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Hunk:
    """A run of old lines that became a run of new lines; both half-open."""

    old: tuple[int, int]
    new: tuple[int, int]


def prose_diff(old: str, new: str, *, style: Style, indent: str = "") -> Iterator[str]:
    """Yield the lines that show how a text changed; changed words are marked `[-old-]{+new+}`, or by colour."""
    before, after = old.splitlines(), new.splitlines()
    shown = after_line = 0
    for hunk in hunks(before, after):
        yield from _unchanged(after[after_line : hunk.new[0]], style, indent, first=after_line == 0)
        if shown >= _MOST_LINES:
            yield indent + style.paint("⋮ and more changes: too many to show here", "dim")
            return
        for line in _changed(before[slice(*hunk.old)], after[slice(*hunk.new)], style):
            shown += 1
            if shown <= _MOST_LINES:
                yield indent + line
        if shown > _MOST_LINES:
            yield indent + style.paint(f"⋮ {counted(shown - _MOST_LINES, 'more changed line')}", "dim")
        after_line = hunk.new[1]
    yield from _unchanged(after[after_line:], style, indent, first=after_line == 0, last=True)
    if before == after:
        yield indent + style.paint("only the line ends differ", "dim")


def hunks(old: Sequence[str], new: Sequence[str]) -> Iterator[Hunk]:
    """Yield what differs between two lists of lines, in order and in bounded time."""
    start = _common(zip(old, new, strict=False))
    rest = min(len(old), len(new)) - start
    end = min(rest, _common(zip(reversed(old), reversed(new), strict=False)))
    here = (start, start)
    for i, j in chain(_anchors(old, new, start, end), [(len(old) - end, len(new) - end)]):
        yield from _between(old, new, here, (i, j))
        here = (i + 1, j + 1)


def _common(pairs: Iterator[tuple[str, str]]) -> int:
    return next((number for number, (a, b) in enumerate(pairs) if a != b), None) or _all(pairs)


def _anchors(old: Sequence[str], new: Sequence[str], start: int, end: int) -> list[tuple[int, int]]:
    """Return the longest rising sequence of lines that stand exactly once in both middles."""
    a, b = old[start : len(old) - end], new[start : len(new) - end]
    in_old, in_new = Counter(a), Counter(b)
    at = {line: number for number, line in enumerate(b) if in_new[line] == 1 and in_old[line] == 1}
    pairs = [(number, at[line]) for number, line in enumerate(a) if line in at]
    return [(i + start, j + start) for i, j in _rising(pairs)]
