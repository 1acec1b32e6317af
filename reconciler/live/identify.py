"""Which live resource an address means: by id where git insists, else by name, else by type and position."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.errors import Fault
from reconciler.kinds.kind import Identity, Kind
from reconciler.live.shapes import Wire, shape_from
from reconciler.plan.diff import diff
from reconciler.resource import Address, Desired


@dataclass(slots=True)
class Matches:
    """For each address the live resource it means, and the archived twin that may hold its name.

    `guessed` are those paired by their position among several.
    """

    live: dict[Address, Wire] = field(default_factory=dict)
    twins: dict[Address, Wire] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    guessed: set[Address] = field(default_factory=set)


def identify(kind: Kind, desired: Sequence[Desired], live: Iterable[Wire]) -> Matches:
    """Match the desired of one kind and organization with its live resources (design, section 6)."""
    matches = Matches()
    wires = [wire for wire in live if wire.get("status") != "deleted"]
    taken = _pinned(desired, wires, matches)
    by_title: defaultdict[str, list[Wire]] = defaultdict(list)
    for wire in wires:
        if wire["id"] not in taken:
            by_title[_folded(kind, str(wire.get("name", "")))].append(wire)
    for one in desired:
        if one.pinned is None:
            _by_title(one, by_title.get(_folded(kind, one.title), []), matches)
    return matches


def _folded(kind: Kind, title: str) -> str:
    return title.casefold() if kind.identity is Identity.CASELESS else title


def _pinned(desired: Iterable[Desired], wires: Iterable[Wire], matches: Matches) -> set[str]:
    """Match what names an id; return the ids taken."""
    by_id = {wire["id"]: wire for wire in wires}
    taken: set[str] = set()
    for one in desired:
        if one.pinned is None:
            continue
        wire = by_id.get(one.pinned)
        if wire is None:
            message = f"no {one.kind.name.lower()} has the id {one.pinned} in this organization"
            matches.faults.append(
                Fault(
                    message,
                    one.source,
                    _id_path(one),
                    hint="remove the line, or correct the id",
                    on_value=True,
                )
            )
        elif one.pinned in taken:
            message = f"{one.pinned} is claimed by two documents"
            matches.faults.append(Fault(message, one.source, _id_path(one), on_value=True))
        else:
            taken.add(one.pinned)
            _sorted_in(one, wire, matches)
    return taken


def _id_path(one: Desired) -> tuple[str | int, ...]:
    return ("metadata", "id") if one.path == ("spec",) else (*one.path, "id")


def _sorted_in(one: Desired, wire: Wire, matches: Matches) -> None:
    (matches.twins if one.kind.wire.archived(wire) else matches.live)[one.address] = wire


def _by_title(one: Desired, wires: Sequence[Wire], matches: Matches) -> None:
    """Match the one live resource of this title; several are for a person to settle."""
    alive = [wire for wire in wires if not one.kind.wire.archived(wire)]
    if len(alive) > 1:
        ids = ", ".join(str(wire["id"]) for wire in alive)
        message = f'{len(alive)} {one.kind.plural} on the platform are called "{one.title}": {ids}'
        hint = "say which one is meant with metadata.id"
        matches.faults.append(Fault(message, one.source, ("metadata", "name"), hint=hint))
    elif alive:
        matches.live[one.address] = alive[0]
    elif wires:
        matches.twins[one.address] = wires[0]


def identify_children(desired: Sequence[Desired], live: Sequence[Wire]) -> Matches:
    """Match the children of one parent: by id, then the ones that are equal, then by type and position.

    When fewer of a type are declared than live and none of the rest is equal, position would be a guess that could
    turn one child into another: that is a fault which lists the ids.
    """
    matches = Matches()
    taken = _pinned(desired, live, matches)
    kind = desired[0].kind if desired else None
    shapes = {wire["id"]: shape_from(kind, wire) for wire in live if wire["id"] not in taken} if kind else {}
    by_type: defaultdict[str, list[Desired]] = defaultdict(list)
    for one in desired:
        if one.pinned is None:
            by_type[one.title].append(one)
    for type_, wanted in by_type.items():
        rest = [wire for wire in live if wire["id"] in shapes and shapes[wire["id"]].get("type") == type_]
        _pair(wanted, rest, shapes, matches)
    return matches


def _pair(wanted: list[Desired], live: list[Wire], shapes: Mapping[str, Any], matches: Matches) -> None:
    """Pair the children of one type."""
    equal = _equal(wanted, live, shapes)
    matches.live |= {one.address: wire for one, wire in equal}
    left = [one for one in wanted if one.address not in matches.live]
    used = {wire["id"] for _, wire in equal}
    live = [wire for wire in live if wire["id"] not in used]
    if 0 < len(left) < len(live):
        ids = ", ".join(str(wire["id"]) for wire in live)
        message = f"cannot tell which live {left[0].title} channel this is: {ids}"
        hint = "say which one is meant with id, or declare the others too"
        matches.faults.extend(Fault(message, one.source, (*one.path, "name"), hint=hint) for one in left)
        return
    for one, wire in zip(left, live, strict=False):
        matches.live[one.address] = wire
        if len(wanted) > 1:
            matches.guessed.add(one.address)


def _equal(wanted: list[Desired], live: list[Wire], shapes: Mapping[str, Any]) -> list[tuple[Desired, Wire]]:
    """Pair as many as agree: one that agrees with several gives way to one that agrees with fewer."""
    agreeing = [[n for n, w in enumerate(live) if not diff(one.kind, one.spec, shapes[w["id"]])] for one in wanted]
    holder: dict[int, int] = {}

    def place(one: int, tried: set[int]) -> bool:
        for wire in agreeing[one]:
            if wire not in tried:
                tried.add(wire)
                if wire not in holder or place(holder[wire], tried):
                    holder[wire] = one
                    return True
        return False

    for one in range(len(wanted)):
        place(one, set())
    return [(wanted[one], live[wire]) for wire, one in holder.items()]
