"""How a kind is described: everything the rest of the product needs to know of it, as data and pure functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from reconciler.kinds.release import Release

Shape = dict[str, Any]
"""A resource in canonical form: the manifest's field names, defaults filled, secrets replaced by SET."""


class Identity(Enum):
    """What makes a live resource the one that an address means (design, section 6)."""

    SLUG = "the name is unique and exact"
    CASELESS = "the name is unique whatever its case"
    NAME = "the name is a display name, which several may share"
    POSITION = "there is no name: type and position below the parent"
    TAG = "a tag of ours that says the address"
    CALLER = "the one of the user whose key it is; once it was made, its id"


class Twin(Enum):
    """What an archived resource of the same name means for a create."""

    REVIVE = "bring it back with a PUT of the whole resource"
    REACTIVATE = "bring it back with a PATCH, if it was ours; it does not hold the name"
    RENAME = "rename it out of the way, then create"
    IGNORE = "it does not hold the name"
    BLOCK = "it holds the name and nothing frees it"


ON_EVERYTHING = frozenset(
    "id name status created_at updated_at archived_at deleted_at self_url view_url ui_link allowed_actions".split()
)
"""Members that the server writes on every object."""


@dataclass(frozen=True, slots=True)
class Creation:
    """The calls that create one resource: POST `body` to `path`, then PATCH `follow_up` if there is any.

    `raw` says that `body` is already spelled as the API wants it;
    `unwrap` names the member of the reply that holds the resource, where it is not the reply itself;
        `one_time` names a member that the server shows this once and never again; a POST to `renewed_by`, below the
    resource in the place of the creation, makes and shows another one. `finds` says that the call gives what is there
    already, if anything is.
    """

    path: str
    body: Shape
    follow_up: Shape = field(default_factory=dict)
    raw: bool = False
    unwrap: str | None = None
    one_time: str | None = None
    renewed_by: str | None = None
    finds: bool = False


@dataclass(frozen=True, slots=True)
class Wire:
    """How the API of the seeds spells a kind: its paths and the pure translations of its bodies.

    `collection` may contain `{parent}`, the id of the parent resource. A child listed inside its parent's body
    names the member in `inside`. `members` are the texts that every object has.

    `from_wire` gives the Shape of an API object, `to_wire` the request body of a Shape; references are not their
    business (see `shape_of`, `body_of`). `known` are members that `from_wire` reads under another name than the
    spec's, and those that the server sets by itself; any other is news to us (see `news`). `provided` tells what the
    platform brings along, which is only ever referred to. `policies` is the path that tells what the key may do,
    `policy_of` names the policy that each action needs; `frozen` says what it means when that path is no more.
    `revival` is what a PATCH says to bring an archived one back. `tombstone` is the call below an archived one that
    ends it for good and frees its name: never made here, only told. With an
    `id_prefix` who creates may choose the id. A list that `may_be_withheld` is refused to some keys, or not there on
    some servers: then references are left as they are written. `holds` says which objects of the collection are of
    this kind, `named` what each is called where the API has no `name`, "" for one that no address can mean.
    """

    collection: str
    from_wire: Callable[[Mapping[str, Any]], Shape]
    to_wire: Callable[[Shape], dict[str, Any]] = dict
    create: Callable[[Shape, str], Creation] = lambda body, path: Creation(path=path, body=body)
    inside: str | None = None
    org_scoped: bool = True
    paged: bool = False
    query: Mapping[str, str] = field(default_factory=dict)
    members: tuple[str, ...] = ("id", "name")
    archived: Callable[[Mapping[str, Any]], bool] = lambda wire: wire.get("status") == "archived"
    usable: Callable[[Mapping[str, Any]], bool] = lambda wire: (
        wire.get("status", "active") not in ("archived", "deleted")
    )
    known: frozenset[str] = frozenset()
    provided: Callable[[Mapping[str, Any]], bool] = lambda wire: wire.get("is_built_in") is True
    policies: str | None = None
    policy_of: Mapping[str, str] = field(default_factory=dict)
    frozen: str | None = None
    revival: Mapping[str, Any] = field(default_factory=dict)
    tombstone: str | None = None
    id_prefix: str | None = None
    may_be_withheld: bool = False
    holds: Callable[[Mapping[str, Any]], bool] | None = None
    named: Callable[[Mapping[str, Any]], str] | None = None


