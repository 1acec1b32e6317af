"""What changed in a prose, for a terminal: the lines that differ with two around, the words that differ marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reconciler.report.prose import (
    MOST_LINES,
    EndMoved,
    Hidden,
    Piece,
    Reworded,
    Same,
    Swapped,
    Untold,
    prose_lines,
)
from reconciler.report.style import counted, cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.report.prose import Line
    from reconciler.report.style import Style

_LONGEST_RUN, _KEPT_OF_RUN = 70, 30
_LONGEST_SHOWN = 2_000
_LEAST_WIDTH = 20


def prose_diff(old: str, new: str, *, style: Style, indent: str = "") -> Iterator[str]:
    """Yield the lines that show how a text changed; changed words are marked `[-old-]{+new+}`, or by colour."""
    width = max(style.width - len(indent) - 2, _LEAST_WIDTH)
    for line in prose_lines(old, new):
        for text in _painted(line, style, width):
            yield indent + text


def _painted(line: Line, style: Style, width: int) -> Iterator[str]:
    match line:
        case Same(text):
            yield "  " + style.paint(cut(text, width), "dim")
        case Hidden(count):
            yield style.paint(f"⋮ {counted(count, 'line')} unchanged", "dim")
        case Reworded(pieces):
            yield style.paint("~ ", "yellow") + _marked(pieces, style)
        case Swapped(was, now):
            if was is not None:
                yield style.paint("- " + _bounded(was), "red")
            if now is not None:
                yield style.paint("+ " + _bounded(now), "green")
        case EndMoved(came):
            sign = style.paint("+ ", "green") if came else style.paint("- ", "red")
            yield sign + style.paint("the end of the last line", "dim")
        case Untold():
            yield style.paint(f"⋮ no more than {MOST_LINES} changed lines are shown", "dim")
        case _:
            assert_never(line)


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
