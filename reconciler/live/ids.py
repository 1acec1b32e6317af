"""Ids at the edge: from the addresses of a plan to what the API wants, growing as resources are created."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any

from reconciler.api_errors import NotFound
from reconciler.kinds import BY_NAME, TENANT
from reconciler.kinds.kind import Kind, Shape
from reconciler.kinds.markers import References
from reconciler.kinds.traits import references
from reconciler.kinds.walk import replaced
from reconciler.live.client import ReadClient
from reconciler.live.editions import versions_of
from reconciler.live.listing import Query, listed
from reconciler.live.names import Directory, Unresolved, is_long_id
from reconciler.live.readers import SERIAL
from reconciler.plan.plan import Plan
from reconciler.plan.release import edition_made
from reconciler.resource import Address


class Ids:
    """Knows the id of everything a plan refers to, once it exists; safe for several threads.

    What a new organization's resources refer to can only be looked up when it is there: that is done here, once a
    kind and organization.
    """

    def __init__(self, plan: Plan, client: ReadClient) -> None:
        self._ids: dict[Address, str] = dict(plan.bindings)
        self._orgs: dict[str, str | None] = {name: org.id for name, org in plan.orgs.items()}
        self._chosen: dict[Address, str] = {}
        self._renamed: dict[str, tuple[str, str]] = {}
        self._late: dict[tuple[str, str], Directory] = {}
        self._promised = frozenset(made for change in plan.steps if (made := edition_made(change)))
        self._client = client
        self._lock = threading.RLock()

    def org(self, name: str) -> str:
        """Return an organization's id; raises NotFound when it does not exist."""
        id_ = self._orgs.get(name)
        if id_ is None:
            raise NotFound(f"organization {name} does not exist")
        return id_

    def orgs(self) -> Mapping[str, str | None]:
        """Return the id of every organization of the run, None for one that does not exist."""
        with self._lock:
            return dict(self._orgs)

    def created(self, address: Address, id_: str) -> None:
        """Remember what was created or found."""
        with self._lock:
            self._ids[address] = id_
            if address.kind == TENANT.name:
                self._orgs[address.org] = id_

    def has(self, address: Address) -> bool:
        """Say whether an address has an id by now."""
        with self._lock:
            return address in self._ids

    def choose(self, address: Address, prefix: str) -> str:
        """Choose the id that a resource is to be created under, the same at every attempt: so a repeat is recognised.

        It is a UUID of version 7 in the platform's spelling (everruns-api/orgs-apps-errors.md, 7).
        """
        with self._lock:
            return self._chosen.setdefault(address, prefix + _uuid7())

    def chosen(self, address: Address) -> str | None:
        """Return the id that was chosen for an address, None where the platform chooses."""
        with self._lock:
            return self._chosen.get(address)

    def renamed(self, id_: str, name: str, *, before: str) -> None:
        """Remember that this run is about to give a resource another name for a while, and the one that it had."""
        with self._lock:
            self._renamed.setdefault(id_, (name, before))

    def name_before(self, id_: str, name: str) -> str | None:
        """Return the name that a resource had, where this run gave it the one that it has; None otherwise."""
        with self._lock:
            given, before = self._renamed.get(id_, (None, None))
            return before if given == name else None

    def of(self, address: Address) -> str:
        """Return the id of an address; raises NotFound when nothing answers to it."""
        with self._lock:
            if address in self._ids:
                return self._ids[address]
            if owner := BY_NAME[address.kind].listed_below:
                return self._version(address, owner)
            directory = self._directory(address.org, address.kind)
        if directory is None and is_long_id(address.name):
            return address.name
        if directory is None:
            raise NotFound(f"the platform does not tell what {address} is", hint="refer to it by its id")
        name = directory.resolve(address.name)
        id_ = None if isinstance(name, Unresolved) else directory.id_of(name)
        if id_ is None:
            why = name if isinstance(name, Unresolved) else Unresolved(f"{address} has no id")
            raise NotFound(why.message, hint=why.hint)
        return id_

    def _version(self, address: Address, owner: str) -> str:
        """Return the id of a version that was published in this run; an id of its own stands for itself.

        One that the plan foresaw and that was not needed, as the newest holds what it would have, is the newest.
        """
        name, _, number = address.name.rpartition("@")
        if not name:
            return address.name
        kind = BY_NAME[owner]
        of = Address(address.org, owner, name)
        found = versions_of(
            kind, self.of(of), client=self._client, org=self.org(address.org), doing=f"listing the versions of {of}"
        )
        published = [one for one in found if one.get("is_published") is True]
        ids = [str(one["id"]) for one in published if one["version"] == number]
        ids = ids or [str(one["id"]) for one in published[:1] if address in self._promised]
        if not ids:
            raise NotFound(f"{of} has no published version {number}", hint="plan again: others publish too")
        self._ids[address] = ids[0]
        return ids[0]

    def _directory(self, org: str, kind: str) -> Directory | None:
        """Return what an organization has of a kind, None where the platform does not tell."""
        key = org, kind
        if key not in self._late:
            query = Query(BY_NAME[kind], self.org(org), org)
            wires = listed(self._client, [query], pool=SERIAL).get(query)
            if wires is None:
                return None
            self._late[key] = Directory(BY_NAME[kind], {wire["id"]: wire for wire in wires}, {})
        return self._late[key]

    def filled(self, kind: Kind, org: str, shape: Shape) -> Shape:
        """Return the shape with ids where it has names."""
        for path, reference in references(kind):

            def id_for(value: Any, _path: Any, reference: References = reference) -> Any:
                name = reference.name_in(value)
                address = Address(org, reference.kind, name or "")
                if name is None or (reference.prefix and not self.has(address)):  # then the platform does not tell
                    return value
                return reference.on_wire(self.of(address))

            shape = replaced(shape, path, id_for)
        return shape

    def known(self) -> Mapping[Address, str]:
        """Return every id known so far."""
        with self._lock:
            return dict(self._ids)


def _uuid7() -> str:
    """Make a UUID of version 7 (RFC 9562, 5.7) as 32 hexadecimal digits: milliseconds, then chance."""
    milliseconds = time.time_ns() // 1_000_000
    number = (milliseconds << 80) | (0x7 << 76) | (secrets.randbits(12) << 64) | (0b10 << 62) | secrets.randbits(62)
    return f"{number:032x}"
