"""SIDE BY SIDE: one resource as git wants it, as it was last written, and as it is live."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.kinds.fields import SET, SecretRef
from reconciler.kinds.kind import Kind
from reconciler.plan.change import Change
from reconciler.plan.diff import Keys, same
from reconciler.plan.found import Found
from reconciler.plan.leaves import leaves, secret_refs, value_at
from reconciler.plan.owned import Entry, pointer
from reconciler.plan.secrecy import SecretState
from reconciler.plan.sides import is_digest_of
from reconciler.resource import Desired, Observed


@dataclass(frozen=True, slots=True)
class Row:
    """One field: what git wants, what is live, and what was last written, told by what it agrees with.

    `written` is `git`, `live`, `both`, `neither` or, where nothing was ever written, None; for a secret it is what is
    known of it.
    """

    name: str
    desired: Any
    live: Any
    written: str | None


@dataclass(frozen=True, slots=True)
class SideBySide:
    """A resource with its fields; `changes` is what an apply would do to it."""

    desired: Desired
    entry: Entry | None
    observed: Observed | None
    twin: Observed | None
    rows: tuple[Row, ...]
    changes: tuple[Change, ...]


def side_by_side(
    desired: Desired, found: Found, entry: Entry | None, changes: tuple[Change, ...], states: dict[Any, SecretState]
) -> SideBySide:
    """Put the three beside each other; `states` is what is known of the secrets of the address, by path."""
    observed = found.observed
    rows = tuple(_rows(desired, observed, entry, states))
    return SideBySide(desired, entry, observed, found.twin, rows, changes)


def _rows(
    desired: Desired, observed: Observed | None, entry: Entry | None, states: dict[Any, SecretState]
) -> Iterator[Row]:
    kind = desired.kind
    live = kind.defaulted(observed.spec) if observed else {}
    spec = desired.spec
    if kind.name_field and kind.name_field not in spec:
        spec = {kind.name_field: desired.title} | spec
    secrets = {path for path, _ in secret_refs(spec)}
    for path, want in leaves(kind, spec):
        have = value_at(live, path)
        if path in secrets and isinstance(want, SecretRef):
            state = states.get(path, SecretState.SET if have is not SET else SecretState.UNKNOWN)
            yield Row(".".join(path), want, have, state.value)
        else:
            yield Row(".".join(path), want, have, _written(kind, entry, path, want, have))


def _written(kind: Kind, entry: Entry | None, path: Keys, want: Any, have: Any) -> str | None:
    told = entry.fields.get(pointer(path)) if entry else None
    if told is None:
        return None
    as_git = is_digest_of(kind, path, want, told)
    as_live = is_digest_of(kind, path, have, told) or (as_git and same(want, have))
    return "both" if as_git and as_live else "git" if as_git else "live" if as_live else "neither"
