"""One field that differs, in lines: a short value beside the other, prose by its words, lists and maps by element."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.report.details import Members, Reordered
from reconciler.report.rows import (
    Given,
    Pair,
    Prose,
    Row,
    SecretRow,
    created_rows,
    first_words,
    given_words,
    moved_rows,
    rows,
    secret_words,
)
from reconciler.report.style import Style, cells, cut, pad
from reconciler.report.values import LONGEST_TEXT, Sent, item_text, list_text, size_text
from reconciler.report.words import prose_diff

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.plan.change import FieldChange

_WIDEST_NAME = 34
_LEAST_ROOM = 16


@dataclass(frozen=True, slots=True)
class Frame:
    """Where and how fields are written: indentation, the column of values, and the secrets that are sent."""

    style: Style
    indent: str = "      "
    column: int = 0
    sent: Sent = frozenset()

    def room(self, path: str) -> int:
        """Return how many columns a value may take beside the name of its field."""
        used = max(self.column, cells(path) + 2)
        return max(self.style.width - len(self.indent) - used, _LEAST_ROOM)

    def below(self, line: str, *, is_new: bool) -> str:
        """Write one side of a change on a line of its own, long enough to be told from the other."""
        room = max(self.style.width - len(self.indent) - 2, LONGEST_TEXT + 4)
        return f"{self.indent}  {self.style.paint(cut(line, room), 'green' if is_new else 'red')}"

    def name(self, path: str) -> str:
        """Write the name of a field, filled to the column."""
        return self.indent + self.style.paint(pad(f"{path}:", self.column - 1)) + " "


def framed(names: Sequence[str], *, style: Style, sent: Sent = frozenset(), indent: str = "      ") -> Frame:
    """Return the frame in which the values of fields of these names stand below each other."""
    most = min(_WIDEST_NAME, style.width // 3)
    widest = max((cells(name) for name in names if cells(name) <= most), default=0)
    return Frame(style, indent, widest + 2, sent)


def changed_lines(fields: Sequence[FieldChange], frame: Frame) -> Iterator[str]:
    """Yield the lines that show what is live and what git wants."""
    for row in rows(fields):
        yield from _row(row, frame)


def moved_lines(fields: Sequence[FieldChange], frame: Frame) -> Iterator[str]:
    """Yield the lines that show what became, on the platform, of what git says."""
    for row in moved_rows(fields):
        yield from _row(row, frame, gone="gone")


def created_lines(fields: Sequence[FieldChange], frame: Frame) -> Iterator[str]:
    """Yield the lines that show what a new resource will have."""
    for row in created_rows(fields):
        yield from _row(row, frame)


def _row(row: Row, frame: Frame, *, gone: str = "cleared") -> Iterator[str]:
    style = frame.style
    match row:
        case Given(path, value):
            yield frame.name(path) + style.paint(cut(given_words(value, sent=frame.sent), frame.room(path)))
        case SecretRow(path):
            yield frame.name(path) + style.paint(secret_words(row, sent=frame.sent), "yellow")
        case Prose(path, old, new):
            yield frame.name(path) + style.paint(f"{size_text(old)} -> {size_text(new)}")
            yield from prose_diff(old, new, style=style, indent=frame.indent + "  ")
        case Pair(path, old, new, is_part):
            yield from _beside(path, old, new, frame, gone="removed" if is_part else gone)
        case Reordered(path, items):
            order = cut(list_text(list(items)), frame.room(path))
            yield frame.name(path) + style.paint(f"new order {order}", "yellow")
        case Members(path, added, removed):
            yield from _members(path, added, removed, frame)


def _beside(name: str, old: Any, new: Any, frame: Frame, *, gone: str) -> Iterator[str]:
    """Yield both values on one line where they fit, else below each other."""
    style = frame.style
    was, now = (first_words(value, sent=frame.sent) for value in (old, new))
    now = gone if new is None else now
    if cells(was) + cells(now) + 4 <= frame.room(name):
        yield f"{frame.name(name)}{style.paint(was, 'red')} -> {style.paint(now, 'green')}"
        return
    yield frame.name(name).rstrip()
    yield frame.below(f"- {was}", is_new=False)
    yield frame.below(f"+ {now}", is_new=True)


def _members(path: str, added: Sequence[Any], removed: Sequence[Any], frame: Frame) -> Iterator[str]:
    """Yield what came and went: on one line where it fits, else a line for each."""
    style = frame.style
    came = [f"+ {item_text(item, sent=frame.sent)}" for item in added]
    went = [f"- {item_text(item, sent=frame.sent)}" for item in removed]
    if cells(" ".join(came + went)) <= frame.room(path):
        parts = [style.paint(text, "green") for text in came] + [style.paint(text, "red") for text in went]
        yield frame.name(path) + " ".join(parts)
        return
    yield frame.name(path).rstrip()
    yield from (frame.below(text, is_new=True) for text in came)
    yield from (frame.below(text, is_new=False) for text in went)
