"""What a document of a run shows, as values: verdict, alerts, counts by organization, and items in reading order.

Markdown and HTML are two readers of it. `plan_sheet`, `applied_sheet` and `drift_sheet` are in modules of their names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from reconciler.report.rows import created_rows, moved_rows, rows
from reconciler.report.style import counted

if TYPE_CHECKING:
    from reconciler.kinds.fields import SecretRef
    from reconciler.plan.change import Change, FieldChange
    from reconciler.report.rows import Row
    from reconciler.report.style import Paint

Tone = Literal["good", "note", "bad"]
"""How an alert is meant: all is well, something to know, something that stops a run."""

State = Literal["", "refused", "failed", "offline"]
"""What keeps a plan from being applied: that it breaks a rule, that there is none, that the platform was not asked."""


@dataclass(frozen=True, slots=True)
class Alert:
    """What a reader must see before all else; `hint` says what to do about it."""

    tone: Tone
    label: str
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """A line below an item: what somebody must know of it, or a `command` that deals with it."""

    text: str
    label: str = ""
    paint: Paint = "yellow"
    command: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One resource with what is, was or would be done to it; `means` explains that where it needs explaining.

    `word` is what is done in one word, `status` what became of it. `manner` says how its `fields` read: as what will be
    there, as git's change of the platform, or as the platform's of what git says.
    """

    org: str
    kind: str
    name: str
    sign: str
    word: str
    paint: Paint
    title: str = ""
    means: str = ""
    where: str = ""
    status: str = ""
    badges: tuple[str, ...] = ()
    fields: tuple[FieldChange, ...] = ()
    manner: Literal["created", "changed", "moved"] = "changed"
    sent: frozenset[SecretRef] = frozenset()
    remarks: tuple[Remark, ...] = ()
    step: str = ""

    def rows(self) -> Iterator[Row]:
        """Yield what there is to show of its fields."""
        match self.manner:
            case "created":
                return created_rows(self.fields)
            case "changed":
                return rows(self.fields)
            case "moved":
                return moved_rows(self.fields)


@dataclass(frozen=True, slots=True)
class Section:
    """Items that are read for the same reason; an `urgent` one stands open."""

    heading: str
    items: tuple[Item, ...]
    urgent: bool = False

    @property
    def told(self) -> str:
        """Count its items by kind, as `2 Agents, 1 Memory`."""
        kinds = Counter(item.kind for item in self.items)
        return ", ".join(counted(count, kind, _plural(kind)) for kind, count in kinds.items())


def _plural(kind: str) -> str:
    """Spell several of a kind.

    >>> _plural("Agent"), _plural("Memory"), _plural("Harness")
    ('Agents', 'Memories', 'Harnesses')
    """
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}es" if kind.endswith("s") else f"{kind}s"


@dataclass(frozen=True, slots=True)
class OrgCounts:
    """How many items of each word an organization has."""

    name: str
    title: str
    id: str | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One run in one environment; `verb` names the run, `nothing` says that there is nothing to do or tell.

    `verdict` sums it up in a sentence. `changes` are those whose references are worth a picture. `facts` are what
    the run was made from, by name.
    """

    verb: str
    environment: str
    verdict: str
    nothing: bool = False
    state: State = ""
    alerts: tuple[Alert, ...] = ()
    orgs: tuple[OrgCounts, ...] = ()
    words: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    changes: tuple[Change, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def items(self) -> Iterator[Item]:
        """All items, in the order of reading."""
        return (item for section in self.sections for item in section.items)
