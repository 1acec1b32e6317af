"""A run as one JSON document: what the events of `--json` say, put together when the run is over.

| member       | what it holds                                                                |
| ------------ | ---------------------------------------------------------------------------- |
| `schema`     | `everruns.reconciler/document/v1`                                            |
| `verb`       | `plan`, `apply` or `drift`                                                   |
| `facts`      | what the run was made from, by name: platform, commit, ledger, digest        |
| `changes`    | of a plan and an apply: each as its event `change`                           |
| `plan`       | of a plan and an apply: as the event `plan`                                  |
| `outcomes`   | of an apply: each as its event `outcome`                                     |
| `remainders` | of an apply: each as its event `remainder`                                   |
| `errors`     | of an apply: why it could not be proved or remembered, each as event `error` |
| `drifted`    | of a drift: each as its event `drifted`                                      |
| `drift`      | of a drift: as the event `drift`                                             |
| `exit_codes` | all exit codes of the run                                                    |

Several saved plans are `everruns.reconciler/documents/v1`: `overview` has a row for each environment and organization
(`environment`, `org`, `counts` by what is at stake, `said`), `environments` the members above for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from reconciler.report import events
from reconciler.report.drift_text import remedies
from reconciler.report.overview import overview
from reconciler.report.subject import Found, Made, Tried

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.errors import Exit
    from reconciler.plan.outcome import Applied
    from reconciler.plan.plan import Plan
    from reconciler.report.sheet import Sheet
    from reconciler.report.subject import About

SCHEMA = "everruns.reconciler/document/v1"
SEVERAL = "everruns.reconciler/documents/v1"


def json_document(about: About, *, verb: str, exit_codes: Sequence[Exit]) -> str:
    """Return the document of a run, with a line end."""
    told = {"schema": SCHEMA, "verb": verb, **_told(about)}
    return events.line({**told, "exit_codes": [int(code) for code in exit_codes]}) + "\n"


def json_documents(abouts: Sequence[About], sheets: Sequence[Sheet], *, verb: str, exit_codes: Sequence[Exit]) -> str:
    """Return one document of several environments, with a line end; `sheets` are theirs."""
    found = overview(sheets)
    rows = [
        {"environment": row.environment, "org": row.org or None, "counts": dict(row.counts), "said": row.said}
        for row in found.rows
    ]
    each = [{"environment": sheet.environment, **_told(about)} for about, sheet in zip(abouts, sheets, strict=True)]
    told = {"schema": SEVERAL, "verb": verb, "overview": rows, "environments": each}
    return events.line({**told, "exit_codes": [int(code) for code in exit_codes]}) + "\n"


def _told(about: About) -> dict[str, Any]:
    match about.subject:
        case Made(plan):
            told = _plan(plan)
        case Tried(plan, applied):
            told = _plan(plan) | _applied(applied)
        case Found(drift, _, flags):
            pairs = [(one, remedies(one, flags=flags)) for one in drift.drifted]
            drifted = [events.drifted(one, revert=revert, capture=capture) for one, (revert, capture) in pairs]
            told = {"drifted": _members(drifted), "drift": _member(events.drift_found(drift))}
        case _:
            assert_never(about.subject)
    return {"facts": dict(about.facts), **told}


def _plan(plan: Plan) -> dict[str, Any]:
    return {"changes": _members(map(events.change, plan.changes)), "plan": _member(events.plan_made(plan))}


def _applied(applied: Applied) -> dict[str, Any]:
    errors = [events.error(one) for one in (applied.unproved, applied.unrecorded) if one]
    return {
        "outcomes": _members(map(events.outcome, applied.outcomes)),
        "remainders": _members(map(events.remainder, applied.remainders)),
        "errors": _members(errors),
    }


def _members(told: Iterable[events.Event]) -> list[events.Event]:
    return [_member(one) for one in told]


def _member(event: events.Event) -> events.Event:
    """Return an event without what tells events apart in a stream."""
    return {key: value for key, value in event.items() if key not in ("schema", "type")}
