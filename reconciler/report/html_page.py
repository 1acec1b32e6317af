"""A run as one HTML file that asks nobody for anything: light and dark, searched, filtered and read with the keyboard.

What it may load is said in its own policy: its one style and its one script by their digests, and nothing else, so
that a text from elsewhere could do nothing even if it were not escaped. Without the script all of it can be read.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.report.fit import Piece, grow, size_of
from reconciler.report.html_graph import graph_html
from reconciler.report.html_item import item_forms
from reconciler.report.html_tags import Html, el, join
from reconciler.report.style import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.report.sheet import Alert, Item, Section, Sheet

MOST = 5_000_000
"""How many bytes a file has at most."""
_MOST_ORGS, _MOST_ALERTS, _MOST_CHOICES = 200, 30, 200
_KEYS = (("/", "search"), ("j k", "next, previous"), ("Enter", "open"), ("e", "open or close all"), ("Esc", "clear"))


def html(sheets: Sequence[Sheet], *, most: int = MOST) -> str:
    """Return the HTML of one or more sheets, in at most so many bytes where their number allows it."""
    items = [(sheet, item) for sheet in sheets for item in sheet.items]
    forms = [
        item_forms(item, number=number, environment=sheet.environment, with_org=len(sheet.orgs) > 1)
        for number, (sheet, item) in enumerate(items)
    ]
    pieces = [Piece(form) for form in forms]
    ids = {(id(sheet), item.step): f"i{n}" for n, (sheet, item) in reversed(list(enumerate(items)))}
    graphs = [graph_html(sheet, {step: at for (of, step), at in ids.items() if of == id(sheet)}) for sheet in sheets]
    frame = _page(sheets, graphs, [], items)
    room = most - size_of(frame) - sum(200 for sheet in sheets for _ in sheet.sections) - len(items)
    for level in range(3):
        room = grow(pieces, level, room=room)
    return _page(sheets, graphs, pieces, items)


def _page(
    sheets: Sequence[Sheet], graphs: Sequence[Html], pieces: Sequence[Piece], items: Sequence[tuple[Sheet, Item]]
) -> str:
    style, script = _asset("page.css"), _asset("page.js")
    policy = f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; base-uri 'none'"
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=f"{policy}; form-action 'none'"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="generator", content=f"reconciler {__version__}"),
        el("title", _title(sheets)),
        el("style", Html(style)),
    )
    rest = iter(pieces)
    shown = [_sheet(sheet, graph, rest, is_alone=len(sheets) == 1) for sheet, graph in zip(sheets, graphs, strict=True)]
    body = el(
        "body",
        el("header", el("h1", _title(sheets)), _facts(sheets)),
        _filters(items) if items else "",
        el("main", *shown, el("p", "Nothing here is as searched for.", id="none", hidden="")),
        el("footer", f"reconciler {__version__}"),
        el("script", Html(script)),
    )
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"


@cache
def _asset(name: str) -> str:
    return files("reconciler.report").joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _title(sheets: Sequence[Sheet]) -> str:
    if len(sheets) == 1:
        (sheet,) = sheets
        return sheet.verdict if sheet.nothing else f"{sheet.verb}: {sheet.verdict}"
    return f"{sheets[0].verb if sheets else 'Plan'} of {len(sheets)} environments"


def _facts(sheets: Sequence[Sheet]) -> Html:
    """Return what the run was made from; what is the same for all environments once."""
    told: dict[tuple[str, str], None] = {}
    for sheet in sheets:
        named = {"Environment": sheet.environment} | dict(sheet.facts)
        told |= dict.fromkeys((name, text) for name, text in named.items() if text)
    return el("dl", *(el("div", el("dt", name), el("dd", cut(text, 200))) for name, text in list(told)[:_MOST_ALERTS]))


def _sheet(sheet: Sheet, graph: Html, pieces: Iterator[Piece], *, is_alone: bool) -> Html:
    head = [] if is_alone else [el("h2", sheet.environment or sheet.verb, el("small", f" {sheet.verdict}"), cls="env")]
    alerts = [_alert(alert) for alert in sheet.alerts[:_MOST_ALERTS]]
    more = len(sheet.alerts) - _MOST_ALERTS
    tail = [el("p", f"…and {more:,} more reasons", cls="d")] if more > 0 else []
    sections = [_section(section, pieces) for section in sheet.sections]
    return el("section", *head, *alerts, *tail, _orgs(sheet), graph, *sections, cls="sheet")


def _alert(alert: Alert) -> Html:
    hint = el("span", cut(alert.hint, 1000), cls="hint") if alert.hint else ""
    lines = [el("span", cut(line, 1000)) for line in alert.message.splitlines()[:10]]
    return el("p", el("strong", alert.label), *lines, hint, cls=f"alert {alert.tone}", role="note")


def _orgs(sheet: Sheet) -> Html:
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
        for org in sheet.orgs[:_MOST_ORGS]
    ]
    more = len(sheet.orgs) - _MOST_ORGS
    rest = [el("tr", el("th", f"…and {more:,} more", colspan=str(len(words) + 1)))] if more > 0 else []
    return el("table", el("thead", head), el("tbody", *rows, *rest), cls="orgs")


def _section(section: Section, pieces: Iterator[Piece]) -> Html:
    own = [piece for _, piece in zip(section.items, pieces, strict=False)]
    shown = Html("\n".join(piece.text for piece in own if piece.level >= 0))
    left = sum(piece.level < 0 for piece in own)
    more = el("p", f"…and {left:,} more: see the text or JSON of the same run.", cls="d") if left else ""
    urgent = "sec urgent" if section.urgent else "sec"
    return el("section", el("h2", section.heading, el("small", section.told)), shown, more, cls=urgent)


def _filters(items: Sequence[tuple[Sheet, Item]]) -> Html:
    """Return the search field, and buttons for each word, kind and so on that tells items apart."""
    every = [item for _, item in items]
    groups = [
        _choices("status", "Outcome", Counter(item.status for item in every if item.status), least=1),
        _choices("word", "What", Counter(item.word for item in every), least=2),
        _choices("badge", "Access", Counter("exposure" for item in every if "exposure" in item.badges), least=1),
        _choices("kind", "Kind", Counter(item.kind for item in every), least=2),
        _choices("org", "Organization", Counter(item.org for item in every), least=2),
        _choices("env", "Environment", Counter(sheet.environment for sheet, _ in items), least=2),
    ]
    search = el("input", id="q", type="search", placeholder="Search names, fields, values", aria_label="Search")
    count = el("output", f"{len(every):,}", id="count", aria_live="polite")
    toggle = el("button", "Open all", type="button", id="all")
    keys = join(part for key, what in _KEYS for part in (el("kbd", key), f" {what} "))
    line = el("div", search, count, toggle, el("span", keys, cls="keys"), cls="line")
    return el("nav", line, el("div", *groups, cls="groups"), aria_label="Search and filters")


def _choices(name: str, label: str, counts: Counter[str], *, least: int) -> Html:
    """Return a group of buttons, or a list to choose from where they would be many; nothing where all are alike."""
    if len(counts) < least:
        return Html("")
    ranked: Iterable[tuple[str, int]] = counts.most_common(_MOST_CHOICES)
    if len(counts) > 8:  # noqa: PLR2004 - more than fit on a line
        options = [el("option", f"{cut(value, 60)} ({count:,})", value=value) for value, count in sorted(ranked)]
        choice = el("select", el("option", "any", value=""), *options, data_by=name, aria_label=label)
        return el("div", el("span", label, cls="d"), choice, cls="group", role="group", aria_label=label)
    buttons = [_button(name, value, count) for value, count in ranked]
    return el("div", el("span", label, cls="d"), *buttons, cls="group", role="group", aria_label=label)


def _button(name: str, value: str, count: int) -> Html:
    said = (value or "(none)", el("b", f"{count:,}"))
    return el("button", *said, type="button", aria_pressed="false", data_by=name, value=value)
