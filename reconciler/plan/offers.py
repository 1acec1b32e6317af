"""What a plan writes and the platform's own list does not have: a note, since that list is not all that it takes.

`GET /v1/capabilities` has what may be chosen: built-in capabilities, and of the organization those that are active. A
write is held against something else: it takes a declarative capability that is disabled, which the list leaves out
("hide from runtime selection", openapi.json, UpdateDeclarativeCapabilityRequest), and nothing says that a build lists
all it knows. A fault would stand in the way of what works.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches

from reconciler.kinds.fields import Listed
from reconciler.kinds.kind import listings, references
from reconciler.kinds.walk import at
from reconciler.plan.change import Change
from reconciler.plan.plan import Plan
from reconciler.resource import Desired

Offered = Callable[[str, Listed], Collection[str] | None]
"""The ids that an organization's list has, None where nobody tells; asked only for what a plan writes."""
LineOf = Callable[[Desired, tuple[str | int, ...]], int]
"""The line of a manifest (from 1) in which a value below the spec stands."""


def doubted(plan: Plan, desired: Iterable[Desired], *, offered: Offered, line_of: LineOf) -> Plan:
    """Return the plan with a note on each change that writes a name which the organization's list does not have."""
    declared = {one.address: one for one in desired}
    noted: dict[int, Change] = {}
    for index, change in enumerate(plan.changes):
        one = declared.get(change.address)
        if one is None or not change.action.writes:
            continue
        notes = [*_notes(change, one, offered, line_of)]
        if notes:
            noted[index] = replace(change, notes=(*change.notes, *notes))
    if not noted:
        return plan
    return replace(plan, changes=tuple(noted.get(index, change) for index, change in enumerate(plan.changes)))


def _notes(change: Change, one: Desired, offered: Offered, line_of: LineOf) -> Iterator[str]:
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
                place = f"line {line_of(one, where)}"
                yield f'the platform lists no {listed.noun} "{name}" ({place}): {_hint(name, choices)}'


def _hint(name: str, choices: Sequence[str]) -> str:
    close = get_close_matches(name, choices, n=2, cutoff=0.6)
    return f"did you mean {' or '.join(close)}?" if close else "it may refuse it"
