"""What to do about one address: from Desired and what was found there to its Changes, or why it cannot be done."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.errors import Fault
from reconciler.kinds.kind import Kind, Shape, Twin
from reconciler.kinds.traits import switches, turned
from reconciler.plan.alter import restored, update
from reconciler.plan.appear import archival, created, ways_around, where_of
from reconciler.plan.change import (
    Action,
    Change,
    FieldChange,
    Precondition,
    covered,
)
from reconciler.plan.found import Found
from reconciler.plan.release import released
from reconciler.resource import Desired, Observed


def decide(
    desired: Desired, found: Found, *, has_desired_children: bool = False, dropped: Sequence[FieldChange] = ()
) -> list[Change] | Fault:
    """Return the changes that bring an address to what git wants; none when it is in sync.

    `dropped` are fields below one that is written as a whole, to be left out of it.
    """
    kind, observed = desired.kind, found.observed
    if desired.archive:
        return [] if observed is None else [archival(desired.address, desired.title, observed, where=where_of(desired))]
    spec, aside = _split(kind, desired.spec)
    if observed is None:
        main: list[Change] | Fault = _appear(desired, spec, found)
    else:
        main = update(desired, spec, observed, dropped)
    if isinstance(main, Fault):
        return main
    steps = _switch(desired, aside, observed)
    if any(step.action is Action.PUBLISH for step in steps) and not (has_desired_children or found.has_children):
        children = kind.children[0] if kind.children else "children"
        message = f"it has no {children}, and cannot be published without one"
        return Fault(
            message,
            desired.source,
            (*desired.path, "published"),
            hint="declare a channel, or published: false",
        )
    revived = found.twin if main and main[0].action is Action.RESTORE else None
    return main + steps + released(desired, main, observed or revived, where=where_of(desired))


def _appear(desired: Desired, spec: Shape, found: Found) -> list[Change] | Fault:
    """Nothing live answers: restore an archived twin, free its name, or create."""
    kind, twin = desired.kind, found.twin
    if twin is not None and kind.can_restore:
        return restored(desired, twin, spec)
    if twin is not None and kind.twin is Twin.BLOCK:
        message = f'an archived {kind.noun} holds the name "{desired.title}" and the API cannot bring it back'
        path = ("metadata", "name") if desired.path == ("spec",) else desired.path
        return Fault(message, desired.source, path, hint=ways_around(kind, twin.id), on_value=True)
    return [created(desired, spec, found)]


def _split(kind: Kind, spec: Shape) -> tuple[Shape, Shape]:
    """Part the fields that are written from those that are turned by calls of their own."""
    aside = {key: spec[key] for key in turned(kind) if key in spec}
    return ({key: value for key, value in spec.items() if key not in aside} if aside else spec), aside


def _switch(desired: Desired, aside: Shape, observed: Observed | None) -> list[Change]:
    """Turn what is turned by a call of its own; a new resource starts with every switch off."""
    steps = []
    for name in switches(desired.kind).keys() & aside.keys():
        want = aside[name]
        have = bool(observed.spec.get(name)) if observed else False
        if want == have:
            continue
        action = Action.PUBLISH if want else Action.UNPUBLISH
        pre = Precondition()
        if observed:
            pre = Precondition(observed.id, covers=(name,))
            pre = Precondition(observed.id, covered(desired.kind, observed.shape, pre, updated_at=None), (name,))
        steps.append(
            Change(
                desired.address,
                action,
                desired.title,
                (FieldChange((name,), have, want),),
                id=observed.id if observed else None,
                pre=pre,
                where=where_of(desired),
            )
        )
    return steps
