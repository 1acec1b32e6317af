"""A plan for a terminal: by organization and kind, with what changes in each field, and a summary at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.plan.change import Action
from reconciler.report.style import Style, cells, clean, counted, cut_left, pad
from reconciler.report.vocabulary import COLORS, REPLACED, counts_text, means_of, moved_words, nothing_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.plan.change import Change
    from reconciler.plan.plan import OrgRef, Plan

MOST_CREATES_IN_FULL = 20
"""With more creations than this, each gets one line."""

_MOST_ADOPTIONS = 20
_MOST_NAMED = 6
_WIDEST_NAME = 60
_LEAST_WHERE = 16
_MOST_SECRETS = 20


def plan_text(plan: Plan, *, style: Style) -> Iterator[str]:
    """Yield the lines that show a plan."""
    if plan.partial:
        yield style.paint(f"! Partial plan: {plan.partial}", "yellow", "bold")
        yield ""
    creates = plan.counts.get(Action.CREATE, 0)
    by_org = _by_org(plan.changes)
    for org, changes in by_org.items():
        yield _heading(org, plan.orgs.get(org), style)
        yield from _changes(changes, style, is_short=creates > MOST_CREATES_IN_FULL)
        yield ""
    if creates > MOST_CREATES_IN_FULL:
        yield style.paint(f"The fields of {counted(creates, 'creation')} are not shown.", "dim")
    yield from _summary(plan, by_org, style)


def _by_org(changes: Iterable[Change]) -> dict[str, list[Change]]:
    """Group by organization, then by kind, both as they first appear; within a kind the plan's order stays."""
    groups: dict[str, dict[str, list[Change]]] = {}
    for change in changes:
        groups.setdefault(change.address.org, {}).setdefault(change.address.kind, []).append(change)
    return {org: [change for kind in kinds.values() for change in kind] for org, kinds in groups.items()}


def _heading(org: str, ref: OrgRef | None, style: Style) -> str:
    if ref is None:
        return style.paint(org, "bold")
    known = style.paint(f"({org}, {ref.id or 'new'})", "dim")
    return f"{style.paint(ref.title or org, 'bold')} {known}"


def _changes(changes: Sequence[Change], style: Style, *, is_short: bool) -> Iterator[str]:
    names = [cells(_name(change)) for change in changes]
    column = max((width for width in names if width <= min(_WIDEST_NAME, style.width // 2)), default=0)
    adoptions = 0
    for change in changes:
        adoptions += change.action is Action.ADOPT
        if change.action is Action.ADOPT and adoptions > _MOST_ADOPTIONS:
            continue
        yield from _head(change, column, style)
        if not (is_short and change.action is Action.CREATE):
            yield from _fields(change, style)
        yield from _moved(change, style)
        yield from _notes(change, style)
    if adoptions > _MOST_ADOPTIONS:
        rest = f"= {adoptions - _MOST_ADOPTIONS:,} more to adopt: they are there and agree"
        yield f"  {style.paint(rest, COLORS[Action.ADOPT])}"


def _moved(change: Change, style: Style) -> Iterator[str]:
    """Yield the lines that say which side moved, and since when that is known."""
    for color, text in moved_words(change):
        yield f"      {style.paint(text, color)}"


def _name(change: Change) -> str:
    """Name a change by its address within the organization, its title where that differs, and what it means."""
    title = f' "{change.title}"' if change.title and change.title != change.address.name else ""
    means = means_of(change)
    return f"{change.address.local}{title}{f'  {means}' if means else ''}"


def _head(change: Change, column: int, style: Style) -> Iterator[str]:
    """Yield the line of a change, with its place in the manifests to the right where there is room."""
    name = _name(change)
    line = f"  {style.paint(f'{change.action.symbol} {name}', COLORS[change.action])}"
    used = max(cells(name), column) + 6
    room = style.width - used
    if not change.where or room < min(_LEAST_WHERE, cells(change.where)):
        yield line
        if change.where:
            yield f"      {style.paint(cut_left(change.where, max(style.width - 6, _LEAST_WHERE)), 'dim')}"
        return
    gap = pad("", used - 4 - cells(name))
    yield f"{line}{gap}{style.paint(cut_left(change.where, room), 'dim')}"


def _fields(change: Change, style: Style) -> Iterator[str]:
    from reconciler.report.field_text import changed_lines, created_lines, framed
    from reconciler.report.rows import leaves

    sent = frozenset(change.secrets)
    match change.action:
        case Action.CREATE:
            fields = [one for one in change.fields if not (one.name == "name" and one.new == change.title)]
            frame = framed([name for name, _ in leaves(fields)], style=style, sent=sent)
            yield from created_lines(fields, frame)
        case Action.UPDATE | Action.RESTORE | Action.RELEASE | Action.CONFLICT:
            frame = framed([one.name for one in change.fields], style=style, sent=sent)
            yield from changed_lines(change.fields, frame)
        case _:
            return


def _notes(change: Change, style: Style) -> Iterator[str]:
    if change.replace and change.action is Action.UPDATE:
        yield "      " + style.paint(REPLACED, "dim")
    for note in change.notes:
        for number, line in enumerate(note.splitlines()):
            yield f"      {style.paint('  ' if number else '! ', 'yellow')}{style.paint(line, 'yellow')}"


def _summary(plan: Plan, by_org: Mapping[str, Sequence[Change]], style: Style) -> Iterator[str]:
    if plan.is_empty:
        yield f"{style.paint('No changes.', 'bold')} {nothing_words(plan)}"
        return
    if len(by_org) > 1:
        width = max(map(cells, by_org))
        for org, changes in by_org.items():
            yield f"  {style.paint(pad(org, width))}  {counts_text(changes)}"
    yield from _secrets(plan, style)
    yield from _refusals(plan, style)
    unchanged = f", {plan.in_sync:,} unchanged" if plan.in_sync else ""
    yield f"{style.paint('Plan:', 'bold')} {counts_text(plan.changes)}{unchanged}."


def _refusals(plan: Plan, style: Style) -> Iterator[str]:
    """Yield the verdict, where it is against the plan."""
    from reconciler.report.faults import hint_text

    for refusal in plan.refusals:
        yield f"{style.paint('Refused:', 'red', 'bold')} {style.paint(refusal.message)}"
        yield from hint_text(refusal.hint, style=style)


def _secrets(plan: Plan, style: Style) -> Iterator[str]:
    """Yield the lines that name every secret that will be sent, for which a field above may have no room."""
    names = sorted({f"{secret.source} {secret.name}" for change in plan.writes for secret in change.secrets})
    if not names:
        return
    more = [f"and {len(names) - _MOST_SECRETS:,} more"] if len(names) > _MOST_SECRETS else []
    line = f"{counted(len(names), 'secret')} will be read and sent:"
    for part in [*(f"{name}," for name in names[:_MOST_SECRETS][:-1]), names[:_MOST_SECRETS][-1], *more]:
        if cells(line) + cells(clean(part)) >= style.width:
            yield style.paint(line, "yellow")
            line = " "
        line += f" {part}"
    yield style.paint(line, "yellow")
