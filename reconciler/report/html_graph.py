"""The reference graph of a plan as a picture: inline SVG, whose nodes lead to their items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from reconciler.report.graph import Graph, Node, graph_of
from reconciler.report.html_tags import SHORT, Html, el
from reconciler.report.layout import Layout, layout
from reconciler.report.style import counted, cut
from reconciler.report.vocabulary import COLORS

if TYPE_CHECKING:
    from reconciler.report.sheet import Sheet

_WIDTH, _HEIGHT, _APART, _BELOW, _MARGIN, _BEND = 200, 40, 70, 12, 12, 6
_CHARACTERS = 25
_MOST_OPEN = 12


class _Point(NamedTuple):
    x: float
    y: float
    is_bend: bool


def graph_html(sheet: Sheet, ids: Mapping[str, str]) -> Html:
    """Return the picture of what refers to what, empty where nothing does; `ids` lead from steps to items."""
    graph = graph_of(sheet.changes)
    if not graph.edges:
        return Html("")
    drawn = layout(len(graph.nodes), graph.edges)
    height = max(_tall(drawn, column) for column in drawn.columns) + 2 * _MARGIN
    width = len(drawn.columns) * (_WIDTH + _APART) - _APART + 2 * _MARGIN
    points = _points(drawn, height)
    edges = [_edge([points[at] for at in drawn.routes[edge]], count) for edge, count in sorted(graph.edges.items())]
    nodes = [_node(node, points[number], ids) for number, node in enumerate(graph.nodes)]
    svg = el("svg", *edges, *nodes, viewBox=f"0 0 {width} {height}", width=str(width), height=str(height), role="group")
    caption = f"What refers to what: {_told(graph)}. An arrow leads to what is referred to."
    opened = "" if len(graph.nodes) <= _MOST_OPEN else None
    summary = el("summary", el("h2", "References"), el("span", caption, cls="d"))
    return el("details", summary, el("div", svg, cls="scroll", tabindex="0"), cls="graph", open=opened)


def _told(graph: Graph) -> str:
    changed = sum(len(node.addresses) for node in graph.nodes if node.action)
    others = sum(len(node.addresses) for node in graph.nodes if not node.action)
    beside = f" and {others:,} that stay as they are (dashed)" if others else ""
    return f"{counted(changed, 'changed resource')}{beside}"


def _points(drawn: Layout, height: float) -> dict[int, _Point]:
    """Return the upper left corner of each node and the place of each bend; columns are all as tall as the tallest."""
    bends = _bends(drawn)
    points: dict[int, _Point] = {}
    for number, column in enumerate(drawn.columns):
        apart = (height - 2 * _MARGIN - _tall(drawn, column)) / len(column)
        y = _MARGIN + apart / 2
        for at in column:
            is_bend = at in bends
            points[at] = _Point(_MARGIN + number * (_WIDTH + _APART), y, is_bend=is_bend)
            y += (_BEND if is_bend else _HEIGHT) + _BELOW + apart
    return points


def _bends(drawn: Layout) -> frozenset[int]:
    return frozenset(at for route in drawn.routes.values() for at in route[1:-1])


def _tall(drawn: Layout, column: Sequence[int]) -> float:
    """Return the height of a column."""
    bends = _bends(drawn)
    return sum((_BEND if at in bends else _HEIGHT) + _BELOW for at in column) - _BELOW


def _edge(route: Sequence[_Point], count: int) -> Html:
    """Return a curve from the right of a node through bends to the left of another, and how many it stands for."""
    x, y = route[0].x + _WIDTH, route[0].y + _HEIGHT / 2
    curve = f"M{x:g} {y:g}"
    first = (x, y)
    for to in route[1:]:
        x2, y2 = (to.x, to.y + _BEND / 2) if to.is_bend else (to.x - 5, to.y + _HEIGHT / 2)
        bend = max(25.0, (x2 - x) / 2)
        curve += f"C{x + bend:g} {y:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"
        x, y = x2, y2
        if to.is_bend:
            x += _WIDTH
            curve += f"H{x:g}"
    head = f"M{x - 3:g} {y - 4:g}l7 4l-7 4z"
    said = el("text", f"{count:,}", x=f"{first[0] + 4:g}", y=f"{first[1] - 3:g}", cls="count") if count > 1 else ""
    return el("g", el("path", d=curve), el("path", d=head, cls="head"), said, cls="edge")


def _node(node: Node, at: _Point, ids: Mapping[str, str]) -> Html:
    first, many = node.addresses[0], len(node.addresses) > 1
    sign = f"{node.action.symbol} {node.verb} " if node.action else ""
    alone = f"{first.parent}/{first.name}" if first.parent else first.name
    orgs = {address.org for address in node.addresses}
    among = f"{len(node.addresses):,} in {first.org if len(orgs) == 1 else counted(len(orgs), 'organization')}"
    name = among if many else alone
    box = el("rect", x=f"{at.x:g}", y=f"{at.y:g}", width=str(_WIDTH), height=str(_HEIGHT), rx="6")
    what = el("text", cut(sign + node.kind, _CHARACTERS + 3), x=f"{at.x + 10:g}", y=f"{at.y + 16:g}", cls="what")
    who = el("text", cut(name, _CHARACTERS), x=f"{at.x + 10:g}", y=f"{at.y + 31:g}")
    color = SHORT.get(COLORS[node.action], "d") if node.action else "d out"
    drawn = el("g", el("title", f"{sign}{node.named}"), box, what, who, cls=f"node {color}")
    target = ids.get(node.step)
    return el("a", drawn, href=f"#{target}") if target else drawn
