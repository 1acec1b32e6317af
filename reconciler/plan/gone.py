"""Fields that the ledger knows and git no longer has: reset where the API can clear them, else released.

A field whose live value is not what was last written belongs to whoever wrote it since: it is released, never reset.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from reconciler.kinds.kind import Shape
from reconciler.kinds.traits import apart, clears, immutable
from reconciler.plan.change import FieldChange, Side
from reconciler.plan.diff import Keys, retagged, same, wholes_of
from reconciler.plan.leaves import Path, value_at
from reconciler.plan.owned import Entry, steps
from reconciler.plan.sides import was_written
from reconciler.resource import Desired


@dataclass(slots=True)
class Gone:
    """What becomes of the fields that left the manifest.

    `cleared` are top-level fields with the value that empties them; `dropped` are fields below one that is written
    as a whole; `released` are those that stay as they are, named with dots.
    """

    cleared: Shape = field(default_factory=dict)
    dropped: list[FieldChange] = field(default_factory=list)
    released: list[str] = field(default_factory=list)


def gone_fields(desired: Desired, entry: Entry, observed: Shape, *, own: set[str]) -> Gone | None:
    """Return what becomes of them, None where no field is gone.

    `observed` is the live spec, `own` has the paths that are managed.
    """
    lost = entry.fields.keys() - own
    if not lost:
        return None
    gone = Gone()
    for path in sorted({_outermost(desired, steps(one)) for one in lost}):
        _settle(desired, entry, observed, path, gone)
    return gone if gone.cleared or gone.dropped or gone.released else None


def _outermost(desired: Desired, path: Path) -> Keys:
    """Return the shortest part of a path that git says nothing of any more: a whole map is one field."""
    shape: Any = desired.spec
    for depth, step in enumerate(path, 1):
        if not isinstance(shape, dict) or step not in shape:
            return tuple(map(str, path[:depth]))
        shape = shape[step]
    return tuple(map(str, path))


def _settle(desired: Desired, entry: Entry, observed: Shape, path: Keys, gone: Gone) -> None:
    kind = desired.kind
    if path[0] in apart(kind) and path[0] not in desired.spec:  # nothing of it is read where git says nothing of it
        if kind.discards is None or kind.discards(desired.spec, observed) != path[0]:
            gone.released.append(path[0])
        return
    live = value_at(observed, path)
    if value_at(desired.spec, path) is not None:
        return  # declared still, in a form that is compared as one value
    if isinstance(observed.get(path[0]), dict) and retagged(desired.spec, observed):
        return  # of another variant: it goes as a whole
    if same(None, live):
        return
    other = apart(kind).get(path[0])
    stays = path[0] in immutable(kind) or (other is not None and not other.form.goes_with_git)
    if stays or not was_written(kind, entry, path, live) or any(_touches(path, secret) for secret in entry.secrets):
        gone.released.append(".".join(path))
    elif len(path) > 1:
        gone.dropped.append(FieldChange(path, live, None, side=Side.PENDING))
    else:
        empty = _empty(desired, path[0], live)
        if empty is _NO_WAY:
            gone.released.append(path[0])
        else:
            gone.cleared[path[0]] = empty


_NO_WAY = object()


def _empty(desired: Desired, name: str, live: Any) -> Any:
    """Return what empties a top-level field: null by the rule of its marker, an empty list or map, or no way."""
    if name in clears(desired.kind):
        return None
    if isinstance(live, list):
        return []
    if isinstance(live, dict) and (name,) in wholes_of(desired.kind):
        return {}
    return _NO_WAY


def _touches(path: Keys, secret: str) -> bool:
    """Say whether a secret stands at or below a path."""
    return steps(secret)[: len(path)] == path


def released_note(gone: Gone) -> Iterator[str]:
    """Yield the words that say what is no longer managed."""
    if gone.released:
        names = ", ".join(gone.released)
        yield f"{names}: no longer in git, left as {'it is' if len(gone.released) == 1 else 'they are'}"
