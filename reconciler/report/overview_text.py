"""Several environments as text: one table of them all, then each by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.report.overview import overview
from reconciler.report.render import subject_text
from reconciler.report.table import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.report.sheet import Sheet
    from reconciler.report.style import Style
    from reconciler.report.subject import About


def overview_text(abouts: Sequence[About], sheets: Sequence[Sheet], *, style: Style) -> Iterator[str]:
    """Yield the table, then the text of each, below the name of its environment."""
    found = overview(sheets)
    head = ["Environment", "Organization", *found.headings, *([""] if found.has_words else [])]
    rows = [
        [row.environment, row.org, *map(row.number, found.headings), *([row.said] if found.has_words else [])]
        for row in found.rows
    ]
    yield from table(head, rows, style=style)
    for one, sheet in zip(abouts, sheets, strict=True):
        yield ""
        yield style.paint(f"== {sheet.environment}", "bold")
        yield from (style.paint(f"{name}: {text}", "dim") for name, text in sheet.facts.items())
        yield ""
        yield from subject_text(one.subject, style=style)
