"""Where the nodes of a graph stand: in columns along its edges, ordered in each so that few edges cross.

This is the layered drawing of Sugiyama: an edge that passes a column has a bend there, so that it runs between nodes
and not behind them. Edges to one node share their bends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

_SWEEPS = 8

Edge = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns of nodes and bends, from above; and for each edge what it passes, both its ends included.

    Nodes have the numbers from 0 that they were given by, bends have those behind.
    """

    columns: tuple[tuple[int, ...], ...]
    routes: Mapping[Edge, tuple[int, ...]]


def layout(count: int, edges: Iterable[Edge]) -> Layout:
    """Lay out `count` nodes; edges lead to columns further on, but for those that close a circle."""
    after: defaultdict[int, list[int]] = defaultdict(list)
    for start, end in sorted(set(edges)):
        after[start].append(end)
    depth = _depths(count, after)
    last = max(depth, default=0)
    column = {node: last - depth[node] for node in range(count)}
    routes = _routes(after, column, count)
    near: tuple[defaultdict[int, list[int]], defaultdict[int, list[int]]] = (defaultdict(list), defaultdict(list))
    for step in sorted({step for route in routes.values() for step in pairwise(route)}):
        near[0][step[1]].append(step[0])
        near[1][step[0]].append(step[1])
    ranks: list[list[int]] = [[] for _ in range(last + 1)]
    for node, at in sorted(column.items()):
        ranks[at].append(node)
    for sweep in range(_SWEEPS):
        for rank in ranks if sweep % 2 == 0 else reversed(ranks):
            place = _places(ranks)
            centres = {node: _centre(node, near[sweep % 2], place) for node in rank}
            rank.sort(key=centres.__getitem__)
    return Layout(tuple(map(tuple, ranks)), routes)


def _routes(after: Mapping[int, list[int]], column: dict[int, int], count: int) -> dict[Edge, tuple[int, ...]]:
    """Return what each edge passes; the bends are put into their columns."""
    bends: dict[tuple[int, int], int] = {}
    routes: dict[Edge, tuple[int, ...]] = {}
    for start, ends in after.items():
        for end in ends:
            passed = range(column[start] + 1, column[end])
            route = [bends.setdefault((end, at), count + len(bends)) for at in passed]
            column |= dict(zip(route, passed, strict=True))
            routes[start, end] = (start, *route, end)
    return routes


def _depths(count: int, after: Mapping[int, list[int]]) -> list[int]:
    """Return how long the longest way on from each node is; an edge that closes a circle counts for nothing."""
    depth = [-1] * count
    for start in range(count):
        stack = [(start, iter(after.get(start, ())))] if depth[start] < 0 else []
        under_way = {start}
        while stack:
            node, rest = stack[-1]
            following = next((n for n in rest if depth[n] < 0 and n not in under_way), None)
            if following is None:
                stack.pop()
                depth[node] = max((depth[n] + 1 for n in after.get(node, ()) if depth[n] >= 0), default=0)
            else:
                under_way.add(following)
                stack.append((following, iter(after.get(following, ()))))
    return depth


def _places(ranks: Iterable[list[int]]) -> dict[int, float]:
    """Return how far down in its column each node stands, from -1 to 1."""
    return {node: (2 * row + 1) / len(rank) - 1 for rank in ranks for row, node in enumerate(rank)}


def _centre(node: int, near: Mapping[int, list[int]], place: Mapping[int, float]) -> float:
    """Return the mean place of a node's neighbours, its own where it has none."""
    places = [place[other] for other in near.get(node, ())]
    return sum(places) / len(places) if places else place[node]
