"""FOUNDING: what git says of an organization that does not exist yet, checked before it is made for good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from reconciler.api_errors import Forbidden, NotFound
from reconciler.errors import Fault
from reconciler.kinds import BY_NAME, TENANT
from reconciler.kinds.kind import Kind
from reconciler.kinds.markers import Flags
from reconciler.kinds.traits import apart, references
from reconciler.kinds.walk import at
from reconciler.live.apart import flags, place_of
from reconciler.live.client import ReadClient
from reconciler.live.listing import Query, listed
from reconciler.live.names import Directory, Unresolved, is_long_id
from reconciler.live.readers import SERIAL
from reconciler.live.shapes import Wire
from reconciler.plan.alter import unknown_members
from reconciler.plan.plan import OrgRef
from reconciler.resource import Address, Desired


@dataclass(slots=True)
class Founding:
    """What is wrong with new organizations, and what could not be checked, by address."""

    faults: list[Fault] = field(default_factory=list)
    told: dict[Address, str] = field(default_factory=dict)


def founding(
    bound: Sequence[Desired],
    everything: Sequence[Desired],
    orgs: Mapping[str, OrgRef],
    live: Sequence[Wire],
    *,
    client: ReadClient,
) -> Founding:
    """Check what is `bound` in organizations that do not exist yet, by what another of the `live` ones has.

    Nothing is asked where nothing is doubtful. Raises ApiError.
    """
    found = Founding()
    soon = [one for one in bound if orgs[one.address.org].id is None and not one.archive]
    for one in soon:
        if one.address.kind == TENANT.name:
            _check_flags(one, live, found, client=client)
        elif one.pinned is not None:
            found.faults.append(_pinned_in_new(one))
    _check_built_in(soon, everything, live, found, client=client)
    return found


def joined_notes(*told: Mapping[Address, str]) -> dict[Address, str]:
    """Return what there is to say of each address, in one text."""
    notes: dict[Address, str] = {}
    for some in told:
        for address, note in some.items():
            notes[address] = f"{notes[address]}; {note}" if address in notes else note
    return notes


def _pinned_in_new(one: Desired) -> Fault:
    """Report an id in an organization that does not exist yet: nothing can have one there."""
    return Fault(
        f"no {one.kind.noun} has the id {one.pinned}: its organization does not exist yet",
        one.source,
        ("metadata", "id") if one.path == ("spec",) else (*one.path, "id"),
        hint="remove the line",
        on_value=True,
    )


def _check_flags(one: Desired, live: Sequence[Wire], found: Founding, *, client: ReadClient) -> None:
    """Hold the flags of a new organization against those that another one has: a platform has one set of them."""
    for name, marked in apart(one.kind).items():
        if not isinstance(marked.form, Flags) or not one.spec.get(name):
            continue
        known = None
        for wire in live[:1]:
            place = place_of(one.kind, wire, org=None, called=str(wire.get("name") or wire["id"]))
            with suppress(Forbidden, NotFound):
                known = flags(marked, at=place, client=client)
        if known is None:
            found.told[one.address] = f"whether the platform knows these {name} can only be told once it exists"
        else:
            found.faults += unknown_members(one, {name: known})


def _check_built_in(
    soon: Sequence[Desired], everything: Sequence[Desired], live: Sequence[Wire], found: Founding, *, client: ReadClient
) -> None:
    """Report references to what is neither declared nor brought along by the platform."""
    declared = {one.address for one in everything if not one.archive}
    doubtful = [
        (one, BY_NAME[reference.kind], text, where)
        for one in soon
        for path, reference in references(one.kind)
        if BY_NAME[reference.kind].built_in
        for holder, key, where in at(one.spec, path)
        if (text := reference.name_in(holder[key])) is not None and not is_long_id(text)
        if text not in BY_NAME[reference.kind].built_in
        and Address(one.address.org, reference.kind, text) not in declared
    ]
    provided = {kind: _provided(kind, live, client=client) for _, kind, _, _ in doubtful}
    for one, kind, text, where in doubtful:
        names = {**dict.fromkeys(kind.built_in), **dict(_named(declared, kind, one.address.org))}
        meaning = Directory(kind, provided[kind], names).resolve(text)
        if isinstance(meaning, Unresolved):
            found.faults.append(
                Fault(meaning.message, one.source, (*one.path, *where), hint=meaning.hint, on_value=True)
            )


def _named(declared: set[Address], kind: Kind, org: str) -> Iterator[tuple[str, None]]:
    return ((address.name, None) for address in declared if (address.org, address.kind) == (org, kind.name))


def _provided(kind: Kind, live: Sequence[Wire], *, client: ReadClient) -> dict[str, Wire]:
    """Return what the platform brought along to another organization, by id."""
    for wire in live[:1]:
        query = Query(kind, wire["id"], str(wire.get("name") or wire["id"]))
        wires = listed(client, [query], pool=SERIAL).get(query) or ()
        return {one["id"]: one for one in wires if kind.wire.provided(one)}
    return {}
