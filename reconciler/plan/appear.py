"""What comes into being and what goes: creations and archivals."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.kind import Kind, Shape, Twin
from reconciler.kinds.traits import in_order, waits
from reconciler.plan.change import (
    Action,
    Change,
    FieldChange,
    Precondition,
    covered,
)
from reconciler.plan.found import Found
from reconciler.resource import Address, Desired, Observed


def where_of(desired: Desired) -> str:
    """Say where a resource stands in the manifests."""
    return f"{desired.source.file.path}:{desired.source.line}"


def _titled(desired: Desired, spec: Shape) -> Shape:
    """Add the name that the API wants on a create, which the address or the title gives."""
    if desired.kind.parent:
        return spec
    return {"name": desired.title} | spec


def created(desired: Desired, spec: Shape, found: Found) -> Change:
    """Return the change that makes a resource; what is archived under its name is renamed where the kind says so."""
    kind, twin = desired.kind, found.twin
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
    return Change(
        desired.address,
        Action.CREATE,
        desired.title,
        fields,
        body,
        frees=frees,
        pre=pre,
        notes=(*notes, *waiting_note(desired, body)),
        where=where_of(desired),
        patience=patience(desired, body),
    )


def ways_around(kind: Kind, id_: str) -> str:
    """Say what to do where something archived holds a name for good."""
    if kind.wire.tombstone is None:
        return "choose another name"
    call = f"POST {kind.wire.collection}/{id_}/{kind.wire.tombstone}"
    return f"choose another name, or have an owner end the archived one for good, which frees it: {call}"


def patience(desired: Desired, body: Shape) -> int | None:
    """Return for how many seconds an apply waits, None where the body makes the platform fetch nothing."""
    return desired.patience if any(one.field in body for one in waits(desired.kind).values()) else None


def awaiting(seconds: int) -> str:
    """Say that an apply waits for content from elsewhere."""
    return f"the apply waits up to {seconds} s for its sync, and fails with it"


def waiting_note(desired: Desired, body: Shape) -> Iterator[str]:
    """Yield that the apply waits, where it does."""
    if seconds := patience(desired, body):
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
