"""How text reaches a terminal: in colour when that is wanted, and never with a control character in it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Paint = Literal["bold", "dim", "reverse", "red", "green", "yellow", "cyan"]

_CODES: dict[Paint, str] = {
    "bold": "1",
    "dim": "2",
    "reverse": "7",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
}
# Controls, and what hides in a text or turns its direction: a manifest must not be able to fake a line of ours.
# Joiners are part of emoji and of some scripts, so they stay behind letters beyond ASCII.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]|(?<![^\x00-\x7f])[\u200c\u200d]"
)
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


@dataclass(frozen=True, slots=True)
class Style:
    """What the reader's terminal can show: colours or not, and how many columns."""

    color: bool = False
    width: int = 100

    def paint(self, text: str, *paints: Paint) -> str:
        """Return text that is safe to print, in these colours where there are any."""
        safe = clean(text)
        if not self.color or not paints or not safe:
            return safe
        return f"\x1b[{';'.join(_CODES[paint] for paint in paints)}m{safe}\x1b[0m"


def clean(text: str) -> str:
    r"""Spell every control character out, so that text from elsewhere is only ever text.

    >>> clean("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return _UNSAFE.sub(_spelled, text) if not text.isascii() or not text.isprintable() else text


def _spelled(match: re.Match[str]) -> str:
    character = match.group()
    if character in _SHORT:
        return _SHORT[character]
    return character.encode("unicode_escape").decode("ascii")


def cells(text: str) -> int:
    """Return how many columns a clean text takes."""
    return len(text) if text.isascii() else sum(map(_cell, text))


def _cell(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, width: int) -> str:
    """Return the clean text, shortened with `…` to at most `width` columns.

    >>> cut("a long text", 7)
    'a long…'
    """
    # Escaping makes a text longer, never shorter: a piece this long is enough whatever is in it.
    text = clean(text[: 8 * width + 8])
    if cells(text) <= width:
        return text
    room, kept = width - 1, 0
    for character in text:
        room -= _cell(character)
        if room < 0:
            break
        kept += 1
    return text[:kept] + "…"


def cut_left(text: str, width: int) -> str:
    """Return the clean text, shortened with `…` at its start."""
    text = clean(text)
    return text if cells(text) <= width else "…" + cut(text[::-1], width)[:-1][::-1]


def pad(text: str, width: int) -> str:
    """Return the clean text, filled with spaces to `width` columns."""
    text = clean(text)
    return text + " " * max(0, width - cells(text))


def counted(number: int, noun: str, nouns: str | None = None) -> str:
    """Count things in words.

    >>> counted(1, "fault"), counted(1200, "fault"), counted(2, "reply", "replies")
    ('1 fault', '1,200 faults', '2 replies')
    """
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"
