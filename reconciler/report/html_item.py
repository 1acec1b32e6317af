"""One item in HTML: a line that opens, with what is known of it and what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.report.html_fields import fields_html
from reconciler.report.html_tags import SHORT, Html, el, join
from reconciler.report.style import cut

if TYPE_CHECKING:
    from reconciler.report.sheet import Item, Remark

_MOST_REMARKS = 30
_WIDEST = 400


def item_html(item: Item, held: Html | None, *, number: int, environment: str, with_org: bool, is_packed: bool) -> Html:
    """Return the element of an item: its line, and what it holds, unless the page has that packed."""
    marks = " x" if held is None else " z" if is_packed else ""
    about = {
        "cls": f"i {SHORT.get(item.paint, 'd')}{marks}",
        "id": f"i{number}",
        "data_word": item.word,
        "data_kind": item.kind,
        "data_org": item.org,
        "data_env": environment or None,
        "data_status": item.status or None,
        "data_badge": " ".join(badge for badge in item.badges if badge == "exposure") or None,
    }
    return el("details", el("summary", _summary(item, with_org=with_org)), "" if is_packed else held or "", **about)


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


def held_html(item: Item) -> Html | None:
    """Return what an item holds below its line, None where that is nothing."""
    if not item.fields and not item.remarks:
        return None
    return el("div", *(_remark(one) for one in item.remarks[:_MOST_REMARKS]), fields_html(item))


def _remark(remark: Remark) -> Html:
    label = el("span", f"{remark.label} ", cls="d") if remark.label else ""
    text = el("code", remark.text) if remark.command else remark.text
    return el("p", label, text, cls=f"k {SHORT.get(remark.paint, 'd')}")
