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
from itertools import islice
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.report.fit import Piece, grow, size_of
from reconciler.report.html_graph import graph_html
from reconciler.report.html_item import held_html, item_html
from reconciler.report.html_pack import Packed, packed
from reconciler.report.html_tables import orgs_html, overview_html
from reconciler.report.html_tags import Html, el, join
from reconciler.report.style import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.report.sheet import Alert, Item, Section, Sheet

MOST = 5_000_000
"""How many bytes a file has at most."""
PLAIN = 1_000_000
"""Up to so many bytes a page is plain HTML, that needs no script to be read."""
_ELSEWHERE = "see the text or JSON of the same run"
_MOST_ALERTS, _MOST_CHOICES = 30, 200
_KEYS = (("/", "search"), ("j k", "next, previous"), ("Enter", "open"), ("e", "open or close all"), ("Esc", "clear"))


def html(sheets: Sequence[Sheet], *, most: int = MOST) -> str:
    """Return the HTML of one or more sheets, in at most so many bytes where their number allows it.

    A page that is small says everything by itself; a larger one packs what its items hold.
    """
    items = [(sheet, item) for sheet in sheets for item in sheet.items]
    held = [held_html(item) for _, item in items]
    frame = _Frame(sheets, items)
    if sum(len(one or "") for one in held) < PLAIN:
        whole = frame.page(frame.elements(held, is_packed=False), Packed((), 0))
        if size_of(whole) <= min(most, PLAIN):
            return whole
    lines = [_piece(line) for line in frame.elements(held, is_packed=True)]
    room = most - size_of(frame.page([], Packed((Html(""),), len(items)))) - len(items)
    room = grow(lines, 0, room=room - sum(200 for sheet in sheets for _ in sheet.sections))
    shown = [line.text for line in lines if line.level == 0]
    return frame.page(shown, packed(held[: len(shown)], room=room))


def _piece(text: str) -> Piece:
    return Piece((lambda: text,))


class _Frame:
    """What a page shows whatever room there is for its items."""

    def __init__(self, sheets: Sequence[Sheet], items: Sequence[tuple[Sheet, Item]]) -> None:
        self.sheets = sheets
        self.items = items
        ids = {(id(sheet), item.step): f"i{n}" for n, (sheet, item) in reversed(list(enumerate(items)))}
        self.graphs = [
            graph_html(sheet, {step: at for (of, step), at in ids.items() if of == id(sheet)}) for sheet in sheets
        ]

    def elements(self, held: Sequence[Html | None], *, is_packed: bool) -> list[Html]:
        """Return the element of each item."""
        return [
            item_html(
                item,
                inside,
                number=number,
                environment=sheet.environment,
                with_org=len(sheet.orgs) > 1,
                is_packed=is_packed,
            )
            for number, ((sheet, item), inside) in enumerate(zip(self.items, held, strict=True))
        ]

    def page(self, elements: Sequence[str], pack: Packed) -> str:
        """Return the page with the first of its items, as many as there are elements."""
        rest = iter(elements)
        pairs = zip(self.sheets, self.graphs, strict=True)
        is_alone = len(self.sheets) == 1
        shown = [
            _sheet(sheet, graph, rest, None if is_alone else number) for number, (sheet, graph) in enumerate(pairs)
        ]
        return _document(
            _title(self.sheets),
            el("header", el("h1", _title(self.sheets)), _facts(self.sheets)),
            _filters(self.items) if self.items else "",
            *_pack_notes(pack),
            overview_html(self.sheets),
            el("main", *shown, el("p", "Nothing here is as searched for.", id="none", hidden="")),
            el("footer", f"reconciler {__version__}"),
            *pack.chunks,
        )


def _document(title: str, *body: str) -> str:
    style, script = _asset("page.css"), _asset("page.js")
    policy = f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; base-uri 'none'"
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=f"{policy}; form-action 'none'"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="generator", content=f"reconciler {__version__}"),
        el("title", title),
        el("style", Html(style)),
    )
    whole = el("html", head, el("body", *body, el("script", Html(script))), lang="en")
    return f"<!doctype html>\n{whole}\n"


def _pack_notes(pack: Packed) -> Iterator[Html]:
    """Say what a page cannot show of itself: without its script, and for want of room."""
    if pack.chunks:
        said = "What differs is packed to keep this file small: with JavaScript each line opens and shows it."
        yield el("noscript", el("p", said, cls="alert note"))
    if pack.left_out:
        said = f"{pack.left_out:,} items have only their line to keep this file small: {_ELSEWHERE}."
        yield el("p", said, cls="d")


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


def _sheet(sheet: Sheet, graph: Html, elements: Iterator[str], number: int | None) -> Html:
    title = (sheet.environment or sheet.verb, el("small", f" {sheet.verdict}"))
    head = [] if number is None else [el("h2", *title, cls="env", id=f"e{number}")]
    alerts = [_alert(alert) for alert in sheet.alerts[:_MOST_ALERTS]]
    more = len(sheet.alerts) - _MOST_ALERTS
    tail = [el("p", f"…and {more:,} more reasons", cls="d")] if more > 0 else []
    sections = [_section(section, elements) for section in sheet.sections]
    return el("section", *head, *alerts, *tail, orgs_html(sheet), graph, *sections, cls="sheet")


def _alert(alert: Alert) -> Html:
    hint = el("span", cut(alert.hint, 1000), cls="hint") if alert.hint else ""
    lines = [el("span", cut(line, 1000)) for line in alert.message.splitlines()[:10]]
    return el("p", el("strong", alert.label), *lines, hint, cls=f"alert {alert.tone}", role="note")


def _section(section: Section, elements: Iterator[str]) -> Html:
    own = list(islice(elements, len(section.items)))
    left = len(section.items) - len(own)
    more = el("p", f"…and {left:,} more: {_ELSEWHERE}.", cls="d") if left else ""
    urgent = "sec urgent" if section.urgent else "sec"
    return el("section", el("h2", section.heading, el("small", section.told)), Html("\n".join(own)), more, cls=urgent)


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
