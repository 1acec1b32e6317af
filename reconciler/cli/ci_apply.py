"""`reconciler ci apply`: what was reviewed and merged is carried out; anything else is not."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import click

from reconciler.cli import ci_job, options
from reconciler.cli.carry_out import Place, kept, perform, terminated_as_interrupted
from reconciler.cli.ci_job import Given, Job
from reconciler.cli.console import Console, flags_elsewhere
from reconciler.cli.outputs import facts_of
from reconciler.cli.plan import save, show
from reconciler.cli.unfinished import settle, tell, unfinished
from reconciler.errors import Exit, Interrupted, NotReviewed, OutputError, ReconcilerError, UsageError, worst
from reconciler.report.subject import Made
from reconciler.settings import Settings

if TYPE_CHECKING:
    from reconciler.ci.forge import Merged
    from reconciler.ledger.keeper import Keeper
    from reconciler.plan.outcome import Applied
    from reconciler.plan.owned import Ledger
    from reconciler.plan.plan import Plan
    from reconciler.report.sheet import Alert


@ci_job.verb(
    "ci apply",
    options.APPLYING,
    own=(
        click.option("--replan", is_flag=True, help="Apply what is to be done now, reviewed or not."),
        click.option(
            "--branch", metavar="NAME", help="The branch that is applied [default: the repository's default branch]."
        ),
        click.option("--even-if-behind", is_flag=True, help="Apply a commit though newer ones were applied or merged."),
    ),
)
def command(
    *,
    settings: Settings,
    console: Console,
    ledger: options.LedgerName | None,
    lock_timeout: int,
    given: Given,
    replan: bool,
    branch: str | None,
    even_if_behind: bool,
) -> int:
    """Apply what was merged, if it is what the pull request's comment showed; say there what became of it.

    Exits with 5 and the difference when something else would be done, as somebody changed the platform meanwhile, or
    nobody reviewed it, and when the commit is older than what was applied or merged. Leaves plan, journal and report
    in --folder, for upload.
    """
    from reconciler.ci.behind import ensure_on_branch

    with ci_job.job(console, verb="apply", given=given, manifests=settings.manifests) as job:
        if job.workflow.event.startswith("pull_request"):
            raise UsageError(
                "ci apply is for what was merged, and this job is about a pull request",
                hint="on: {push: {branches: [main]}}",
            )
        ensure_on_branch(job.workflow.ref, found=job.workflow.branch, wanted=branch or job.workflow.default_branch)
        run = _Run(job, settings, Place(ledger, lock_timeout), is_named=given.is_named)
        error: ReconcilerError | None = None
        with terminated_as_interrupted():
            try:
                run.go(replan=replan, even_if_behind=even_if_behind)
            except ReconcilerError as caught:
                error = caught
            except KeyboardInterrupt:
                error = Interrupted("interrupted: nothing more was started")
            return run.end(error)


class _Run:
    """One apply in a job, with what is known of it so far, so that an error can be told with the rest."""

    def __init__(self, job: Job, settings: Settings, place: Place, *, is_named: bool) -> None:
        self.job = job
        self.settings = settings
        self.place = place
        self.is_named = is_named
        self.merged: Merged | None = None
        self.plan: Plan | None = None
        self.bare: Plan | None = None
        self.applied: Applied | None = None
        self.keeper: Keeper | None = None

    def go(self, *, replan: bool, even_if_behind: bool) -> None:
        """Plan, compare with what was reviewed, apply. Raises whatever stands in the way."""
        from reconciler.ci.reason import reason_of
        from reconciler.ci.reviewed import reviewable, without_syncs
        from reconciler.ci.sticky import PERSISTENT
        from reconciler.cli.connect import writing
        from reconciler.manifest.commit import commit_of
        from reconciler.reconcile import plan_for_review, refusal_of

        workflow, first = self.job.workflow, self.settings.manifests[0]
        commit = commit_of(first) or workflow.sha
        self.keeper, config = kept(self.settings, self.place, commit=commit)
        keeper = self.keeper
        if not self.is_named:
            self.job.environment = keeper.backend.owner.environment
        if workflow.branch:
            forge = self.job.forge
            self.merged = PERSISTENT(lambda: forge.merged(workflow.sha, branch=workflow.branch))
        if self.settings.reason is None:
            number = self.merged.number if self.merged else None
            reason = reason_of(first, sha=commit, number=number, run_url=workflow.run_url)
            self.settings = replace(self.settings, reason=reason)
        keeper.wait_for_others()
        left = unfinished(self.settings, keeper.backend.owner)
        with writing(self.settings) as client:
            read, stdin = cache(keeper.backend.read), sys.stdin.buffer
            plan, bare = plan_for_review(self.settings, client=client, read_ledger=read, config=config, stdin=stdin)
            self.plan, self.bare = plan, reviewable(plan, bare)
            show(plan, self.job.console)
            self.job.console.about(Made(plan), facts=self.facts)
            judged = left.judged(plan, is_whole=plan.partial is None, commit=keeper.commit)
            tell(judged, self.job.console)
            if plan.is_empty:
                settle(judged, by=keeper.run)
                return
            if plan.refusals:
                raise refusal_of(plan)
            if not even_if_behind:
                self.ensure_not_behind(read(), commit=commit)
            if without_syncs(self.bare).steps and not replan:
                self.ensure_reviewed(self.bare)
            save(plan, str(self.job.folder / "applied.plan"), settings=self.settings)
            self.applied = perform(
                plan,
                self.settings,
                self.job.console,
                client,
                keeper,
                recheck=False,
                begun=lambda: settle(judged, by=keeper.run),
            )

    def ensure_not_behind(self, ledger: Ledger, *, commit: str) -> None:
        """Refuse what would undo what came after it. Raises Behind."""
        from reconciler.ci.behind import ensure_not_behind
        from reconciler.ci.sticky import PERSISTENT

        forge, branch = self.job.forge, self.job.workflow.branch
        paths, top = self.settings.manifests, ci_job.top()
        PERSISTENT(
            lambda: ensure_not_behind(forge, ledger, commit=commit, branch=branch, manifests=paths, top=top),
        )

    def ensure_reviewed(self, plan: Plan) -> None:
        """Refuse what is not what the comment on the merged pull request showed. Raises NotReviewed."""
        from reconciler.ci.reviewed import difference, without_syncs
        from reconciler.ci.sticky import reviewed_at

        hint = "look at what would be done, and run again with --replan if it is meant"
        if self.merged is None:
            raise NotReviewed("no merged pull request brought this commit: nobody reviewed its plan", {}, hint=hint)
        number = f"#{self.merged.number}"
        reviewed = reviewed_at(self.job.forge, self.merged.number, fleet=self.job.fleet)
        if reviewed is None:
            told = f"{number} has no comment with a plan for {self.job.environment}"
            raise NotReviewed(
                told, {}, hint=f"{hint}; or is --environment another than that of ci plan, or --author missing?"
            )
        if reviewed.digest == without_syncs(plan).digest:
            return
        if not reviewed.digest:
            raise NotReviewed(f"what {number} shows is no plan of the platform", {}, hint=hint)
        differs = dict(difference(reviewed, plan))
        message = f"what would be done is not what was reviewed on {number}"
        if reviewed.head and reviewed.head != self.merged.head_sha:
            message += f" (it shows {reviewed.head[:12]}, and {self.merged.head_sha[:12]} was merged)"
        if not differs:
            message += f": {len(plan.steps)} steps, {reviewed.count} were reviewed, with other content or order"
        raise NotReviewed(message, differs, hint=hint)

    def end(self, error: ReconcilerError | None) -> int:
        """Say on the pull request, in the summary and in outputs what became of it."""
        from reconciler.ci.documents import told
        from reconciler.ci.values import of_plan
        from reconciler.report.applied_sheet import applied_sheet
        from reconciler.report.plan_sheet import plan_sheet

        job, name = self.job, self.job.environment
        codes: list[Exit] = []
        if error is not None:
            job.sheets.append(job.failed(error, verb="Apply", facts=self.facts()))
        elif self.applied and self.plan:
            codes += self.applied.exit_codes
            flags = flags_elsewhere(self.settings)
            sheet = applied_sheet(self.plan, self.applied, flags=flags, facts=self.facts())
            job.sheets.append(told(sheet, *self.told_of_secrets(), environment=name))
        elif self.plan:
            job.sheets.append(told(plan_sheet(self.plan, facts=self.facts()), environment=name))
        job.attempt(self.keep_journal)
        values = of_plan(self.plan, digest=self.bare.digest if self.bare else "")
        job.keep(*codes, error=error, values=values)
        is_done = error is None and worst(codes) is Exit.DONE
        job.try_to_tell(lambda: self.comment(is_done=is_done), may_fail=True)
        return job.end(*codes, error=error)

    def told_of_secrets(self) -> Sequence[Alert]:
        """Say which secrets were written because their value is another one: a plan without the values shows none."""
        from reconciler.ci.reviewed import sent_again
        from reconciler.report.sheet import Alert

        assert self.plan is not None
        assert self.bare is not None
        named = [
            f"{change.address} ({', '.join(f'{one.source} {one.name}' for one in change.secrets)})"
            for change in sent_again(self.plan, self.bare)
        ]
        why = "sent, as they are not those last sent; a plan that is not given the values cannot show that"
        return [Alert("note", "New values of secrets", "\n".join([why, *named]))] if named else []

    def facts(self) -> dict[str, str]:
        """Say what the run was made from; the run that GitHub shows is the one where the files are."""
        commit = self.keeper.commit if self.keeper else self.job.workflow.sha
        reviewed = {"Pull request": f"#{self.merged.number}"} if self.merged else {}
        return {**facts_of(self.settings, plan=self.plan, commit=commit), **reviewed}

    def keep_journal(self) -> None:
        """Leave the journal of the run beside its report, where one was begun. Raises OutputError."""
        from reconciler.cli.connect import runs_folder

        if self.keeper is not None:
            place = runs_folder() / f"{self.keeper.run}.jsonl"
            try:
                shutil.copyfile(place, self.job.folder / "journal.jsonl")
            except FileNotFoundError:
                return
            except OSError as error:
                raise OutputError(f"cannot copy the journal {place}: {error.strerror}", hint="make room") from error

    def comment(self, *, is_done: bool) -> None:
        """Write what became of it on the merged pull request, over what an earlier try said there that went wrong.

        Once all was done the comment stays: what runs later at the same commit, against drift, is not about the merge.
        """
        from reconciler.ci.documents import comment
        from reconciler.ci.marker import mark
        from reconciler.ci.sticky import remembered, stick

        if self.merged is None or not self.job.sheets:
            return
        fleet, link = self.job.fleet, self.job.workflow.run_url
        before = remembered(self.job.forge, self.merged.number, purpose="applied", fleet=fleet)
        sha = self.job.workflow.sha
        if sha and before and before.get("done") == sha:
            return
        memory: Mapping[str, str] = {"digest": self.bare.digest if self.bare else "", "done": sha if is_done else ""}
        body = comment(self.job.sheets[-1], marker=mark("applied", fleet, memory), link=link)
        url = stick(self.job.forge, self.merged.number, lambda _: body, purpose="applied", fleet=fleet)
        self.job.console.text([f"Comment: {url}"])
