"""One item in HTML: a line that opens, with what is known of it and what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.report.html_fields import Depth, fields_html
from reconciler.report.html_tags import SHORT, Html, el, join
from reconciler.report.style import cut

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.report.sheet import Item, Remark

_SHORT, _WHOLE = Depth(lines=40, whole=False), Depth(lines=400, whole=True)
_MOST_REMARKS = 30
_WIDEST = 400
_SMALL = 3_000


def item_forms(item: Item, *, number: int, environment: str, with_org: bool) -> tuple[Callable[[], str], ...]:
    """Return what makes the element of an item: bare, with some of its prose, with all of it."""
    summary = _summary(item, with_org=with_org)
    if not item.fields and not item.remarks:
        return (lambda: _element(item, summary, number, environment, None),)
    untold = el("p", "Left out to keep this file small: see the text or JSON of the same run.", cls="d")
    if _is_small(item):
        return (
            lambda: _element(item, summary, number, environment, untold),
            lambda: _element(item, summary, number, environment, _body(item, _WHOLE)),
        )
    return (
        lambda: _element(item, summary, number, environment, untold),
        lambda: _element(item, summary, number, environment, _body(item, _SHORT)),
        lambda: _element(item, summary, number, environment, _body(item, _WHOLE)),
    )


def _is_small(item: Item) -> bool:
    """Say whether no text of an item is so long that it could be shown in part."""
    texts = (value for one in item.fields for value in (one.old, one.new) if isinstance(value, str))
    return all(len(text) < _SMALL for text in texts)


def _element(item: Item, summary: Html, number: int, environment: str, body: Html | None) -> str:
    about = {
        "cls": f"i {SHORT.get(item.paint, 'd')}" + ("" if body else " x"),
        "id": f"i{number}",
        "data_word": item.word,
        "data_kind": item.kind,
        "data_org": item.org,
        "data_env": environment or None,
        "data_status": item.status or None,
        "data_badge": " ".join(badge for badge in item.badges if badge == "exposure") or None,
    }
    return el("details", el("summary", summary), body or "", **about)


def _summary(item: Item, *, with_org: bool) -> Html:
    about = [el("em", item.title)] if item.title else []
    if item.status:
        about.append(el("span", item.status, cls="st"))
    about += [el("span", badge, cls="b e" if badge == "exposure" else "b") for badge in item.badges]
    if item.means:
        about.append(el("span", item.means, cls="d"))
    where = [el("span", cut(item.where, _WIDEST), cls="at")] if item.where else []
    org = [el("span", f"{cut(item.org, _WIDEST)}/", cls="d")] if with_org else []
    name = el("code", *org, cut(item.name, _WIDEST))
    parts = [el("b", item.sign), el("span", item.word, cls="do"), name, *about, *where]
    return join(part for one in parts for part in (one, " "))


def _body(item: Item, depth: Depth) -> Html:
    remarks = [_remark(one) for one in item.remarks[:_MOST_REMARKS]]
    return el("div", *remarks, fields_html(item, depth))


def _remark(remark: Remark) -> Html:
    label = el("span", f"{remark.label} ", cls="d") if remark.label else ""
    text = el("code", remark.text) if remark.command else remark.text
    return el("p", label, text, cls=f"k {SHORT.get(remark.paint, 'd')}")
