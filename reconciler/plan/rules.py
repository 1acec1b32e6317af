"""What a plan is made under: the ledger, the rule of adoption, the limits of removal, the secrets to send again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from reconciler.errors import Fault
from reconciler.plan.leaves import Path
from reconciler.plan.owned import Entry, Ledger
from reconciler.plan.secrecy import SecretState
from reconciler.plan.verdict import Policy
from reconciler.resource import Address, Adopt, Desired


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an address: its entry in the ledger, and whether a write of it was announced and not confirmed.

    `archived` are the ids of what runs of ours archived. `moved_from` is where the entry stood before. `rotate` are the
    paths of secrets to be sent again.
    """

    entry: Entry | None = None
    is_begun: bool = False
    archived: frozenset[str] = frozenset()
    moved_from: Address | None = None
    rotate: Sequence[Path] = ()


NOTHING = Known()


@dataclass(frozen=True)
class Rules:
    """What a plan is made under; `adopt` is the rule of adoption where git says none.

    `moves` gives the old address of each that git says has moved, and that the ledger knows under the old one alone.
    `rotate` gives the paths of the secrets to be sent again, `secrets` says what is known of them all. `renew` are the
    addresses whose one-time keys are to be made anew.
    """

    ledger: Ledger
    adopt: Adopt = "exact"
    policy: Policy = field(default_factory=Policy)
    moves: Mapping[Address, Address] = field(default_factory=dict)
    rotate: Mapping[Address, Sequence[Path]] = field(default_factory=dict)
    secrets: Mapping[tuple[Address, Path], SecretState] = field(default_factory=dict)
    renew: frozenset[Address] = frozenset()

    def known(self, address: Address) -> Known:
        """Return what is known of an address."""
        old = self.moves.get(address) if self.moves else None
        entry = self.ledger.entries.get(old or address)
        if entry is None:
            return Known(is_begun=address in self.ledger.begun, archived=self.archived)
        is_begun = address in self.ledger.begun
        return Known(entry, is_begun, self.archived, moved_from=old, rotate=self.rotate.get(address, ()))

    @cached_property
    def archived(self) -> frozenset[str]:
        """The ids of what runs of ours archived, as far as that is remembered."""
        return frozenset(id_ for run in self.ledger.runs.values() for id_ in run.archived.values())

    def id_of(self, address: Address) -> str | None:
        """Return the id that an address is remembered by."""
        entry = self.ledger.entries.get(self.moves.get(address, address) if self.moves else address)
        return entry.id if entry else None

    def archived_at(self, address: Address) -> str | None:
        """Return the id of what was archived last at an address: by hand while it was ours, or by a run of ours."""
        return self.id_of(address) or self._farewells.get(address)

    @cached_property
    def _farewells(self) -> Mapping[Address, str]:
        """The last id that was archived at each address."""
        runs = sorted(self.ledger.runs.values(), key=lambda run: run.at)
        return {address: id_ for run in runs for address, id_ in run.archived.items()}

    def leaving(self, declared: Iterable[Desired]) -> dict[Address, Entry]:
        """Return what is ours and no longer declared; a child of what has moved by the new address of its parent."""
        kept = {one.address for one in declared}
        moved = {old: new for new, old in self.moves.items()}
        leaving = {}
        for address, entry in self.ledger.entries.items():
            if address not in kept and address not in moved:
                new = _below(address, moved)
                leaving[address if new in kept else new] = entry
        return leaving


def moves_of(declared: Sequence[Desired], ledger: Ledger) -> dict[Address, Address]:
    """Return the old address of each resource that git says has moved; children go along with their parent."""
    moves: dict[Address, Address] = {}
    for one in declared:
        if one.moved_from is not None or one.address.above in moves:
            old = _before(one, moves)
            if one.address not in ledger.entries and old in ledger.entries:
                moves[one.address] = old
    return moves


def _below(address: Address, moved: Mapping[Address, Address]) -> Address:
    above = moved.get(address.above) if address.above else None
    return address._replace(parent=above.name) if above else address


def contested_moves(declared: Sequence[Desired], ledger: Ledger) -> Iterator[Fault]:
    """Yield a fault for each resource that is said to have moved to where another one of ours is."""
    for one in declared:
        if one.moved_from is None or one.archive:
            continue
        old = one.address._replace(name=one.moved_from)
        here, there = ledger.entries.get(one.address), ledger.entries.get(old)
        if here is not None and there is not None and here.id != there.id:
            path = ("metadata", "moved_from") if one.path == ("spec",) else (*one.path, "moved_from")
            message = f"{old.local} cannot move here: another one that is ours has this address ({here.id})"
            hint = "first remove that one and apply; then move"
            yield Fault(message, one.source, path, hint=hint, on_value=True)


def _before(one: Desired, moves: Mapping[Address, Address]) -> Address:
    above = moves.get(one.address.above) if one.address.above else None
    return one.address._replace(
        name=one.moved_from or one.address.name, parent=above.name if above else one.address.parent
    )
