"""REPLACEMENT: what must be taken away to be made anew, and what forbids it; git says so, or nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.kinds.traits import immutable
from reconciler.plan.change import Action, Change, FieldChange
from reconciler.plan.rules import Rules
from reconciler.plan.verdict import Refusal
from reconciler.resource import Address, Desired, Observed

_WORD = 40
"""Of so many characters at most is a value that is told in a note."""
_SHOWN = 3
"""Of what would be lost so many are named."""


def replaced(gone: Change, fields: Sequence[FieldChange]) -> Change:
    """Return the removal of a resource as one that makes room for another, as these fields differ."""
    fixed = immutable(gone.kind)
    names = ", ".join(dict.fromkeys(_named(one) for one in fields if one.path[0] in fixed))
    note = f"{names}: cannot be changed on a {gone.kind.noun}, so that a new one takes its place"
    order = "it goes before the new one is made: if the platform then refuses that, there is none until the next apply"
    return replace(gone, replaces=True, fields=tuple(fields), notes=(note, order, *gone.notes))


def _named(change: FieldChange) -> str:
    """Name a field that cannot be changed, with its live value where that is a word."""
    is_word = len(change.path) == 1 and isinstance(change.old, str) and change.old.isprintable()
    return f"{change.path[0]} ({change.old})" if is_word and len(change.old) <= _WORD else change.path[0]


def lost_note(desired: Desired, observed: Observed) -> Iterator[str]:
    """Yield what lies in a resource and is lost by what git wants of it, if anything is."""
    discards = desired.kind.discards
    name = discards(desired.spec, observed.spec) if discards else None
    if name is not None and observed.at_stake:
        shown, more = observed.at_stake[:_SHOWN], len(observed.at_stake) - _SHOWN
        yield f"its {name} are lost, whoever wrote them: {', '.join(shown)}{f' and {more} more' if more > 0 else ''}"


def unwanted_losses(
    changes: Iterable[Change], wanted: Iterable[Desired], seen: Mapping[Address, Observed]
) -> Iterator[Refusal]:
    """Yield a refusal for each change that takes away what a resource holds, and that git did not allow."""
    staked = {one.address: one for one in wanted if one.address in seen and seen[one.address].at_stake}
    for change in changes if staked else ():
        one = staked.get(change.address)
        lost = next(lost_note(one, seen[one.address]), None) if one and change.action is Action.UPDATE else None
        if one and lost and not one.replace:
            yield Refusal(f"{change.address}: {lost}", "write replace: true in its metadata if it is meant")


def unwanted_replacements(changes: Iterable[Change], wanted: Iterable[Desired], rules: Rules) -> Iterator[Refusal]:
    """Yield a refusal for each replacement that git did not allow, or that protection forbids."""
    replaced = {change.address: change for change in changes if change.replaces}
    declared: Mapping[Address, Desired] = {one.address: one for one in wanted} if replaced else {}
    for address, change in replaced.items():
        one, entry = declared[address], rules.known(address).entry
        if one.protect or (one.protect is None and entry and entry.protect):
            yield Refusal(
                f"{address} is protected, and would be replaced: {change.notes[0]}",
                "write protect: false and replace: true in its metadata if it is meant: what it holds is lost",
            )
        elif not one.replace:
            yield Refusal(
                f"{address} would be replaced: {change.notes[0]}",
                "write replace: true in its metadata if it is meant: what it holds is lost",
            )