@dataclass(frozen=True, slots=True)
class Sync:
    """How content that the platform fetches from elsewhere stands: when it last came, as the API spells times.

    `at` is None for never; `every` is after how many seconds it comes by itself, None for never; `failed` is about the
    last attempt, `is_running` about one that is due or under way, `is_fetching` about one that a write would discard.
    """

    at: str | None
    failed: bool = False
    error: str | None = None
    every: int | None = None
    is_running: bool = False
    is_fetching: bool = False


class Origin(NamedTuple):
    """Where content that the platform fetches comes from: a repository's https address and a branch."""

    url: str
    branch: str


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """A kind of resource: what may be written of it, how it is told apart, and what the API can do with it.

    Without a `spec` (a model, or a union of models) it is only referenced, never managed. `titles` gives the
    spellings under which a live resource may be referenced, best first; each tier is tried as a whole.
    `canonical` brings a Shape of either side to the
    one form in which equal things are equal; `defaulted` fills into the observed what absence means there;
    `completed` adds to the desired what the server adds by itself.
    With `comes_with_tenant` a new organization has some of them from the start, which only it can tell.
    `reserved` are names that nothing of the kind may have; `built_in` are those that the platform brings along in every
    organization, and `instead_of_built_in` says what to do for who wants to manage one, `{name}` being its name.
    `only` is the one name that it may have, where there is one of it. `together` are fields that are one member on
    the wire, so that whoever writes one writes them all.
    `restless` are members that the server changes by itself, which make no plan stale.
    `impossible` says why the desired cannot be reached from the observed, if so; `discards` names the field that stands
    apart and is lost on the way there, if one is. `notes` says what a reader of the
    plan must know of a creation. `sync` tells of an API object how its content from elsewhere stands, `origin` of a
    Shape where that comes from, `resync` is the call below it that has it fetched anew. `limited` says what the
    platform's limit is, where that is not by tenant. `release` says how what it is can be published under a number;
    what `takes_releases` keeps the version that is the default of what it refers to when it is made. What is
    `listed_below` a kind has no list of its own: there is one for each resource of that kind, and references name it
    as `<that resource>@<number>`. `called` is its noun where that is not its name in small letters.
    """

    name: str
    plural: str
    wire: Wire
    identity: Identity = Identity.NAME
    spec: Any = None
    parent: str | None = None
    children: tuple[str, str] | None = None
    name_field: str | None = None
    twin: Twin = Twin.IGNORE
    can_archive: bool = True
    archive_is_final: bool = False
    comes_with_tenant: bool = False
    reserved: frozenset[str] = frozenset()
    built_in: frozenset[str] = frozenset()
    instead_of_built_in: str = "refer to {name} by its name, and declare none"
    replaceable: bool = False
    titles: Callable[[Mapping[str, Any]], tuple[tuple[str, ...], ...]] = lambda wire: ((str(wire.get("name", "")),),)
    canonical: Callable[[Shape], Shape] = dict
    defaulted: Callable[[Shape], Shape] = lambda observed: observed
    completed: Callable[[Shape, Shape], Shape] = lambda desired, _observed: desired
    only: str | None = None
    together: frozenset[str] = frozenset()
    restless: frozenset[str] = frozenset()
    impossible: Callable[[Shape, Shape], str | None] = lambda _desired, _observed: None
    discards: Callable[[Shape, Shape], str | None] | None = None
    notes: Callable[[Shape], tuple[str, ...]] = lambda _desired: ()
    sync: Callable[[Mapping[str, Any]], Sync | None] | None = None
    resync: str | None = None
    release: Release | None = None
    takes_releases: bool = False
    listed_below: str | None = None
    limited: str | None = None
    origin: Callable[[Shape], Origin | None] = lambda _shape: None
    called: str | None = None

    @property
    def noun(self) -> str:
        """What people call one of them in a sentence."""
        return self.called or re.sub("(?<=[a-z])(?=[A-Z])", " ", self.name).lower()

    @property
    def named_by(self) -> str | None:
        """The member that holds what the platform calls it, None for what has no name there."""
        return self.name_field or (None if self.identity is Identity.POSITION else "name")

    @property
    def has_unique_names(self) -> bool:
        """Whether no two of an organization may have one name; an archived one keeps its own."""
        return self.identity in (Identity.SLUG, Identity.CASELESS, Identity.CALLER)

    @property
    def can_restore(self) -> bool:
        """Whether the platform can bring an archived one back."""
        return self.twin in (Twin.REVIVE, Twin.REACTIVATE)

    def folded(self, name: str) -> str:
        """Return a name as the platform compares it."""
        return name.lower() if self.identity is Identity.CASELESS else name

    @property
    def managed(self) -> bool:
        """Whether manifests may declare it."""
        return self.spec is not None
