"""What reviewers saw: the digest of a plan and of each of its steps, kept in the comment's marker; and what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.plan.change import Action, Change
from reconciler.plan.digest import digest
from reconciler.plan.plan import Plan, described

_MOST_STEPS = 400
"""So many steps of a plan are remembered one by one; a marker must leave room for the comment."""
_MOST_NAMES = 24_000
"""So many characters their names may have together."""
_SHORT = 12

_SYNCS = (Action.SYNC, Action.AWAIT)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A plan as it was reviewed; `steps` gives action and digest by step, None where there were too many to keep.

    `digest` is empty where no plan could be made. `head` is the commit of the branch that it was made for.
    """

    digest: str
    head: str = ""
    count: int = 0
    steps: Mapping[str, str] | None = field(default_factory=dict)


def reviewable(plan: Plan, bare: Plan) -> Plan:
    """Return what of a plan a review is about: the `bare` one, without what other values of secrets make of it.

    A value is nothing that anybody can review, and the job that plans need not know it. Where another value takes
    more than sending it with an update, as where it replaces a resource, the plan itself is to be reviewed.
    """
    return bare if all(change.action is Action.UPDATE for change in sent_again(plan, bare)) else plan


def sent_again(plan: Plan, bare: Plan) -> tuple[Change, ...]:
    """Return the steps that are otherwise, or there at all, because a secret has another value."""
    known = {change.step: _alone(change) for change in bare.steps}
    return tuple(change for change in plan.steps if known.get(change.step) != _alone(change))


def _alone(change: Change) -> dict[str, object]:
    """Describe a step, whatever other steps it waits for."""
    return {name: value for name, value in described(change).items() if name != "after"}


def without_syncs(plan: Plan) -> Plan:
    """Return the part of a plan that must be as it was reviewed.

    Whether a sync is due lies with a branch that moves by itself, as with the merge: what was reviewed is the manifest
    that asks for it. So it is whether one is still awaited. Nothing waits for one.
    """
    return replace(plan, changes=tuple(change for change in plan.changes if change.action not in _SYNCS))


def memory_of(plan: Plan, *, head: str) -> dict[str, Any]:
    """Return what a marker is to remember of a plan; no value is in it."""
    plan = without_syncs(plan)
    steps: dict[str, str] | None = None
    if len(plan.steps) <= _MOST_STEPS and sum(len(change.step) for change in plan.steps) <= _MOST_NAMES:
        steps = _steps(plan)
    return {"digest": plan.digest, "head": head, "count": len(plan.steps), "steps": steps}


def recall(memory: Mapping[str, Any]) -> Reviewed:
    """Read what a marker remembers; what is odd in it is as if it were not there."""
    told, head, count, steps = (memory.get(name) for name in ("digest", "head", "count", "steps"))
    return Reviewed(
        digest=told if isinstance(told, str) else "",
        head=head if isinstance(head, str) else "",
        count=count if isinstance(count, int) else 0,
        steps={str(name): str(one) for name, one in steps.items()} if isinstance(steps, dict) else None,
    )


def difference(reviewed: Reviewed, plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield each step that is not as it was reviewed, and what became of it; nothing where that was not kept."""
    if reviewed.steps is None:
        return
    now = _steps(without_syncs(plan))
    for step, one in now.items():
        before = reviewed.steps.get(step)
        action = one.partition(" ")[0]
        if before is None:
            yield step, f"{action}: was not in the plan that was reviewed"
        elif before != one:
            was = before.partition(" ")[0]
            yield step, f"{action}: {'was reviewed with other content' if was == action else f'was to {was}'}"
    for step, one in reviewed.steps.items():
        if step not in now:
            yield step, f"was to {one.partition(' ')[0]}, and no longer is"


def _steps(plan: Plan) -> dict[str, str]:
    """Return action and digest by step."""
    return {
        change.step: f"{change.action.value} {digest(described(change)).removeprefix('sha256:')[:_SHORT]}"
        for change in plan.steps
    }
