"""CIRCLES: what builds upon its own kind never upon itself; what refers to what comes after it is written later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.errors import Fault
from reconciler.kinds import KINDS, TENANT
from reconciler.kinds.traits import references
from reconciler.plan.change import Action, Change, Record
from reconciler.plan.order import targets
from reconciler.resource import Address, Desired, Observed

_INHERITED: Mapping[str, str] = {
    kind.name: str(path[0])
    for kind in KINDS
    for path, reference in references(kind)
    if reference.kind == kind.name and len(path) == 1
}
"""The field by which a kind refers to another of its own, where it has one."""


def circular(
    wanted: Iterable[Desired], observed: Callable[[Address], Observed | None] = lambda _address: None
) -> Iterator[Fault]:
    """Yield a fault for each circle of resources that build upon one another; what git leaves out is as observed."""
    inheriting = {one.address: one for one in wanted if one.address.kind in _INHERITED and not one.archive}
    above = {address: _above(one, observed(address)) for address, one in inheriting.items()}
    settled: set[Address] = set()
    for start in above:
        path: list[Address] = []
        here: Address | None = start
        while here in above and here not in settled:
            settled.add(here)
            path.append(here)
            here = above[here]
        if here in path:
            yield _fault([inheriting[one] for one in path[path.index(here) :]])


def _above(one: Desired, live: Observed | None) -> Address | None:
    field = _INHERITED[one.address.kind]
    name = one.spec[field] if field in one.spec else live.spec.get(field) if live else None
    return one.address._replace(name=name) if isinstance(name, str) else None


def _fault(circle: Sequence[Desired]) -> Fault:
    """Tell of a circle at the first of its members that says so itself."""
    field = _INHERITED[circle[0].address.kind]
    first = min((one for one in circle if field in one.spec), key=lambda one: one.address, default=circle[0])
    at = circle.index(first)
    names = [one.address.name for one in (*circle[at:], *circle[: at + 1])]
    message = f"{' builds upon '.join(names)}: a circle"
    where = (*first.path, field) if field in first.spec else first.path
    hint = f"let one of them build upon another {first.kind.noun}"
    return Fault(message, first.source, where, hint=hint, on_value=True)


def entangled(steps: Iterable[str], changes: Iterable[Change], wanted: Iterable[Desired]) -> Fault:
    """Return the fault of steps that wait for one another, by a name that changes hands and a reference to its heir."""
    circle = {change.address for change in changes if change.step in {*steps}}
    first = next(one for one in wanted if one.address in circle)
    names = " and ".join(sorted(address.local for address in circle))
    message = f"{names} wait for one another: one takes the other's name, and the other refers to it"
    return Fault(message, first.source, first.path, hint="do it in two runs: the new name first, then the reference")


def completed(changes: Iterable[Change]) -> list[Change]:
    """Return the changes, a new organization's in two where it refers to what this plan makes inside of it.

    Everything else of an organization waits for its creation, so that these fields have to wait for everything else.
    """
    before = list(changes)
    made: defaultdict[str, set[Address]] = defaultdict(set)
    for change in before:
        if change.action is Action.CREATE:
            made[change.address.org].add(change.address)
    after: list[Change] = []
    for change in before:
        if change.action is Action.CREATE and change.address.kind == TENANT.name:
            after += _parted(change, made[change.address.org])
        else:
            after.append(change)
    return after


def _parted(change: Change, made: set[Address]) -> list[Change]:
    """Part the fields of a creation that refer to what is made later from those that it can say at once."""
    kind, org = change.kind, change.address.org
    late = {name for name, value in change.body.items() if made.intersection(targets(kind, org, {name: value}))}
    if not late:
        return [change]
    waited_for = made.intersection(targets(kind, org, change.body))
    now = replace(
        change,
        body={name: value for name, value in change.body.items() if name not in late},
        fields=tuple(one for one in change.fields if one.path[0] not in late),
        record=_of_record(change.record, late, is_late=False),
    )
    then = replace(
        change,
        action=Action.UPDATE,
        completes=True,
        body={name: value for name, value in change.body.items() if name in late},
        fields=tuple(one for one in change.fields if one.path[0] in late),
        notes=(f"written once {' and '.join(sorted(one.local for one in waited_for))} is there",),
        record=_of_record(change.record, late, is_late=True),
    )
    return [now, then]


def _of_record(record: Record | None, late: set[str], *, is_late: bool) -> Record | None:
    """Return what the ledger learns from the one or the other part; paths begin with `/field`."""
    if record is None:
        return None
    fields = {path: told for path, told in record.fields.items() if (path.split("/")[1] in late) is is_late}
    return Record(fields=fields, adds=True) if is_late else replace(record, fields=fields)
