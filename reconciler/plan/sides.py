"""Which side moved: three digests of a field, of what git says, of what was last written, and of what is live."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from reconciler.kinds.kind import Kind
from reconciler.plan.change import FieldChange, Side
from reconciler.plan.diff import Keys
from reconciler.plan.leaves import leaves
from reconciler.plan.owned import Entry, field_digest, pointer
from reconciler.plan.release import as_remembered


def sided(kind: Kind, entry: Entry, fields: Iterable[FieldChange]) -> tuple[FieldChange, ...]:
    """Return the fields, each with the side that moved; one that was never written is git's news.

    Of a resource that was taken over as it is nothing is known, nor of a secret that is there.
    """
    return tuple(replace(one, side=_side(kind, entry, one)) for one in fields)


def _side(kind: Kind, entry: Entry, one: FieldChange) -> Side | None:
    if one.sensitive:
        return Side.DRIFTED if one.old is None and pointer(one.path) in entry.secrets else None
    if not entry.fields:
        return None
    moved_there = not was_written(kind, entry, one.path, one.old)
    moved_here = not was_written(kind, entry, one.path, one.new)
    if not knows(entry, one.path) or not moved_there:
        return Side.PENDING
    return Side.BOTH if moved_here else Side.DRIFTED


def knows(entry: Entry, path: Keys) -> bool:
    """Say whether a field, or anything below it, was written before."""
    own = pointer(path)
    return own in entry.fields or any(known.startswith(f"{own}/") for known in entry.fields)


def is_digest_of(kind: Kind, path: Keys, value: Any, told: str) -> bool:
    """Say whether what the ledger has of a field is of this value; older ledgers have a version with its owner."""
    return told in (field_digest(value), field_digest(as_remembered(kind, path, value)))


def was_written(kind: Kind, entry: Entry, path: Keys, value: Any) -> bool:
    """Say whether a value agrees with what was last written at a path, in all that was written there."""
    own = pointer(path)
    if own in entry.fields:
        return is_digest_of(kind, path, value, entry.fields[own])
    below = {known: told for known, told in entry.fields.items() if known.startswith(f"{own}/")}
    if not isinstance(value, dict):
        return not below and value is None
    prefix = path[:-1]
    have = {pointer((*prefix, *sub)): field_digest(item) for sub, item in leaves(kind, {path[-1]: value})}
    return bool(below) and all(have.get(known) == told for known, told in below.items())
