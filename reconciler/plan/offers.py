"""What a plan writes and the platform's own list does not have: a note, since that list is not all that it takes.

`GET /v1/capabilities` has what may be chosen: built-in capabilities, and of the organization those that are active. A
write is held against something else: it takes a declarative capability that is disabled, which the list leaves out
("hide from runtime selection", openapi.json, UpdateDeclarativeCapabilityRequest), and nothing says that a build lists
all it knows. A fault would stand in the way of what works.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from reconciler.kinds.markers import Listed
from reconciler.kinds.traits import listings, references
from reconciler.kinds.walk import at
from reconciler.plan.change import Change
from reconciler.plan.plan import Plan
from reconciler.resource import Desired

Offered = Callable[[str, Listed], Collection[str] | None]
"""The ids that an organization's list has, None where nobody tells; asked only for what a plan writes."""
Place = tuple[Desired, tuple[str | int, ...]]
"""A value below the spec of a manifest."""
LinesOf = Callable[[Sequence[Place]], Sequence[int]]
"""The lines (from 1) in which such values stand; they are looked up together, as a file may hold many."""


def doubted(plan: Plan, desired: Iterable[Desired], *, offered: Offered, lines_of: LinesOf) -> Plan:
    """Return the plan with a note on each change that writes a name which the organization's list does not have."""
    if not plan.writes:
        return plan
    declared = {one.address: one for one in desired}
    doubts = [
        (index, one, doubt)
        for index, change in enumerate(plan.changes)
        if change.action.writes and (one := declared.get(change.address))
        for doubt in _doubts(change, one, offered)
    ]
    if not doubts:
        return plan
    changes = list(plan.changes)
    lines = lines_of([(one, doubt.where) for _, one, doubt in doubts])
    for (index, _, doubt), line in zip(doubts, lines, strict=True):
        note = f'the platform lists no {doubt.noun} "{doubt.name}" (line {line}): {doubt.hint}'
        changes[index] = replace(changes[index], notes=(*changes[index].notes, note))
    return replace(plan, changes=tuple(changes))


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A name that is not on the list, where it stands below the spec, and what to do about it."""

    noun: str
    name: str
    where: tuple[str | int, ...]
    hint: str


def _doubts(change: Change, one: Desired, offered: Offered) -> Iterator[_Doubt]:
    written = change.body.keys() | change.then.keys()
    for path, listed in listings(one.kind):
        if path[0] not in written:
            continue
        looked_up = tuple(reference.prefix for other, reference in references(one.kind) if other == path)
        names = [(where, str(holder[key])) for holder, key, where in at(one.spec, path)]
        names = [(where, name) for where, name in names if not name.startswith(looked_up)]
        ids = offered(one.address.org, listed) if names else None
        if ids is None:
            continue
        choices = sorted(id_.removeprefix(listed.implied) for id_ in ids if not id_.startswith(looked_up))
        for where, name in names:
            if not listed.means(name, ids):
                yield _Doubt(listed.noun, name, where, _hint(name, choices))


def _hint(name: str, choices: Sequence[str]) -> str:
    close = get_close_matches(name, choices, n=2, cutoff=0.6)
    return f"did you mean {' or '.join(close)}?" if close else "it may refuse it"
