"""The tables of a page: the organizations of one environment, and all environments of several."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.report.html_tags import Html, el
from reconciler.report.overview import Row, overview
from reconciler.report.sheet import Sheet
from reconciler.report.style import cut

_MOST = 200


def orgs_html(sheet: Sheet) -> Html:
    """Return the counts by organization, where there is more than one."""
    words = [word for word in sheet.words if any(org.counts.get(word) for org in sheet.orgs)]
    if len(sheet.orgs) <= 1:
        return Html("")
    head = el("tr", el("th", "Organization"), *(el("th", word) for word in words))
    rows = [
        el(
            "tr",
            el("th", cut(org.title or org.name, 80), el("small", f" {cut(org.name, 80)} · {cut(org.id or 'new', 80)}")),
            *(el("td", f"{org.counts[word]:,}" if org.counts.get(word) else "") for word in words),
        )
        for org in sheet.orgs[:_MOST]
    ]
    more = len(sheet.orgs) - _MOST
    rest = [el("tr", el("th", f"…and {more:,} more", colspan=str(len(words) + 1)))] if more > 0 else []
    return el("table", el("thead", head), el("tbody", *rows, *rest), cls="orgs")


def overview_html(sheets: Sequence[Sheet]) -> Html:
    """Return the table of all environments, each of which leads to its own; nothing for one alone."""
    if len(sheets) <= 1:
        return Html("")
    found = overview(sheets)
    places = {sheet.environment or sheet.verb: f"#e{number}" for number, sheet in enumerate(sheets)}
    head = ["Environment", "Organization", *found.headings, *([""] if found.has_words else [])]
    rows = [
        el(
            "tr",
            el("th", el("a", cut(row.environment, 80), href=places[row.environment])),
            el("td", *_org(row)),
            *(el("td", row.number(heading)) for heading in found.headings),
            *([el("td", row.said)] if found.has_words else []),
        )
        for row in found.rows[:_MOST]
    ]
    more = len(found.rows) - _MOST
    rest = [el("tr", el("th", f"…and {more:,} more", colspan=str(len(head))))] if more > 0 else []
    titles = el("tr", *(el("th", title) for title in head))
    return el("table", el("thead", titles), el("tbody", *rows, *rest), cls="orgs over")


def _org(row: Row) -> Sequence[str]:
    if not row.org:
        return ("",)
    return (cut(row.title or row.org, 80), *([el("small", f" {cut(row.org, 80)}")] if row.title else []))
