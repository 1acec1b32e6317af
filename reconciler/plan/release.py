"""RELEASE: the step that publishes what a resource is after its own step, and what to say where nothing does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import cache

from reconciler.errors import Fault
from reconciler.kinds import BY_NAME
from reconciler.kinds.kind import Kind, Shape
from reconciler.kinds.release import LATEST, Edition, Released, edition_name, next_number
from reconciler.kinds.traits import references, turned
from reconciler.plan.change import (
    Action,
    Change,
    FieldChange,
    Precondition,
    Side,
    covered,
    holds_unknown_secret,
    secrets_in,
)
from reconciler.plan.diff import diff, same
from reconciler.resource import Address, Desired, Observed

_PUBLISH, _DEFAULT = "publish", "default"
_BROUGHT = (Action.UPDATE, Action.RESTORE)
_LISTED = 10
_NONE = Released()
_ID = re.compile(r"^[a-z]+_[0-9a-f]{32}$")


def released(desired: Desired, main: Sequence[Change], seen: Observed | None, *, where: str) -> list[Change]:
    """Return the step that releases a resource once its `main` steps are done, none where all is as git wants it.

    `seen` is what was there before them. Fields are given as numbers, those that the platform will give foreseen.
    """
    release, asked = desired.kind.release, _asked(desired)
    if release is None or asked is None:
        return []
    known = (seen and seen.released) or _NONE
    newest, chosen = known.newest, known.default
    writes = any(step.action.writes for step in main)
    holds = {name: value for name, value in desired.spec.items() if name not in turned(desired.kind)}
    is_due = not takes_back(main, seen) if writes else not known.is_current
    fields: list[FieldChange] = []
    target = newest.number if newest else None
    if asked["publish"] == "on-change" and is_due:
        side = Side.PENDING if writes or newest is None else Side.DRIFTED
        target = next_number(newest.number if newest else None, asked.get("kind", "patch"))
        fields.append(FieldChange((release.field, _PUBLISH), newest.number if newest else None, target, side))
    is_chosen = not fields and newest is not None and newest.id == known.chosen
    if asked.get("default", True) and target is not None and not is_chosen:
        side = Side.PENDING if fields or chosen is None else Side.DRIFTED
        fields.append(FieldChange((release.field, _DEFAULT), chosen.number if chosen else None, target, side))
    if not fields:
        return []
    return [
        Change(
            desired.address,
            Action.RELEASE,
            desired.title,
            tuple(fields),
            {"change_kind": asked.get("kind", "patch")} if fields[0].path[-1] == _PUBLISH else {},
            id=seen.id if seen else None,
            holds=holds,
            pre=_precondition(seen, holds, writes=writes),
            notes=_first_notes(fields, asked, newest),
            where=where,
        )
    ]


def takes_back(main: Sequence[Change], seen: Observed | None) -> bool:
    """Say whether the steps bring a resource back to what its newest version holds, so that none comes of them.

    Where a secret is written, or live, nobody can tell.
    """
    if seen is None or not seen.newest or not main or any(step.action not in _BROUGHT for step in main):
        return False
    after = seen.spec
    for one in (one for step in main for one in step.fields):
        if one.sensitive:
            return False
        after = _with(after, one.path, one.new)
    if holds_unknown_secret([after, seen.newest]) or any(True for _ in secrets_in(after)):
        return False
    absent = {name for name in seen.newest if name not in after}
    return not diff(seen.kind, after, seen.newest) and all(same(None, seen.newest[name]) for name in absent)


def _with(shape: Shape, path: tuple[str, ...], value: object) -> Shape:
    """Return a shape with another value at a path through maps."""
    head, *rest = path
    if not rest:
        return shape | {head: value}
    below = shape.get(head)
    return shape | {head: _with(below if isinstance(below, dict) else {}, tuple(rest), value)}


def _asked(desired: Desired) -> Shape | None:
    """Return what git says of versions, None where it says nothing."""
    release = desired.kind.release
    asked = desired.spec.get(release.field) if release else None
    return asked if isinstance(asked, dict) else None


def asked_for(desired: Desired) -> bool:
    """Say whether git says when a resource is published."""
    return not desired.archive and _asked(desired) is not None


def _precondition(seen: Observed | None, holds: Shape, *, writes: bool) -> Precondition:
    """Hold a release to what git says of the resource, or to its being there where a step before `writes` that.

    Which version is the newest is looked at just before it.
    """
    if seen is None or seen.archived:  # a step of this plan makes it, or brings it back
        return Precondition()
    pre = Precondition(seen.id, covers=() if writes else tuple(sorted(holds)))
    return replace(pre, digest=covered(seen.kind, seen.shape, pre, updated_at=None))


def _first_notes(fields: Sequence[FieldChange], asked: Shape, newest: Edition | None) -> tuple[str, ...]:
    is_first = fields[0].path[-1] == _PUBLISH and newest is None
    if is_first and not asked.get("default", True):
        return ("the first version becomes the default by itself, whatever git says",)
    return ()


def publishes(change: Change) -> str | None:
    """Return the number that a release will publish, None for one that only chooses the default."""
    return _new(change, _PUBLISH)


def chooses(change: Change) -> str | None:
    """Return the number that a release makes the default, None for one that leaves the default alone."""
    return _new(change, _DEFAULT)


def published_before(change: Change) -> str | None:
    """Return the number of the newest version that a release was planned with."""
    first = change.fields[0]
    number = first.old if first.path[-1] == _PUBLISH else first.new
    return None if number is None else str(number)


def _new(change: Change, what: str) -> str | None:
    return next((str(one.new) for one in change.fields if one.path[-1] == what), None)


def edition_made(change: Change) -> Address | None:
    """Return what a release makes, as references name it."""
    release, number = change.kind.release, None
    if change.action is Action.RELEASE:
        number = publishes(change)
    if release is None or number is None:
        return None
    return Address(change.address.org, release.kind, edition_name(change.address.name, number))


def unreleased(desired: Desired, steps: Sequence[Change], seen: Observed | None) -> str | None:
    """Say where a default version keeps running an old text, None where none does or a step ends it."""
    release = desired.kind.release
    if release is None or seen is None or not seen.has_default or desired.archive:
        return None
    if any(step.action is Action.RELEASE and chooses(step) for step in steps):
        return None
    default = seen.released.default if seen.released else None
    number = f" {default.number}" if default else ""
    asked = _asked(desired)
    ways = f"{release.field}: {{publish: on-change}} would release it"
    if asked is not None:
        ways = "publish one and make it the default" if asked.get("default", True) else "make the newest the default"
    newest = seen.released.newest if seen.released else None
    if default is not None and default is newest and takes_back(steps, seen):
        return f"it becomes what version{number} holds again: no version comes of it"
    if any(step.action in _BROUGHT for step in steps):
        return f"sessions will not see this: the default version{number} runs what it was; {ways}"
    if default is not None and not default.is_current:
        return f"it was edited since its default version{number}, which still runs the old text; {ways}"
    return None


def warned(desired: Desired, steps: list[Change], seen: Observed | None) -> list[Change]:
    """Return the steps with the warning of `unreleased`, in a report of its own where there are none."""
    warning = unreleased(desired, steps, seen)
    if warning is None:
        return steps
    if not steps:
        there = seen.id if seen else None
        return [Change(desired.address, Action.REPORT, desired.title, id=there, notes=(warning,))]
    return [replace(steps[0], notes=(*steps[0].notes, warning)), *steps[1:]]


@cache
def pinned_fields(kind: Kind) -> tuple[str, ...]:
    """Return the top-level fields of a kind that refer to a version of something."""
    return tuple(str(path[0]) for path, ref in references(kind) if len(path) == 1 and BY_NAME[ref.kind].listed_below)


@cache
def owner_field(kind: Kind, field: str) -> str:
    """Return the field that names whose versions another field refers to."""
    below = next(BY_NAME[ref.kind].listed_below for path, ref in references(kind) if path == (field,))
    return next(str(path[0]) for path, ref in references(kind) if len(path) == 1 and ref.kind == below)


def as_remembered(kind: Kind, path: tuple[str | int, ...], value: object) -> object:
    """Return what the ledger remembers of a field: of a version the number alone, as its owner may be renamed."""
    is_version = isinstance(value, str) and len(path) == 1 and path[0] in pinned_fields(kind)
    return str(value).rpartition("@")[2] if is_version else value


def said_of_versions(observed: Observed) -> Shape:
    """Return a live spec with what a manifest would say of its versions, so that there is nothing to do for it.

    A reference to a version stands beside that to its owner, and is the number alone.
    """
    kind, known = observed.kind, observed.released
    spec = dict(observed.spec)
    for name in pinned_fields(kind):
        if isinstance(spec.get(name), str):
            spec[name] = spec[name].rpartition("@")[2]
    if kind.release and known and known.newest:
        publish = "on-change" if known.is_current else "manual"
        spec[kind.release.field] = {_PUBLISH: publish, _DEFAULT: known.newest.id == known.chosen}
    return spec


def seen_beside(desired: Desired, observed: Observed, changes: Iterable[Change]) -> Observed:
    """Return what is live with what it says of versions in the words of git: the same where there is nothing to do."""
    release = desired.kind.release
    if release is None or not asked_for(desired):
        return observed
    is_due = any(change.action is Action.RELEASE for change in changes)
    live = said_of_versions(observed).get(release.field) if is_due else desired.spec[release.field]
    return replace(observed, spec=observed.spec | {release.field: live})


def pins(one: Desired) -> bool:
    """Say whether a resource refers to a version by number, or to the newest."""
    return not one.archive and any(_is_number(one.spec.get(name)) for name in pinned_fields(one.kind))


def _is_number(text: object) -> bool:
    return isinstance(text, str) and "@" not in text and not _ID.match(text)


def pinned(
    one: Desired, seen: Observed | None, editions: Mapping[Address, Released], made: Iterable[Address]
) -> Desired | Fault:
    """Return a resource with the versions that it refers to under their names, or a fault that lists the candidates.

    `editions` tells of the owners that are live, `made` are the versions that this plan publishes.
    """
    spec = one.spec
    for field in pinned_fields(one.kind):
        text = spec.get(field)
        if not _is_number(text):
            continue
        by = owner_field(one.kind, field)
        name = spec.get(by) or (seen.spec.get(by) if seen else None)
        kind = next(ref.kind for path, ref in references(one.kind) if path == (field,))
        below = BY_NAME[kind].listed_below or ""
        if not isinstance(name, str):
            hint = f"declare {by}"
            return Fault(f"{field} needs {by}", one.source, (*one.path, field), hint=hint, on_value=True)
        owner = Address(one.address.org, below, name)
        new = [a.name.rpartition("@")[2] for a in made if a.org == owner.org and a.name.startswith(f"{name}@")]
        numbers = [*new, *(edition.number for edition in editions.get(owner, _NONE).editions)]
        if text == LATEST and numbers:
            spec = spec | {field: edition_name(name, numbers[0])}
        elif text in numbers:
            spec = spec | {field: edition_name(name, str(text))}
        else:
            what = "no published version" if text == LATEST else f"no published version {text}"
            message = f"{BY_NAME[below].noun} {name} has {what}"
            return Fault(
                message, one.source, (*one.path, field), hint=_candidates(str(text), numbers, name), on_value=True
            )
    return one if spec is one.spec else replace(one, spec=spec)


def _candidates(text: str, numbers: Sequence[str], name: str) -> str:
    if not numbers:
        return f"publish one first: version: {{publish: on-change}} in the manifest of {name} does that"
    close = get_close_matches(text, numbers, n=1, cutoff=0.8)
    more = f" and {len(numbers) - _LISTED} more" if len(numbers) > _LISTED else ""
    listed = f"there are {', '.join(numbers[:_LISTED])}{more}; {LATEST} is the newest"
    return f"did you mean {close[0]}? {listed}" if close else listed
