"""Runs that did not end: told by plan, and settled by the next apply, which has just read what they left open."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.cli.connect import runs_folder, runs_here
from reconciler.errors import JournalError
from reconciler.plan.owned import Owner
from reconciler.settings import Settings

if TYPE_CHECKING:
    from reconciler.cli.console import Console
    from reconciler.live.runs import PastRun
    from reconciler.plan.plan import Plan
    from reconciler.plan.settle import Verdict


@dataclass(frozen=True, slots=True)
class Judged:
    """A dead run, and what its open intents came to."""

    run: PastRun
    verdicts: Sequence[Verdict]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The dead runs of an owner on a platform."""

    found: Sequence[PastRun]
    api_url: str

    def judged(self, plan: Plan, *, is_whole: bool, commit: str | None) -> Sequence[Judged]:
        """Say of each run what its open intents came to, by a plan of a commit that read the platform after it died."""
        if not self.found:
            return ()
        from reconciler.plan.settle import settle

        return [
            Judged(run, settle(run.id, run.log, plan, is_whole=is_whole, api_url=self.api_url, commit=commit))
            for run in self.found
        ]


def unfinished(settings: Settings, owner: Owner) -> Unfinished:
    """Find the runs that did not end; a folder that cannot be read has none, and is met where one is written."""
    found: Sequence[PastRun] = ()
    if runs_folder().is_dir():
        with suppress(JournalError):
            found = runs_here().unfinished(owner, api_url=settings.api_url)
    return Unfinished(found, settings.api_url)


def settle(judged: Sequence[Judged], *, by: str) -> None:
    """Mark the runs of which everything is known by now; one that cannot be marked is told again next time."""
    if not judged:
        return
    from reconciler.plan.journal import Finding

    for one in judged:
        findings = {each.intent.n: each.finding for each in one.verdicts}
        if Finding.NOT_SEEN not in findings.values():
            with suppress(JournalError):
                runs_here().settle(one.run, by=by, findings=findings)


def mention(left: Unfinished, console: Console) -> None:
    """Say that there are runs that did not end."""
    if not left.found:
        return
    from reconciler.report import run_events
    from reconciler.report.runs_text import mention_text

    for run in left.found:
        console.event(run_events.unfinished(run.id, run.log))
        console.text(mention_text(run.id, run.log, style=console.style))


def tell(judged: Sequence[Judged], console: Console) -> None:
    """Say what the open intents of dead runs came to."""
    if not judged:
        return
    from reconciler.report import run_events
    from reconciler.report.runs_text import verdict_text

    for one in judged:
        run = one.run
        console.event(run_events.unfinished(run.id, run.log))
        for verdict in one.verdicts:
            console.event(run_events.settled(verdict))
        console.text(verdict_text(run.id, run.log, one.verdicts, style=console.style))
