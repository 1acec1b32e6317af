"""Where the nodes of a graph stand: in columns along its edges, ordered in each so that few edges cross.

This is the layered drawing of Sugiyama without its dummy nodes: pictures here are small, and edges are curves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

_SWEEPS = 6


def columns(count: int, edges: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Return the numbers of `count` nodes by column; edges lead to columns further on, but for those of a circle."""
    after: defaultdict[int, list[int]] = defaultdict(list)
    before: defaultdict[int, list[int]] = defaultdict(list)
    for start, end in sorted(set(edges)):
        after[start].append(end)
        before[end].append(start)
    depth = _depths(count, after)
    last = max(depth, default=0)
    ranks: list[list[int]] = [[] for _ in range(last + 1)]
    for node in range(count):
        ranks[last - depth[node]].append(node)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for rank in ranks if forward else reversed(ranks):
            place = _places(ranks)
            near = before if forward else after
            rank.sort(key=lambda node, near=near, place=place: _centre(node, near, place))  # type: ignore[misc]
    return ranks


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
