"""A table in plain text: columns as wide as what stands in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from reconciler.report.style import cells, clean, pad

if TYPE_CHECKING:
    from reconciler.report.style import Style

_GAP = "  "


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, style: Style) -> Iterator[str]:
    """Yield the lines of a table, its head first; without rows there is none."""
    if not rows:
        return
    widths = [max(cells(clean(cell)) for cell in column) for column in zip(head, *rows, strict=True)]
    for number, row in enumerate((head, *rows)):
        text = _GAP.join(pad(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        yield style.paint(text, "bold") if number == 0 else text
