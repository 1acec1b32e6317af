"""All environments of a run in one table: a row for each environment and organization, counted by what is at stake.

Text, Markdown, HTML and JSON write the same rows. An environment that another job looked at has one row for all of its
organizations, from what that job left behind (`Other`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.plan.concern import Concern
from reconciler.report.sheet import Sheet, State

SAID: dict[State, str] = {"refused": "refused", "failed": "no plan: it failed", "offline": "offline", "": ""}
_SHORT = 7
_ORDER = tuple(concern.value for concern in Concern)


@dataclass(frozen=True, slots=True)
class Other:
    """An environment as another job told of it; `counts` by heading, None where that cannot be told.

    `url` is where it told of it. `commit` is that of its plan where it is another than the one that this is about.
    """

    environment: str
    url: str
    counts: Mapping[str, int] | None = None
    state: State = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row: `org` is empty where a row is about all of them; `said` is what to know beside the counts."""

    environment: str
    org: str = ""
    title: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    said: str = ""
    url: str = ""

    def number(self, heading: str) -> str:
        """Return the count below a heading, nothing for none."""
        return f"{self.counts[heading]:,}" if self.counts.get(heading) else ""


@dataclass(frozen=True, slots=True)
class Overview:
    """The rows, and the headings of their counts in the order of reading."""

    headings: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def has_words(self) -> bool:
        """Whether there is something to know beside counts."""
        return any(row.said for row in self.rows)


def overview(sheets: Sequence[Sheet], others: Sequence[Other] = ()) -> Overview:
    """Return the table of sheets and other environments."""
    rows = [*(row for sheet in sheets for row in _rows(sheet)), *map(_other, others)]
    used = {heading for row in rows for heading in row.counts}
    known = dict.fromkeys([*_ORDER, *(section.heading for sheet in sheets for section in sheet.sections)])
    return Overview(tuple(heading for heading in known if heading in used), tuple(rows))


def counts_of(sheet: Sheet) -> dict[str, int]:
    """Count what a sheet has below each heading."""
    return {section.heading: len(section.items) for section in sheet.sections}


def _rows(sheet: Sheet) -> Iterator[Row]:
    name = sheet.environment or sheet.verb
    said = SAID[sheet.state] or ("nothing to do" if sheet.nothing else "")
    if not sheet.orgs:
        yield Row(name, said=said)
    for org in sheet.orgs:
        counts = Counter(
            section.heading for section in sheet.sections for item in section.items if item.org == org.name
        )
        yield Row(name, org.name, org.title if org.title != org.name else "", counts, said)


def _other(one: Other) -> Row:
    words = [SAID[one.state]] if one.state else []
    if one.counts is None:
        words.append("see there")
    elif not one.counts and one.state != "failed":
        words.append("nothing to do")
    if one.commit:
        words.append(f"another commit: {one.commit[:_SHORT]}")
    return Row(one.environment, counts=one.counts or {}, said="; ".join(words), url=one.url)
