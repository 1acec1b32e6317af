"""An import for a terminal: the files by organization, what is missing from them, what has to be provided."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.plan.imported import Fate
from reconciler.report.faults import hint_text
from reconciler.report.style import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.plan.imported import Imported, Saved
    from reconciler.report.style import Paint, Style

_SIGNS: dict[Fate, tuple[str, Paint, str]] = {
    Fate.WRITTEN: ("+", "green", ""),
    Fate.UNCHANGED: ("=", "dim", "is there already, the same"),
    Fate.IN_THE_WAY: ("!", "red", "is there already and says something else: left alone"),
    Fate.LEFT_OUT: ("!", "red", "not written: another file that it needs is in the way"),
}


def import_text(imported: Imported, *, style: Style) -> Iterator[str]:
    """Yield the lines that say what an import did."""
    yield from _files(imported, style)
    yield from _gaps(imported, style)
    yield from _suspects(imported, style)
    yield from _needed(imported, style)
    if imported.unowned is not None:
        yield style.paint(f"Not recorded as ours: {imported.unowned.message}", "yellow")
        yield from hint_text("the next apply takes it over, if nothing changes until then", style=style)
        yield ""
    yield style.paint(_closing(imported), "bold")


def _files(imported: Imported, style: Style) -> Iterator[str]:
    by_org: dict[str, list[Saved]] = {}
    for one in imported.saved:
        by_org.setdefault(one.address.org, []).append(one)
    for org, files in by_org.items():
        home = imported.homes[org]
        yield style.paint(home.title, "bold") + style.paint(f" ({org}, {home.id})", "dim")
        for (place, fate), count in _places(files).items():
            sign, color, note = _SIGNS[fate]
            notes = [*([counted(count, "file")] if place.endswith("/") else []), *([note] if note else [])]
            told = style.paint(f"  {', '.join(notes)}" if notes else "", "dim")
            yield f"  {style.paint(sign, color)} {style.paint(place)}{told}"
        yield ""


def _places(files: Iterable[Saved]) -> Counter[tuple[str, Fate]]:
    """Count the files of each place, which is a folder for those that a manifest names by it."""
    return Counter(
        (f"{one.folder}/" if one.folder and not one.fate.is_missing else one.path, one.fate) for one in files
    )


def _gaps(imported: Imported, style: Style) -> Iterator[str]:
    if not imported.gaps:
        return
    yield style.paint("Not in the manifests, and therefore left alone:", "bold")
    for gap in imported.gaps:
        place = f" {gap.place}" if gap.path else ""
        along = ".".join(map(str, gap.left_out))
        more = f" (with all of {along})" if gap.left_out and gap.left_out != gap.path else ""
        sign = style.paint("!", "red" if gap.is_total else "yellow")
        yield f"  {sign} {style.paint(f'{gap.address}{place}: {gap.message}{more}')}"
    yield ""


def _suspects(imported: Imported, style: Style) -> Iterator[str]:
    if not imported.suspects:
        return
    yield style.paint(
        "Looks like a secret in clear: read it before you commit, and replace it on the platform:", "bold"
    )
    for one in imported.suspects:
        place = ".".join(map(str, one.path))
        yield f"  {style.paint('!', 'red')} {style.paint(f'{one.address} {place}')}"
    yield ""


def _needed(imported: Imported, style: Style) -> Iterator[str]:
    if not imported.needed:
        return
    yield style.paint("To be provided in the environment before an apply that sends them; a plan needs none:", "bold")
    width = max(len(one.variable) for one in imported.needed)
    for one in imported.needed:
        place = ".".join(map(str, one.path))
        yield f"  {style.paint(one.variable.ljust(width))}  {style.paint(f'{one.address} {place}', 'dim')}"
    yield ""


def _closing(imported: Imported) -> str:
    fates = Counter(one.fate for one in imported.saved)
    resources = {one.address for one in imported.saved}
    blocked = {one.address for one in imported.saved if one.fate.is_missing}
    blocked |= {gap.address for gap in imported.gaps if gap.is_total}
    said = [f"{counted(len(resources - blocked), 'resource')} in {counted(fates[Fate.WRITTEN], 'new file')}"]
    said += [f"{len(blocked)} not imported"] if blocked else []
    said += [f"{len(imported.declared)} declared already"] if imported.declared else []
    said += [f"{imported.archived} archived left out"] if imported.archived else []
    return f"Import: {', '.join(said)}."
