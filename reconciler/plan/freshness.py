"""FRESHNESS: content fetched from elsewhere that is behind its source, and the step that has it fetched anew; pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from reconciler.kinds.kind import Origin, Sync
from reconciler.kinds.traits import syncs
from reconciler.plan.appear import awaiting, where_of
from reconciler.plan.change import Action, Change, FieldChange, Precondition, covered
from reconciler.plan.found import Found
from reconciler.resource import Address, Desired, Observed

_HERE = frozenset({Action.UPDATE, Action.ADOPT, Action.RECORD})
_NOT_OURS = frozenset({Action.CONFLICT, Action.CREATE, Action.ARCHIVE, Action.FORGET, Action.KEEP})
_UNKNOWN = "sync: on-apply, and when its branch last moved cannot be told: this apply does not sync it"


@dataclass(frozen=True, slots=True)
class Head:
    """The last commit of a branch: its full name, and when it was made."""

    commit: str
    at: datetime


Heads = Callable[[Collection[Origin]], Mapping[Origin, Head]]
"""Asks for the heads of branches; those that cannot be had are left out."""


def origins_due(wanted: Iterable[Desired], found: Mapping[Address, Found]) -> Iterator[Origin]:
    """Yield where content comes from that an apply is to have fetched anew if its branch moved on since it came."""
    for one in wanted:
        observed = found[one.address].observed if one.resyncs and one.address in found else None
        sync = _at_rest(one, observed)
        if observed is None or sync is None or sync.failed or sync.at is None:
            continue
        if (origin := declared_origin(one, observed)) is not None:
            yield origin


def declared_origin(desired: Desired, observed: Observed) -> Origin | None:
    """Return where live content comes from, None where git does not declare that repository: nobody else has us ask it.

    A branch that git does not declare is the live one.
    """
    there, here = desired.kind.origin(observed.spec), desired.kind.origin(desired.spec)
    return there if there is not None and here is not None and there.url == here.url else None


def with_sync(
    desired: Desired, steps: Sequence[Change], observed: Observed | None, heads: Mapping[Origin, Head]
) -> list[Change]:
    """Add to the steps of an address one that has its content fetched anew, where git asks for that and it is behind.

    Where a step makes the platform fetch by itself, or a sync is due already, there is none.
    """
    sync = _at_rest(desired, observed)
    own = {one.field for one in syncs(desired.kind).values()}
    if observed is None or sync is None or any(step.action not in _HERE or own & step.body.keys() for step in steps):
        return [*steps]
    origin = declared_origin(desired, observed)
    head = heads.get(origin) if origin else None
    then = time_of(sync.at)
    if sync.failed:
        why = f"its last sync failed{f': {sync.error}' if sync.error else ''}"
        return [*steps, _step(desired, observed, sync, why, to="")]
    if sync.at is None:
        return [*steps, _step(desired, observed, sync, "it was never synced", to="")]
    if head is None or origin is None or then is None:
        return _unknown(desired, steps, observed)
    if head.at <= then:
        return [*steps]
    when = f"{head.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    why = f"its branch {origin.branch} moved on after its last sync, to {head.commit[:7]} of {when}"
    return [*steps, _step(desired, observed, sync, why, to=head.commit)]


def with_waiting(desired: Desired, steps: Sequence[Change], observed: Observed | None) -> list[Change]:
    """Let an apply wait for a sync that is under way, failed or never came, where `wait_for_sync` asks for one.

    A step that waits already, or what is not ours, is left as it is; without a step there is one that only waits.
    """
    sync = observed.sync if observed is not None and desired.patience and not desired.archive else None
    if observed is None or sync is None or any(step.patience or step.action in _NOT_OURS for step in steps):
        return [*steps]
    if not (sync.is_running or sync.failed or sync.at is None):
        return [*steps]
    notes = (_awaited(sync), awaiting(desired.patience or 0))
    first = next((number for number, step in enumerate(steps) if step.action in _HERE), None)
    if first is not None:
        step = steps[first]
        told = replace(step, patience=desired.patience, notes=(*step.notes, *notes))
        return [*steps[:first], told, *steps[first + 1 :]]
    pre = Precondition(observed.id, covers=())
    pre = replace(pre, digest=covered(desired.kind, observed.shape, pre, updated_at=None))
    waiting = Change(
        desired.address,
        Action.AWAIT,
        desired.title,
        id=observed.id,
        pre=pre,
        notes=notes,
        where=where_of(desired),
        patience=desired.patience,
    )
    return [*steps, waiting]


def _awaited(sync: Sync) -> str:
    """Say how the content stands that an apply waits for."""
    if sync.is_running:
        return "its sync is under way"
    if sync.failed:
        again = "until another one succeeds; sync: on-apply has the apply ask for one"
        return f"its last sync failed{f' ({sync.error})' if sync.error else ''}: the apply fails {again}"
    return "it was never synced"


def _at_rest(desired: Desired, observed: Observed | None) -> Sync | None:
    """Return how the content of what is to be synced stands, None where a sync is under way or none can be."""
    if not desired.resyncs or desired.archive or observed is None or desired.kind.resync is None:
        return None
    return None if observed.sync is None or observed.sync.is_running else observed.sync


def _step(desired: Desired, observed: Observed, sync: Sync, why: str, *, to: str) -> Change:
    """Make the step; it holds as long as the resource is there, and is done once another sync came or is due."""
    pre = Precondition(observed.id, covers=())
    waiting = f"the apply waits up to {desired.patience} s for its sync, and fails with it"
    return Change(
        desired.address,
        Action.SYNC,
        desired.title,
        (FieldChange(("synced",), sync.at, to),),
        id=observed.id,
        pre=replace(pre, digest=covered(desired.kind, observed.shape, pre, updated_at=None)),
        notes=(why, waiting) if desired.patience else (why,),
        where=where_of(desired),
        patience=desired.patience,
    )


def _unknown(desired: Desired, steps: Sequence[Change], observed: Observed) -> list[Change]:
    """Say that nobody can tell whether a sync is needed: to sync each time would make of every apply a write."""
    if steps:
        return [replace(steps[0], notes=(*steps[0].notes, _UNKNOWN)), *steps[1:]]
    report = Change(
        desired.address, Action.REPORT, desired.title, id=observed.id, notes=(_UNKNOWN,), where=where_of(desired)
    )
    return [report]


def is_synced(change: Change, now: Sync | None) -> bool:
    """Say whether what a sync step asks for is under way, or came, since the plan saw how it stood."""
    return now is not None and (now.is_running or now.at != change.fields[0].old)


def time_of(told: object) -> datetime | None:
    """Return a time as the API spells it, in UTC where it says no zone; None for what is none."""
    try:
        then = datetime.fromisoformat(told) if isinstance(told, str) else None
        return then and (then.astimezone(UTC) if then.tzinfo else then.replace(tzinfo=UTC))
    except (OverflowError, ValueError):
        return None
