"""The plan of a pull request that has no secrets: its manifests against the base branch's, no platform asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.ci.merge import repository
from reconciler.errors import ManifestError, UsageError
from reconciler.kinds.fields import SecretRef
from reconciler.manifest.mirror import Mirror, mirrored, prepared, real
from reconciler.plan.change import Action, Change, FieldChange
from reconciler.plan.diff import diff, same
from reconciler.plan.plan import Plan
from reconciler.plan.select import Selection, select
from reconciler.reconcile import collector_paused, read_manifests
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
    from git.exc import GitError

    with repository(Path.cwd()) as repo:
        top = prepared(repo, settings.manifests)
        try:
            with mirrored(repo, base, settings.manifests, top=top) as mirror:
                return _against(mirror, now, settings)
        except GitError:
            return f"the base {base[:12]} is not in this clone: check out with fetch-depth: 2"
        except ManifestError as error:
            return f"the manifests of the base {base[:12]} cannot be read: {error.message}"


def _against(mirror: Mirror, now: Found, settings: Settings) -> Plan:
    with collector_paused():
        resolved = mirror.resolved()
    if resolved.faults:
        raise ManifestError(resolved.faults)
    return _Comparison(mirror).plan(_selected(resolved.desired, settings), now)


def _selected(declared: Sequence[Desired], settings: Settings) -> Found:
    """Return what the flags choose, by address; they may name what only one side has."""
    selection = Selection(settings.orgs, settings.target, settings.exclude)
    try:
        chosen, _ = select(declared, selection)
    except UsageError:
        chosen = [one for one in declared if selection.takes(one.address)]
    return {one.address: one for one in chosen if not one.archive}


@dataclass(frozen=True, slots=True)
class _Comparison:
    """What a mirror declares, against what is declared now."""

    mirror: Mirror

    def plan(self, before: Found, now: Found) -> Plan:
        changes: list[Change] = []
        unchanged: dict[str, int] = {}
        for address, one in now.items():
            if (old := before.get(address)) is None:
                fields = tuple(FieldChange((key,), None, value) for key, value in one.spec.items())
                changes.append(_change(one, Action.CREATE, fields))
            elif fields := tuple(self._fields(old, one)):
                changes.append(_change(one, Action.UPDATE, fields))
            else:
                unchanged[address.kind] = unchanged.get(address.kind, 0) + 1
        gone = (one for address, one in before.items() if address not in now)
        changes += [Change(one.address, Action.ARCHIVE, one.title, notes=("no longer in git",)) for one in gone]
        return Plan(tuple(sorted(changes, key=lambda one: by_rank(one.address))), unchanged=unchanged)

    def _fields(self, old: Desired, new: Desired) -> Iterable[FieldChange]:
        """Yield the fields that are declared otherwise, those that are no longer declared among them."""
        yield from (one for one in diff(new.kind, new.spec, old.spec) if not self._is_same_secret(one))
        for key, value in old.spec.items():
            if key not in new.spec and not same(value, None):
                yield FieldChange((key,), value, None)

    def _is_same_secret(self, one: FieldChange) -> bool:
        match one.old, one.new:
            case SecretRef(source="file", name=old), SecretRef(source="file", name=new):
                return real(self.mirror.spelled(old)) == real(new)
            case SecretRef() as old, new:
                return bool(old == new)
            case _:
                return False


def _change(one: Desired, action: Action, fields: tuple[FieldChange, ...]) -> Change:
    where = f"{one.source.file.path}:{one.source.line}"
    return Change(one.address, action, one.title, fields, dict(one.spec), where=where)
