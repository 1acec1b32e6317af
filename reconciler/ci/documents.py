"""What a job says in Markdown: a comment behind its marker, an issue, a summary, and a run that could not be made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.errors import ManifestError, StalePlan
from reconciler.report.inert import code
from reconciler.report.markdown import COMMENT, STEP_SUMMARY, markdown
from reconciler.report.sheet import Alert, Sheet

if TYPE_CHECKING:
    from reconciler.errors import LocatedFault, ReconcilerError
    from reconciler.report.overview import Other

_SUMMARIES = 4
"""A step may append so many documents to its summary; together they fit."""


def comment(sheet: Sheet, *, marker: str, link: str, others: Sequence[Other] = ()) -> str:
    """Return the text of a comment: its marker, then the sheet and other environments in what room is left."""
    room = COMMENT - len(marker) - 1
    return f"{marker}\n{markdown([sheet], limit=room, link=link or None, others=others)}"


def issue(sheet: Sheet, *, marker: str, heals: bool) -> str:
    """Return the text of a drift's issue: the sheet, and who can do what next."""
    tail = "" if sheet.nothing else "\n".join(_ways(heals=heals))
    room = COMMENT - len(marker) - 2 - len(tail.encode())
    return f"{marker}\n{markdown([sheet], limit=room)}\n{tail}"


def _ways(*, heals: bool) -> Sequence[str]:
    healed = (
        "fields that drifted alone were taken back already; what is listed is left, and what is not settled to an apply"
        if heals
        else "`reconciler ci drift --heal` takes back the fields that drifted, and nothing else"
    )
    return (
        "#### What next",
        "",
        "- **Who changed it, and wants to keep it:** run the command named *capture*, commit, open a pull request.",
        "- **Who may apply:** run the command named *revert*, or the apply workflow: both take the platform back.",
        f"- **Who keeps this workflow:** {healed}.",
        "- **Nobody has to close this:** the next run does.",
        "",
    )


def summary(sheet: Sheet, *, link: str) -> str:
    """Return what goes into the summary of a step."""
    return markdown([sheet], limit=STEP_SUMMARY // _SUMMARIES, link=link or None) + "\n"


def failure(
    verb: str,
    error: ReconcilerError,
    *,
    environment: str,
    faults: Sequence[LocatedFault],
    facts: Mapping[str, str],
) -> Sheet:
    """Return the sheet of a run that ended with an error; `faults` are those of a ManifestError, with their places."""
    match error:
        case ManifestError():
            alerts = tuple(
                Alert("bad", "Fault", f"{one.path}:{one.line}:{one.column}: {one.message}", one.hint) for one in faults
            )
        case StalePlan():
            moved = (Alert("note", "Not as reviewed", f"{step}: {why}") for step, why in error.moved.items())
            alerts = (Alert("bad", "Refused", error.message, error.hint), *moved)
        case _:
            alerts = (Alert("bad", "Error", error.message, error.hint),)
    return Sheet(verb, environment, f"failed: {_first_line(error.message)}", state="failed", alerts=alerts, facts=facts)


def _first_line(text: str) -> str:
    """Return a message as inert Markdown for a heading."""
    return code((text.splitlines() or [""])[0])


def told(sheet: Sheet, *alerts: Alert, environment: str, facts: Mapping[str, str] | None = None) -> Sheet:
    """Return a sheet with what else must be seen first, under the name that the job gives the environment."""
    return replace(
        sheet, alerts=(*alerts, *sheet.alerts), environment=environment, facts={**(facts or {}), **sheet.facts}
    )
