"""A text that must not be longer than it may: pieces have forms from short to long, and the important grow first."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

_PATIENCE = 20
"""After so many pieces in a row that could not grow, the others are not tried."""


def size_of(text: str) -> int:
    """Return how long a text is in UTF-8: never less than in characters, however these are counted."""
    return len(text.encode(errors="replace"))


@dataclass(slots=True)
class Piece:
    """A part of a text, empty at first; `forms` make it, from the shortest to the longest.

    `part` makes one between two forms, with so many of the `lines` that the longest has.
    """

    forms: Sequence[Callable[[], str]]
    part: Callable[[int], str] | None = None
    lines: Callable[[], int] = lambda: 0
    text: str = ""
    level: int = -1
    size: int = field(default=0, init=False)

    def grow(self, level: int, room: int) -> int | None:
        """Take a form if it fits in what it has and `room` more; return what it took, None when it does not fit."""
        took = self._take(self.forms[level](), room)
        self.level = self.level if took is None else level
        return took

    def fill(self, room: int) -> int:
        """Take as many lines as fit in what it has and `room` more; return what it took."""
        if self.part is None or self.level < 1 or self.is_whole:
            return 0
        part = self.part
        count = bisect_right(range(self.lines()), self.size + room, key=lambda lines: size_of(part(lines))) - 1
        text = part(max(count, 0))
        return (self._take(text, room) or 0) if count > 0 and size_of(text) > self.size else 0

    def _take(self, text: str, room: int) -> int | None:
        took = size_of(text) - self.size
        if took > room:
            return None
        self.text, self.size = text, self.size + took
        return took

    @property
    def is_whole(self) -> bool:
        """Whether it has its longest form."""
        return self.level == len(self.forms) - 1


def grow(pieces: Iterable[Piece], level: int, *, room: int) -> int:
    """Let those that have the form before take this one, in order, while there is room; return the room that is left.

    With the first form the first that does not fit is the end, so that those with none are the last ones.
    """
    failed = 0
    for piece in pieces:
        if piece.level != level - 1 or level >= len(piece.forms):
            continue
        took = piece.grow(level, room)
        failed = 0 if took is not None else failed + 1
        room -= took or 0
        if failed > (0 if level == 0 else _PATIENCE):
            break
    return room


def fill(pieces: Iterable[Piece], *, room: int) -> int:
    """Give the room that no form takes any more, line by line, to those cut short, in order; return what is left."""
    failed = 0
    for piece in pieces:
        if piece.level < 1 or piece.is_whole:
            continue
        took = piece.fill(room)
        failed = 0 if took else failed + 1
        room -= took
        if failed > _PATIENCE:
            break
    return room
