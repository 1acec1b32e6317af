"""A plan for a terminal: by organization and kind, with what changes in each field, and a summary at the end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.plan.change import Action, Side
from reconciler.plan.secrecy import SecretState
from reconciler.report.style import Paint, Style, cells, clean, counted, cut_left, pad

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.plan.change import Change
    from reconciler.plan.plan import OrgRef, Plan

MOST_CREATES_IN_FULL = 20
"""With more creations than this, each gets one line."""

COLORS: dict[Action, Paint] = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.RESTORE: "green",
    Action.ARCHIVE: "red",
    Action.PUBLISH: "cyan",
    Action.UNPUBLISH: "cyan",
    Action.ADOPT: "cyan",
    Action.RECORD: "cyan",
    Action.FORGET: "cyan",
    Action.CONFLICT: "red",
    Action.KEEP: "yellow",
    Action.REPORT: "yellow",
}
_MEANS = {
    Action.RESTORE: "restore: brought back from the archive",
    Action.ARCHIVE: "archive",
    Action.PUBLISH: "publish: reachable by the world",
    Action.UNPUBLISH: "unpublish: no longer reachable",
    Action.ADOPT: "adopt: ours from now on",
    Action.RECORD: "only the ledger changes",
    Action.FORGET: "forget: ours no longer",
    Action.CONFLICT: "conflict",
    Action.KEEP: "kept",
}
_COUNTED = {Action.REPORT: "to know of", Action.CONFLICT: "in conflict", Action.KEEP: "kept"}
_MOST_ADOPTIONS = 20
_MOST_NAMED = 6
_MOVED: dict[Side, tuple[str, Paint]] = {
    Side.PENDING: ("you changed", "dim"),
    Side.DRIFTED: ("changed on the platform", "yellow"),
    Side.BOTH: ("changed both here and on the platform", "red"),
}
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


def counts_text(changes: Iterable[Change]) -> str:
    """Write how many changes there are of each action, as `2 to create, 1 to update`."""
    listed = list(changes)
    counts = Counter(change.action for change in listed)
    final = sum(change.action is Action.ARCHIVE and change.kind.archive_is_final for change in listed)
    counts[Action.ARCHIVE] -= final
    parts = [f"{counts[action]:,} to {action.value}" for action in Action if action.is_step and counts[action] > 0]
    parts += [f"{final:,} to delete"] if final else []
    parts += [f"{counts[action]:,} {words}" for action, words in _COUNTED.items() if counts.get(action)]
    return ", ".join(parts)


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
    if change.since is None:
        return
    for side, (words, color) in _MOVED.items():
        names = [one.name for one in change.fields if one.side is side]
        if names:
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            listed = ", ".join(names[:_MOST_NAMED]) + more
            text = f"{words} since {change.since}: {listed}"
            yield f"      {style.paint(text, color)}"


def _name(change: Change) -> str:
    """Name a change by its address within the organization, its title where that differs, and what it means."""
    title = f' "{change.title}"' if change.title and change.title != change.address.name else ""
    means = _MEANS.get(change.action)
    if change.action is Action.ARCHIVE and change.kind.archive_is_final:
        means = "delete"
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
        case Action.UPDATE | Action.RESTORE | Action.CONFLICT:
            frame = framed([one.name for one in change.fields], style=style, sent=sent)
            yield from changed_lines(change.fields, frame)
        case _:
            return


def _notes(change: Change, style: Style) -> Iterator[str]:
    if change.replace and change.action is Action.UPDATE:
        yield "      " + style.paint("written as a whole: the API has no other way to clear a field", "dim")
    for note in change.notes:
        for number, line in enumerate(note.splitlines()):
            yield f"      {style.paint('  ' if number else '! ', 'yellow')}{style.paint(line, 'yellow')}"


def _summary(plan: Plan, by_org: Mapping[str, Sequence[Change]], style: Style) -> Iterator[str]:
    if plan.is_empty:
        yield _nothing(plan, style)
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


def _nothing(plan: Plan, style: Style) -> str:
    are = "is" if plan.in_sync == 1 else "are"
    told = [f" {count:,} {words}." for action, words in _COUNTED.items() if (count := plan.counts.get(action))]
    unknown = plan.secrets.get(SecretState.UNKNOWN, 0)
    if unknown:
        why = "no value here, or not sent since the ledger began (--rotate sends them)"
        told.append(f" {counted(unknown, 'secret')} not compared: {why}.")
    known = "".join(told)
    text = f"{counted(plan.in_sync, 'resource')} {are} as git wants {'it' if are == 'is' else 'them'}."
    return f"{style.paint('No changes.', 'bold')} {text}{known}"
