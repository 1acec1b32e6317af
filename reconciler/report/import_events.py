"""The events about an import; `events.py` says what each type holds."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.report.events import Event, error, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.plan.imported import Imported


def imported(one: Imported) -> Iterator[Event]:
    """Describe an import: its files, what is missing from them, the secrets to provide, and the sum."""
    for file in one.saved:
        yield event("file", path=file.path, address=str(file.address), fate=file.fate.value)
    for gap in one.gaps:
        yield event(
            "gap",
            address=str(gap.address),
            path=list(gap.path),
            message=gap.message,
            left_out=list(gap.left_out),
        )
    for need in one.needed:
        yield event("needed", variable=need.variable, address=str(need.address), path=list(need.path))
    for suspect in one.suspects:
        yield event("suspect", address=str(suspect.address), path=list(suspect.path))
    fates = Counter(file.fate.value for file in one.saved)
    declared = [str(each.address) for each in one.declared]
    yield event("import", files=dict(fates), declared=declared, archived=one.archived, owned=one.owned)
    if one.unowned is not None:
        yield error(one.unowned)
