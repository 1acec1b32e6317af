"""One resource for a terminal: whose it is, who touched it last, and its fields on three sides."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from reconciler.kinds.fields import SET, SecretRef
from reconciler.plan.claim import since
from reconciler.report.style import cut
from reconciler.report.table import table
from reconciler.report.values import value_text
from reconciler.report.vocabulary import counts_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from reconciler.plan.side_by_side import Row, SideBySide
    from reconciler.report.style import Style

_WRITTEN = {
    None: "never",
    "git": "as git",
    "live": "as live",
    "both": "as both",
    "neither": "something else",
}
_LEAST = 12


def show_text(shown: SideBySide, *, touched: str | None, style: Style) -> Iterator[str]:
    """Yield the lines that show a resource; `touched` names the commit that last touched its lines."""
    one = shown.desired
    title = f' "{one.title}"' if one.title != one.address.name else ""
    yield style.paint(str(one.address), "bold") + style.paint(title)
    yield f"  git:    {style.paint(f'{one.source.file.path}:{one.source.line}')}"
    if touched:
        yield f"          {style.paint(touched, 'dim')}"
    entry = shown.entry
    ours = f"{entry.id}, last written {since(entry)}" if entry else "not ours"
    protected = ", protected" if entry and entry.protect else ""
    yield f"  ledger: {style.paint(ours + protected)}"
    yield f"  live:   {style.paint(_live(shown))}"
    yield ""
    room = max((style.width - 40) // 2, _LEAST)
    differing = {field.path[0] for change in shown.changes for field in change.fields}
    told = [row for row in shown.rows if _differs(row, differing if shown.observed else None)]
    rows = [_cells(row, room, mark="~" if row in told else " ") for row in shown.rows]
    yield from table(["", "FIELD", "GIT", "LIVE", "LAST WRITTEN"], rows, style=style)
    yield ""
    if shown.changes:
        yield f"Plan: {counts_text(shown.changes)}."
    else:
        yield "In sync."


def _live(shown: SideBySide) -> str:
    if shown.observed is not None:
        return shown.observed.id
    return f"archived ({shown.twin.id})" if shown.twin else "nothing"


def _differs(row: Row, differing: Collection[str] | None) -> bool:
    """Say whether a plan would change a row, by the fields that do; of what is not there, whatever git says would."""
    if isinstance(row.desired, SecretRef) or row.desired == row.live:
        return False
    return differing is None or row.name.partition(".")[0] in differing


def _cells(row: Row, room: int, *, mark: str) -> list[str]:
    secret = isinstance(row.desired, SecretRef)
    written = row.written or "never" if secret else _WRITTEN.get(row.written, row.written or "never")
    return [mark, row.name, cut(value_text(row.desired), room), cut(_live_text(row.live), room), written]


def _live_text(value: Any) -> str:
    return "-" if value is None else "set" if value is SET else value_text(value)
