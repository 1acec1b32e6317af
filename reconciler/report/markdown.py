"""A run as Markdown for GitHub: one table of all environments and organizations, then items, what matters most first.

It fits in a comment or a step summary by degrees: blocks are folded, then shortened to what room there is, then lines,
then counts with a word on where all of it is. What stands in a manifest or comes from the platform is inert (see
`inert.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.report.fit import Piece, fill, grow, size_of
from reconciler.report.inert import code
from reconciler.report.markdown_item import item_piece
from reconciler.report.markdown_table import OF_OTHERS, link_to, table
from reconciler.report.style import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reconciler.report.overview import Other
    from reconciler.report.sheet import Alert, Section, Sheet

COMMENT = 65_536
"""What GitHub takes for a comment, in characters; here no text is longer than this in bytes."""
STEP_SUMMARY = 1_048_576
"""What GitHub takes for the summary of a step, in bytes."""
LEAST = 2_000
"""No limit may be lower: so much is for the sentence at the top and the one at the end."""

_ALERTS = {"good": "TIP", "note": "NOTE", "bad": "CAUTION"}
_MOST_OPEN = 10
_MOST_ALERTS = 20
_FOR_MORE = 48


@dataclass(slots=True)
class _Part:
    """A section of the document: its heading and its items."""

    heading: Piece
    items: list[Piece]

    @property
    def left_out(self) -> int:
        """How many items have not even a line."""
        return sum(piece.level < 0 for piece in self.items)

    @property
    def text(self) -> str:
        """What has grown of it."""
        if self.heading.level < 0:
            return ""
        left = self.left_out
        more = f"\n…and {left:,} more.\n" if left and len(self.items) > left else ""
        return self.heading.text + "".join(piece.text for piece in self.items) + more


@dataclass(slots=True)
class _Block:
    """An environment of the document: what is said first, and its sections."""

    head: list[Piece]
    parts: list[_Part] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What has grown of it."""
        return "".join(piece.text for piece in self.head) + "".join(part.text for part in self.parts)


def markdown(
    sheets: Sequence[Sheet], *, limit: int = COMMENT, link: str | None = None, others: Sequence[Other] = ()
) -> str:
    """Return the Markdown of one or more sheets, in at most so many bytes; `link` leads to where all of it is.

    `others` are environments that have their row in the table and are told elsewhere.
    """
    if limit < LEAST:
        raise ValueError(f"no Markdown of a run fits in {limit} bytes")
    title = f"## {_title(sheets)}\n"
    ending = _ending(link)
    note = OF_OTHERS if others else ""
    rows = [_piece(row) for row in table(sheets, others)]
    blocks = [_block(sheet, is_alone=len(sheets) == 1) for sheet in sheets]
    parts = [part for block in blocks for part in block.parts]
    items = [piece for part in parts for piece in part.items]
    facts = [_piece(line) for line in _facts(sheets)]
    room = limit - size_of(title + note) - size_of(ending(len(items), len(items))) - _FOR_MORE * len(parts)

    headings = [piece for block in blocks for piece in (*block.head, *(part.heading for part in block.parts))]
    room -= _FOR_MORE
    for said, share in ((rows, 4), (headings, 2), (facts, 4)):
        room -= room // share - grow(said, 0, room=room // share)
    first, rest = room // 2, room - room // 2
    room = _lines(parts, room=first) + rest
    for level in range(1, max((len(piece.forms) for piece in items), default=0)):
        room = grow(items, level, room=room)
    fill(items, room=_lines(parts, room=room))

    bare = sum(piece.level == 0 and not piece.is_whole for piece in items)
    cut_short = sum(piece.level > 0 and not piece.is_whole for piece in items)
    left_out = sum(part.left_out for part in parts)
    is_whole = not bare + cut_short + left_out and all(piece.level == 0 for piece in (*rows, *headings))
    unseen = sum(piece.level < 0 for piece in rows)
    more = f"| *{unseen:,} more* | |\n" if unseen else ""
    body = [*(piece.text for piece in rows), more, note, *(block.text for block in blocks)]
    end = "" if is_whole else ending(left_out, bare + cut_short)
    return "".join([title, *body, end, *(piece.text for piece in facts)])


