"""UNDO: what a run archived, brought back as it was, where the platform can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.errors import Fault, Source, SourceFile
from reconciler.kinds.kind import Twin
from reconciler.plan.alter import restored
from reconciler.plan.change import Action, Change
from reconciler.plan.removal import Leaving
from reconciler.resource import Address, Desired, Observed

_NOWHERE = Source(SourceFile(path="", text=""), 0, 1)


def revivals(archived: Mapping[Address, Leaving]) -> list[Change]:
    """Return what becomes of each: restored as it is, or told why not. It is nobody's then, until git declares it."""
    return [_revival(address, one.observed) for address, one in sorted(archived.items())]


def _revival(address: Address, twin: Observed | None) -> Change:
    if twin is None:
        return _left(address, "it is gone from the platform")
    if not twin.archived:
        return _left(address, "it is live already")
    if not twin.kind.can_restore:
        how = (
            "declare it under another name, as it keeps its own" if twin.kind.twin is Twin.BLOCK else "declare it again"
        )
        note = f"the platform cannot bring {twin.kind.plural} back: {how}, and a new one is created"
        return _left(address, note)
    title = str(twin.spec.get(twin.kind.name_field or "") or address.name)
    steps = restored(Desired(address, {}, _NOWHERE, title), twin, {})
    if isinstance(steps, Fault):
        return _left(address, f"{steps.message}: declare it again")
    return replace(steps[0], where="")


def _left(address: Address, note: str) -> Change:
    return Change(address, Action.REPORT, address.name, notes=(note,))
