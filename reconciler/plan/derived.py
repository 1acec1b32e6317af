"""DERIVED: who moved a field whose value nobody writes: the version that follows an edit, and what is pinned to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.kinds.release import LATEST
from reconciler.plan.change import Change, FieldChange, Side
from reconciler.plan.owned import Entry
from reconciler.plan.release import pinned_fields
from reconciler.plan.sides import knows
from reconciler.resource import Desired


def told_sides(change: Change, entry: Entry) -> tuple[FieldChange, ...]:
    """Return the fields of a release with who moved: what git did not ask for before cannot have moved there.

    What only follows from another step nobody moved.
    """
    release = change.kind.release
    if release and knows(entry, (release.field,)):
        return tuple(replace(one, side=None) if one.side is Side.PENDING else one for one in change.fields)
    return tuple(replace(one, side=Side.PENDING) for one in change.fields)


def followed(steps: Sequence[Change], asked: Desired, entry: Entry | None) -> list[Change]:
    """Return the steps, a reference to the newest version being moved by nobody when there is a newer one.

    `asked` is the resource as git spells it.
    """
    names = {name for name in pinned_fields(asked.kind) if asked.spec.get(name) == LATEST}
    if entry is None or not names:
        return list(steps)

    def told(one: FieldChange) -> FieldChange:
        if one.path[0] not in names or not knows(entry, one.path):
            return one
        return replace(one, side=Side.DRIFTED if one.side in (Side.DRIFTED, Side.BOTH) else None)

    return [replace(step, fields=tuple(map(told, step.fields))) for step in steps]
