"""What a plan is made of: Action, Side, FieldChange, Precondition, Record, Change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from reconciler.kinds import BY_NAME
from reconciler.kinds.fields import SET, SecretRef
from reconciler.kinds.key_to import KeyTo
from reconciler.kinds.kind import Kind, Shape
from reconciler.kinds.traits import apart, parted
from reconciler.plan.digest import digest
from reconciler.resource import Address, Adopt


class Action(Enum):
    """What is done to an address; the value is the word people read."""

    CREATE = "create"
    UPDATE = "update"
    RESTORE = "restore"
    ARCHIVE = "archive"
    PUBLISH = "publish"
    UNPUBLISH = "unpublish"
    RELEASE = "release"
    ROTATE = "rotate"
    SYNC = "sync"
    AWAIT = "await"
    ADOPT = "adopt"
    RECORD = "record"
    FORGET = "forget"
    CONFLICT = "conflict"
    KEEP = "keep"
    REPORT = "report"

    @property
    def symbol(self) -> str:
        """One character for the margin of a plan."""
        return _SYMBOLS[self]

    @property
    def writes(self) -> bool:
        """Whether the action sends anything to the platform."""
        return self in _WRITES

    @property
    def is_step(self) -> bool:
        """Whether the action does anything: to the platform, to the ledger alone, or wait for the platform."""
        return self in _WRITES or self in _RECORDS or self is Action.AWAIT


_ASIDE = frozenset({Action.PUBLISH, Action.UNPUBLISH, Action.RELEASE, Action.ROTATE, Action.SYNC})
"""What is done beside the writing of a resource, in a step of its own."""
_WRITES = frozenset({Action.CREATE, Action.UPDATE, Action.RESTORE, Action.ARCHIVE}) | _ASIDE
_RECORDS = frozenset({Action.ADOPT, Action.RECORD, Action.FORGET})
_SYMBOLS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.RESTORE: "^",
    Action.ARCHIVE: "-",
    Action.PUBLISH: "^",
    Action.UNPUBLISH: "v",
    Action.RELEASE: "^",
    Action.ROTATE: "*",
    Action.SYNC: "*",
    Action.AWAIT: "*",
    Action.ADOPT: "=",
    Action.RECORD: "=",
    Action.FORGET: "x",
    Action.CONFLICT: "#",
    Action.KEEP: "!",
    Action.REPORT: "!",
}


class Side(Enum):
    """Which side of a field moved since it was last written: git (pending), the platform (drifted), or both."""

    PENDING = "pending"
    DRIFTED = "drifted"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs: its path below the spec, what is live, what git wants, and who moved, where known."""

    path: tuple[str, ...]
    old: Any
    new: Any
    side: Side | None = None

    @property
    def sensitive(self) -> bool:
        """Whether the field itself is a secret."""
        return isinstance(self.new, SecretRef) or self.old is SET

    @property
    def name(self) -> str:
        """The path with dots."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Precondition:
    """What must still be true when a change is applied.

    With an `id`: that resource exists, and its `covers` fields (all of them when None) still have the `digest`.
    Without: nothing answers to the name; for a child, its parent still has the children `beside`, given by their ids.
    """

    id: str | None = None
    digest: str | None = None
    covers: tuple[str, ...] | None = None
    with_time: bool = False
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """What the ledger is to remember of an address once a step of it is done.

    `fields` are digests by path. Of the `secrets`, also by path, those that the step sends get a new fingerprint.
    With `adds` the fields are joined to those that are known, otherwise they replace them. `moved_from` is the
    address that the entry had before.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, SecretRef] = field(default_factory=dict)
    protect: bool = False
    adds: bool = False
    moved_from: Address | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a plan.

    `body` holds the top-level fields to write, complete and canonical, references as names and secrets as
    references; `then` what a second call must write. With `replace` the body is the whole resource (PUT). `frees`
    is the id of what holds the name and is renamed first: to `detour`, or, where there is none, as an archived twin.
    `patience` is for how many seconds the apply waits for what it makes the platform fetch from elsewhere.
    `adopt` is the rule for what somebody else makes at its address before it is created.
    `holds` is what git says of the resource where that is only looked at: what is something else is not published.
    With `replaces` it takes away what another change of the plan makes anew at the same address.
    With `completes` it writes what a creation in the same plan could not yet, as that refers to what comes after it.
    `after` names the steps that must be done before. `record` is what the ledger learns from it; `since` says in words
    when it was last written, where it is ours already. `key_to` is where the key goes that its answer shows once.
    """

    address: Address
    action: Action
    title: str = ""
    fields: tuple[FieldChange, ...] = ()
    body: Shape = field(default_factory=dict)
    then: Shape = field(default_factory=dict)
    holds: Shape = field(default_factory=dict)
    replace: bool = False
    completes: bool = False
    replaces: bool = False
    frees: str | None = None
    detour: str | None = None
    id: str | None = None
    pre: Precondition = field(default_factory=Precondition)
    after: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    where: str = ""
    record: Record | None = None
    since: str | None = None
    adopt: Adopt = "exact"
    key_to: KeyTo | None = None
    patience: int | None = None

    @property
    def kind(self) -> Kind:
        """The kind's declaration."""
        return BY_NAME[self.address.kind]

    @property
    def step(self) -> str:
        """What other steps call this one; what makes room, completes or publishes a resource is a step of its own."""
        return step_of(self.address, self.action, completes=self.completes, replaces=self.replaces)

    @property
    def secrets(self) -> tuple[SecretRef, ...]:
        """The secrets that will be read and sent."""
        return tuple(dict.fromkeys(secrets_in(self.body)))


