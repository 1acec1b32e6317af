"""Whose is it: the rules of ownership around `decide`. What is not ours is adopted as git says, or left alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.errors import Fault
from reconciler.kinds.kind import Shape, Twin
from reconciler.kinds.traits import apart, turned
from reconciler.plan.appear import awaiting, where_of
from reconciler.plan.change import Action, Change, FieldChange, Precondition, Record, covered
from reconciler.plan.decide import decide
from reconciler.plan.derived import told_sides
from reconciler.plan.diff import is_unwritten, without
from reconciler.plan.found import Found
from reconciler.plan.gone import Gone, gone_fields, released_note
from reconciler.plan.leaves import Path, declared_secrets, leaves, pointers, value_at
from reconciler.plan.owned import Entry, field_digest, pointer, shortened
from reconciler.plan.owned import steps as path_of
from reconciler.plan.release import as_remembered
from reconciler.plan.rules import NOTHING, Known
from reconciler.plan.sides import sided
from reconciler.resource import Address, Adopt, Desired, Observed


def claim(
    desired: Desired,
    found: Found,
    known: Known = NOTHING,
    *,
    adopt: Adopt = "exact",
    has_desired_children: bool = False,
) -> list[Change] | Fault:
    """Return the changes of an address, none when it is in sync and ours; `adopt` is the rule where git says none."""
    observed, entry = found.observed, known.entry
    rule = desired.adopt or adopt
    if found.twin is not None and not _concerns(desired, found.twin, known):
        found = replace(found, twin=None)
    is_ours = observed is None or (entry is not None and entry.id == observed.id)
    if desired.archive:
        return _archived(desired, found, known, may=is_ours or desired.adopt == "overwrite")
    if observed is None and found.twin is not None and rule == "never" and not (entry and entry.id == found.twin.id):
        return _never(desired, found.twin)
    gone = None
    is_known = False
    if entry is not None and observed is not None and is_ours:
        own = managed(desired)
        is_known = own == entry.fields.keys()  # true of nearly every resource: nothing left git, and nothing is new
        gone = None if is_known else gone_fields(desired, entry, observed.spec, own=own)
    wanted = replace(desired, spec=desired.spec | gone.cleared) if gone and gone.cleared else desired
    seen = _blinded(found, known.rotate) if known.rotate and observed else found
    steps = decide(wanted, seen, has_desired_children=has_desired_children, dropped=gone.dropped if gone else ())
    if isinstance(steps, Fault):
        return steps
    revives = observed is None and any(step.action is Action.RESTORE for step in steps)
    if revives and found.twin is not None and rule == "exact" and not _was_ours(found.twin, known):
        return [_unrevived(steps[0], found.twin)]
    if observed is not None and not is_ours and not (known.is_begun and _is_left_half_done(desired, observed, steps)):
        return _foreign(desired, observed, steps, rule)
    steps = [replace(step, adopt=rule) if step.action is Action.CREATE else step for step in steps]
    if not steps:
        as_told = desired.protect in (None, entry.protect) if entry else False
        if is_known and as_told and known.moved_from is None and not known.is_begun:
            return steps
        return _bookkeeping(desired, observed, known, gone) if observed else steps
    if known.rotate and observed:
        shown = observed.spec
        steps = [replace(step, fields=tuple(_seen(one, known.rotate, shown) for one in step.fields)) for step in steps]
    return _told(desired, steps, known, gone)


def _concerns(desired: Desired, twin: Observed, known: Known) -> bool:
    """Say whether an archived resource has to do with a creation: it was ours, git names it, or it holds the name."""
    return desired.kind.twin is not Twin.REACTIVATE or desired.pinned == twin.id or _was_ours(twin, known)


def _was_ours(twin: Observed, known: Known) -> bool:
    """Say whether an archived resource was ours: by its entry, or as one that a run of ours archived."""
    return twin.id in known.archived or (known.entry is not None and known.entry.id == twin.id)


def _unrevived(step: Change, twin: Observed) -> Change:
    """Make a conflict of bringing back what somebody else archived; without a record, so that nobody takes it over."""
    notes = (
        f"{twin.id} holds the name, is archived, and was not ours: it is not brought back",
        "to make it yours: adopt: overwrite in its metadata; or choose another name",
    )
    return Change(step.address, Action.CONFLICT, step.title, step.fields, id=twin.id, notes=notes, where=step.where)


def _is_left_half_done(desired: Desired, observed: Observed, steps: Sequence[Change]) -> bool:
    """Say whether these steps would only complete a creation: what else differs, somebody else made or changed.

    What was not written yet is absent, or what absence means on the platform.
    """
    kind = desired.kind
    later: set[str] = {*turned(kind), *apart(kind)}
    if not kind.parent:
        later |= kind.wire.create({"name": desired.title} | desired.spec, "").follow_up.keys()
    if any(step.replaces for step in steps):
        return False
    return all(one.path[0] in later or is_unwritten(kind, observed.spec, one) for step in steps for one in step.fields)


def managed(desired: Desired) -> set[str]:
    """Return the paths of all fields that are managed: those declared, and the name, which git always says."""
    own = pointers(desired.kind, desired.spec)
    if desired.kind.name_field:
        own.add(f"/{desired.kind.name_field}")
    return own


def _archived(desired: Desired, found: Found, known: Known, *, may: bool) -> list[Change] | Fault:
    """Take away what git names as to be archived, if it is ours or git says to take it over."""
    if not may:
        message = f"this {desired.kind.noun} is not ours, and what is not ours is not archived"
        hint = "write adopt: overwrite in its metadata if it is meant"
        return Fault(message, desired.source, ("metadata", "archive"), hint=hint)
    steps = decide(desired, found)
    if isinstance(steps, Fault):
        return steps
    if known.entry and known.entry.protect:
        message = "it is protected: the ledger remembers protect: true"
        hint = "apply a commit with protect: false first"
        return Fault(message, desired.source, ("metadata", "archive"), hint=hint)
    if steps or known.entry is None:
        return steps
    return [forgotten(desired.address, desired.title, "it is gone already", where=where_of(desired))]


def _never(desired: Desired, there: Observed) -> Fault:
    message = f"{there.id} is there already and is not ours, and adopt: never forbids to take it over"
    return Fault(message, desired.source, ("metadata", "adopt"), hint="give yours another name, or adopt: exact")


def _foreign(desired: Desired, observed: Observed, steps: list[Change], rule: Adopt) -> list[Change] | Fault:
    """Adopt what somebody else made: where it agrees, or where git says to overwrite it."""
    match rule:
        case "never":
            return _never(desired, observed)
        case "overwrite" if steps:
            note = f"taken over: {observed.id} is there and was not ours"
            steps[0] = replace(steps[0], notes=(*steps[0].notes, note))
            return _told(desired, steps, NOTHING, None)
        case _ if not steps:
            return [_beside(desired, observed, Action.ADOPT, ())]
    notes = (
        f"{observed.id} is there, is not ours, and differs: nothing is written to it",
        "to make it yours: adopt: overwrite in its metadata; or make git agree; or choose another name",
    )
    fields = steps[0].fields if steps[0].replaces else tuple(one for step in steps for one in step.fields)
    conflict = _beside(desired, observed, Action.CONFLICT, notes)
    return [replace(conflict, fields=fields, record=Record(protect=bool(desired.protect)))]


def _beside(desired: Desired, observed: Observed, action: Action, notes: tuple[str, ...]) -> Change:
    """Make a step that sends nothing: it holds as long as what it says of the platform does."""
    pre = Precondition(observed.id, covers=tuple(sorted(desired.spec)))
    digest = covered(desired.kind, observed.shape, pre, updated_at=None)
    return Change(
        desired.address,
        action,
        desired.title,
        id=observed.id,
        pre=replace(pre, digest=digest),
        notes=notes,
        where=where_of(desired),
        record=record_of(desired, NOTHING, ()),
    )


def _bookkeeping(desired: Desired, observed: Observed, known: Known, gone: Gone | None) -> list[Change]:
    """Let the ledger learn what is new of a resource that is in sync; nearly always that is nothing."""
    entry = known.entry
    if entry is None:  # begun and never confirmed
        why = ("begun by a run that did not end: it is ours", *_lost_key(desired))
        return [_awaited(_beside(desired, observed, Action.ADOPT, why), desired)]
    notes = list(released_note(gone)) if gone else []
    if known.is_begun:
        notes.append("a run that did not end may have written it: it agrees")
    if known.moved_from:
        notes.extend(_moved(desired, known))
    if desired.protect is not None and desired.protect is not entry.protect:
        notes.append("protected from now on" if desired.protect else "no longer protected")
    secrets = {pointer(path) for path, _ in declared_secrets(desired.kind, desired.spec)}
    new = sorted(managed(desired) - entry.fields.keys() - secrets)
    if new:
        notes.append(f"agrees, and is managed from now on: {_dotted(new)}")
    if not notes:
        return []
    step = _beside(desired, observed, Action.RECORD, tuple(notes))
    step = replace(step, record=record_of(desired, known, ()), since=since(entry))
    return [_awaited(step, desired) if known.is_begun else step]


def _awaited(step: Change, desired: Desired) -> Change:
    """Let an apply wait for what a run that did not end may have made the platform fetch."""
    if desired.patience is None:
        return step
    return replace(step, patience=desired.patience, notes=(*step.notes, awaiting(desired.patience)))


def _lost_key(desired: Desired) -> tuple[str, ...]:
    """Say that the key of what a run that did not end has made was shown to nobody, where no other one is made."""
    if desired.key_to is not None:
        return ()
    body = desired.spec if desired.kind.parent else {"name": desired.title} | desired.spec
    renewed_by = desired.kind.wire.create(body, "").renewed_by
    return (f"the key that it was created with is lost; a new one: POST ...{renewed_by}",) if renewed_by else ()


def _dotted(paths: Sequence[str]) -> str:
    most = 5
    more = f" and {len(paths) - most} more" if len(paths) > most else ""
    return ", ".join(".".join(path_of(one)) for one in paths[:most]) + more


def _told(desired: Desired, steps: list[Change], known: Known, gone: Gone | None) -> list[Change]:
    """Add to the steps which side moved, what the ledger learns, and what is released."""
    entry = known.entry
    told = [
        replace(step, fields=sided(desired.kind, entry, step.fields) if entry else step.fields)
        for step in steps
        if step.replaces
    ]
    steps = steps[len(told) :]
    later = {str(one.path[0]) for step in steps[1:] for one in step.fields}
    for number, step in enumerate(steps):
        fields, notes = step.fields, step.notes
        if entry and step.action is Action.RELEASE:
            fields = told_sides(step, entry)
        elif entry and step.action is not Action.CREATE and not known.is_begun:  # else nobody knows what was written
            fields = sided(desired.kind, entry, fields)
        if not number:
            notes = (*notes, *(released_note(gone) if gone else ()), *_moved(desired, known))
        own = {str(one.path[0]) for one in step.fields}
        record = record_of(desired, known, later) if not number else _adding(desired, own)
        told.append(replace(step, fields=fields, notes=notes, record=record, since=since(entry) if entry else None))
    return told


def _moved(desired: Desired, known: Known) -> tuple[str, ...]:
    old = known.moved_from
    if old is None:
        return ()
    return (f"moved from {old.local if old.org == desired.address.org else old}",)


def _seen(one: FieldChange, rotate: Sequence[Path], live: Shape) -> FieldChange:
    """Show a field with a secret that is sent again as it is live: nobody there took the secret away."""
    has_one = any(path[: len(one.path)] == one.path for path in rotate)
    return replace(one, old=value_at(live, one.path)) if has_one else one


def record_of(desired: Desired, known: Known, later: Sequence[str] | set[str] = ()) -> Record:
    """Return what the ledger learns from the first step of an address; `later` fields are learnt from others."""
    protect = desired.protect if desired.protect is not None else bool(known.entry and known.entry.protect)
    return Record(
        fields=_digests(desired, later),
        secrets={pointer(path): ref for path, ref in declared_secrets(desired.kind, desired.spec)},
        protect=protect,
        moved_from=known.moved_from,
    )


def _adding(desired: Desired, names: set[str]) -> Record:
    """Return what the ledger learns from a step that turns a switch."""
    return Record(fields={key: told for key, told in _digests(desired, ()).items() if key[1:] in names}, adds=True)


def _digests(desired: Desired, later: Sequence[str] | set[str]) -> dict[str, str]:
    aside = turned(desired.kind)
    secrets = {path for path, _ in declared_secrets(desired.kind, desired.spec)}
    spec = desired.kind.completed(desired.spec, {})  # as it is written: what the server adds is not another's doing
    spec = spec | ({desired.kind.name_field: desired.title} if desired.kind.name_field else {})
    return {
        pointer(path): field_digest(as_remembered(desired.kind, path, value))
        for path, value in leaves(desired.kind, spec)
        if path not in secrets and not (path[0] in aside and path[0] in later)
    }


def _blinded(found: Found, rotate: Sequence[Path]) -> Found:
    """Hide the secrets that are to be sent again, so that they differ."""
    assert found.observed
    spec: Shape = found.observed.spec
    for path in rotate:
        spec = without(spec, path) if value_at(spec, path[:1]) is not None else spec
    return replace(found, observed=replace(found.observed, spec=spec))


def since(entry: Entry) -> str:
    """Say when an address was last written: `2026-11-02, a1b2c3d`."""
    commit = f", {shortened(entry.commit, 7)}" if entry.commit else ""
    return f"{entry.applied_at[:10]}{commit}"


def forgotten(address: Address, title: str, why: str, *, where: str = "", id_: str | None = None) -> Change:
    """Make the step that lets the ledger forget an address."""
    return Change(address, Action.FORGET, title, id=id_, notes=(why,), where=where, pre=Precondition())
