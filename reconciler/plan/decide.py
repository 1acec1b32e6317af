"""What to do about one address: from Desired and what was found there to its Changes, or why it cannot be done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.errors import Fault
from reconciler.kinds.fields import Clear, Flags
from reconciler.kinds.kind import (
    Identity,
    Kind,
    Shape,
    Twin,
    apart,
    clears,
    immutable,
    in_order,
    kept_by_replace,
    switches,
    turned,
    waits,
)
from reconciler.plan.change import (
    Action,
    Change,
    FieldChange,
    Precondition,
    covered,
    holds_unknown_secret,
    secrets_in,
)
from reconciler.plan.diff import diff, merged, retagged, same, without, without_set
from reconciler.plan.release import released
from reconciler.plan.replacement import replaced
from reconciler.plan.sent_back import unfit
from reconciler.resource import Address, Desired, Observed


@dataclass(frozen=True, slots=True)
class Found:
    """What answers to a Desired: the live resource, or an archived twin that may hold its name.

    `siblings` are the ids of the parent's live children, and of everything of a kind that each user has one of.
    """

    observed: Observed | None = None
    twin: Observed | None = None
    siblings: Sequence[str] = ()
    has_children: bool = False


def decide(
    desired: Desired, found: Found, *, has_desired_children: bool = False, dropped: Sequence[FieldChange] = ()
) -> list[Change] | Fault:
    """Return the changes that bring an address to what git wants; none when it is in sync.

    `dropped` are fields below one that is written as a whole, to be left out of it.
    """
    kind, observed = desired.kind, found.observed
    if desired.archive:
        return [] if observed is None else [archival(desired.address, desired.title, observed, where=where_of(desired))]
    spec, aside = _split(kind, desired.spec)
    if observed is None:
        main: list[Change] | Fault = _appear(desired, spec, found)
    else:
        main = _update(desired, spec, observed, dropped)
    if isinstance(main, Fault):
        return main
    steps = _switch(desired, aside, observed)
    if any(step.action is Action.PUBLISH for step in steps) and not (has_desired_children or found.has_children):
        children = kind.children[0] if kind.children else "children"
        message = f"it has no {children}, and cannot be published without one"
        return Fault(
            message,
            desired.source,
            (*desired.path, "published"),
            hint="declare a channel, or published: false",
        )
    revived = found.twin if main and main[0].action is Action.RESTORE else None
    return main + steps + released(desired, main, observed or revived, where=where_of(desired))


def _split(kind: Kind, spec: Shape) -> tuple[Shape, Shape]:
    """Part the fields that are written from those that are turned by calls of their own."""
    aside = {key: spec[key] for key in turned(kind) if key in spec}
    return ({key: value for key, value in spec.items() if key not in aside} if aside else spec), aside


def where_of(desired: Desired) -> str:
    """Say where a resource stands in the manifests."""
    return f"{desired.source.file.path}:{desired.source.line}"


def _titled(desired: Desired, spec: Shape) -> Shape:
    """Add the name that the API wants on a create, which the address or the title gives."""
    if desired.kind.parent:
        return spec
    return {"name": desired.title} | spec


def _appear(desired: Desired, spec: Shape, found: Found) -> list[Change] | Fault:
    """Nothing live answers: restore an archived twin, free its name, or create."""
    kind, twin = desired.kind, found.twin
    if twin is not None and kind.can_restore:
        return restored(desired, twin, spec)
    if twin is not None and kind.twin is Twin.BLOCK:
        message = f'an archived {kind.noun} holds the name "{desired.title}" and the API cannot bring it back'
        path = ("metadata", "name") if desired.path == ("spec",) else desired.path
        return Fault(message, desired.source, path, hint=ways_around(kind, twin.id), on_value=True)
    body = {
        key: value
        for key, value in _titled(desired, in_order(kind, kind.completed(spec, {}))).items()
        if value is not None
    }
    frees = twin.id if twin is not None and kind.twin is Twin.RENAME else None
    pre = Precondition(beside=tuple(sorted(found.siblings)))
    notes = kind.notes(spec)
    if frees:
        notes = (*notes, f"an archived {kind.noun} holds the name: it is renamed out of the way first")
    fields = tuple(FieldChange((key,), None, value) for key, value in body.items())
    return [
        Change(
            desired.address,
            Action.CREATE,
            desired.title,
            fields,
            body,
            frees=frees,
            pre=pre,
            notes=(*notes, *_waiting_note(desired, body)),
            where=where_of(desired),
            patience=_patience(desired, body),
        )
    ]


def ways_around(kind: Kind, id_: str) -> str:
    """Say what to do where something archived holds a name for good."""
    if kind.wire.tombstone is None:
        return "choose another name"
    call = f"POST {kind.wire.collection}/{id_}/{kind.wire.tombstone}"
    return f"choose another name, or have an owner end the archived one for good, which frees it: {call}"


def _update(
    desired: Desired, spec: Shape, observed: Observed, dropped: Sequence[FieldChange] = ()
) -> list[Change] | Fault:
    """Something live answers: write what differs, by PATCH unless a field can only be cleared by PUT.

    A resource without a name of its own gets its secrets again with whatever holds them: they may be another's.
    """
    kind = desired.kind
    fields = diff(kind, spec, observed.spec)
    spec = _renamed(desired, spec, observed, fields)
    fields += dropped
    if not fields:
        return []
    if not immutable(kind).isdisjoint(change.path[0] for change in fields):
        return _made_anew(desired, spec, observed, fields)
    if unknown := next(_unknown(desired, observed), None):
        return unknown
    why_not = kind.impossible(spec, observed.spec)
    if why_not:
        return Fault(why_not, desired.source, (*desired.path, fields[0].path[0]), on_value=True)
    cleared = {change.path[0] for change in fields if len(change.path) == 1 and change.new is None}
    if any(clears(kind).get(name) is Clear.REPLACE for name in cleared):
        return _replace(desired, spec, observed, fields, Action.UPDATE)
    wanted = kind.completed(spec, observed.spec)
    live = {} if retagged(spec, observed.spec) else observed.spec
    for one in dropped:
        live = without(live, one.path)
    if unsendable := next(unfit(kind, {change.path[0] for change in fields}, wanted, live), None):
        return _unfit(desired, *unsendable)
    if kind.identity is Identity.POSITION:
        live = without_set(live)
    body = {
        name: _cleared(kind, name, observed.spec)
        if name in cleared
        else _members(name, fields)
        if name in apart(kind)
        else merged(kind, name, wanted[name], live.get(name))
        for name in dict.fromkeys(change.path[0] for change in fields)
    }
    if not kind.together.isdisjoint(body):
        body |= {name: wanted.get(name, live.get(name)) for name in sorted(kind.together - body.keys())}
    if retagged(spec, observed.spec):  # settings of the old type, secrets among them, mean nothing to the new one
        stale = (name for name, value in observed.spec.items() if isinstance(value, dict) and value)
        body = {name: {} for name in stale if name not in spec} | body
    return [_written(desired, observed, Action.UPDATE, fields, body, covers=tuple(sorted({*spec, *body})))]


def _made_anew(desired: Desired, spec: Shape, observed: Observed, fields: list[FieldChange]) -> list[Change] | Fault:
    """Take the resource away and create another: a field differs that is said once and never again."""
    made = _appear(desired, {name: value for name, value in spec.items() if name != desired.kind.named_by}, Found())
    gone = archival(desired.address, desired.title, observed, where=where_of(desired))
    return made if isinstance(made, Fault) else [replaced(gone, fields), *made]


def _renamed(desired: Desired, spec: Shape, observed: Observed, fields: list[FieldChange]) -> Shape:
    """Return the spec with the name that the address gives, if another is live; the change goes into `fields`."""
    name = desired.kind.named_by
    if name is None or name in spec or desired.title == observed.spec.get(name):
        return spec
    fields.append(FieldChange((name,), observed.spec.get(name), desired.title))
    return spec | {name: desired.title}


def _unknown(desired: Desired, observed: Observed) -> Iterator[Fault]:
    """Yield what git sets of a map that has a member for everything it knows, and does not have this one."""
    for name, field in apart(desired.kind).items():
        known = observed.spec.get(name)
        if not isinstance(field.form, Flags) or known is None:
            continue
        for member in sorted(desired.spec.get(name, {}).keys() - known.keys()):
            message = f'the platform knows no "{member}" here'
            yield Fault(
                message, desired.source, (*desired.path, name, member), hint=f"it knows {', '.join(sorted(known))}"
            )


def _members(name: str, fields: Sequence[FieldChange]) -> Shape:
    """Return what is to be written of a field that stands apart: the members that differ, None for what is to go."""
    return {change.path[1]: change.new for change in fields if change.path[0] == name and len(change.path) > 1}


def _cleared(kind: Kind, name: str, observed: Shape) -> object:
    """Return what clears a field by PATCH: null, or the empty value of its type."""
    if clears(kind).get(name) is Clear.NULL:
        return None
    live = observed.get(name)
    return {} if isinstance(live, dict) else [] if isinstance(live, list) else ""


def restored(desired: Desired, twin: Observed, spec: Shape) -> list[Change] | Fault:
    """Bring an archived twin back with what git says of it; what git does not say is as it was."""
    if desired.kind.twin is Twin.REACTIVATE:
        return _reactivated(desired, twin, spec)
    fields = diff(desired.kind, spec, twin.spec)
    spec = _renamed(desired, spec, twin, fields)
    return _replace(desired, spec, twin, fields, Action.RESTORE)


def _reactivated(desired: Desired, twin: Observed, spec: Shape) -> list[Change] | Fault:
    """Bring an archived twin back by a PATCH, which says what differs as well."""
    steps = _update(desired, spec, twin)
    if isinstance(steps, Fault):
        return steps
    fields = [field for step in steps for field in step.fields]
    body = {name: value for step in steps for name, value in step.body.items()}
    body |= desired.kind.wire.revival
    return [_written(desired, twin, Action.RESTORE, fields, body, covers=None)]


def _replace(
    desired: Desired, spec: Shape, observed: Observed, fields: list[FieldChange], action: Action
) -> list[Change] | Fault:
    """Write the whole resource by PUT; what is live and undeclared is written back as it is.

    everruns-api/agents-memories-sessions.md, 2.3: an omitted member is cleared, except those kept by replace.
    """
    kind = desired.kind
    wanted = kind.completed(spec, observed.spec)
    full = observed.spec | {name: merged(kind, name, value, observed.spec.get(name)) for name, value in wanted.items()}
    body = {name: value for name, value in full.items() if value is not None and name not in switches(kind)}
    lost = sorted(name for name, value in body.items() if holds_unknown_secret(value))
    if lost:
        listed = ", ".join(lost)
        message = f"this must replace the whole {kind.noun}, and {listed} holds secrets not declared here"
        return Fault(
            message,
            desired.source,
            desired.path,
            hint=f"declare {listed}, so that they can be sent again",
        )
    if unsendable := next(unfit(kind, body, wanted, observed.spec), None):
        return _unfit(desired, *unsendable)
    kept = [str(path[0]) for path in kept_by_replace(kind) if path[0] in spec and not spec[str(path[0])]]
    then: Shape = {name: [] for name in kept if not same([], observed.spec.get(name))}
    return [_written(desired, observed, action, fields, body, then=then, replace=True, covers=None)]


def _unfit(desired: Desired, place: str, why: str) -> Fault:
    """Refuse to send back what is live and not known as it really is."""
    message = f"this must send back what is live and not declared, and {place} {why}"
    hint = f"declare {place} if manifests have a field for it; otherwise make this change on the platform"
    return Fault(message, desired.source, desired.path, hint=hint)


def _written(  # noqa: PLR0913 - each is one member of the change
    desired: Desired,
    observed: Observed,
    action: Action,
    fields: list[FieldChange],
    body: Shape,
    *,
    covers: tuple[str, ...] | None,
    then: Shape | None = None,
    replace: bool = False,
) -> Change:
    """Make the change of a resource that exists, with the precondition that it is still as it was seen."""
    blind = any(True for _ in secrets_in(body))
    pre = Precondition(id=observed.id, covers=covers, with_time=blind)
    digest = covered(desired.kind, observed.shape, pre, updated_at=observed.updated_at, fields=fields)
    pre = Precondition(observed.id, digest, covers, blind)
    return Change(
        desired.address,
        action,
        desired.title,
        tuple(fields),
        body,
        then=then or {},
        replace=replace,
        id=observed.id,
        pre=pre,
        notes=(*_waiting_note(desired, body),),
        where=where_of(desired),
        patience=_patience(desired, body),
    )


def awaiting(seconds: int) -> str:
    """Say that an apply waits for content from elsewhere."""
    return f"the apply waits up to {seconds} s for its sync, and fails with it"


def _patience(desired: Desired, body: Shape) -> int | None:
    """Return for how many seconds an apply waits, None where the body makes the platform fetch nothing."""
    return desired.patience if any(one.field in body for one in waits(desired.kind).values()) else None


def _waiting_note(desired: Desired, body: Shape) -> Iterator[str]:
    if seconds := _patience(desired, body):
        yield awaiting(seconds)


def archival(address: Address, title: str, observed: Observed, *, where: str = "") -> Change:
    """Return the change that takes a live resource away, as it is now."""
    kind = observed.kind
    notes: tuple[str, ...] = ()
    if kind.archive_is_final:
        notes = ("deleted for good: the API cannot archive it",)
    elif kind.twin is Twin.BLOCK:
        notes = ("the platform cannot bring it back, and it keeps its name: declared again, it needs another",)
    elif not kind.can_restore:
        notes = ("the platform cannot bring it back: declared again, it is made anew",)
    pre = Precondition(observed.id, covered(kind, observed.shape, Precondition(), updated_at=None))
    return Change(address, Action.ARCHIVE, title, id=observed.id, pre=pre, notes=notes, where=where)


def _switch(desired: Desired, aside: Shape, observed: Observed | None) -> list[Change]:
    """Turn what is turned by a call of its own; a new resource starts with every switch off."""
    steps = []
    for name in switches(desired.kind).keys() & aside.keys():
        want = aside[name]
        have = bool(observed.spec.get(name)) if observed else False
        if want == have:
            continue
        action = Action.PUBLISH if want else Action.UNPUBLISH
        pre = Precondition()
        if observed:
            pre = Precondition(observed.id, covers=(name,))
            pre = Precondition(observed.id, covered(desired.kind, observed.shape, pre, updated_at=None), (name,))
        steps.append(
            Change(
                desired.address,
                action,
                desired.title,
                (FieldChange((name,), have, want),),
                id=observed.id if observed else None,
                pre=pre,
                where=where_of(desired),
            )
        )
    return steps
