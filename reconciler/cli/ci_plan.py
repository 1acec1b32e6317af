"""`reconciler ci plan`: the plan of a pull request, in one comment that is kept up to date."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli import ci_job, options
from reconciler.cli.ci_job import Given, Job
from reconciler.cli.console import Console
from reconciler.cli.outputs import facts_of
from reconciler.cli.plan import show
from reconciler.errors import Exit, ReconcilerError
from reconciler.report.subject import Made
from reconciler.settings import Settings

if TYPE_CHECKING:
    from reconciler.ci.forge import Post
    from reconciler.plan.plan import Plan
    from reconciler.report.sheet import Sheet


@dataclass(frozen=True, slots=True)
class _Result:
    """What became of planning: a sheet, what its marker remembers, and why it failed, if it did."""

    sheet: Sheet
    plan: Plan | None = None
    memory: Mapping[str, object] = field(default_factory=dict)
    error: ReconcilerError | None = None

    @property
    def digest(self) -> str:
        """What an apply is compared by, empty where there is nothing to compare."""
        return str(self.memory.get("digest", ""))


@ci_job.verb(
    "ci plan",
    options.PLANNING,
)
def command(
    *,
    settings: Settings,
    console: Console,
    ledger: options.LedgerName | None,
    given: Given,
) -> int:
    """Plan a pull request and say so in one comment, a summary, outputs and annotations. Reads the platform only.

    The plan is for what is checked out, which should be the merge result. A pull request without secrets, as a fork's,
    is validated and compared with its base; no platform is asked. Changes are an output, not an exit code.
    """
    with ci_job.job(console, verb="plan", given=given, manifests=settings.manifests) as job:
        facts: Mapping[str, str] = {}
        try:
            facts = _base(job)
            if why := job.workflow.why_offline:
                result = _offline(job, settings, why, facts)
            else:
                result = _online(job, settings, ledger, facts, is_named=given.is_named)
        except ReconcilerError as error:
            result = _Result(job.failed(error, verb="Plan", facts=facts), error=error)
        codes = [Exit.REFUSED] if result.plan and result.plan.refusals else []
        if result.plan and result.plan.steps:
            codes.append(Exit.CHANGES_PENDING)
        from reconciler.ci.values import of_plan

        may_fail = job.workflow.why_offline is not None
        newer: list[str] = []
        failed = job.try_to_tell(lambda: newer.extend(_newer(job)), may_fail=may_fail)
        job.sheets.append(_outdated(result.sheet, newer))
        job.keep(*codes, error=result.error, values=of_plan(result.plan, digest=result.digest))
        if not newer:
            failed = failed or job.try_to_tell(lambda: _comment(job, result), may_fail=may_fail)
        return job.end(*codes, *failed, error=result.error)


def _newer(job: Job) -> Sequence[str]:
    """Return the commit that the pull request stands at, where that is another by now; nothing where it is ours."""
    from reconciler.ci.sticky import PERSISTENT

    pull_request = job.workflow.pull_request
    if pull_request is None:
        return ()
    head = PERSISTENT(lambda: job.forge.head_of(pull_request.number))
    return () if head == pull_request.head_sha else (head,)


def _outdated(sheet: Sheet, newer: Sequence[str]) -> Sheet:
    """Say of a plan for an older commit that the comment is left to the newer one, which is what would be merged."""
    from reconciler.report.sheet import Alert

    why = "the pull request has moved on to {}: the comment, and what it lets through, are left to its run"
    alerts = [Alert("note", "Not the newest commit", why.format(head[:12]), None) for head in newer]
    return replace(sheet, alerts=(*alerts, *sheet.alerts))


def _base(job: Job) -> dict[str, str]:
    """Say which base the plan is for, where there is one."""
    if job.workflow.pull_request is None:
        return {}
    from reconciler.ci.merge import base_in_words, result_of

    return {"Merge": base_in_words(job.workflow.pull_request, result_of(job.workflow.pull_request, folder=Path.cwd()))}


def _online(
    job: Job, settings: Settings, ledger: options.LedgerName | None, facts: Mapping[str, str], *, is_named: bool
) -> _Result:
    """Plan as `reconciler plan` does."""
    from reconciler.ci.documents import told
    from reconciler.ci.reviewed import memory_of, reviewable
    from reconciler.cli.connect import ledger_of, reading
    from reconciler.reconcile import plan_for_review
    from reconciler.report.plan_sheet import plan_sheet
    from reconciler.report.sheet import Alert

    backend, config = ledger_of(settings, backend=ledger)
    if not is_named:
        job.environment = backend.owner.environment
    with reading(settings) as client:
        plan, bare = plan_for_review(
            settings, client=client, read_ledger=backend.read, config=config, stdin=sys.stdin.buffer
        )
    show(plan, job.console)
    every = {**facts_of(settings, plan=plan), **facts}
    job.console.about(Made(plan), facts=lambda: every)
    _annotate(job, plan)
    alerts = []
    if facts.get("Merge", "").partition(" ")[2].startswith("alone"):
        alerts.append(Alert("note", "Not the merge result", facts["Merge"], "check out the merge: leave ref: out"))
    sheet = told(plan_sheet(plan, facts=every), *alerts, environment=job.environment)
    pull_request = job.workflow.pull_request
    head = pull_request.head_sha if pull_request else ""
    return _Result(sheet, plan, memory_of(reviewable(plan, bare), head=head))


def _annotate(job: Job, plan: Plan) -> None:
    """Point at what keeps the plan from being applied."""
    from reconciler.ci.step import Annotation
    from reconciler.plan.change import Action

    job.annotations += [Annotation("error", "Refused", f"{one.message}\n{one.hint}", rank=0) for one in plan.refusals]
    for change in plan.changes:
        file, _, line = change.where.rpartition(":")
        if change.action is Action.CONFLICT and file and line.isdecimal():
            text = "\n".join([str(change.address), *change.notes])
            job.annotations.append(Annotation("warning", "Conflict", text, file, int(line)))


def _offline(job: Job, settings: Settings, why: str, facts: Mapping[str, str]) -> _Result:
    """Validate, and compare with the base's manifests."""
    from reconciler.ci.documents import told
    from reconciler.ci.merge import result_of
    from reconciler.ci.offline import plan_offline
    from reconciler.ledger.choose import environment_of
    from reconciler.manifest.config import read_config
    from reconciler.report.plan_sheet import plan_sheet
    from reconciler.report.sheet import Alert, Sheet

    pull_request = job.workflow.pull_request
    assert pull_request is not None
    if job.environment == ci_job.UNNAMED:
        job.environment = read_config(settings.manifests).environment or environment_of(settings.api_url)
    found = plan_offline(settings, base=result_of(pull_request, folder=Path.cwd()).base)
    note = "this is what the manifests say otherwise than those of the base; what is live was not looked at"
    hint = "somebody who may apply sees the real plan on a branch of this repository, or after the merge"
    alert = Alert("note", "Offline", f"{why}: {note}", hint)
    every = {"Manifests": ", ".join(settings.manifests), **facts}
    if isinstance(found, str):
        bare = Sheet("Offline check", job.environment, "the manifests are valid.", state="offline", facts=every)
        return _Result(told(bare, alert, Alert("note", "No comparison", found), environment=job.environment))
    job.console.text([f"Offline plan: {why}.", f"{note[0].upper()}{note[1:]}.", ""])
    show(found, job.console)
    job.console.about(Made(found), facts=lambda: every)
    sheet = replace(plan_sheet(found, facts=every), verb="Offline plan", state="offline")
    return _Result(told(sheet, alert, environment=job.environment), found)


def _comment(job: Job, result: _Result) -> None:
    """Write the one comment; a run that is about no pull request has none."""
    pull_request = job.workflow.pull_request
    if pull_request is None:
        return
    from reconciler.ci.documents import comment
    from reconciler.ci.marker import mark
    from reconciler.ci.neighbours import neighbours, row_of
    from reconciler.ci.sticky import stick

    fleet, head = job.fleet, pull_request.head_sha
    marker = mark("plan", fleet, {**result.memory, **row_of(result.sheet, head=head)})

    def compose(posts: Sequence[Post]) -> str:
        others = neighbours(posts, fleet=fleet, head=head)
        return comment(result.sheet, marker=marker, link=job.workflow.run_url, others=others)

    url = stick(job.forge, pull_request.number, compose, purpose="plan", fleet=fleet)
    job.console.text([f"Comment: {url}"])
