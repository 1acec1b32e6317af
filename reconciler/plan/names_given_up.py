"""Unique names that change hands within a plan: who waits for whom, and who is renamed out of the way first; pure.

Every taker of a name waits until the one that has it got another. Where they wait in a circle, one of them renames the
holder of its name to a temporary one before it takes the name, and the holder gets its own later. The same goes for
what is archived in this plan, which would keep its name, and for what was archived before, where the API allows it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.errors import Fault
from reconciler.kinds.kind import Identity, Kind, Twin
from reconciler.plan.appear import ways_around
from reconciler.plan.change import Action, Change
from reconciler.resource import Address, Desired


@dataclass(frozen=True, slots=True)
class Holder:
    """A resource of the platform, declared or not, and the name it holds."""

    id: str
    name: str
    archived: bool = False


Holders = Callable[[str, str], Iterable[Holder]]
"""Give all that hold names, by organization and kind."""


@dataclass(slots=True)
class Settled:
    """The changes, some of them with a detour; the steps that each has to wait for; what cannot be done."""

    changes: list[Change]
    after: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    faults: list[Fault] = field(default_factory=list)


def new_name(change: Change) -> str | None:
    """Return the unique name that a change gives its resource, None where it gives none, or the one it has."""
    kind = change.kind
    if not kind.has_unique_names:
        return None
    if change.action is Action.CREATE:
        return change.title
    renamed = _name_change(change)
    if renamed is None or (renamed[0] is not None and kind.folded(renamed[0]) == kind.folded(renamed[1])):
        return None
    return renamed[1]


def givers(changes: Iterable[Change]) -> dict[str, Change]:
    """Return, by id, the changes that rename a resource, so that its old name is free."""
    return {
        change.id: change
        for change in changes
        if change.id and change.action is not Action.CREATE and new_name(change) is not None
    }


def _name_change(change: Change) -> tuple[str | None, str] | None:
    if change.action not in (Action.UPDATE, Action.RESTORE):
        return None
    path = (change.kind.named_by,)
    return next((one for one in ((f.old, f.new) for f in change.fields if f.path == path) if one[1]), None)


def settle_names(changes: Sequence[Change], desired: Iterable[Desired], holders: Holders) -> Settled:
    """Order what takes names behind what gives them up, and make room where that is not enough."""
    settled = Settled(list(changes))
    groups: defaultdict[tuple[str, str], list[Change]] = defaultdict(list)
    for change in changes:
        if new_name(change) is not None:
            groups[change.address.org, change.address.kind].append(change)
    if not groups:
        return settled
    sources = {one.address: one for one in desired}
    archived = {one.id: one for one in changes if one.action is Action.ARCHIVE and one.id}
    open_ = {one.id for one in changes if one.action is Action.CONFLICT}
    swaps: dict[str, Change] = {}
    for (org, kind), takers in sorted(groups.items()):
        known = [one for one in holders(org, kind) if one.id not in open_]  # the verdict is against those already
        group = _Group(takers, known, archived, sources, settled)
        swaps |= group.settle()
    settled.changes = [swaps.get(change.step, change) for change in changes]
    return settled


class _Group:
    """The takers of names of one kind in one organization, and all that hold names there."""

    def __init__(
        self,
        takers: Sequence[Change],
        holders: Sequence[Holder],
        archived: Mapping[str, Change],
        sources: Mapping[Address, Desired],
        settled: Settled,
    ) -> None:
        self.kind: Kind = takers[0].kind
        self.takers = sorted(takers, key=lambda change: change.step)
        self.by_name = {self.kind.folded(one.name): one for one in holders}
        self.archived, self.sources, self.settled = archived, sources, settled
        self.givers = givers(takers)
        self.steps = {change.step: change for change in takers}
        self.waits: dict[str, tuple[str, Holder]] = {}

    def settle(self) -> dict[str, Change]:
        """Return the changes that need a detour, by step; edges and faults go into `settled`."""
        swaps: dict[str, Change] = {}
        for change in self.takers:
            holder = self.by_name.get(self.kind.folded(new_name(change) or ""))
            if holder is None or holder.id in (change.id, change.frees):
                continue
            giver = self.givers.get(holder.id)
            if giver is not None:
                self.waits[change.step] = giver.step, holder
            elif holder.id in self.archived:
                swaps[change.step] = self.around(change, holder, word="archived")
                self.settled.after[self.archived[holder.id].step].add(change.step)
            elif holder.archived and self.kind.twin is Twin.RENAME:
                note = f"an archived {self.kind.noun} holds the name: it is renamed out of the way first"
                swaps[change.step] = replace(change, frees=holder.id, notes=(*change.notes, note))
            else:
                self.refuse(change, holder)
        for circle in self.circles():
            swaps |= self.opened(circle)
        for step, (giver_step, _) in self.waits.items():
            self.settled.after[step].add(giver_step)
        return swaps

    def circles(self) -> list[list[str]]:
        """Return each circle of steps that wait for one another; every step waits for one other at most."""
        seen: set[str] = set()
        found: list[list[str]] = []
        for start in self.waits:
            path: list[str] = []
            step = start
            while step in self.waits and step not in seen:
                seen.add(step)
                path.append(step)
                step = self.waits[step][0]
            if step in path:
                found.append(path[path.index(step) :])
        return found

    def opened(self, circle: list[str]) -> dict[str, Change]:
        """Let the first of a circle that can rename the holder of its name, and wait for nobody."""
        for step in sorted(circle):
            _, holder = self.waits[step]
            if not holder.archived:
                del self.waits[step]
                return {step: self.around(self.steps[step], holder, word="renaming")}
        first = min(circle)
        self.refuse(self.steps[first], self.waits[first][1])
        return {}

    def around(self, change: Change, holder: Holder, *, word: str) -> Change:
        """Return a change that renames the holder of its name first."""
        name = aside(self.kind, holder, word=word, taken=self.by_name)
        until = "and then archived" if word == "archived" else "until it gets its new name"
        note = f'{holder.id} holds the name: it is called "{name}" first, {until}'
        return replace(change, frees=holder.id, detour=name, notes=(*change.notes, note))

    def refuse(self, change: Change, holder: Holder) -> None:
        """Note that a name cannot be had."""
        wanted = self.sources.get(change.address)
        told = f"an archived {self.kind.noun} holds" if holder.archived else f"{holder.id} holds"
        hint = (
            ways_around(self.kind, holder.id)
            if holder.archived
            else "rename that one in the same run, or choose another name"
        )
        why = "" if not holder.archived else f" ({holder.id}), and the API cannot take it away"
        message = f'{told} the name "{holder.name}"{why}'
        source, path = (wanted.source, _path(wanted)) if wanted else (None, ())
        self.settled.faults.append(Fault(message, source, path, hint=hint, on_value=True))


def _path(one: Desired) -> tuple[str | int, ...]:
    name = one.kind.name_field
    return ("spec", name) if name and name in one.spec else ("metadata", "name")


def aside(kind: Kind, holder: Holder, *, word: str, taken: Iterable[str]) -> str:
    """Return a name that is legal for the kind, told from others by the holder's id, and not among those taken.

    >>> from reconciler.kinds import BY_NAME
    >>> aside(BY_NAME["Memory"], Holder("mem_0000000089abcdef", "Notes"), word="renaming", taken=())
    'Notes (renaming 89abcdef)'
    >>> aside(BY_NAME["Agent"], Holder("agent_0000000089abcdef", "triage"), word="renaming", taken=())
    'triage-renaming-89abcdef'
    """
    known, mark = set(taken), re.sub("[^0-9a-z]", "", holder.id.lower())[-_MARK:]
    number, again = 1, ""
    while True:
        if kind.identity is Identity.SLUG:
            tail = f"-{word}-{mark}{again and f'-{again}'}"
            name = holder.name[: _LONGEST_SLUG - len(tail)].rstrip("-") + tail
        else:
            tail = f" ({word} {mark}{again and f' {again}'})"
            name = holder.name[: _LONGEST_NAME - len(tail)] + tail
        if kind.folded(name) not in known:
            return name
        number += 1
        again = str(number)


_MARK = 8
_LONGEST_SLUG = 64
_LONGEST_NAME = 255
"""everruns-api/agents-memories-sessions.md, 2.2 and 4.2."""
