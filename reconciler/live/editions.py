"""EDITIONS: the published versions of what is live, read where somebody asks for them: one list for each owner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from reconciler.api_errors import ApiError
from reconciler.errors import Fault
from reconciler.kinds import BY_NAME
from reconciler.kinds.kind import Kind
from reconciler.kinds.release import Released, edition_name, number_of, released_from
from reconciler.kinds.traits import references
from reconciler.live.client import ReadClient
from reconciler.live.names import Directory, Names
from reconciler.live.shapes import Wire, objects_of
from reconciler.plan.plan import OrgRef
from reconciler.plan.release import asked_for, owner_field, pinned_fields, pins
from reconciler.resource import Address, Desired


@dataclass(frozen=True, slots=True)
class Editions:
    """How each owner is released, and by organization and kind the versions under the names of references."""

    released: Mapping[Address, Released] = field(default_factory=dict)
    wires: Mapping[tuple[str, str], Sequence[Wire]] = field(default_factory=dict)

    def known_to(self, names: Names) -> None:
        """Let the directories know the versions."""
        for (org, kind), wires in self.wires.items():
            names.add(org, Directory(BY_NAME[kind], {wire["id"]: wire for wire in wires}, {}))


@dataclass(frozen=True, slots=True)
class Owner:
    """What has versions: its address, what is live there, and the id of its organization."""

    address: Address
    wire: Wire
    org: str


def versions_of(kind: Kind, id_: str, *, client: ReadClient, org: str | None, doing: str) -> Sequence[Wire]:
    """Read every snapshot of one resource, newest first, drafts included. Raises ApiError."""
    assert kind.release is not None
    of = BY_NAME[kind.release.kind]
    found: Any = client.get(of.wire.collection.replace("{parent}", id_), doing=doing, org=org)
    return objects_of(of, found, doing=doing)


def read_released(kind: Kind, wire: Wire, *, client: ReadClient, org: str | None, doing: str) -> Released:
    """Say how one live resource is released. Raises ApiError."""
    assert kind.release is not None
    return released_from(kind.release, wire, versions_of(kind, wire["id"], client=client, org=org, doing=doing))


def read_editions(owners: Iterable[Owner], *, client: ReadClient, pool: Executor) -> Editions:
    """Read the versions of several owners at once. Raises ApiError."""
    todo = list(owners)

    def read(owner: Owner) -> Sequence[Wire]:
        doing = f"listing the versions of {owner.address}"
        return versions_of(BY_NAME[owner.address.kind], owner.wire["id"], client=client, org=owner.org, doing=doing)

    released: dict[Address, Released] = {}
    named: dict[tuple[str, str], list[Wire]] = {}
    for owner, versions in zip(todo, pool.map(read, todo), strict=True):
        release = BY_NAME[owner.address.kind].release
        assert release is not None
        released[owner.address] = released_from(release, owner.wire, versions)
        known = named.setdefault((owner.address.org, release.kind), [])
        known += [
            {**one, "name": edition_name(owner.address.name, number_of(one))}
            for one in versions
            if BY_NAME[release.kind].wire.usable(one)
        ]
    return Editions(released, named)


def owners_wanted(
    bound: Iterable[Desired],
    live: Mapping[Address, Wire],
    names: Names,
    orgs: Mapping[str, OrgRef],
) -> Iterator[Owner]:
    """Yield what is live and whose versions matter: git says when to publish it, or refers to one of its versions.

    `live` has what answers to each address, archived twins included where nothing else does.
    """
    seen: set[Address] = set()
    for one in bound:
        for address in _wanted(one, live, names):
            wire, org = live.get(address) or names.wire_of(address), orgs[address.org].id
            if wire is not None and org is not None and address not in seen:
                seen.add(address)
                yield Owner(address, wire, org)


def owners_with_default(
    live: Iterable[tuple[Address, Wire]], org_of: Mapping[str, str], *, client: ReadClient
) -> Iterator[Owner]:
    """Yield what is live and has a default version, where versions can be read: what has none was never published."""
    flags: dict[str, Mapping[str, Any]] = {}
    for address, wire in live:
        release, org = BY_NAME[address.kind].release, org_of[address.org]
        if release is None or not wire.get(release.chosen):
            continue
        if org not in flags:
            flags[org] = _flags(client, org)
        if flags[org].get(release.flag) is not False:
            yield Owner(address, wire, org)


def _wanted(one: Desired, live: Mapping[Address, Wire], names: Names) -> Iterator[Address]:
    """Yield the addresses whose versions a resource needs to be known."""
    if asked_for(one):
        yield one.address
    if not pins(one):
        return
    for name in pinned_fields(one.kind):
        by = owner_field(one.kind, name)
        below = next(ref.kind for path, ref in references(one.kind) if path == (by,))
        owner = one.spec.get(by)
        if owner is None and (wire := live.get(one.address)):
            owner = names.named(one.address.org, one.kind, {by: wire.get(f"{by}_id")}).get(by)
        if isinstance(owner, str):
            yield Address(one.address.org, below, owner)


def having_versions(
    bound: Iterable[Desired], orgs: Mapping[str, OrgRef], faults: list[Fault], *, client: ReadClient
) -> Iterator[Desired]:
    """Yield the desired, less what needs versions in an organization where their feature is off: that is a fault.

    everruns-api/orgs-apps-errors.md, 1.6: any member may read the flags; a server that does not tell them is believed
    to have the feature.
    """
    flags: dict[str, Mapping[str, Any]] = {}
    for one in bound:
        org = orgs[one.address.org].id
        if org is None or not (asked_for(one) or pins(one)):
            yield one
            continue
        if org not in flags:
            flags[org] = _flags(client, org)
        flag = next(flag for flag in _flags_of(one.kind))
        if flags[org].get(flag) is not False:
            yield one
            continue
        where = pinned_fields(one.kind)[0] if pins(one) else str(one.kind.release and one.kind.release.field)
        faults.append(
            Fault(
                f"there are no versions in {one.address.org}: its feature flag {flag} is off",
                one.source,
                (*one.path, where),
                hint=f"an admin of the organization switches {flag} on in its settings; or remove {where}",
            )
        )


def _flags_of(kind: Kind) -> Iterator[str]:
    """Yield the flags without which a kind, or what it refers to, has no versions."""
    owners = (BY_NAME[ref.kind].listed_below for _, ref in references(kind))
    for one in (kind, *(BY_NAME[owner] for owner in owners if owner)):
        if one.release:
            yield one.release.flag


def _flags(client: ReadClient, org: str) -> Mapping[str, Any]:
    try:
        found = client.get(f"/v1/orgs/{org}/feature-flags", doing="reading the feature flags", org=None)
    except ApiError:
        return {}
    return found if isinstance(found, dict) else {}
