"""Where a fault stands: positions are looked up in the text only when there is something to say."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.errors import Fault, LocatedFault
from reconciler.manifest.places import line_at, place


def located(faults: Iterable[Fault]) -> list[LocatedFault]:
    """Return the faults with their places, in the order of files and lines, each once."""
    found = {_located(fault): None for fault in faults}
    return sorted(found, key=lambda one: (one.path, one.line, one.column, one.message))


def _located(fault: Fault) -> LocatedFault:
    if fault.source is None:
        return LocatedFault("", 0, 0, "", fault.message, fault.hint)
    file = fault.source.file
    line, column = fault.line, fault.column
    if line is None or column is None:
        where = place(file.text, index=fault.source.index, path=fault.path, key=not fault.on_value)
        line, column = where.line, where.column
    return LocatedFault(file.path, line, column, line_at(file.text, line), fault.message, fault.hint)
