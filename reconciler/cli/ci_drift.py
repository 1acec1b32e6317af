"""`reconciler ci drift`: one issue about what moved on the platform, and what can be healed, healed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import ci_job, options
from reconciler.cli.carry_out import Place, kept, perform, terminated_as_interrupted
from reconciler.cli.ci_job import Given, Job
from reconciler.cli.console import Console, flags_elsewhere
from reconciler.cli.drift import show
from reconciler.cli.outputs import ensure_apart, facts_of, place_of
from reconciler.errors import Exit, Interrupted, LedgerError, OutputError, ReconcilerError
from reconciler.report.subject import Found
from reconciler.settings import REASON_LIMIT, Settings

if TYPE_CHECKING:
    from reconciler.plan.drift import Drift
    from reconciler.plan.outcome import Applied
    from reconciler.report.sheet import Sheet

_USUAL = (".", "manifests")
"""Where manifests are so often that a title need not say it."""


@ci_job.verb(
    "ci drift",
    options.DRIFTING,
    options.REASON,
    own=(
        click.option("--heal", is_flag=True, help="Take back the fields that drifted, and nothing else."),
        click.option("--sarif", metavar="FILE", help="Write the drift as SARIF, for code scanning."),
        click.option("--junit", metavar="FILE", help="Write the drift as JUnit XML."),
        click.option("--detailed-exitcode", is_flag=True, help="Exit with 3 when something has drifted."),
    ),
)
def command(
    *,
    settings: Settings,
    console: Console,
    ledger: options.LedgerName | None,
    lock_timeout: int,
    given: Given,
    unmanaged: bool,
    heal: bool,
    sarif: str | None,
    junit: str | None,
    detailed_exitcode: bool,
) -> int:
    """Keep one issue about what moved on the platform: opened, updated, closed and reopened as it is so.

    Drift is an output and an issue, not an exit code, unless --detailed-exitcode says so.
    """
    with ci_job.job(console, verb="drift", given=given, manifests=settings.manifests) as job:
        run = _Run(job, settings, Place(ledger, lock_timeout), is_named=given.is_named, unmanaged=unmanaged)
        error: ReconcilerError | None = None
        codes: list[Exit] = []
        with terminated_as_interrupted():
            try:
                files = _places(console, sarif=sarif, junit=junit)
                run.look()
                if heal and run.has_drifted:
                    run.heal()
                run.write(files)
            except ReconcilerError as caught:
                error = caught
            except KeyboardInterrupt:
                error = Interrupted("interrupted: nothing more was started")
            if error is not None:
                job.sheets.append(job.failed(error, verb="Drift", facts=facts_of(settings)))
            if detailed_exitcode and run.has_drifted:
                codes.append(Exit.DRIFT_FOUND)
            return run.end(*codes, error=error, heals=heal)


def _places(console: Console, *, sarif: str | None, junit: str | None) -> Mapping[str, str]:
    """Check, before anything is done, that the files for other tools can be written; return those asked for by form.

    Raises UsageError.
    """
    given = {form: file for form, file in (("sarif", sarif), ("junit", junit)) if file is not None}
    for form, file in given.items():
        place_of(f"--{form} {file}", file)
    formats = [(f"--format {one.form}", one.file) for one in console.outputs.files]
    ensure_apart([*formats, *((f"--{form}", file) for form, file in given.items())])
    return given


class _Run:
    """One look at drift in a job, and what was healed of it."""

    def __init__(self, job: Job, settings: Settings, place: Place, *, is_named: bool, unmanaged: bool) -> None:
        self.job = job
        self.settings = settings
        self.place = place
        self.is_named = is_named
        self.unmanaged = unmanaged
        self.drift: Drift | None = None
        self.healed: Applied | None = None
        self.issue = ""

    @property
    def has_drifted(self) -> bool:
        """Whether something is not as it was written."""
        return self.drift is not None and bool(self.drift.drifted)

    def look(self) -> None:
        """Find the drift, as `reconciler drift` does. Raises what that does."""
        from reconciler.cli.connect import ledger_of, reading
        from reconciler.reconcile import want_afresh
        from reconciler.views import find_drift, find_unmanaged

        settings = self.settings
        backend, config = ledger_of(settings, backend=self.place.backend)
        if not self.is_named:
            self.job.environment = backend.owner.environment
        with reading(settings) as client:
            stdin = sys.stdin.buffer
            wanted = want_afresh(settings, client=client, read_ledger=backend.read, config=config, stdin=stdin)
            drift = find_drift(wanted, settings, client=client, config=config, now=datetime.now(UTC))
            if drift.unowned and not (drift.watched or drift.unsettled):
                raise LedgerError(
                    f"drift cannot be told: none of the {drift.unowned} resources that are declared and live is ours",
                    hint="reconciler ci apply takes over what agrees; or is it another -f, API address or environment?",
                )
            if self.unmanaged:
                drift = find_unmanaged(wanted, settings, drift, client=client)
        self.drift = drift
        show(drift, self.job.console, flags=flags_elsewhere(settings))
        found = Found(drift, self.job.environment, flags_elsewhere(settings))
        self.job.console.about(found, facts=lambda: facts_of(settings))

    def heal(self) -> None:
        """Take back what drifted on the platform alone, and look again. Raises what an apply does."""
        from reconciler.ci.documents import told
        from reconciler.ci.reason import reason_of
        from reconciler.cli.connect import writing
        from reconciler.manifest.commit import commit_of
        from reconciler.plan.heal import healing
        from reconciler.reconcile import make_plan, want_afresh
        from reconciler.report.applied_sheet import applied_sheet

        first = self.settings.manifests[0]
        commit = commit_of(first) or self.job.workflow.sha
        settings = self.settings
        if settings.reason is None:
            why = reason_of(first, sha=commit, number=None, run_url=self.job.workflow.run_url)
            settings = replace(settings, reason=f"Drift healed: {why}"[:REASON_LIMIT])
        keeper, config = kept(settings, self.place, commit=commit)
        keeper.wait_for_others()
        with writing(settings) as client:
            wanted = want_afresh(settings, client=client, read_ledger=keeper.backend.read, config=config)
            plan = healing(make_plan(wanted, settings, client=client), wanted.rules)
            if not plan.steps:
                return
            self.healed = perform(plan, settings, self.job.console, client, keeper, recheck=False)
        facts = facts_of(settings, plan=plan, commit=commit)
        sheet = applied_sheet(plan, self.healed, flags=flags_elsewhere(settings), facts=facts)
        self.job.sheets.append(told(replace(sheet, verb="Healed"), environment=self.job.environment))
        self.look()

    def write(self, files: Mapping[str, str]) -> None:
        """Write the files for other tools, given by form. Raises OutputError."""
        from reconciler.ci import drift_files

        if self.drift is None:
            return
        name, top, place = self.job.environment, ci_job.top(), self.settings.manifests[0]
        texts = {
            "sarif": lambda drift: drift_files.sarif(drift, environment=name, top=top, manifests=place),
            "junit": lambda drift: drift_files.junit(drift, environment=name),
        }
        for form, file in files.items():
            text = texts[form](self.drift)
            try:
                Path(file).write_text(text, encoding="utf-8", newline="\n")
            except OSError as error:
                raise OutputError(f"cannot write {file}: {error.strerror}", hint="name another file") from error

    def sheet(self, drift: Drift) -> Sheet:
        """Return what the issue and the summary say of the drift."""
        from reconciler.ci.documents import told
        from reconciler.report.drift_sheet import drift_sheet

        flags, facts = flags_elsewhere(self.settings), facts_of(self.settings)
        return told(drift_sheet(drift, flags=flags, facts=facts), environment=self.job.environment)

    def tell(self, drift: Drift, sheet: Sheet, *, heals: bool) -> None:
        """Make the environment's issue say what is so."""
        from reconciler.ci.documents import issue
        from reconciler.ci.drift_issue import PART, tell
        from reconciler.ci.marker import mark

        fleet, part = self.job.fleet, drift.partial or ""
        body = issue(sheet, marker=mark("drift", fleet, {PART: part} if part else {}), heals=heals)
        became = tell(
            self.job.forge,
            body,
            title=f"Drift in {fleet.environment}" + ("" if fleet.root in _USUAL else f", {fleet.root}"),
            fleet=fleet,
            has_drifted=bool(drift.drifted),
            part=part,
        )
        self.issue = became.url
        if became.url:
            self.job.console.text([f"Issue {became.fate}: {became.url}"])

    def end(self, *codes: Exit, error: ReconcilerError | None, heals: bool) -> int:
        """Write documents, summary and outputs, keep the issue, and return the exit code."""
        from reconciler.ci.values import of_drift
        from reconciler.plan.outcome import Done

        healed = {one.change.address for one in self.healed.outcomes if isinstance(one, Done)} if self.healed else set()
        found = [*(self.healed.exit_codes if self.healed else ()), *codes]
        drift, values = self.drift, of_drift(self.drift, healed=len(healed), issue="")
        if drift is None:
            self.job.keep(*found, error=error, values=values)
            return self.job.end(*found, error=error)
        sheet = self.sheet(drift)
        self.job.sheets.append(sheet)
        self.job.keep(*found, error=error, values=values)
        found += self.job.try_to_tell(lambda: self.tell(drift, sheet, heals=heals), may_fail=False)
        return self.job.end(*found, error=error, values={"issue": self.issue})
