"""What an apply did, for a terminal: what went wrong and what differs still, then the counts and the proof."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from reconciler.plan.outcome import Blocked, Conflicted, Done, Failed, NotStarted
from reconciler.report.details import Members, Reordered, Replaced, details
from reconciler.report.faults import hint_text
from reconciler.report.field_text import changed_lines, framed
from reconciler.report.proof import applied_verdict, proof, undo_hint
from reconciler.report.style import cells, cut
from reconciler.report.values import LONGEST_TEXT, is_prose, list_text, size_text, value_text
from reconciler.report.vocabulary import done_word
from reconciler.report.words import prose_diff

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.plan.change import Change, FieldChange
    from reconciler.plan.outcome import Applied, Outcome, Remainder
    from reconciler.report.details import Detail
    from reconciler.report.sheet import Tone
    from reconciler.report.style import Paint, Style

MOST_LISTED = 20
"""Of changes that were not tried, so many are named."""

_TONES: dict[Tone, Paint | None] = {"good": "green", "note": None, "bad": "red"}
_T = TypeVar("_T", bound="Outcome")


def applied_text(applied: Applied, *, style: Style, flags: str = "") -> Iterator[str]:
    """Yield the lines that say what became of every change; `flags` lead to the same manifests and platform."""
    outcomes = applied.outcomes
    yield from _done(_only(outcomes, Done), style)
    for failed in _only(outcomes, Failed):
        yield from _headed("failed", failed.change, failed.error.message, style)
        yield from hint_text(failed.error.hint, style=style, indent="    ")
    for conflicted in _only(outcomes, Conflicted):
        yield from _conflicted(conflicted, style)
    yield from _untried("blocked", [(one.change, f" by {one.by}") for one in _only(outcomes, Blocked)], style)
    yield from _untried("not started", [(one.change, "") for one in _only(outcomes, NotStarted)], style)
    for remainder in applied.remainders:
        yield from _remainder(remainder, style)
    yield from _closing(applied, style)
    if undo := undo_hint(applied, flags=flags):
        yield style.paint(f"To bring back what was archived, as far as the platform can: {undo}", "dim")


def _only(outcomes: Sequence[Outcome], kind: type[_T]) -> list[_T]:
    return [outcome for outcome in outcomes if isinstance(outcome, kind)]


def _done(dones: Sequence[Done], style: Style) -> Iterator[str]:
    """Yield what was done in counts, and one by one only what has a note."""
    if not dones:
        return
    counts = Counter(map(done_word, dones))
    yield style.paint(", ".join(f"{count:,} {word}" for word, count in counts.items()), "green")
    for done in dones:
        if done.note:
            yield f"  {style.paint(str(done.change.address))}: {style.paint(done.note, 'yellow')}"


def _headed(word: str, change: Change, message: str, style: Style) -> Iterator[str]:
    """Yield the line of what went wrong with a change, and the message below it."""
    yield (
        f"{style.paint(word, 'red', 'bold')} {style.paint(str(change.address), 'bold')} "
        f"{style.paint(f'({change.action.value})', 'dim')}"
    )
    for line in message.splitlines():
        yield "    " + style.paint(line)


def _conflicted(conflicted: Conflicted, style: Style) -> Iterator[str]:
    yield from _headed("conflict", conflicted.change, conflicted.message, style)
    names = [one.name for one in conflicted.fields]
    yield from changed_lines(conflicted.fields, framed(names, style=style))
    yield from hint_text(conflicted.hint, style=style, indent="    ")


def _untried(word: str, changes: Sequence[tuple[Change, str]], style: Style) -> Iterator[str]:
    for change, by in changes[:MOST_LISTED]:
        yield f"{style.paint(word, 'yellow')} {style.paint(change.step)}{style.paint(by, 'dim')}"
    if len(changes) > MOST_LISTED:
        yield style.paint(f"{word}: {len(changes) - MOST_LISTED:,} more", "yellow")


def _remainder(remainder: Remainder, style: Style) -> Iterator[str]:
    yield f"{style.paint('differs', 'red', 'bold')} {style.paint(str(remainder.address), 'bold')}"
    if remainder.message:
        yield "    " + style.paint(remainder.message)
    for one in remainder.fields:
        yield from _kept(one, style)


def _kept(field: FieldChange, style: Style) -> Iterator[str]:
    """Yield the lines that say of a field what was written and what the platform keeps instead."""
    new, old = field.new, field.old
    if isinstance(new, (list, dict)) and type(new) is type(old):
        for detail in details(old, new):
            yield from _kept_detail(field.name + detail.path, detail, style)
    elif isinstance(new, str) and isinstance(old, str) and (is_prose(new) or is_prose(old)):
        yield from _kept_line(field.name, size_text(new), size_text(old), style)
        yield from prose_diff(old, new, style=style, indent=" " * 6)
    else:
        yield from _kept_line(field.name, value_text(new), value_text(old), style)


def _kept_detail(path: str, detail: Detail, style: Style) -> Iterator[str]:
    match detail:
        case Replaced(_, old, new):
            yield from _kept_line(path, value_text(new), value_text(old), style)
        case Members(_, added, removed):
            wrote, keeps = (list_text(list(items)) if items else "nothing" for items in (added, removed))
            yield from _kept_line(path, wrote, keeps, style)
        case Reordered(_, items):
            yield from _kept_line(path, list_text(list(items)), "another order", style)


def _kept_line(path: str, wrote: str, keeps: str, style: Style) -> Iterator[str]:
    """Yield both sides on one line where they fit, else on two, long enough to be told apart."""
    most = max(style.width - 12, LONGEST_TEXT + 2)
    wrote, keeps = cut(wrote, most), cut(keeps, most)
    fits = cells(path) + cells(wrote) + cells(keeps) + 37 <= style.width
    start = f"    {style.paint(path)}: you wrote {style.paint(wrote, 'green')},"
    end = f"the platform keeps {style.paint(keeps, 'red')}"
    yield from (f"{start} {end}",) if fits else (start, f"      {end}")


def _closing(applied: Applied, style: Style) -> Iterator[str]:
    if applied.throttled_for > 0:
        yield style.paint(f"Waiting, as the platform asked for, cost {applied.throttled_for:.1f} s.", "dim")
    if applied.stopped:
        yield f"{style.paint('Stopped:', 'red', 'bold')} {style.paint(applied.stopped.message)}"
        yield from hint_text(applied.stopped.hint, style=style)
    elif applied.interrupted:
        yield style.paint("Interrupted: run again to go on.", "yellow")
    yield f"{style.paint('Applied:', 'bold')} {applied_verdict(applied)}"
    for alert in proof(applied):
        color = _TONES[alert.tone]
        label = style.paint(f"{alert.label}:", color, "bold") if color else f"{alert.label}:"
        yield f"{label} {style.paint(alert.message)}"
        yield from hint_text(alert.hint, style=style)
