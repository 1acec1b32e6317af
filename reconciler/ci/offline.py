"""The plan of a pull request that has no secrets: its manifests against the base branch's, no platform asked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.ci.merge import checked_out, top_of
from reconciler.errors import ManifestError, UsageError
from reconciler.kinds.fields import SecretRef
from reconciler.plan.change import Action, Change, FieldChange
from reconciler.plan.diff import diff, same
from reconciler.plan.plan import Plan
from reconciler.plan.select import Selection, select
from reconciler.reconcile import read_manifests
from reconciler.resource import by_rank

if TYPE_CHECKING:
    from reconciler.resource import Address, Desired
    from reconciler.settings import Settings

Found = Mapping["Address", "Desired"]


def plan_offline(settings: Settings, *, base: str) -> Plan | str:
    """Return what the manifests declare otherwise than those of a commit, or why that cannot be told.

    Raises ManifestError with every fault of the manifests that are checked out; those of the base are not told.
    """
    now = _selected(read_manifests(settings.manifests, may_be_empty=True), settings)
    here = Path.cwd()
    top = top_of(here)
    with checked_out(base, folder=here) as files:
        if files is None:
            return f"the base {base[:12]} is not in this clone: check out with fetch-depth: 2"
        there = [str(files / os.path.relpath(Path(path).resolve(), top)) for path in settings.manifests]
        try:
            before = _selected(read_manifests(there, may_be_empty=True), settings)
        except (ManifestError, UsageError) as error:
            return f"the manifests of the base {base[:12]} cannot be read: {error.message}"
        return _compared(before, now)


def _selected(declared: Sequence[Desired], settings: Settings) -> Found:
    """Return what the flags choose, by address; they may name what only one side has."""
    selection = Selection(settings.orgs, settings.target, settings.exclude)
    try:
        chosen, _ = select(declared, selection)
    except UsageError:
        chosen = [one for one in declared if selection.takes(one.address)]
    return {one.address: one for one in chosen if not one.archive}


def _compared(before: Found, now: Found) -> Plan:
    changes: list[Change] = []
    unchanged: dict[str, int] = {}
    for address, one in now.items():
        if (old := before.get(address)) is None:
            fields = tuple(FieldChange((key,), None, value) for key, value in one.spec.items())
            changes.append(_change(one, Action.CREATE, fields))
        elif fields := tuple(_fields(old, one)):
            changes.append(_change(one, Action.UPDATE, fields))
        else:
            unchanged[address.kind] = unchanged.get(address.kind, 0) + 1
    gone = (one for address, one in before.items() if address not in now)
    changes += [Change(one.address, Action.ARCHIVE, one.title, notes=("no longer in git",)) for one in gone]
    return Plan(tuple(sorted(changes, key=lambda one: by_rank(one.address))), unchanged=unchanged)


def _fields(old: Desired, new: Desired) -> Iterable[FieldChange]:
    """Yield the fields that are declared otherwise, those that are no longer declared among them."""
    yield from (one for one in diff(new.kind, new.spec, old.spec) if not _is_same_secret(one))
    for key, value in old.spec.items():
        if key not in new.spec and not same(value, None):
            yield FieldChange((key,), value, None)


def _is_same_secret(one: FieldChange) -> bool:
    return isinstance(one.new, SecretRef) and one.new == one.old


def _change(one: Desired, action: Action, fields: tuple[FieldChange, ...]) -> Change:
    where = f"{one.source.file.path}:{one.source.line}"
    return Change(one.address, action, one.title, fields, dict(one.spec), where=where)
