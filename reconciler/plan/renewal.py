"""RENEWAL: keys that the platform makes and shows once; where they go, and how a new one is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from reconciler.errors import UsageError
from reconciler.kinds.key_to import KeyTo, told
from reconciler.kinds.translate import has_one_time_key
from reconciler.plan.appear import where_of
from reconciler.plan.change import Action, Change, Precondition, covered
from reconciler.plan.select import is_matched
from reconciler.resource import Address, Desired, Observed

_HERE = frozenset({Action.UPDATE, Action.RESTORE, Action.ADOPT, Action.RECORD})


def _keyed(declared: Iterable[Desired]) -> Iterator[Desired]:
    """Yield what the platform makes a key for."""
    return (one for one in declared if one.kind.parent and not one.archive and has_one_time_key(one.kind, one.spec))


def renewed(
    declared: Iterable[Desired], patterns: Sequence[str], *, holders: AbstractSet[Address]
) -> frozenset[Address]:
    """Return whose one-time keys `--rotate` asks to make anew; `holders` declare secrets, which are sent again.

    Raises UsageError for a pattern that means neither, or a key that would have nowhere to go.
    """
    keys = {one.address: one.key_to for one in _keyed(declared)} if patterns else {}
    for pattern in patterns:
        meant = {address for address in holders | keys.keys() if is_matched(address, (pattern,))}
        if not meant:
            raise UsageError(f"--rotate {pattern}: matches nothing that declares a secret")
        lost = [address for address in meant - holders if keys[address] is None]
        if lost:
            raise UsageError(
                f"--rotate {pattern}: the new key of {min(lost)} would be lost, as its channel has no key_to",
                hint="say where it is to go, as key_to: {env_file: PATH}, or leave it out of the pattern",
            )
    return frozenset(address for address, to in keys.items() if to is not None and is_matched(address, patterns))


def with_keys(
    desired: Desired, steps: Sequence[Change], observed: Observed | None, *, renews: bool, is_lost: bool = False
) -> list[Change]:
    """Add to the steps of an address where its key goes, and a step that makes a new one.

    That is where it `renews`, as somebody asks, or where the key that it was created with `is_lost`.
    """
    if desired.archive or not desired.kind.parent or not has_one_time_key(desired.kind, desired.spec):
        return [*steps]
    shown = [_shown(step, desired.key_to) if step.action is Action.CREATE else step for step in steps]
    is_ours = all(step.action in _HERE for step in steps)
    if (renews or is_lost) and observed is not None and desired.key_to is not None and is_ours:
        shown.append(_renewal(desired, observed, desired.key_to, notes=(_LOST,) if is_lost else ()))
    return shown


def _shown(creation: Change, key_to: KeyTo | None) -> Change:
    """Say at a creation what becomes of its key."""
    note = "its key is shown once by the platform and will be lost: key_to on the channel says where it is to go"
    if key_to is not None:
        note = f"its key is shown once by the platform, and goes to {told(key_to)}"
    return replace(creation, notes=(*creation.notes, note), key_to=key_to)


_LOST = "it was made by a run that did not end, and nobody may have got its key"


def _renewal(desired: Desired, observed: Observed, key_to: KeyTo, *, notes: tuple[str, ...]) -> Change:
    """Make the step that has a new key made; it holds as long as the resource is there."""
    pre = Precondition(observed.id, covers=())
    digest = covered(desired.kind, observed.shape, pre, updated_at=None)
    return Change(
        desired.address,
        Action.ROTATE,
        desired.title,
        id=observed.id,
        pre=replace(pre, digest=digest),
        notes=(f"the platform makes a new key, which goes to {told(key_to)}; the old one dies at once", *notes),
        where=where_of(desired),
        key_to=key_to,
        body={"type": desired.spec["type"]},
    )
