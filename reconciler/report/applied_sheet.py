"""What an apply did as a sheet: what went wrong first, what differs still, then what was done."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from reconciler.plan.outcome import Blocked, Conflicted, Done, Failed, NotStarted
from reconciler.report.plan_sheet import alerts_of, environment_of, item_of, orgs_of
from reconciler.report.proof import applied_verdict, proof, undo_hint
from reconciler.report.sheet import Alert, Item, Remark, Section, Sheet
from reconciler.report.vocabulary import BECAME, done_word

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.plan.outcome import Applied, Outcome, Remainder
    from reconciler.plan.plan import Plan

_DIFFERS = "Differs from what was written"
_ORDER = {
    "failed": "Failed",
    "in conflict": "In conflict",
    "differs": _DIFFERS,
    "blocked": "Blocked",
    "not started": "Not started",
    "done": "Done",
}
"""The sections in the order of reading, by the word for what became of a change."""
_CALM = frozenset({"not started", "done"})


def applied_sheet(plan: Plan, applied: Applied, *, flags: str, facts: Mapping[str, str]) -> Sheet:
    """Return the sheet of an apply of a plan; `flags` lead to the same manifests and platform."""
    items: defaultdict[str, list[Item]] = defaultdict(list)
    for outcome in applied.outcomes:
        items[BECAME[type(outcome)]].append(_item(outcome))
    for remainder in applied.remainders:
        items["differs"].append(_remainder(remainder))
    sections = [Section(_ORDER[name], tuple(items[name]), urgent=name not in _CALM) for name in _ORDER if items[name]]
    run = {"Run": applied.run} if applied.run else {}
    return Sheet(
        "Applied",
        environment_of(plan),
        applied_verdict(applied),
        nothing=not applied.outcomes,
        alerts=tuple(_alerts(plan, applied, flags=flags)),
        orgs=orgs_of([(one.change.address.org, BECAME[type(one)]) for one in applied.outcomes], plan.orgs),
        words=tuple(BECAME.values()),
        sections=tuple(sections),
        changes=plan.changes,
        facts={**facts, **run},
    )


def _alerts(plan: Plan, applied: Applied, *, flags: str) -> Iterator[Alert]:
    if applied.stopped:
        yield Alert("bad", "Stopped", applied.stopped.message, applied.stopped.hint)
    elif applied.interrupted:
        yield Alert("bad", "Interrupted", "run again to go on")
    yield from proof(applied)
    yield from (alert for alert in alerts_of(plan) if alert.label == "Partial plan")
    if applied.throttled_for > 0:
        yield Alert("note", "Rate limit", f"it cost {applied.throttled_for:.1f} s")
    if undo := undo_hint(applied, flags=flags):
        yield Alert("note", "To bring back what was archived, as far as the platform can", undo)


def _item(outcome: Outcome) -> Item:
    """Return the item of a change with what became of it; what went wrong stands before what is known of the change."""
    change = outcome.change
    match outcome:
        case Done(_, _, note):
            return item_of(change, status=done_word(outcome), remarks=(Remark(note),) if note else ())
        case Failed(_, error):
            return item_of(change, status="failed", remarks=tuple(_trouble(error.message, error.hint)))
        case Conflicted(_, message, fields, hint):
            item = item_of(change, status="in conflict", remarks=tuple(_trouble(message, hint)))
            return replace(item, fields=fields, manner="changed")
        case Blocked(_, by):
            return item_of(change, status="blocked", remarks=(Remark(f"blocked by {by}"),))
        case NotStarted():
            return item_of(change, status="not started")
        case _:
            assert_never(outcome)


def _trouble(message: str, hint: str | None) -> Iterator[Remark]:
    for line in message.splitlines():
        yield Remark(line, paint="red")
    if hint:
        yield Remark(hint, "hint", "dim")


def _remainder(remainder: Remainder) -> Item:
    """Return the item of what reads back otherwise: git's text is what was written, the platform's what it keeps."""
    address = remainder.address
    message = (Remark(remainder.message, paint="red"),) if remainder.message else ()
    told = Remark("what was written stands first, what the platform keeps after it", paint="dim")
    return Item(
        address.org,
        address.kind,
        address.local,
        "#",
        "differs",
        "red",
        status="differs",
        fields=remainder.fields,
        manner="moved",
        remarks=(*message, told) if remainder.fields else message,
        step=f"{address} differs",
    )
