"""HEAL: of a plan, what takes back drift and nothing else; what git wants and was not applied yet stays as it is.

| what moved                                              | healed                                    |
| ------------------------------------------------------- | ----------------------------------------- |
| a field, on the platform alone                          | yes                                       |
| a field below the same top-level one as a pending one   | no: both would be written                 |
| a field of a resource that only a PUT can change        | only where nothing of it is pending       |
| published on the platform                               | yes: it is unpublished                    |
| unpublished on the platform                             | no: somebody may have stopped it for good |
| gone, archived                                          | no: a new one would have another id       |
| a field of what a run began and did not confirm         | as above, if all of it can be told        |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.plan.change import Action, Change, Record, Side
from reconciler.plan.owned import steps as path_of
from reconciler.plan.plan import Plan
from reconciler.plan.rules import Known, Rules
from reconciler.plan.unsettled import retold, untold

ABOUT = "only fields that drifted; what git wants beyond that is for apply"


def healing(plan: Plan, rules: Rules) -> Plan:
    """Return the part of a plan that heals, perhaps nothing; it is judged like any other plan when it is applied."""
    known = [retold(change, rules.known(change.address)) for change in plan.changes]
    doubtful = {change.address for change in known if rules.known(change.address).is_begun and untold(change)}
    changes = [one for change in known if change.address not in doubtful for one in _healing(change, rules)]
    kept = {one.step for one in changes}
    changes = [replace(one, after=tuple(step for step in one.after if step in kept)) for one in changes]
    return replace(plan, changes=tuple(changes), partial=ABOUT, refusals=())


def _healing(change: Change, rules: Rules) -> Iterator[Change]:
    known = rules.known(change.address)
    entry = known.entry
    if entry is None or change.id != entry.id or change.completes or change.frees:
        return
    match change.action:
        case Action.UNPUBLISH if any(one.side is Side.DRIFTED for one in change.fields):
            yield change
        case Action.UPDATE if change.replace:
            if all(one.side is Side.DRIFTED for one in change.fields):
                yield replace(change, record=_learnt(change, {one.path[0] for one in change.fields}))
        case Action.UPDATE:
            yield from _drifted(change, known)


def _drifted(change: Change, known: Known) -> Iterator[Change]:
    """Yield the update less every top-level field that something pending stands in.

    Of what a run began the ledger learns whatever else is as git says, too: that run may have written it.
    """
    mixed = {one.path[0] for one in change.fields if one.side is not Side.DRIFTED}
    fields = tuple(one for one in change.fields if one.path[0] not in mixed)
    names = {one.path[0] for one in fields}
    if fields:
        recorded = {path_of(path)[0] for path in change.record.fields} - mixed if change.record else set()
        yield replace(
            change,
            fields=fields,
            body={name: value for name, value in change.body.items() if name in names},
            then={name: value for name, value in change.then.items() if name in names},
            record=_learnt(change, recorded if known.is_begun else names),
        )


def _learnt(change: Change, names: set[str]) -> Record | None:
    """Return what the ledger learns: of these top-level fields alone, beside what it knows."""
    if change.record is None:
        return None
    fields = {path: told for path, told in change.record.fields.items() if path_of(path)[0] in names}
    return Record(fields=fields, adds=True)
