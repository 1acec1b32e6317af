"""The events about past runs; `events.py` says what each type holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reconciler.report.events import Event, event

if TYPE_CHECKING:
    from reconciler.plan.journal import Log, Standing
    from reconciler.plan.settle import Verdict


def run(id_: str, log: Log, standing: Standing) -> Event:
    """Describe a run by its journal."""
    head, end, settled = log.head, log.end, log.settled
    about = (
        {
            "at": head.at,
            "who": head.who,
            "host": head.host,
            "pid": head.pid,
            "ci": head.ci,
            "owner": head.owner._asdict(),
            "api_url": head.api_url,
            "commit": head.commit,
            "steps": head.steps,
        }
        if head
        else {}
    )
    return event(
        "run",
        run=id_,
        standing=standing.value,
        **about,
        counts=dict(log.counts),
        exit_codes=list(end.exit_codes) if end else None,
        error=end.error if end else None,
        settled_by=settled.by if settled else None,
        open=0 if settled else len(log.open),
        damage=[{"line": one.line, "message": one.why} for one in log.damage],
    )


def contents(log: Log) -> Iterator[Event]:
    """Describe every write and every step of a run."""
    answers, settled = log.answers, log.settled
    open_ = set() if settled else {one.n for one in log.open}
    for intent in log.intents:
        answer = answers.get(intent.n)
        finding = settled.findings.get(intent.n) if settled else None
        yield event(
            "write",
            step=intent.step,
            address=intent.address,
            action=intent.action,
            method=intent.method,
            path=intent.path,
            request_id=intent.request_id,
            id=(answer.id if answer else None) or intent.id,
            at=intent.at,
            answered_at=answer.at if answer else None,
            status=answer.status if answer else None,
            error=answer.error if answer else None,
            open=intent.n in open_,
            finding=finding.value if finding else None,
        )
    for outcome in log.outcomes.values():
        yield event(
            "step",
            step=outcome.step,
            status=outcome.became,
            message=outcome.message,
            at=outcome.at,
        )


def unfinished(id_: str, log: Log) -> Event:
    """Say that a run did not end."""
    head = log.head
    return event(
        "unfinished",
        run=id_,
        at=head.at if head else None,
        who=head.who if head else None,
        host=head.host if head else None,
        commit=head.commit if head else None,
        open=len(log.open),
    )


def settled(verdict: Verdict) -> Event:
    """Say what an open intent came to."""
    intent = verdict.intent
    return event(
        "settled",
        run=verdict.run,
        step=intent.step,
        address=intent.address,
        action=intent.action,
        request_id=intent.request_id,
        finding=verdict.finding.value,
        message=verdict.message,
        command=verdict.command,
    )
