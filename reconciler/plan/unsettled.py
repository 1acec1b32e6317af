"""UNSETTLED: what can be told of a resource that a run wrote to, or was about to, and that did not learn its fate.

Such a run died or met an answer that says nothing, so each of its fields may hold what was last confirmed, or what git
said then. The ledger has digests of the first, and git is asked in the place of the second:

| live is                                                     | told as                                       |
| ----------------------------------------------------------- | --------------------------------------------- |
| what git says                                               | no difference: nothing to tell                |
| what was last confirmed                                     | pending: the write did not happen             |
| neither                                                     | moved on the platform, and in git as well     |
|                                                             | where that differs from what was confirmed    |
| something, where nothing was confirmed                      | cannot be told: an apply settles it           |
| a secret that is to be sent, a version that is to be chosen | cannot be told: an apply settles it           |
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.plan.change import Action, Change, FieldChange, Side
from reconciler.plan.owned import Entry, field_digest
from reconciler.plan.rules import Known
from reconciler.plan.sides import knows, sided

_NOTHING = field_digest(None)


def retold(change: Change, known: Known) -> Change:
    """Return a change with which side moved, as far as that can be told of what a run began and did not confirm.

    A field of which it cannot be told has no side; a change of what is settled is returned as it is.
    """
    entry = known.entry
    if entry is None or not known.is_begun or change.id != entry.id:
        return change
    if change.action is Action.RELEASE:  # the run may have made the edit that is not published, or chosen the version
        return replace(change, fields=tuple(replace(one, side=_pending(one)) for one in change.fields))
    if change.action is Action.PUBLISH and not any(knows(entry, one.path) for one in change.fields):
        return replace(change, fields=tuple(replace(one, side=Side.PENDING) for one in change.fields))  # still off
    fields = sided(change.kind, entry, change.fields)
    return replace(change, fields=tuple(replace(one, side=_side(entry, one)) for one in fields))


def untold(change: Change) -> tuple[FieldChange, ...]:
    """Return the fields of a retold change of which nobody can say who moved."""
    return tuple(one for one in change.fields if one.side is None)


def _pending(one: FieldChange) -> Side | None:
    return one.side if one.side is Side.PENDING else None


def _side(entry: Entry, one: FieldChange) -> Side | None:
    """Leave the side that digests tell; where there was none, only what is empty was surely not written."""
    if one.sensitive or knows(entry, one.path):
        return one.side
    return Side.PENDING if field_digest(one.old) == _NOTHING else None
