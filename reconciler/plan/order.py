"""ORDER: which step waits for which; creation follows references, archiving goes the other way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter

from reconciler.kinds import BY_NAME, TENANT
from reconciler.kinds.kind import Kind, Shape
from reconciler.kinds.traits import references
from reconciler.kinds.walk import at
from reconciler.plan.change import Action, Change, step_of
from reconciler.plan.release import edition_made
from reconciler.resource import Address, Observed, by_rank


def targets(kind: Kind, org: str, shape: Shape) -> Iterator[Address]:
    """Yield the address of everything a shape refers to; its references are names."""
    for path, reference in references(kind):
        for holder, key, _ in at(shape, path):
            if (name := reference.name_in(holder[key])) is not None:
                yield Address(org, reference.kind, name)


def ordered(
    changes: Iterable[Change],
    observed: Mapping[Address, Observed],
    *,
    positions: Mapping[Address, int] | None = None,
    names: Mapping[str, set[str]] | None = None,
) -> tuple[Change, ...]:
    """Return the changes in the order of their steps, each knowing what it waits for; the same for any input order.

    `positions` counts the siblings of its type before each child: in that order they are created, one by one, since
    the platform knows them by nothing else. `names` says which steps must have made a name free before each step.
    """
    waiting = sorted(changes, key=lambda change: (by_rank(change.address), change.step))
    steps = {change.step: change for change in waiting}
    mains = {change.address: change for change in waiting if change.step == str(change.address)}
    gone_last = _users_of_archived(mains, observed)
    queue, freed = _queues(waiting, positions or {}), names or {}
    makers = {made: change.step for change in waiting if (made := edition_made(change))}
    completing = _completing(waiting, mains)
    after = {}
    for change in waiting:
        before = _before(change, mains, steps, gone_last, observed) | queue[change.step]
        complete = completing.get(change.address.org)
        if complete and not change.completes and change.address not in complete.needs:
            before.add(complete.step)
        before |= {makers[one] for one in targets(change.kind, change.address.org, change.body) if one in makers}
        after[change.step] = tuple(sorted((before | freed.get(change.step, set())) - {change.step}))
    sorter = TopologicalSorter(after)
    sorter.prepare()
    result: list[Change] = []
    rank = {change.step: number for number, change in enumerate(waiting)}
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=rank.__getitem__)
        result.extend(replace(steps[step], after=after[step]) for step in ready)
        sorter.done(*ready)
    return tuple(result)


@dataclass(frozen=True, slots=True)
class _Completion:
    """The step that completes a new organization, and all that it needs."""

    step: str
    needs: frozenset[Address]


def _completing(changes: Iterable[Change], mains: Mapping[Address, Change]) -> dict[str, _Completion]:
    """Return, by organization, what completes it: everything it does not need waits, as it may inherit from it."""
    found = {}
    for change in changes:
        if change.completes:
            needs, open_ = {change.address}, [change]
            while open_:
                one = open_.pop()
                new = {*targets(one.kind, one.address.org, one.body)} - needs
                needs |= new
                open_ += [mains[address] for address in new if address in mains]
            found[change.address.org] = _Completion(change.step, frozenset(needs))
    return found


def _before(
    change: Change,
    mains: Mapping[Address, Change],
    steps: Mapping[str, Change],
    users: Mapping[Address, set[str]],
    observed: Mapping[Address, Observed],
) -> set[str]:
    """Return the steps that must be done before a change."""
    address, before = change.address, set[str]()
    organization = Address(address.org, TENANT.name, address.org)
    if organization in mains and mains[organization].action is Action.CREATE:
        before.add(str(organization))
    for target in targets(change.kind, address.org, change.body):
        if target in mains and mains[target].action in (Action.CREATE, Action.RESTORE):
            before.add(str(target))
        if change.kind.takes_releases and change.action is Action.CREATE:
            before.update({step_of(target, Action.RELEASE)} & steps.keys())
        if target.kind == address.kind:
            before.update(_line_of(target, mains, observed))
    above = address.above
    if above and above in mains and mains[above].action is Action.CREATE:
        before.add(str(above))
    if not change.replaces:
        before.update({step_of(address, Action.ARCHIVE, replaces=True)} & steps.keys())
    own = above or address
    if change.action in (Action.RELEASE, Action.ROTATE, Action.SYNC) and address in mains:
        before.add(str(address))
    if change.action is Action.PUBLISH:
        before.update(step for step, other in steps.items() if other is not change and _belongs(other.address, own))
    elif f"{own} {Action.UNPUBLISH.value}" in steps and change.action is not Action.UNPUBLISH:
        before.add(f"{own} {Action.UNPUBLISH.value}")
    if change.action is Action.ARCHIVE:
        before |= users.get(address, set())
    return before


def _line_of(start: Address, mains: Mapping[Address, Change], observed: Mapping[Address, Observed]) -> Iterator[str]:
    """Yield the steps of all that a resource will build upon, itself included.

    The platform follows that line when it is told what to build upon, and must not meet what is about to change in it.
    """
    seen: set[Address] = set()
    line = [start]
    while line:
        here = line.pop()
        if here in seen:
            continue
        seen.add(here)
        change, live = mains.get(here), observed.get(here)
        shape: Shape = dict(live.spec) if live else {}
        if change and change.action.writes and change.action is not Action.ARCHIVE:
            yield change.step
            shape |= change.body
        kind = BY_NAME[here.kind]
        line += [one for one in targets(kind, here.org, shape) if one.kind == here.kind]


def _queues(changes: Iterable[Change], positions: Mapping[Address, int]) -> defaultdict[str, set[str]]:
    """Return, for each child to be created, the sibling of its type that must be there first."""
    last: dict[tuple[Address | None, str], str] = {}
    queues: defaultdict[str, set[str]] = defaultdict(set)
    for change in sorted(changes, key=lambda change: positions.get(change.address, 0)):
        if change.address in positions and change.action is Action.CREATE:
            place = change.address.above, change.title
            if place in last:
                queues[change.step].add(last[place])
            last[place] = change.step
    return queues


def _belongs(address: Address, parent: Address) -> bool:
    return parent in (address, address.above)


def _users_of_archived(
    mains: Mapping[Address, Change], observed: Mapping[Address, Observed]
) -> dict[Address, set[str]]:
    """Return, for each address to be archived, the steps that take away the references to it."""
    going = {address for address, change in mains.items() if change.action is Action.ARCHIVE}
    users: dict[Address, set[str]] = {}
    for address in mains if going else ():
        live = observed.get(address)
        for target in targets(live.kind, address.org, live.spec) if live else ():
            if target in going:
                users.setdefault(target, set()).add(str(address))
    return users
