"""How something live is brought to what git says: a PATCH, a PUT of the whole, or another one in its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.errors import Fault
from reconciler.kinds.kind import Identity, Kind, Shape, Twin
from reconciler.kinds.markers import Clear, Flags
from reconciler.kinds.traits import apart, clears, immutable, kept_by_replace, switches
from reconciler.plan.appear import archival, created, patience, waiting_note, where_of
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
from reconciler.plan.found import Found
from reconciler.plan.replacement import lost_note, replaced
from reconciler.plan.sent_back import unfit
from reconciler.resource import Desired, Observed


def update(
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
    if unknown := next(unknown_members(desired, observed.spec), None):
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


def _made_anew(desired: Desired, spec: Shape, observed: Observed, fields: list[FieldChange]) -> list[Change]:
    """Take the resource away and create another: a field differs that is said once and never again."""
    made = created(desired, {name: value for name, value in spec.items() if name != desired.kind.named_by}, Found())
    gone = archival(desired.address, desired.title, observed, where=where_of(desired))
    return [replaced(gone, fields), made]


def _renamed(desired: Desired, spec: Shape, observed: Observed, fields: list[FieldChange]) -> Shape:
    """Return the spec with the name that the address gives, if another is live; the change goes into `fields`."""
    name = desired.kind.named_by
    if name is None or name in spec or desired.title == observed.spec.get(name):
        return spec
    fields.append(FieldChange((name,), observed.spec.get(name), desired.title))
    return spec | {name: desired.title}


def unknown_members(desired: Desired, live: Shape) -> Iterator[Fault]:
    """Yield what git sets of a map that has a member for everything it knows, and does not have this one."""
    for name, field in apart(desired.kind).items():
        known = live.get(name)
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
    steps = update(desired, spec, twin)
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
        forcing = [one.name for one in fields if one.new is None and clears(kind).get(one.name) is Clear.REPLACE]
        what = f"clearing {', '.join(forcing)}" if forcing and action is Action.UPDATE else "this"
        message = f"{what} must replace the whole {kind.noun}, and {listed} holds secrets not declared here"
        emptied = ", ".join(f"{name}: {{}}" for name in lost)
        return Fault(
            message,
            desired.source,
            desired.path,
            hint=f"declare {listed}, so that they can be sent again, or give them up: {emptied}",
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
        notes=(*lost_note(desired, observed), *waiting_note(desired, body)),
        where=where_of(desired),
        patience=patience(desired, body),
    )
