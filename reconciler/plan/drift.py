"""DRIFT: what moved on the platform since it was last written; what git wants and was not applied yet is no drift.

Of what a run began and did not confirm it is told as far as it can be (`unsettled.py`), and said where it cannot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from reconciler.kinds import BY_NAME
from reconciler.kinds.kind import Origin
from reconciler.plan.change import Action, Change, FieldChange, Side
from reconciler.plan.claim import since
from reconciler.plan.found import Found
from reconciler.plan.freshness import Head, Heads, declared_origin, time_of
from reconciler.plan.plan import OrgRef, Plan
from reconciler.plan.release import publishes
from reconciler.plan.rules import Rules
from reconciler.plan.unsettled import retold, untold
from reconciler.resource import Address, Desired, Observed, by_rank

_PATIENCE = timedelta(hours=1)


class What(Enum):
    """What happened to a resource; the value is the word that programs read."""

    CHANGED = "changed"
    GONE = "gone"
    ARCHIVED = "archived"
    UNSYNCED = "unsynced"
    UNSETTLED = "unsettled"
    UNMANAGED = "unmanaged"


@dataclass(frozen=True, slots=True)
class Drifted:
    """One resource that is not as it was left.

    `fields` are those that moved on the platform, `message` says what else happened. `since` is when it was last
    written, `where` its place in the manifests, both empty for what nobody manages. `file` is the one that declares it
    and nothing else, empty where there is none.
    """

    address: Address
    what: What
    title: str = ""
    fields: tuple[FieldChange, ...] = ()
    message: str = ""
    since: str = ""
    where: str = ""
    id: str | None = None
    file: str = ""

    @property
    def is_of_release(self) -> bool:
        """Whether it is about versions, of which git says when there is one, and not which."""
        release = BY_NAME[self.address.kind].release
        if self.what is not What.CHANGED or release is None:
            return False
        return not self.fields or any(one.path[0] == release.field for one in self.fields)


@dataclass(frozen=True, slots=True)
class Drift:
    """All that moved, and what is unsettled. `watched` counts what is ours and not unsettled.

    `unowned` counts what is declared and not ours yet: drift cannot tell.
    """

    drifted: tuple[Drifted, ...]
    orgs: Mapping[str, OrgRef]
    watched: int
    unowned: int
    partial: str | None = None

    @property
    def unsettled(self) -> int:
        """Of how many resources it cannot be told, as a run began to write them and did not confirm it."""
        return sum(one.what is What.UNSETTLED for one in self.drifted)


def drift_of(  # noqa: PLR0913 - each is a side of what is compared
    plan: Plan,
    desired: Iterable[Desired],
    found: Mapping[Address, Found],
    rules: Rules,
    *,
    everything: Iterable[Desired],
    now: datetime,
    max_sync_age: int | None,
    heads: Heads = lambda _origins: {},
) -> Drift:
    """Return what of a plan is drift, and what lost its sync; `max_sync_age` is in seconds, None for any age.

    `desired` is what the plan is about, `everything` all that is declared. `heads` is asked for the branches that
    synced content comes from.
    """
    origins = dict(_origins(desired, found, rules))
    known = heads({*origins.values()}) if origins else {}
    alone = _alone(everything)
    drifted = [
        replace(one, file=alone.get(one.address, ""))
        for change in plan.changes
        for one in _of_change(change, rules, found.get(change.address, Found()))
    ]
    unsettled = {one.address for one in drifted if one.what is What.UNSETTLED}
    watched = unowned = 0
    for one in desired:
        entry = rules.known(one.address).entry
        observed = found[one.address].observed if one.address in found else None
        if one.address not in unsettled:
            watched += entry is not None
            unowned += entry is None and observed is not None and not one.archive
        head = known.get(origins[one.address]) if one.address in origins else None
        trouble = _trouble(observed, now=now, most=max_sync_age, head=head) if entry and observed else None
        if entry and observed and trouble and not one.archive:
            where = f"{one.source.file.path}:{one.source.line}"
            drifted.append(
                Drifted(
                    one.address, What.UNSYNCED, one.title, message=trouble, since=since(entry), where=where, id=entry.id
                )
            )
    drifted.sort(key=lambda one: (by_rank(one.address), one.what.value))
    return Drift(_merged(drifted), plan.orgs, watched, unowned, plan.partial)


def _origins(
    desired: Iterable[Desired], found: Mapping[Address, Found], rules: Rules
) -> Iterator[tuple[Address, Origin]]:
    """Yield where the content of what is ours comes from, as far as it came."""
    for one in desired:
        observed = found[one.address].observed if one.address in found else None
        if (
            observed is None
            or observed.sync is None
            or observed.sync.at is None
            or rules.known(one.address).entry is None
        ):
            continue
        if (origin := declared_origin(one, observed)) is not None:
            yield one.address, origin


def _alone(declared: Iterable[Desired]) -> dict[Address, str]:
    """Return the file of each whose document stands in it alone."""
    documents: dict[str, list[Address]] = {}
    for one in declared:
        if one.address.parent is None:
            documents.setdefault(one.source.file.path, []).append(one.address)
    return {addresses[0]: file for file, addresses in documents.items() if len(addresses) == 1}


def _of_change(change: Change, rules: Rules, found: Found) -> Iterator[Drifted]:
    """Yield what a change would undo that happened on the platform."""
    known = rules.known(change.address)
    entry = known.entry
    if entry is None:
        if known.is_begun and (found.observed or found.twin) and change.action is not Action.REPORT:
            yield _unsettled(change, change.fields, "made")
        return
    change = retold(change, known)
    what: What | None = None
    message = ""
    is_there = found.observed is not None and change.id == entry.id  # what is gone did not change besides
    fields = tuple(one for one in change.fields if is_there and one.side in (Side.DRIFTED, Side.BOTH))
    match change.action:
        case Action.CREATE if found.observed is None:
            is_archived = found.twin is not None and found.twin.id == entry.id
            what = What.ARCHIVED if is_archived or change.frees else What.GONE
            fields, message = (), _lost(what)
        case Action.RESTORE:
            what, fields, message = What.ARCHIVED, (), _lost(What.ARCHIVED)
        case Action.ADOPT | Action.CONFLICT | Action.UPDATE if change.id != entry.id:
            what, fields = What.GONE, ()
            message = f"it is gone from the platform, and another one of its name is there ({change.id})"
        case Action.RELEASE if fields and (number := publishes(change)):
            what, fields = What.CHANGED, ()
            message = f"the next apply publishes version {number}, as it was edited on the platform"
        case Action.UPDATE | Action.PUBLISH | Action.UNPUBLISH | Action.RELEASE | Action.ARCHIVE if fields:
            what = What.CHANGED
            message = "changed on the platform" if known.is_begun else ""
    if what is not None:
        message += " (perhaps by a run that did not end)" if known.is_begun else ""
        yield Drifted(
            change.address,
            what,
            change.title,
            fields,
            message,
            since=since(entry),
            where=change.where,
            id=entry.id,
        )
    if known.is_begun and change.id == entry.id and (doubtful := untold(change)):
        yield _unsettled(change, doubtful, "written")


def _unsettled(change: Change, fields: tuple[FieldChange, ...], did: str) -> Drifted:
    """Say that of these fields it cannot be told whether a run of ours or somebody else wrote them."""
    message = f"a run that did not end may have {did} it: cannot be told until an apply has settled it"
    return Drifted(change.address, What.UNSETTLED, change.title, fields, message, where=change.where, id=change.id)


def _lost(what: What) -> str:
    return "it was archived on the platform" if what is What.ARCHIVED else "it is gone from the platform"


def _merged(drifted: Iterable[Drifted]) -> tuple[Drifted, ...]:
    """Make one of the changes to a resource and to its switches."""
    merged: dict[tuple[Address, What], Drifted] = {}
    for one in drifted:
        known = merged.setdefault((one.address, one.what), one)
        if known is not one:
            merged[one.address, one.what] = replace(one, fields=(*known.fields, *one.fields))
    return tuple(merged.values())


def _trouble(observed: Observed, *, now: datetime, most: int | None, head: Head | None = None) -> str | None:
    """Say what is wrong with a sync, None when nothing is; one under way has an hour.

    A branch that moved on is no trouble before the next sync by schedule is due.
    """
    sync = observed.sync
    if sync is None:
        return None
    begun = time_of(observed.updated_at)
    if sync.is_running and begun is not None and now - begun < _PATIENCE:
        return None
    if sync.failed:
        return f"its last sync failed: {sync.error}" if sync.error else "its last sync failed"
    if sync.at is None:
        return "it was never synced" + (", and the sync that is under way does not end" if sync.is_running else "")
    then = time_of(sync.at)
    if then is None:
        return None
    if head is not None and then < head.at < now - timedelta(seconds=sync.every or 0):
        return f"its branch moved on after its last sync, to {head.commit[:7]} {_ago(now - head.at)} ago"
    if most is None or now - then <= timedelta(seconds=most):
        return None
    return f"its last sync was {_ago(now - then)} ago, more than max_sync_age allows"


def _ago(span: timedelta) -> str:
    hours = int(span.total_seconds() // 3600)
    return f"{hours // 24} days" if hours >= 48 else f"{hours} hours" if hours else "less than an hour"  # noqa: PLR2004
