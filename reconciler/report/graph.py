"""What of a plan refers to what, small enough to look at: much of the same becomes one node that counts it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.plan.change import Action
from reconciler.plan.order import targets
from reconciler.plan.release import edition_made
from reconciler.report.vocabulary import verb_of

if TYPE_CHECKING:
    from reconciler.plan.change import Change
    from reconciler.resource import Address

MOST_NODES = 100
"""A picture with more than this is not looked at."""
_LEAST_ALIKE = 4
_MOST_NAMED = 12


@dataclass(frozen=True, slots=True)
class Node:
    """Resources of one kind to which the same is done; `action` is None where nothing is.

    `step` is the one that does it to the first of them.
    """

    addresses: tuple[Address, ...]
    action: Action | None
    verb: str
    step: str = ""

    @property
    def kind(self) -> str:
        """The kind of all of them."""
        return self.addresses[0].kind

    @property
    def named(self) -> str:
        """The addresses, as many as can be read."""
        more = len(self.addresses) - _MOST_NAMED
        listed = ", ".join(map(str, self.addresses[:_MOST_NAMED]))
        return listed + (f" and {more:,} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes, and edges from what refers to what is referred to, as indexes with a count."""

    nodes: tuple[Node, ...]
    edges: Mapping[tuple[int, int], int]


Pair = tuple["Address", "Address"]


def graph_of(changes: Iterable[Change]) -> Graph:
    """Return what the changed resources refer to, and stand below; empty where nothing does."""
    listed = [change for change in changes if change.action.is_step]
    done: dict[Address, Change] = {}
    for change in listed:
        done.setdefault(change.address, change)
        if made := edition_made(change):
            done[made] = change
    pairs = sorted({pair for pair in _pairs(listed) if pair[0] != pair[1]})
    joined = sorted({address for pair in pairs for address in pair})
    alike = _alike(pairs, done)
    groups = _grouped(joined, lambda one: alike.get(one, one))
    if len(groups) > MOST_NODES:
        groups = _grouped(joined, lambda one: (one.org, one.kind, _action(one, done)))
    if len(groups) > MOST_NODES:
        groups = _grouped(joined, lambda one: (one.kind, _action(one, done)))
    return _drawn(groups, pairs, done)


def _pairs(changes: Sequence[Change]) -> Iterator[Pair]:
    """Yield who refers to whom; who lets go of what is archived counts as referring to it."""
    at = {change.step: change.address for change in changes}
    for change in changes:
        address = change.address
        if address.above:
            yield address, address.above
        for target in targets(change.kind, address.org, change.body):
            yield address, target
        if change.action is Action.ARCHIVE:
            yield from ((at[step], address) for step in change.after if step in at)


def _grouped(addresses: Sequence[Address], key: Callable[[Address], Hashable]) -> list[tuple[Address, ...]]:
    groups: defaultdict[Hashable, list[Address]] = defaultdict(list)
    for address in addresses:
        groups[key(address)].append(address)
    return [tuple(group) for group in groups.values()]


def _action(address: Address, done: Mapping[Address, Change]) -> tuple[Action, str] | None:
    return (done[address].action, _verb(done[address])) if address in done else None


def _verb(change: Change) -> str:
    """Return the word for what is done to a resource; what is made anew is taken away first."""
    return "replace" if change.replaces else verb_of(change)


def _alike(pairs: Sequence[Pair], done: Mapping[Address, Change]) -> Mapping[Address, Hashable]:
    """Key those addresses of which several have in common what is done to them and what they are joined to."""
    near: defaultdict[Address, set[tuple[bool, Address]]] = defaultdict(set)
    for user, used in pairs:
        near[user].add((True, used))
        near[used].add((False, user))
    keys = {one: (one.org, one.kind, _action(one, done), frozenset(others)) for one, others in near.items()}
    alike: defaultdict[Hashable, int] = defaultdict(int)
    for key in keys.values():
        alike[key] += 1
    return {one: key for one, key in keys.items() if alike[key] >= _LEAST_ALIKE}


def _drawn(groups: Sequence[tuple[Address, ...]], pairs: Sequence[Pair], done: Mapping[Address, Change]) -> Graph:
    nodes: list[Node] = []
    at: dict[Address, int] = {}
    for group in groups:
        change = done.get(group[0])
        at |= dict.fromkeys(group, len(nodes))
        if change is None:
            nodes.append(Node(group, None, ""))
            continue
        step = str(group[0]) if change.address == group[0] else change.step
        nodes.append(Node(group, change.action, _verb(change), step))
    edges: defaultdict[tuple[int, int], int] = defaultdict(int)
    for user, used in pairs:
        if at[user] != at[used]:
            edges[at[user], at[used]] += 1
    return Graph(tuple(nodes), dict(edges))
