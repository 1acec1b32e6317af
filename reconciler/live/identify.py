"""Which live resource an address means: by id where git insists, else by name, else by type and position."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.errors import Fault
from reconciler.kinds.kind import Identity, Kind, Shape
from reconciler.live.shapes import Wire, shape_from
from reconciler.plan.diff import diff, is_unwritten
from reconciler.resource import Address, Desired


@dataclass(slots=True)
class Matches:
    """For each address the live resource it means, and the archived twin that may hold its name."""

    live: dict[Address, Wire] = field(default_factory=dict)
    twins: dict[Address, Wire] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


Remembered = Callable[[Address], str | None]
"""Gives the id that the ledger knows an address by."""


def nowhere(_address: Address) -> str | None:
    """Remember nothing."""
    return None


def identify(
    kind: Kind,
    desired: Sequence[Desired],
    live: Iterable[Wire],
    *,
    remembered: Remembered,
    archived: Remembered = nowhere,
) -> Matches:
    """Match the desired of one kind and organization with its live resources (design, section 6).

    `archived` gives the id of the one that was archived at an address, where it was ours.
    """
    matches = Matches()
    wires = [wire for wire in live if wire.get("status") != "deleted"]
    by_id = {wire["id"]: wire for wire in wires}
    taken = _pinned(desired, by_id, matches)
    taken |= _remembered(desired, by_id, remembered, matches, taken=taken)
    by_title: defaultdict[str, list[Wire]] = defaultdict(list)
    for wire in wires:
        if wire["id"] not in taken:
            by_title[_folded(kind, str(wire.get("name", "")))].append(wire)
    for one in desired:
        if one.pinned is None and one.address not in matches.live:
            _by_title(one, by_title.get(_folded(kind, one.title), []), matches, archived=archived)
    for one in desired:
        met = matches.live.get(one.address)
        if met is not None and kind.wire.provided(met):
            matches.faults.append(_not_ours_to_manage(one, str(met.get("name", ""))))
    return matches


def _not_ours_to_manage(one: Desired, name: str) -> Fault:
    """Say that the platform brings this along."""
    message = f'"{name}" is built in, and the platform lets nobody change it'
    hint = one.kind.instead_of_built_in.format(name=name)
    return Fault(message, one.source, ("metadata", "name"), hint=hint, on_value=True)


def _folded(kind: Kind, title: str) -> str:
    return title.lower() if kind.identity is Identity.CASELESS else title


def _remembered(
    desired: Iterable[Desired],
    by_id: Mapping[str, Wire],
    remembered: Remembered,
    matches: Matches,
    *,
    taken: Collection[str],
) -> set[str]:
    """Match what the ledger knows by an id that is live still, and return these; what git names by id is `taken`."""
    more: set[str] = set()
    for one in desired:
        id_ = remembered(one.address) if one.pinned is None else None
        wire = by_id.get(id_) if id_ else None
        if wire is not None and wire["id"] not in taken and wire["id"] not in more and not one.kind.wire.archived(wire):
            matches.live[one.address] = wire
            more.add(wire["id"])
    return more


def _pinned(desired: Iterable[Desired], by_id: Mapping[str, Wire], matches: Matches) -> set[str]:
    """Match what names an id; return the ids taken."""
    taken: set[str] = set()
    for one in desired:
        if one.pinned is None:
            continue
        wire = by_id.get(one.pinned)
        if wire is None and one.archive:
            continue  # taken away already
        if wire is None:
            message = f"no {one.kind.noun} has the id {one.pinned} in this organization"
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
        elif one.kind.wire.archived(wire) and not one.archive and not one.kind.can_restore:
            message = f"{one.pinned} is archived, and the platform cannot bring it back"
            hint = "remove the line to have a new one created"
            matches.faults.append(Fault(message, one.source, _id_path(one), hint=hint, on_value=True))
        else:
            taken.add(one.pinned)
            _sorted_in(one, wire, matches)
    return taken


def _id_path(one: Desired) -> tuple[str | int, ...]:
    return ("metadata", "id") if one.path == ("spec",) else (*one.path, "id")


def is_renamed(one: Desired, wire: Wire) -> bool:
    """Say whether git gives what is live another name than the one it has."""
    name = str(wire.get("name", ""))
    return one.kind.named_by is not None and not one.archive and one.kind.folded(one.title) != one.kind.folded(name)


def _sorted_in(one: Desired, wire: Wire, matches: Matches) -> None:
    (matches.twins if one.kind.wire.archived(wire) else matches.live)[one.address] = wire


def _by_title(one: Desired, wires: Sequence[Wire], matches: Matches, *, archived: Remembered) -> None:
    """Match the one live resource of this title; several are for a person to settle.

    Of several archived ones the twin is the one that was ours, if any was.
    """
    alive = [wire for wire in wires if not one.kind.wire.archived(wire)]
    if len(alive) > 1:
        ids = ", ".join(str(wire["id"]) for wire in alive)
        message = f'{len(alive)} {one.kind.plural} on the platform are called "{one.title}": {ids}'
        hint = "say which one is meant with metadata.id"
        matches.faults.append(Fault(message, one.source, ("metadata", "name"), hint=hint))
    elif alive:
        matches.live[one.address] = alive[0]
    elif wires:
        ours = archived(one.address)
        matches.twins[one.address] = next((wire for wire in wires if wire["id"] == ours), wires[0])


def identify_children(desired: Sequence[Desired], live: Sequence[Wire], *, remembered: Remembered) -> Matches:
    """Match the children of one parent, which have no names there: by id, else by type, equality and position.

    What is taken away is only ever meant by its id. Where one child could be taken for another the run stops with a
    fault that lists the ids: a wrong guess would turn one way into an app into another.
    """
    matches = Matches()
    by_id = {wire["id"]: wire for wire in live}
    taken = _pinned(desired, by_id, matches)
    taken |= _remembered(desired, by_id, remembered, matches, taken=taken)
    by_type: defaultdict[str, list[Desired]] = defaultdict(list)
    for one in desired:
        if one.pinned is None and not one.archive and one.address not in matches.live:
            by_type[one.title].append(one)
    rest = [wire for wire in live if wire["id"] not in taken]
    shapes = {wire["id"]: shape_from(desired[0].kind, wire) for wire in rest} if desired else {}
    for type_, wanted in by_type.items():
        same_type = [wire for wire in rest if shapes[wire["id"]].get("type") == type_]
        pairs = _paired(wanted, same_type, shapes)
        if pairs is None:
            matches.faults += _unclear(wanted, same_type)
        else:
            matches.live |= {one.address: wire for one, wire in pairs}
    return matches


Pairs = list[tuple[Desired, Wire]]


def _paired(wanted: list[Desired], live: list[Wire], shapes: Mapping[str, Shape]) -> Pairs | None:
    """Pair the children of one type, None where that would be a guess.

    1. Those that agree with the one at their own position are it.
    2. The rest were either all edited, and are told by position, or all moved, and are told by what agrees.
    3. More declared than live: each live one must agree with a declared one, or lack only what a create that was
       cut short had still to write. Fewer: each declared one must agree with a live one.
    """

    def agrees(one: Desired, wire: Wire) -> bool:
        return not diff(one.kind, one.spec, shapes[wire["id"]])

    if len(wanted) != len(live):
        return _uneven(wanted, live, shapes)
    fixed = [(one, wire) for one, wire in zip(wanted, live, strict=True) if agrees(one, wire)]
    known = {one.address for one, _ in fixed}
    loose = [(one, wire) for one, wire in zip(wanted, live, strict=True) if one.address not in known]
    moved = _equal([one for one, _ in loose], [wire for _, wire in loose], shapes)
    if not moved:
        return fixed + loose
    return fixed + moved if len(moved) == len(loose) else None


def _uneven(wanted: list[Desired], live: list[Wire], shapes: Mapping[str, Shape]) -> Pairs | None:
    """Pair where the numbers differ: only what surely belongs together."""
    pairs = _equal(wanted, live, shapes)
    if len(pairs) == min(len(wanted), len(live)):
        return pairs
    known = {wire["id"] for _, wire in pairs}
    in_order = [(one, wire) for one, wire in zip(wanted, live, strict=False)]
    cut_short = [(one, wire) for one, wire in in_order if wire["id"] not in known]
    if len(wanted) > len(live) and all(_is_incomplete(one, shapes[wire["id"]]) for one, wire in cut_short):
        return in_order
    return None


def _is_incomplete(one: Desired, shape: Shape) -> bool:
    """Say whether a live child is what a declared one would be before the last call of its creation."""
    return all(is_unwritten(one.kind, shape, change) for change in diff(one.kind, one.spec, shape))


def _unclear(wanted: list[Desired], live: list[Wire]) -> list[Fault]:
    ids = ", ".join(str(wire["id"]) for wire in live)
    kind = wanted[0].kind.noun
    message = f"cannot tell which live {wanted[0].title} {kind} this is: {ids}"
    hint = "say which one is meant with id, or change one thing at a time"
    return [Fault(message, one.source, (*one.path, "name"), hint=hint) for one in wanted]


def _equal(wanted: list[Desired], live: list[Wire], shapes: Mapping[str, Shape]) -> Pairs:
    """Pair as many as agree, in order where that is possible: one that agrees with several gives way to another."""
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
