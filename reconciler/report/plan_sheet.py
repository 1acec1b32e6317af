"""A plan as a sheet: removals first, then secrets, exposure, updates and creations."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from reconciler.plan.change import Action
from reconciler.plan.concern import Concern, concern_of, exposes
from reconciler.report.sheet import Alert, Item, OrgCounts, Remark, Section, Sheet
from reconciler.report.style import counted
from reconciler.report.vocabulary import (
    COLORS,
    COUNTED,
    REPLACED,
    counts_text,
    means_of,
    moved_words,
    nothing_words,
    verb_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.plan.change import Change, FieldChange
    from reconciler.plan.plan import OrgRef, Plan

_URGENT = frozenset({Concern.CONFLICT, Concern.REMOVAL, Concern.SECRET, Concern.EXPOSURE})

_MOST_SECRETS = 20


def plan_sheet(plan: Plan, *, facts: Mapping[str, str]) -> Sheet:
    """Return the sheet of a plan."""
    items: defaultdict[Concern, list[Item]] = defaultdict(list)
    for change in plan.changes:
        items[concern_of(change)].append(item_of(change))
    sections = [Section(one.value, tuple(items[one]), urgent=one in _URGENT) for one in Concern if items[one]]
    return Sheet(
        "Plan",
        environment_of(plan),
        verdict_of(plan),
        nothing=plan.is_empty,
        state="refused" if plan.refusals else "",
        alerts=tuple(alerts_of(plan)),
        orgs=orgs_of([(change.address.org, counted_as(change)) for change in plan.changes], plan.orgs),
        words=tuple(dict.fromkeys([*(one.value for one in Action if one.is_step), "delete", *COUNTED.values()])),
        sections=tuple(sections),
        changes=plan.changes,
        facts=facts,
    )


def environment_of(plan: Plan) -> str:
    """Return what the ledger calls the environment, if it was asked."""
    return plan.owner.environment if plan.owner else ""


def verdict_of(plan: Plan) -> str:
    """Sum a plan up in a sentence."""
    if plan.is_empty:
        return f"No changes. {nothing_words(plan)}"
    unchanged = f", {plan.in_sync:,} unchanged" if plan.in_sync else ""
    return f"{counts_text(plan.changes)}{unchanged}."


def alerts_of(plan: Plan) -> Iterator[Alert]:
    """Yield why a plan is refused, what it leaves out, and how many secrets it sends."""
    for refusal in plan.refusals:
        yield Alert("bad", "Refused", refusal.message, refusal.hint)
    if plan.partial:
        yield Alert("note", "Partial plan", plan.partial)
    if names := sorted({f"{secret.source} {secret.name}" for change in plan.writes for secret in change.secrets}):
        more = [f"and {len(names) - _MOST_SECRETS:,} more"] if len(names) > _MOST_SECRETS else []
        said = ", ".join([*names[:_MOST_SECRETS], *more])
        yield Alert("note", f"{counted(len(names), 'secret')} will be read and sent", said)


def orgs_of(told: Iterable[tuple[str, str]], orgs: Mapping[str, OrgRef]) -> tuple[OrgCounts, ...]:
    """Count words by organization, in the order in which they first appear."""
    counts: dict[str, Counter[str]] = {}
    for org, word in told:
        counts.setdefault(org, Counter())[word] += 1
    known = {name: orgs.get(name) for name in counts}
    return tuple(
        OrgCounts(name, ref.title if ref else "", ref.id if ref else None, counts[name]) for name, ref in known.items()
    )


def counted_as(change: Change) -> str:
    """Return the word under which a change is counted."""
    return COUNTED.get(change.action) or verb_of(change)


def item_of(change: Change, *, status: str = "", remarks: tuple[Remark, ...] = ()) -> Item:
    """Return the item of a change."""
    address = change.address
    return Item(
        address.org,
        address.kind,
        address.local,
        change.action.symbol,
        counted_as(change),
        COLORS[change.action],
        title=change.title if change.title != address.name else "",
        means=(means_of(change) or "").partition(": ")[2],
        where=change.where,
        status=status,
        badges=tuple(_badges(change)),
        fields=_fields(change),
        manner="created" if change.action is Action.CREATE else "changed",
        sent=frozenset(change.secrets),
        remarks=(*remarks, *_remarks(change)),
        step=change.step,
    )


def _badges(change: Change) -> Iterator[str]:
    if exposes(change):
        yield "exposure"
    if change.action.writes and change.secrets:
        yield counted(len(change.secrets), "secret")
    if change.replace and change.action is Action.UPDATE:
        yield "replaced as a whole"


def _fields(change: Change) -> tuple[FieldChange, ...]:
    match change.action:
        case Action.CREATE:
            return tuple(one for one in change.fields if not (one.name == "name" and one.new == change.title))
        case Action.UPDATE | Action.RESTORE | Action.RELEASE | Action.CONFLICT:
            return change.fields
    return ()


def _remarks(change: Change) -> Iterator[Remark]:
    for paint, text in moved_words(change):
        yield Remark(text, paint=paint)
    if change.replace and change.action is Action.UPDATE:
        yield Remark(REPLACED, paint="dim")
    yield from map(Remark, change.notes)
