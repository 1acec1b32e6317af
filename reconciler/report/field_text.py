"""One field that differs, in lines: a short value beside the other, prose by its words, lists and maps by element."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.kinds.fields import SET, SecretRef
from reconciler.report.details import Members, Reordered, Replaced, details
from reconciler.report.style import Style, cells, cut, pad
from reconciler.report.values import (
    LONGEST_TEXT,
    Sent,
    is_prose,
    item_text,
    list_text,
    quoted,
    secret_text,
    size_text,
    value_text,
)
from reconciler.report.words import prose_diff

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.plan.change import FieldChange

_WIDEST_NAME = 34
_LONGEST_SENTENCE = 400
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
    for one in fields:
        yield from _pair(one.name, one.old, one.new, frame)


def moved_lines(fields: Sequence[FieldChange], frame: Frame) -> Iterator[str]:
    """Yield the lines that show what became, on the platform, of what git says."""
    for one in fields:
        yield from _pair(one.name, one.new, one.old, frame, gone="gone")


def created_lines(fields: Sequence[FieldChange], frame: Frame) -> Iterator[str]:
    """Yield the lines that show what a new resource will have."""
    for name, value in leaves(fields):
        text = list_text(value, sent=frame.sent) if isinstance(value, list) and value else _first_words(value, frame)
        yield frame.name(name) + frame.style.paint(
            text if isinstance(value, SecretRef) else cut(text, frame.room(name))
        )


def leaves(fields: Sequence[FieldChange]) -> list[tuple[str, Any]]:
    """Return what a creation sets, maps taken apart."""
    return [leaf for one in fields for leaf in _leaves(one.name, one.new)]


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(f"{name}.{key}", item)
    else:
        yield name, value


def _first_words(value: Any, frame: Frame) -> str:
    """Write a value; prose by its size and how it begins, a mere sentence as it is."""
    if not is_prose(value):
        return value_text(value, sent=frame.sent)
    if len(value) <= _LONGEST_SENTENCE and "\n" not in value:
        return quoted(value)
    begin = next((line.strip() for line in value[:1000].split("\n") if line.strip()), "")
    return f'{size_text(value)}: "{begin}"'


def _pair(name: str, old: Any, new: Any, frame: Frame, *, gone: str = "cleared") -> Iterator[str]:
    style = frame.style
    if isinstance(new, SecretRef):
        yield frame.name(name) + _secret(old, new, frame)
    elif isinstance(old, str) and isinstance(new, str) and (is_prose(old) or is_prose(new)):
        yield frame.name(name) + style.paint(f"{size_text(old)} -> {size_text(new)}")
        yield from prose_diff(old, new, style=style, indent=frame.indent + "  ")
    elif _can_be_parted(old, new):
        for detail in details(old, new):
            yield from _detail(name, detail, frame)
    else:
        yield from _beside(name, old, new, frame, gone=gone)


def _can_be_parted(old: Any, new: Any) -> bool:
    """Say whether two values are lists, or maps, with something in them to tell of."""
    return isinstance(old, (list, dict)) and type(old) is type(new) and bool(old or new)


def _secret(old: Any, new: SecretRef, frame: Frame) -> str:
    """Say what becomes of a secret; one that the platform has and that is sent again cannot be compared."""
    return frame.style.paint(secret_text(new, sent=frame.sent, is_set=old is SET), "yellow")


def _beside(name: str, old: Any, new: Any, frame: Frame, *, gone: str) -> Iterator[str]:
    """Yield both values on one line where they fit, else below each other."""
    style = frame.style
    was, now = (_first_words(value, frame) for value in (old, new))
    now = gone if new is None else now
    if cells(was) + cells(now) + 4 <= frame.room(name):
        yield f"{frame.name(name)}{style.paint(was, 'red')} -> {style.paint(now, 'green')}"
        return
    yield frame.name(name).rstrip()
    yield frame.below(f"- {was}", is_new=False)
    yield frame.below(f"+ {now}", is_new=True)


def _detail(name: str, detail: Replaced | Members | Reordered, frame: Frame) -> Iterator[str]:
    path = name + detail.path
    match detail:
        case Replaced(_, old, new):
            yield from _pair(path, old, new, frame, gone="removed")
        case Reordered(_, items):
            order = cut(list_text(list(items)), frame.room(path))
            yield frame.name(path) + frame.style.paint(f"new order {order}", "yellow")
        case Members(_, added, removed):
            yield from _members(path, added, removed, frame)


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
