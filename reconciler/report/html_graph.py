"""The reference graph of a plan as a picture: inline SVG, whose nodes lead to their items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from reconciler.report.graph import Graph, Node, graph_of
from reconciler.report.html_tags import SHORT, el
from reconciler.report.layout import columns
from reconciler.report.style import counted, cut
from reconciler.report.vocabulary import COLORS

if TYPE_CHECKING:
    from reconciler.report.sheet import Sheet

_WIDTH, _HEIGHT, _APART, _BELOW, _MARGIN = 200, 40, 70, 14, 12
_CHARACTERS = 25


class _Point(NamedTuple):
    x: float
    y: float


def graph_html(sheet: Sheet, ids: Mapping[str, str]) -> Markup:
    """Return the picture of what refers to what, empty where nothing does; `ids` lead from steps to items."""
    graph = graph_of(sheet.changes)
    if not graph.edges:
        return Markup("")
    ranks = columns(len(graph.nodes), graph.edges)
    tallest = max(map(len, ranks))
    height = tallest * (_HEIGHT + _BELOW) - _BELOW + 2 * _MARGIN
    width = len(ranks) * (_WIDTH + _APART) - _APART + 2 * _MARGIN
    points = _points(ranks, height)
    edges = [_edge(points[start], points[end], count) for (start, end), count in sorted(graph.edges.items())]
    nodes = [_node(graph.nodes[number], points[number], ids) for number in sorted(points)]
    svg = el("svg", *edges, *nodes, viewBox=f"0 0 {width} {height}", width=str(width), height=str(height), role="group")
    caption = f"What refers to what: {_told(graph)}. An arrow leads to what is referred to."
    summary = el("summary", el("h2", "References"), el("span", caption, cls="d"))
    return el("details", summary, el("div", svg, cls="scroll", tabindex="0"), cls="graph", open="")


def _told(graph: Graph) -> str:
    changed = sum(len(node.addresses) for node in graph.nodes if node.action)
    others = sum(len(node.addresses) for node in graph.nodes if not node.action)
    beside = f" and {others:,} that stay as they are (dashed)" if others else ""
    return f"{counted(changed, 'changed resource')}{beside}"


def _points(ranks: list[list[int]], height: float) -> dict[int, _Point]:
    """Return the upper left corner of each node; columns are centred."""
    points: dict[int, _Point] = {}
    for column, rank in enumerate(ranks):
        top = (height - len(rank) * (_HEIGHT + _BELOW) + _BELOW) / 2
        for row, node in enumerate(rank):
            points[node] = _Point(_MARGIN + column * (_WIDTH + _APART), top + row * (_HEIGHT + _BELOW))
    return points


def _edge(start: _Point, end: _Point, count: int) -> Markup:
    """Return a curve from the right of one node to the left of another, its count at the middle."""
    x1, y1, x2, y2 = start.x + _WIDTH, start.y + _HEIGHT / 2, end.x - 5, end.y + _HEIGHT / 2
    bend = max(30.0, (x2 - x1) / 2)
    curve = f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"
    head = f"M{x2 - 3:g} {y2 - 4:g}l7 4l-7 4z"
    label = el("text", f"{count:,} of them", x=f"{x1 + 6:g}", y=f"{y1 - 4:g}", cls="count") if count > 1 else ""
    return el("g", el("path", d=curve), el("path", d=head, cls="head"), label, cls="edge")


def _node(node: Node, at: _Point, ids: Mapping[str, str]) -> Markup:
    first, many = node.addresses[0], len(node.addresses) > 1
    sign = f"{node.action.symbol} {node.verb} " if node.action else ""
    name = (
        f"{len(node.addresses):,} resources" if many else f"{first.parent}/{first.name}" if first.parent else first.name
    )
    box = el("rect", x=f"{at.x:g}", y=f"{at.y:g}", width=str(_WIDTH), height=str(_HEIGHT), rx="6")
    what = el("text", cut(sign + node.kind, _CHARACTERS + 3), x=f"{at.x + 10:g}", y=f"{at.y + 16:g}", cls="what")
    who = el("text", cut(name, _CHARACTERS), x=f"{at.x + 10:g}", y=f"{at.y + 31:g}")
    color = SHORT.get(COLORS[node.action], "d") if node.action else "d out"
    drawn = el("g", el("title", f"{sign}{node.named}"), box, what, who, cls=f"node {color}")
    target = ids.get(str(first)) if node.action else None
    return el("a", drawn, href=f"#{target}") if target else drawn
