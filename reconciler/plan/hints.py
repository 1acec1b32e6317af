"""Which of what is new looks like something that goes: a rename that nobody told us of; pure.

Compared are the declared fields, as what they say: every value but the name, long texts sentence by sentence, children
with their parent; a secret says nothing. Two are alike when they share four fifths of what both say in those fields, by
length, and at least `ENOUGH` characters of that are said by these two alone. No hint where two could be meant.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from reconciler.kinds import BY_NAME, TENANT
from reconciler.kinds.fields import SecretRef, Set
from reconciler.kinds.kind import Shape
from reconciler.plan.change import Action, Change
from reconciler.resource import Address, Observed

ENOUGH: Final = 60
"""Fewer characters in common than this are no likeness: small things look alike by chance."""
_ALIKE: Final = 0.8
_APART: Final = 0.05
"""By so much the best must be better than the next."""
_MOST_HOLDERS: Final = 8
"""What more than so many say is boilerplate, and brings nobody together."""
_MOST_CANDIDATES: Final = 4
_MOST_TEXT: Final = 20_000
_SENTENCES: Final = re.compile(r"(?<=[.!?;])\s+|\n")

Says = Counter[tuple[str, str]]
"""What is said: a top-level field with a value or sentence somewhere below it, and how often."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A resource that appears or vanishes: its canonical spec, and those of its children.

    With an `id` it is not ours: a manifest can keep it only by that.
    """

    address: Address
    spec: Shape
    children: Sequence[Shape] = ()
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Likeness:
    """What is new and what goes, alike by so much (0 to 1), and the line that would keep the one as the other."""

    new: Address
    old: Address
    score: float
    line: str


def likenesses(appearing: Iterable[Sight], vanishing: Iterable[Sight]) -> list[Likeness]:
    """Return the pairs of one kind, organization and parent that look like renames; each resource in one at most."""
    groups: defaultdict[tuple[str, str, str | None], tuple[list[Sight], list[Sight]]] = defaultdict(lambda: ([], []))
    for side, sights in enumerate((appearing, vanishing)):
        for sight in sights:
            groups[_group(sight.address)][side].append(sight)
    found = [pair for new, old in groups.values() if new and old for pair in _pairs(new, old)]
    return sorted(found, key=lambda pair: pair.new)


def hints(pairs: Iterable[Likeness]) -> dict[Address, str]:
    """Return the note of each side of each pair."""
    notes: dict[Address, str] = {}
    for pair in pairs:
        place = "beside its name" if pair.new.parent else "in its metadata"
        notes[pair.new] = f"looks like a rename of {pair.old.local}: write {pair.line} {place} to keep it"
        notes[pair.old] = f"looks like a rename to {pair.new.local}: see there"
    return notes


def _group(address: Address) -> tuple[str, str, str | None]:
    return "" if address.kind == TENANT.name else address.org, address.kind, address.parent


def _pairs(appearing: Sequence[Sight], vanishing: Sequence[Sight]) -> Iterator[Likeness]:
    """Yield who is the best for one another, where nobody else comes near on either side."""
    new, old = [_said(one) for one in appearing], [_said(one) for one in vanishing]
    scores = _scores(new, old)
    best_old, best_new = _best(scores), _best({(o, n): score for (n, o), score in scores.items()})
    for number, other in best_old.items():
        if best_new.get(other) == number:
            gone = vanishing[other]
            line = f"moved_from: {gone.address.name}" if gone.id is None else f"id: {gone.id}"
            yield Likeness(appearing[number].address, gone.address, scores[number, other], line)


def _best(scores: Mapping[tuple[int, int], float]) -> dict[int, int]:
    """Return for each first of a pair the second that is alike, and clearly more so than any other."""
    ranked: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
    for (one, other), score in scores.items():
        ranked[one].append((score, other))
    best = {}
    for one, found in ranked.items():
        (score, other), *rest = sorted(found, reverse=True)
        if not rest or rest[0][0] <= score - _APART:
            best[one] = other
    return best


def _scores(new: Sequence[Says], old: Sequence[Says]) -> dict[tuple[int, int], float]:
    """Return how alike those pairs are that could be; only what few say brings two together, to keep it linear."""
    holders: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for number, says in enumerate(old):
        for saying in says:
            holders[saying].append(number)
    often = Counter(saying for says in new for saying in says)
    scores: dict[tuple[int, int], float] = {}
    for number, says in enumerate(new):
        shared: Counter[int] = Counter()
        for saying in says:
            if len(holders[saying]) <= _MOST_HOLDERS and often[saying] <= _MOST_HOLDERS:
                shared.update(dict.fromkeys(holders[saying], _weight(saying)))
        for other, weight in shared.most_common(_MOST_CANDIDATES):
            score = _likeness(says, old[other])
            if weight >= ENOUGH and score >= _ALIKE:
                scores[number, other] = score
    return scores


def _likeness(new: Says, old: Says) -> float:
    """Return the part of what both say that they share, in the fields that the new one declares."""
    fields = {field for field, _ in new}
    theirs = Counter({saying: count for saying, count in old.items() if saying[0] in fields})
    both, all_ = _total(new & theirs), _total(new) + _total(theirs)
    return 2 * both / all_ if all_ else 0.0


def _total(says: Says) -> int:
    return sum(_weight(saying) * count for saying, count in says.items())


def _weight(saying: tuple[str, str]) -> int:
    return len(saying[1])


def _said(sight: Sight) -> Says:
    """Return what a resource says beside its name."""
    kind = BY_NAME[sight.address.kind]
    says: Says = Counter()
    for field, value in sight.spec.items():
        if field != kind.named_by:
            says.update((field, text) for text in _texts(value))
    if kind.children:
        says.update((kind.children[0], text) for child in sight.children for text in _texts(child))
    return says


def _texts(value: Any, key: str = "") -> Iterator[str]:
    """Yield each value below one, with the key it stands under; long texts by their sentences."""
    match value:
        case None | Set() | SecretRef():
            return
        case dict():
            for name, item in value.items():
                yield from _texts(item, str(name))
        case list():
            for item in value:
                yield from _texts(item, key)
        case str():
            for part in _SENTENCES.split(value[:_MOST_TEXT]):
                if text := part.strip():
                    yield f"{key}={text}" if key else text
        case _:
            yield f"{key}={value}"


def hinted(changes: Sequence[Change], leaving: Mapping[Address, Observed]) -> list[Change]:
    """Return the changes with a note on each creation and removal that look like one rename."""
    new = {change.address: change for change in changes if change.action is Action.CREATE}
    going = {change.address for change in changes if change.action is Action.ARCHIVE} & leaving.keys()
    if not new or not going:
        return list(changes)
    children: defaultdict[Address | None, list[Shape]] = defaultdict(list)
    specs = {each: one.spec for each, one in leaving.items()} | {each: one.body for each, one in new.items()}
    for each, spec in specs.items():
        children[each.above].append(spec)
    appearing = [Sight(each, one.body, children[each]) for each, one in new.items() if each.above not in new]
    vanishing = [Sight(each, leaving[each].spec, children[each]) for each in sorted(going)]
    notes = hints(likenesses(appearing, vanishing))
    return [
        replace(change, notes=(*change.notes, notes[change.address])) if change.address in notes else change
        for change in changes
    ]
