"""The table at the top of a Markdown document: one environment by what is done, several by what is at stake."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from reconciler.report.inert import cell
from reconciler.report.overview import overview

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.report.overview import Other, Row
    from reconciler.report.sheet import Sheet

OF_LINKS = ":/?#[]@!$&'()*+,;=%~"
"""What may stand in a link beside letters and digits."""
OF_OTHERS = "\n<sub>Other environments are as their comments were when this one was written.</sub>\n"
"""Stands below the table where it has rows of other jobs."""
_MOST_OTHERS = 30


def table(sheets: Sequence[Sheet], others: Sequence[Other]) -> Iterator[str]:
    """Yield the head of the table, and its rows."""
    if len(sheets) + len(others) == 1:
        yield from _alone(sheets[0])
        return
    found = overview(sheets, others[:_MOST_OTHERS])
    head = " | ".join(["Environment", "Organization", *found.headings])
    yield f"\n| {head} |\n|{' --- |' * 2}{' ---: |' * len(found.headings)}\n"
    for row in found.rows:
        name, org = _name(row, among_others=bool(others)), cell(row.org) if row.org else "*all*"
        said = f" · {row.said}" if row.said else ""
        yield f"| {' | '.join([name, f'{org}{said}', *map(row.number, found.headings)])} |\n"
    if len(others) > _MOST_OTHERS:
        yield f"| *{len(others) - _MOST_OTHERS:,} more* | |\n"


def _alone(sheet: Sheet) -> Iterator[str]:
    """Yield the table of one environment: a row for each organization, counted by what is done."""
    used = {word for org in sheet.orgs for word in org.counts}
    words = [word for word in dict.fromkeys(sheet.words) if word in used]
    if not words:
        return
    names = ["Environment", "Organization"] if sheet.environment else ["Organization"]
    yield f"\n| {' | '.join([*names, *words])} |\n|{' --- |' * len(names)}{' ---: |' * len(words)}\n"
    start = f"| {cell(sheet.environment)} | " if sheet.environment else "| "
    for org in sheet.orgs:
        title = f" {cell(org.title)}" if org.title and org.title != org.name else ""
        counts = "".join(f" {org.counts[word]:,} |" if org.counts.get(word) else "  |" for word in words)
        yield f"{start}{cell(org.name)}{title} |{counts}\n"


def _name(row: Row, *, among_others: bool) -> str:
    """Return the name of an environment: with a link where it has a place of its own, bold where it is here."""
    name = cell(row.environment)
    return f"[{name}](<{link_to(row.url)}>)" if row.url else f"**{name}**" if among_others else name


def link_to(url: str) -> str:
    """Return an address in which nothing can end the link that it stands in."""
    return quote(url, safe=OF_LINKS, errors="replace")
