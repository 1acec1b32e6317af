"""A subject in any of the formats: text, Markdown for a comment or a summary, HTML, JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, assert_never

from reconciler.report.style import Style
from reconciler.report.subject import Found, Made, Tried

if TYPE_CHECKING:
    from reconciler.errors import Exit
    from reconciler.report.sheet import Sheet
    from reconciler.report.subject import Subject

Format = Literal["text", "markdown", "summary", "html", "json"]
"""`markdown` fits in a comment on GitHub, `summary` in the summary of a step."""

_PLAIN = Style(color=False, width=120)


def render(subject: Subject, form: Format, *, verb: str, exit_codes: Sequence[Exit], facts: Mapping[str, str]) -> str:
    """Return the text of a subject in a format, ending with a line end."""
    match form:
        case "text":
            return text_of(subject)
        case "markdown":
            from reconciler.report.markdown import markdown

            return markdown([sheet_of(subject, facts=facts)])
        case "summary":
            from reconciler.report.markdown import STEP_SUMMARY, markdown

            return markdown([sheet_of(subject, facts=facts)], limit=STEP_SUMMARY)
        case "html":
            from reconciler.report.html_page import html

            return html([sheet_of(subject, facts=facts)])
        case "json":
            from reconciler.report.document import json_document

            return json_document(subject, verb=verb, exit_codes=exit_codes, facts=facts)
        case _:
            assert_never(form)


def sheet_of(subject: Subject, *, facts: Mapping[str, str]) -> Sheet:
    """Return the sheet from which documents are drawn."""
    match subject:
        case Made(plan):
            from reconciler.report.plan_sheet import plan_sheet

            return plan_sheet(plan, facts=facts)
        case Tried(plan, applied, flags):
            from reconciler.report.applied_sheet import applied_sheet

            return applied_sheet(plan, applied, flags=flags, facts=facts)
        case Found(drift, environment, flags):
            from reconciler.report.drift_sheet import drift_sheet

            return drift_sheet(drift, flags=flags, facts=facts, environment=environment)
        case _:
            assert_never(subject)


def text_of(subject: Subject) -> str:
    """Return the text that a terminal would show, without colours."""
    match subject:
        case Made(plan):
            from reconciler.report.plan_text import plan_text

            lines = [*plan_text(plan, style=_PLAIN)]
        case Tried(plan, applied, flags):
            from reconciler.report.outcome_text import applied_text
            from reconciler.report.plan_text import plan_text

            lines = [*plan_text(plan, style=_PLAIN), "", *applied_text(applied, style=_PLAIN, flags=flags)]
        case Found(drift, _, flags):
            from reconciler.report.drift_text import drift_text

            lines = [*drift_text(drift, style=_PLAIN, flags=flags)]
        case _:
            assert_never(subject)
    return "\n".join([*lines, ""])
