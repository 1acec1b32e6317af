"""The nouns both sides share: Address, Document, Desired, Observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from reconciler.errors import Source
from reconciler.kinds import BY_NAME, RANK
from reconciler.kinds.key_to import KeyTo
from reconciler.kinds.kind import Kind, Shape, Sync
from reconciler.kinds.release import Released

DEFAULT_ORG = "default"
"""The organization of documents that name none and stand below no Organization document."""


Adopt = Literal["exact", "overwrite", "never"]
"""What to do with a live resource that is not ours: take it over as it is, take it over and change it, or stop."""


class Address(NamedTuple):
    """What a resource is called here: `acme/Agent/triage`, below a parent `acme/App/bot/Channel/nightly`."""

    org: str
    kind: str
    name: str
    parent: str | None = None

    def __str__(self) -> str:
        """Spell the address."""
        middle = f"{_parent_kind(self.kind)}/{self.parent}/" if self.parent else ""
        return f"{self.org}/{middle}{self.kind}/{self.name}"

    @property
    def above(self) -> Address | None:
        """The parent's address."""
        return Address(self.org, _parent_kind(self.kind), self.parent) if self.parent else None

    @property
    def local(self) -> str:
        """The address within its organization."""
        return str(self).removeprefix(f"{self.org}/")

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address as `str` spells it; raises ValueError for anything else."""
        match text.split("/"):
            case [org, kind, name] if kind in BY_NAME:
                return cls(org, kind, name)
            case [org, above, parent, kind, name] if kind in BY_NAME and BY_NAME[kind].parent == above:
                return cls(org, kind, name, parent)
        raise ValueError(f"not an address: {text}")


def _parent_kind(kind: str) -> str:
    return BY_NAME[kind].parent or ""


def by_rank(address: Address) -> tuple[str, int, str, str]:
    """Sort key: by organization, then in the order kinds are created, a parent's children behind one another."""
    return address.org, RANK[address.kind], address.parent or "", address.name


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document as written; `folder` is the path of its file's folder, below the manifest root.

    `spec` is what it declares, in canonical form, if that was found valid where it was read; the value is then
    without it.
    """

    value: Mapping[str, Any]
    source: Source
    folder: str
    spec: Shape | None = None


@dataclass(frozen=True, slots=True)
class Desired:
    """What git wants of one address.

    `spec` holds the declared fields alone, in canonical form; references are names. `title` is what the platform
    calls it. `pinned` is the id that the manifest insists on; `archive` asks for the resource to be taken away.
    `replace` allows that it is taken away and made anew where it cannot be changed otherwise.
    `protect` says whether it must not be, `adopt` what to do with one that is not ours, both None where nothing is
    said; `moved_from` is the name that its address had before.
    `position` counts siblings of the same type before it. `lists_children` says that git lists the children, so that
    others are worth a word. `patience` is for how many seconds an apply waits for content from elsewhere that a write
    makes the platform fetch, None where it does not; with `resyncs` it has that fetched anew where it is behind.
    `path` leads from the document's root to the spec.
    `key_to` is where a key goes that the platform shows once.
    """

    address: Address
    spec: Shape
    source: Source
    title: str
    path: tuple[str | int, ...] = ("spec",)
    pinned: str | None = None
    archive: bool = False
    position: int = 0
    lists_children: bool = False
    replace: bool = False
    protect: bool | None = None
    adopt: Adopt | None = None
    moved_from: str | None = None
    key_to: KeyTo | None = None
    patience: int | None = None
    resyncs: bool = False

    @property
    def kind(self) -> Kind:
        """The kind's declaration."""
        return BY_NAME[self.address.kind]


@dataclass(frozen=True, slots=True)
class Observed:
    """What the platform has at an address.

    `spec` is canonical and holds names where the API holds ids; `shape` is the same with the ids left in, the
    basis of preconditions. No secret is in either. `released` tells of its versions, where they were read;
    `has_default` says that it has one that runs whatever it is now, `newest` is the spec that the newest one holds.
    `at_stake` is what lies in it and would be lost by what git wants.
    """

    address: Address
    id: str
    spec: Shape
    shape: Shape = field(repr=False)
    archived: bool = False
    updated_at: str | None = None
    sync: Sync | None = None
    released: Released | None = None
    has_default: bool = False
    at_stake: tuple[str, ...] = ()
    newest: Shape | None = field(default=None, repr=False)

    @property
    def kind(self) -> Kind:
        """The kind's declaration."""
        return BY_NAME[self.address.kind]