def step_of(address: Address, action: Action, *, completes: bool = False, replaces: bool = False) -> str:
    """Name the step of an action on an address."""
    if replaces:
        return f"{address} replaced"
    if completes:
        return f"{address} complete"
    return f"{address} {action.value}" if action in _ASIDE or action is Action.AWAIT else str(address)


def secrets_in(value: Any) -> Iterator[SecretRef]:
    """Yield every secret reference inside a value."""
    if isinstance(value, SecretRef):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from secrets_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from secrets_in(item)


def holds_unknown_secret(value: Any) -> bool:
    """Say whether a value contains a secret that only the platform knows."""
    if isinstance(value, dict):
        return any(holds_unknown_secret(item) for item in value.values())
    if isinstance(value, list):
        return any(holds_unknown_secret(item) for item in value)
    return value is SET


Members = Mapping[str, frozenset[str]]
"""Of fields that stand apart, the members that something is about."""


def members_of(kind: Kind, fields: Iterable[FieldChange]) -> Members:
    """Return which members of the fields that stand apart differ."""
    found: dict[str, frozenset[str]] = {}
    for one in fields:
        name, *below = one.path
        if name in apart(kind):
            members = below[:1] or [member for side in (one.old, one.new) if isinstance(side, dict) for member in side]
            found[name] = found.get(name, frozenset()).union(members)
    return found


def _narrowed(kind: Kind, shape: Shape, members: Members) -> Shape:
    """Return a live shape in which the fields that stand apart hold no more than some members."""
    if not apart(kind):
        return shape
    own, others = parted(kind, shape)
    kept = {
        name: {member: item for member, item in others[name].items() if member in wanted}
        for name, wanted in members.items()
        if isinstance(others.get(name), dict)
    }
    return own | kept


def covered(
    kind: Kind, shape: Shape, pre: Precondition, *, updated_at: str | None, fields: Iterable[FieldChange] = ()
) -> str:
    """Return the digest of the part of a live shape that a precondition is about, less what is restless.

    Of fields that stand apart it is about those members alone that are among the `fields`, which a change writes.
    """
    shape = _narrowed(kind, shape, members_of(kind, fields))
    part = shape if pre.covers is None else {key: shape.get(key) for key in pre.covers}
    if kind.restless:
        part = _at_rest(part, kind.restless)
    return digest([part, updated_at if pre.with_time else None])


def _at_rest(value: Any, restless: frozenset[str]) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _at_rest(item, restless) for key, item in value.items() if key not in restless}
