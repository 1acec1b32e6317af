"""`reconciler show PLAN...`: saved plans of one or more environments, together in every format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.saved_plan import read_plan
from reconciler.report import events
from reconciler.report.plan_sheet import environment_of
from reconciler.report.subject import About, Made

if TYPE_CHECKING:
    from reconciler.plan.file import PlanFile


def show_plans(names: Sequence[str], console: Console) -> int:
    """Show plans that were saved, several in one table first; nobody is asked and nothing is applied.

    Raises UsageError for a file that cannot be read, PlanFileError for one that is no plan.
    """
    from reconciler.report.render import sheets_of, subject_text

    files = dict(zip(names, map(read_plan, names), strict=True))
    abouts = _abouts(files)
    console.about_all(abouts)
    for (file, saved), sheet in zip(files.items(), sheets_of(abouts), strict=True):
        console.event(events.saved_plan(file, environment=sheet.environment))
        for change in saved.plan.changes:
            console.event(events.change(change))
        console.event(events.plan_made(saved.plan))
    if len(abouts) == 1:
        console.text(subject_text(abouts[0].subject, style=console.style))
    else:
        from reconciler.report.overview_text import overview_text

        console.text(overview_text(abouts, sheets_of(abouts), style=console.style))
    return console.end()


def _abouts(files: dict[str, PlanFile]) -> list[About]:
    """Name each environment as its ledger does, with the file where that tells too little."""
    known = Counter(environment_of(saved.plan) for saved in files.values())
    abouts = []
    for file, saved in files.items():
        name = environment_of(saved.plan)
        shown = file if not name else f"{name} ({file})" if known[name] > 1 else name
        abouts.append(About(Made(saved.plan, shown), {"Plan": file, **_facts(saved)}))
    return abouts


def _facts(saved: PlanFile) -> dict[str, str]:
    """Say what a plan was made from."""
    facts = {
        "Platform": saved.origin.api_url,
        "Manifests": ", ".join(saved.origin.manifests),
        "Commit": saved.origin.commit or "",
        "Ledger": str(saved.plan.owner or ""),
        "Digest": saved.plan.digest,
    }
    return {name: text for name, text in facts.items() if text}
