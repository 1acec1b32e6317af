"""REMOVAL: what is ours and no longer in git; nothing else is ever archived by being left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from reconciler.errors import Fault
from reconciler.kinds.traits import references
from reconciler.kinds.walk import at
from reconciler.plan.appear import archival
from reconciler.plan.change import Action, Change
from reconciler.plan.claim import forgotten, since
from reconciler.plan.owned import Entry
from reconciler.resource import Address, Desired, Observed


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is ours and no longer declared: its entry, and what is live of it.

    `is_within_reach` is False where its organization is not one of the key's: then nothing can be said of it.
    `heir` is the address that means the same resource now: a document that got another name.
    """

    entry: Entry
    observed: Observed | None
    is_within_reach: bool = True
    heir: Address | None = None


def outlasting(leaving: Mapping[Address, Leaving], changes: Iterable[Change]) -> dict[Address, Leaving]:
    """Return what does not go along with the parent that git says is to be archived, or that is forgotten."""
    ended = {change.address for change in changes if change.action in (Action.ARCHIVE, Action.FORGET)}
    return {address: one for address, one in leaving.items() if address.above not in ended}


def removals(leaving: Mapping[Address, Leaving], *, prune: bool) -> list[Change]:
    """Return what becomes of each address: archived, kept, or forgotten where there is nothing left to archive."""
    changes: dict[Address, Change] = {}
    for address, one in sorted(leaving.items(), key=lambda item: (item[0].parent is not None, item[0])):
        above = changes.get(address.above) if address.above else None
        if above is None:
            changes[address] = _removal(address, one, prune=prune)
        elif above.action is Action.FORGET:
            changes[address] = forgotten(address, address.name, above.notes[0], id_=one.entry.id)
    return list(changes.values())


def shielded(leaving: Mapping[Address, Leaving], *, prune: bool) -> list[Address]:
    """Return the addresses that only their protection keeps."""
    return [address for address, one in sorted(leaving.items()) if prune and _is_shielded(one)]


def _is_shielded(one: Leaving) -> bool:
    is_there = one.observed is not None and not one.observed.archived
    return one.entry.protect and one.is_within_reach and one.heir is None and is_there


def _removal(address: Address, one: Leaving, *, prune: bool) -> Change:
    observed, title = one.observed, _title(address, one.observed)
    if not one.is_within_reach:
        note = f"its organization {address.org} is not one of this key's: left alone"
        return Change(address, Action.KEEP, title, id=one.entry.id, notes=(note,))
    if one.heir is not None:
        note = f"no longer in git, where {one.heir} means the same resource now: left as it is"
        return Change(address, Action.KEEP, title, id=one.entry.id, notes=(note,))
    if observed is None or observed.archived:
        why = "no longer in git, and archived already" if observed else "no longer in git, and gone from the platform"
        return forgotten(address, title, why, id_=one.entry.id)
    if not observed.kind.can_archive:
        why = f"no longer in git; the platform cannot archive {observed.kind.plural}: released, and left as it is"
        return forgotten(address, title, why, id_=one.entry.id)
    if not prune or one.entry.protect:
        note = "kept, as --no-prune says" if not prune else "kept, as it is protected"
        return Change(
            address, Action.KEEP, title, id=observed.id, notes=(f"no longer in git; {note}",), since=since(one.entry)
        )
    change = archival(address, title, observed)
    return replace(change, notes=("no longer in git", *change.notes), since=since(one.entry))


def _title(address: Address, observed: Observed | None) -> str:
    field = observed.kind.name_field if observed else None
    return str(observed.spec.get(field) or address.name) if observed and field else address.name


def still_needed(wanted: Collection[Desired], going: Collection[Address]) -> Iterator[Fault]:
    """Yield a fault for each resource of git that refers to one that would be archived."""
    for one in wanted if going else ():
        for path, reference in () if one.archive else references(one.kind):
            for holder, key, where in at(one.spec, path):
                target = Address(one.address.org, reference.kind, str(holder[key]))
                if target in going:
                    yield Fault(
                        f"refers to {target.local}, which is ours and no longer in git: it would be archived",
                        one.source,
                        (*one.path, *where),
                        hint="point it elsewhere, or bring that document back",
                        on_value=True,
                    )
