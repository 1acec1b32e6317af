"""The outputs of a step: what later steps may ask for by name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reconciler.errors import Exit, worst
from reconciler.plan.change import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.plan.drift import Drift
    from reconciler.plan.plan import Plan

_COUNTED = {
    "creates": (Action.CREATE,),
    "updates": (Action.UPDATE,),
    "restores": (Action.RESTORE,),
    "archives": (Action.ARCHIVE,),
    "publishes": (Action.PUBLISH, Action.UNPUBLISH),
    "adopts": (Action.ADOPT,),
}


def ending(codes: Sequence[Exit]) -> dict[str, str]:
    """Return how a run ended: the exit code that wins, and its name, as `changes_pending`."""
    code = worst(codes)
    return {"exit_class": code.name.lower()}


def of_plan(plan: Plan | None, *, digest: str) -> dict[str, str]:
    """Return the outputs of a plan, empty ones where none could be made; `digest` is what a review is compared by."""
    counts = {
        name: str(sum(plan.counts.get(one, 0) for one in actions) if plan else 0) for name, actions in _COUNTED.items()
    }
    every = {one.value: count for one, count in plan.counts.items()} if plan else {}
    return {
        "has_changes": _said(plan is not None and bool(plan.steps)),
        **counts,
        "counts": json.dumps(every, sort_keys=True),
        "refused": _said(plan is not None and bool(plan.refusals)),
        "plan_digest": digest,
    }


def of_drift(drift: Drift | None, *, healed: int, issue: str) -> dict[str, str]:
    """Return the outputs of a drift; `healed` counts the resources that were taken back."""
    return {
        "has_drift": _said(drift is not None and bool(drift.drifted)),
        "drifted": str(len(drift.drifted) - drift.unsettled if drift else 0),
        "unsettled": str(drift.unsettled if drift else 0),
        "watched": str(drift.watched if drift else 0),
        "healed": str(healed),
        "issue": issue,
    }


def _said(yes: object) -> str:
    return "true" if yes else "false"
