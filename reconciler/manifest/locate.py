"""Where a fault stands: positions are looked up in the text only when there is something to say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.errors import Fault, LocatedFault, SourceFile
from reconciler.manifest.places import Wanted, lines_of, places


def located(faults: Iterable[Fault]) -> list[LocatedFault]:
    """Return the faults with their places, in the order of files and lines, each once."""
    found: dict[LocatedFault, None] = {}
    by_file: dict[int, tuple[SourceFile, list[Fault]]] = {}
    for fault in faults:
        if fault.source is None:
            found[LocatedFault("", 0, 0, "", fault.message, fault.hint)] = None
        else:  # by identity: a text is long, and every fault of a file has the same one
            by_file.setdefault(id(fault.source.file), (fault.source.file, []))[1].append(fault)
    for file, its_faults in by_file.values():
        found |= dict.fromkeys(_located(file, its_faults))
    return sorted(found, key=lambda one: (one.path, one.line, one.column, one.message))


def _located(file: SourceFile, faults: Sequence[Fault]) -> list[LocatedFault]:
    """Return the faults of one file, whose text is read once for all of them."""
    lines = lines_of(file.text)
    found = places(file.text, {_wanted(fault) for fault in faults if fault.line is None or fault.column is None})
    located = []
    for fault in faults:
        line, column = fault.line, fault.column
        if line is None or column is None:
            line, column = found[_wanted(fault)].line, found[_wanted(fault)].column
        text = lines[line - 1] if 0 < line <= len(lines) else ""
        located.append(LocatedFault(file.path, line, column, text, fault.message, fault.hint))
    return located


def _wanted(fault: Fault) -> Wanted:
    return Wanted(fault.source.index if fault.source else 0, fault.path, key=not fault.on_value)
