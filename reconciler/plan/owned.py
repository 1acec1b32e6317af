"""The ledger as a value: what this owner manages and what it last wrote there, told by digests alone.

Nothing in it can be sent anywhere: a field is remembered by its digest, a secret by a salted fingerprint. Losing it
loses no work: without an entry a resource is foreign, what agrees is taken over again, and nothing is archived.

The digest of a field is a plain one, so a short value can be guessed from it. That gives nothing away: values of
fields stand in the clear in the manifests beside it. What must not be guessed is a secret; see `ledger/fingerprint.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from reconciler.errors import LedgerError
from reconciler.kinds.fields import SecretRef, Set
from reconciler.plan.digest import digest
from reconciler.resource import Address

_DIGEST = slice(len("sha256:"), len("sha256:") + 32)
"""128 bits tell one value from another; the rest would be half the size of the document."""


_WHOLE = 2**63
"""From here on a float is no integer that JSON of 64 bits could hold."""


class Owner(NamedTuple):
    """Who a ledger belongs to: a repository, the manifests in it, and the environment they are applied to.

    `repository` is `github.com/acme/fleet` however it was cloned, or the folder's name where there is no remote;
    `root` the manifests as paths from the repository's top; `environment` a name, by default the platform's host.
    """

    repository: str
    root: str
    environment: str

    def __str__(self) -> str:
        """Spell the owner for people."""
        return f"{self.repository}, {self.root}, {self.environment}"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is remembered of one address.

    `commit` is the manifests' at the last apply, with a `+` where they had changes beyond it, None outside git;
    `applied_at` its time, as `2026-11-02T10:00:00Z`.
    `fields` are digests of what was last written and `secrets` fingerprints, both by path (see `pointer`).
    """

    id: str
    applied_at: str
    commit: str | None = None
    protect: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Farewell:
    """What one run archived, by address with its id; `at` is its time, as `2026-11-02T10:00:00Z`."""

    at: str
    archived: Mapping[Address, str]


KEPT_RUNS = 50
"""Of so many runs that archived something, what they archived is remembered."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """All that one owner manages, in every organization.

    `serial` counts what was written, 0 when nothing ever was. `begun` are addresses of which a write was announced
    and not confirmed: what is found there after a run that died is its own work. `orgs` gives the id behind each name
    of an organization that entries stand in; `runs` what runs archived, by their ids.
    """

    owner: Owner
    serial: int = 0
    entries: Mapping[Address, Entry] = field(default_factory=dict)
    begun: frozenset[Address] = frozenset()
    orgs: Mapping[str, str] = field(default_factory=dict)
    runs: Mapping[str, Farewell] = field(default_factory=dict)

    def get(self, address: Address) -> Entry | None:
        """Return what is remembered of an address, None of what is not ours."""
        return self.entries.get(address)

    def with_begun(self, addresses: Iterable[Address]) -> Ledger:
        """Announce what is about to be created."""
        return replace(self, begun=self.begun | frozenset(addresses))

    def with_applied(self, applied: Mapping[Address, Entry]) -> Ledger:
        """Remember what was written, in the place of what was known of these addresses."""
        return replace(self, entries={**self.entries, **applied}, begun=self.begun - applied.keys())

    def without(self, addresses: Iterable[Address]) -> Ledger:
        """Forget addresses that are gone from the platform or released; unknown ones are no matter."""
        gone = frozenset(addresses)
        kept = {address: entry for address, entry in self.entries.items() if address not in gone}
        return replace(self, entries=kept, begun=self.begun - gone)

    def with_archived(self, run: str, at: str, archived: Mapping[Address, str]) -> Ledger:
        """Remember what a run archived, for as long as there are not too many younger ones."""
        if not archived:
            return self
        runs = {**self.runs, run: Farewell(at, archived)}
        kept = sorted(runs, key=lambda one: (runs[one].at, one))[-KEPT_RUNS:]
        return replace(self, runs={one: runs[one] for one in kept})

    def renamed(self, old: Address, new: Address) -> Ledger:
        """Give an address and all below it a new name; raises LedgerError when that one is taken or another kind."""
        if old.kind != new.kind:
            raise LedgerError(f"{old} cannot become {new}", hint="a rename keeps the kind")
        names = {address: _moved(address, old, new) for address in (*self.entries, *self.begun)}
        taken = next((name for address, name in names.items() if name != address and name in self.entries), None)
        if taken is not None:
            raise LedgerError(f"{old} cannot become {new}: the ledger knows {taken} already")
        entries = {names[address]: entry for address, entry in self.entries.items()}
        return replace(self, entries=entries, begun=frozenset(names[address] for address in self.begun))

    def forget(self, address: Address) -> Ledger:
        """Forget one address and all below it, as somebody asked; raises LedgerError when it is not known."""
        gone = [known for known in (*self.entries, *self.begun) if address in (known, known.above)]
        if not gone:
            raise LedgerError(f"the ledger does not know {address}", hint="reconciler ledger show lists what it knows")
        return self.without(gone)


def _moved(address: Address, old: Address, new: Address) -> Address:
    if address == old:
        return new
    return address._replace(org=new.org, parent=new.name) if address.above == old else address


def shortened(commit: str, digits: int) -> str:
    """Cut a commit short, and keep the `+` of one whose files had uncommitted changes.

    >>> shortened("a1b2c3d4e5f6+", 7), shortened("a1b2c3d4e5f6", 7)
    ('a1b2c3d+', 'a1b2c3d')
    """
    return commit[:digits] + ("+" if commit.endswith("+") and len(commit) > digits else "")


def field_digest(value: Any) -> str:
    """Return what is remembered of a canonical value, the same for values that are one to a diff.

    Nothing and emptiness are one, 1 and 1.0 too; a secret in it counts as being there, whatever it is.
    """
    return digest(_settled(value))[_DIGEST]


def _settled(value: Any) -> Any:
    match value:
        case SecretRef() | Set():
            return {"$secret": "set"}
        case dict():
            settled = {key: _settled(item) for key, item in value.items()}
            return {key: item for key, item in settled.items() if item is not None} or None
        case list():
            return [_settled(item) for item in value] or None
        case float() if value.is_integer() and abs(value) < _WHOLE:
            return int(value)
    return value


def pointer(path: Sequence[str | int]) -> str:
    """Spell a path below the spec so that no two are spelled alike: a JSON pointer (RFC 6901).

    >>> pointer(("channels", 0, "a/b.c"))
    '/channels/0/a~1b.c'
    """
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def steps(pointer: str) -> tuple[str, ...]:
    """Read a path as `pointer` spells it; indexes come back as text.

    >>> steps("/channels/0/a~1b.c")
    ('channels', '0', 'a/b.c')
    """
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
