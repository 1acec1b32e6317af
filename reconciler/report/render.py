"""A subject in any of the formats: text, Markdown for a comment or a summary, HTML, JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, assert_never

from reconciler.report.style import Style
from reconciler.report.subject import Found, Made, Tried

if TYPE_CHECKING:
    from reconciler.errors import Exit
    from reconciler.report.sheet import Sheet
    from reconciler.report.subject import About, Subject

Format = Literal["text", "markdown", "summary", "html", "json"]
"""`markdown` fits in a comment on GitHub, `summary` in the summary of a step."""

_PLAIN = Style(color=False, width=120)


def render(abouts: Sequence[About], form: Format, *, verb: str, exit_codes: Sequence[Exit]) -> str:
    """Return the text of one or more subjects in a format, ending with a line end."""
    match form:
        case "text":
            return text_of(abouts)
        case "markdown":
            from reconciler.report.markdown import markdown

            return markdown(sheets_of(abouts))
        case "summary":
            from reconciler.report.markdown import STEP_SUMMARY, markdown

            return markdown(sheets_of(abouts), limit=STEP_SUMMARY)
        case "html":
            from reconciler.report.html_page import html

            return html(sheets_of(abouts))
        case "json":
            from reconciler.report.document import json_document, json_documents

            if len(abouts) == 1:
                return json_document(abouts[0], verb=verb, exit_codes=exit_codes)
            return json_documents(abouts, sheets_of(abouts), verb=verb, exit_codes=exit_codes)
        case _:
            assert_never(form)


def sheets_of(abouts: Sequence[About]) -> Sequence[Sheet]:
    """Return the sheets from which documents are drawn."""
    return [sheet_of(one.subject, facts=one.facts) for one in abouts]


def sheet_of(subject: Subject, *, facts: Mapping[str, str]) -> Sheet:
    """Return the sheet from which documents are drawn."""
    match subject:
        case Made(plan, environment):
            from reconciler.report.plan_sheet import plan_sheet

            sheet = plan_sheet(plan, facts=facts)
            return replace(sheet, environment=environment) if environment else sheet
        case Tried(plan, applied, flags):
            from reconciler.report.applied_sheet import applied_sheet

            return applied_sheet(plan, applied, flags=flags, facts=facts)
        case Found(drift, environment, flags):
            from reconciler.report.drift_sheet import drift_sheet

            return drift_sheet(drift, flags=flags, facts=facts, environment=environment)
        case _:
            assert_never(subject)


def text_of(abouts: Sequence[About]) -> str:
    """Return the text that a terminal would show, without colours."""
    if len(abouts) == 1:
        return "\n".join([*subject_text(abouts[0].subject, style=_PLAIN), ""])
    from reconciler.report.overview_text import overview_text

    return "\n".join([*overview_text(abouts, sheets_of(abouts), style=_PLAIN), ""])


def subject_text(subject: Subject, *, style: Style) -> Iterator[str]:
    """Yield the lines of one subject."""
    match subject:
        case Made(plan):
            from reconciler.report.plan_text import plan_text

            yield from plan_text(plan, style=style)
        case Tried(plan, applied, flags):
            from reconciler.report.outcome_text import applied_text
            from reconciler.report.plan_text import plan_text

            yield from plan_text(plan, style=style)
            yield ""
            yield from applied_text(applied, style=style, flags=flags)
        case Found(drift, _, flags):
            from reconciler.report.drift_text import drift_text

            yield from drift_text(drift, style=style, flags=flags)
        case _:
            assert_never(subject)
