"""What there is to show of fields that differ, as values: every renderer says the same of the same change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from reconciler.kinds import KINDS
from reconciler.kinds.contents import BASE64, as_bytes, is_marked
from reconciler.kinds.fields import SET, SecretRef
from reconciler.kinds.traits import apart
from reconciler.report.details import Members, Reordered, Replaced, details
from reconciler.report.values import Sent, is_prose, list_text, quoted, secret_text, size_text, value_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.plan.change import FieldChange

_LONGEST_SENTENCE = 400


@dataclass(frozen=True, slots=True)
class Pair:
    """A short value beside the other; `is_part` of a list or map that is there before and after."""

    path: str
    old: Any
    new: Any
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class Prose:
    """A long text that became another."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class SecretRow:
    """A secret by its reference; `is_set` where the platform has one already."""

    path: str
    ref: SecretRef
    is_set: bool


@dataclass(frozen=True, slots=True)
class Given:
    """What a new resource will have."""

    path: str
    value: Any


Row = Given | Pair | Prose | SecretRow | Members | Reordered
"""One thing to show; `path` is that of the field with what leads into it."""


def rows(fields: Iterable[FieldChange]) -> Iterator[Row]:
    """Yield what differs between the old and the new side of fields."""
    for one in fields:
        yield from rows_of(
            one.name, legible(one.old), legible(one.new), is_part=len(one.path) > 1 and _stands_apart(one.path[0])
        )


@cache
def _stands_apart(field: str) -> bool:
    """Say whether the members of a field, as the files of a memory, come and go one by one."""
    return any(field in apart(kind) for kind in KINDS if kind.managed)


def moved_rows(fields: Iterable[FieldChange]) -> Iterator[Row]:
    """Yield what became, on the platform, of what git says."""
    for one in fields:
        yield from rows_of(one.name, legible(one.new), legible(one.old))


def created_rows(fields: Sequence[FieldChange]) -> Iterator[Row]:
    """Yield what a new resource will have, maps taken apart."""
    for path, value in leaves(fields):
        yield SecretRow(path, value, is_set=False) if isinstance(value, SecretRef) else Given(path, value)


def rows_of(path: str, old: Any, new: Any, *, is_part: bool = False) -> Iterator[Row]:
    """Yield what differs between two values: prose as a whole, lists and maps taken apart."""
    if isinstance(new, SecretRef):
        yield SecretRow(path, new, old is SET)
    elif isinstance(old, str) and isinstance(new, str) and _is_rewritten(old, new):
        yield Prose(path, old, new)
    elif isinstance(old, (list, dict)) and type(old) is type(new) and (old or new):
        for detail in details(old, new):
            match detail:
                case Replaced(below, was, now):
                    yield from rows_of(path + below, was, now, is_part=True)
                case Members(below, added, removed):
                    yield Members(path + below, added, removed)
                case Reordered(below, items):
                    yield Reordered(path + below, items)
    else:
        yield Pair(path, old, new, is_part=is_part)


def legible(value: Any) -> Any:
    """Return a value in which the content of files that is written in base64 stands for its bytes."""
    match value:
        case {"content": str(content), "encoding": encoding} if encoding == BASE64:
            return {**value, "content": as_bytes(content)}
        case dict():
            return {key: legible(item) for key, item in value.items()}
        case list():
            return [legible(item) for item in value]
    return value


def _is_rewritten(old: str, new: str) -> bool:
    """Say whether one of two texts is long, and neither stands for bytes that are no text."""
    return (is_prose(old) or is_prose(new)) and not (is_marked(old) or is_marked(new))


def leaves(fields: Sequence[FieldChange]) -> list[tuple[str, Any]]:
    """Return what a creation sets, maps taken apart."""
    return [leaf for one in fields for leaf in _leaves(one.name, legible(one.new))]


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(f"{name}.{key}", item)
    else:
        yield name, value


def secret_words(row: SecretRow, *, sent: Sent) -> str:
    """Say what becomes of a secret; one that the platform has and that is sent again cannot be compared."""
    return secret_text(row.ref, sent=sent, is_set=row.is_set)


def given_words(value: Any, *, sent: Sent) -> str:
    """Write what a new resource will have; a list without its brackets."""
    return list_text(value, sent=sent) if isinstance(value, list) and value else first_words(value, sent=sent)


def first_words(value: Any, *, sent: Sent) -> str:
    """Write a value; prose by its size and how it begins, a mere sentence as it is."""
    if not is_prose(value):
        return value_text(value, sent=sent)
    if len(value) <= _LONGEST_SENTENCE and "\n" not in value:
        return quoted(value)
    begin = next((line.strip() for line in value[:1000].split("\n") if line.strip()), "")
    return f'{size_text(value)}: "{begin}"'