def _lines(parts: Sequence[_Part], *, room: int) -> int:
    """Give items a line each, section by section, as far as there is room; return the room that is left."""
    for part in parts:
        if part.heading.level == 0:
            room = grow(part.items, 0, room=room)
    return room


def _piece(text: str) -> Piece:
    return Piece((lambda: text,))


def _title(sheets: Sequence[Sheet]) -> str:
    if len(sheets) == 1:
        (sheet,) = sheets
        return sheet.verdict if sheet.nothing else f"{sheet.verb}: {sheet.verdict}"
    same = sum(sheet.nothing for sheet in sheets)
    verb = sheets[0].verb if sheets else "Plan"
    return f"{verb}: {counted(len(sheets), 'environment')}" + (f", nothing to tell of {same:,}" if same else "")


def _ending(link: str | None) -> Callable[[int, int], str]:
    """Return what says how much was left out, and where it is."""
    where = f"All of it: <{link_to(link)}>" if link else "All of it is in the report that `--format html=FILE` writes."

    def say(left_out: int, folded: int) -> str:
        lost = f"{counted(left_out, 'item')} without a line, {folded:,} without a whole diff"
        return f"\n> [!IMPORTANT]\n> Shortened to fit here: {lost}. {where}\n"

    return say


def _block(sheet: Sheet, *, is_alone: bool) -> _Block:
    head = [] if is_alone else [_piece(f"\n### {code(sheet.environment or sheet.verb)}: {sheet.verdict}\n")]
    alerts = sheet.alerts[:_MOST_ALERTS]
    head += [_piece(_alert(alert)) for alert in alerts]
    if len(sheet.alerts) > len(alerts):
        head.append(_piece(f"\n…and {counted(len(sheet.alerts) - len(alerts), 'more reason')}.\n"))
    if is_alone and sheet.nothing and not sheet.sections:
        return _Block(head)
    few = sum(len(section.items) for section in sheet.sections) <= _MOST_OPEN // 2
    return _Block(head, [_part(section, few=few, with_org=len(sheet.orgs) > 1) for section in sheet.sections])


def _alert(alert: Alert) -> str:
    """Return an alert in GitHub's form; each line of its message is a code span."""
    lines = [code(line, width=_MOST_ALERT) for line in alert.message.splitlines()[:_FEW]]
    said = "\n> ".join(lines)
    hint = f"\n>\n> {code(alert.hint, width=_MOST_ALERT)}" if alert.hint else ""
    return f"\n> [!{_ALERTS[alert.tone]}]\n> **{alert.label}:** {said}{hint}\n"


_MOST_ALERT, _FEW = 600, 5


def _part(section: Section, *, few: bool, with_org: bool) -> _Part:
    is_open = few or (section.urgent and len(section.items) <= _MOST_OPEN)
    said = section.heading.lower()  # what the heading says is no badge below it
    shown = [replace(item, badges=tuple(one for one in item.badges if one != said)) for item in section.items]
    items = [item_piece(item, with_org=with_org, is_open=is_open) for item in shown]
    return _Part(_piece(f"\n#### {section.heading}: {section.told}\n\n"), items)


def _facts(sheets: Sequence[Sheet]) -> Iterator[str]:
    """Yield what the runs were made from, one line each."""
    for sheet in sheets:
        told = " · ".join(f"{name} {code(text, width=100)}" for name, text in sheet.facts.items() if text)
        of = f"{code(sheet.environment, width=60)}: " if len(sheets) > 1 and sheet.environment else ""
        if told:
            yield f"\n<sub>{of}{told}</sub>\n"
