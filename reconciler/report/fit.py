"""A text that must not be longer than it may: pieces have forms from short to long, and the important grow first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

_PATIENCE = 20
"""After so many pieces in a row that could not grow, the others are not tried."""


def size_of(text: str) -> int:
    """Return how long a text is in UTF-8: never less than in characters, however these are counted."""
    return len(text.encode(errors="replace"))


@dataclass(slots=True)
class Piece:
    """A part of a text, empty at first; `forms` make it, from the shortest to the longest."""

    forms: Sequence[Callable[[], str]]
    text: str = ""
    level: int = -1
    size: int = field(default=0, init=False)

    def grow(self, level: int, room: int) -> int | None:
        """Take a form if it fits in what it has and `room` more; return what it took, None when it does not fit."""
        text = self.forms[level]()
        size = size_of(text)
        if size - self.size > room:
            return None
        took = size - self.size
        self.text, self.level, self.size = text, level, size
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
