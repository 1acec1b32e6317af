"""What changed in a prose: the lines that differ with two lines around, and in each the words that differ."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, NamedTuple

from reconciler.report.lines import Hunk, equal_run, hunks
from reconciler.report.style import counted, cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.report.style import Style

_CONTEXT = 2
_MOST_LINES = 400
_MOST_CELLS = 10_000
_LEAST_ALIKE = 0.4
_LONGEST_RUN, _KEPT_OF_RUN = 70, 30
_LONGEST_SHOWN = 2_000
_MOST_PAIRS = 150
_LEAST_PAIRED = 0.6
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
            yield indent + style.paint(f"⋮ no more than {_MOST_LINES} changed lines are shown", "dim")
            return
    yield from _unchanged(after[here:], style, indent, is_first=here == 0, is_last=True)
    if old.endswith("\n") != new.endswith("\n"):
        sign = style.paint("+ ", "green") if new.endswith("\n") else style.paint("- ", "red")
        yield indent + sign + style.paint("the end of the last line", "dim")


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


def _changed(before: Sequence[str], after: Sequence[str], hunk: Hunk, style: Style, *, most: int) -> Iterator[str]:
    """Yield the lines of one hunk, at most so many: each old line beside the new one that it became."""
    old, new = before[hunk.old.start : hunk.old.stop][:most], after[hunk.new.start : hunk.new.stop][:most]
    for was, now in _paired(old, new)[:most]:
        pieces = words(was, now) if was is not None and now is not None else None
        if pieces and _alike(pieces) >= _LEAST_ALIKE:
            yield style.paint("~ ", "yellow") + _marked(pieces, style)
            continue
        if was is not None:
            yield style.paint("- " + _bounded(was), "red")
        if now is not None:
            yield style.paint("+ " + _bounded(now), "green")


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


def _marked(pieces: Sequence[Piece], style: Style) -> str:
    last = len(pieces) - 1
    return "".join(
        _elided(piece.old, style, is_first=number == 0, is_last=number == last)
        if piece.old == piece.new
        else _removed(piece.old, style) + _added(piece.new, style)
        for number, piece in enumerate(pieces)
    )


def _removed(text: str, style: Style) -> str:
    shown = _bounded(text)
    return "" if not text else style.paint(shown, "red", "reverse") if style.color else style.paint(f"[-{shown}-]")


def _added(text: str, style: Style) -> str:
    shown = _bounded(text)
    return "" if not text else style.paint(shown, "green", "reverse") if style.color else style.paint(f"{{+{shown}+}}")


def _elided(text: str, style: Style, *, is_first: bool, is_last: bool) -> str:
    """Leave out the middle of a long run that did not change."""
    if len(text) <= _LONGEST_RUN:
        return style.paint(text)
    start = "" if is_first else text[:_KEPT_OF_RUN]
    end = "" if is_last else text[-_KEPT_OF_RUN:]
    return style.paint(start) + style.paint("…", "dim") + style.paint(end)


def _bounded(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}… ({len(text):,} characters)"
