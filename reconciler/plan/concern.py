"""CONCERN: what about a change a reviewer must see first; every reader lists changes in this order."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from functools import cache

from reconciler.kinds.kind import Kind, Shape
from reconciler.kinds.traits import exposing
from reconciler.kinds.walk import Step, at, reach
from reconciler.plan.change import Action, Change, FieldChange


class Concern(Enum):
    """The most that is at stake, in the order of reading; the value is the heading that people read."""

    CONFLICT = "In conflict"
    REMOVAL = "Removals"
    SECRET = "Secrets"  # noqa: S105 - a heading
    EXPOSURE = "Exposure"
    UPDATE = "Updates"
    CREATE = "Creations"
    LEDGER = "Ledger only"
    NOTE = "To know of"


_BY_ACTION = {
    Action.CONFLICT: Concern.CONFLICT,
    Action.ARCHIVE: Concern.REMOVAL,
    Action.PUBLISH: Concern.EXPOSURE,
    Action.UNPUBLISH: Concern.EXPOSURE,
    Action.RELEASE: Concern.UPDATE,
    Action.ROTATE: Concern.SECRET,
    Action.SYNC: Concern.UPDATE,
    Action.AWAIT: Concern.NOTE,
    Action.ADOPT: Concern.LEDGER,
    Action.RECORD: Concern.LEDGER,
    Action.FORGET: Concern.LEDGER,
    Action.KEEP: Concern.NOTE,
    Action.REPORT: Concern.NOTE,
}


def concern_of(change: Change) -> Concern:
    """Return what a change is read for: a removal, a secret that is sent, who can reach what, or nothing of these."""
    if change.action in _BY_ACTION:
        return _BY_ACTION[change.action]
    if change.secrets:
        return Concern.SECRET
    if exposes(change):
        return Concern.EXPOSURE
    return Concern.UPDATE if change.action is Action.UPDATE else Concern.CREATE


def exposes(change: Change) -> bool:
    """Say whether a change has a say in who can reach what: a way in that is new, or one that is set otherwise."""
    match change.action:
        case Action.PUBLISH | Action.UNPUBLISH:
            return True
        case Action.CREATE:
            return any(_opens(change.body, path) for path in exposing(change.kind))
        case Action.UPDATE | Action.RESTORE:
            return touches_access(change.kind, change.fields)
    return False


def _opens(body: Shape, path: tuple[Step, ...]) -> bool:
    """Say whether a creation is a way in: its variant has settings of access, or it says something at the path."""
    variant = tuple(step for step in path if isinstance(step, tuple))
    if variant and len(path) > len(variant) + 1:
        return reach(variant)(body)
    return any(holder[key] for holder, key, _ in at(body, path))


def touches_access(kind: Kind, fields: Iterable[FieldChange]) -> bool:
    """Say whether one of these fields is, holds, or stands in one that has a say in who can reach what."""
    paths = _exposing_names(kind)
    return any(_overlap(one.path, path) for one in fields for path in paths)


@cache
def _exposing_names(kind: Kind) -> frozenset[tuple[str, ...]]:
    """Return the exposing paths without what tells their variants apart."""
    return frozenset(tuple(step for step in path if isinstance(step, str)) for path in exposing(kind))


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return all(b in (a, "*") for a, b in zip(one, other, strict=False))
