"""Markers on fields: what a kind says of a field beyond its type."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar
from uuid import UUID

_UUID = re.compile("[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class References:
    """The field holds the name of a resource of `kind`; the API wants its id under `wire` (default: field + `_id`).

    With a `prefix`, as `mcp:`, the field holds one only where its text begins with that, and the API wants the UUID of
    the id behind it (openapi.json, SkillUsage: `skill:{uuid}`); ids then begin as the prefix does, `mcp_`.
    """

    kind: str
    wire: str | None = None
    prefix: str = ""

    def name_in(self, value: Any) -> str | None:
        """Return the name or id that a value of the field holds, None where it refers to nothing of the kind."""
        if not isinstance(value, str) or not value.startswith(self.prefix):
            return None
        name = value[len(self.prefix) :]
        return f"{self.prefix[:-1]}_{name.replace('-', '')}" if self.prefix and _UUID.fullmatch(name) else name

    def on_wire(self, id_: str) -> str:
        """Return what the API wants for an id."""
        digits = id_.rpartition("_")[2]
        return f"{self.prefix}{UUID(digits)}" if self.prefix and _UUID.fullmatch(digits) else f"{self.prefix}{id_}"


@dataclass(frozen=True, slots=True)
class Listed:
    """The field names a `noun` that the platform lists at `collection`, by its id there; `implied` may be left out.

    That list need not be all that is taken, so that a plan only notes what is not in it (`plan/offers.py`).
    """

    collection: str
    noun: str
    implied: str = ""

    def means(self, text: str, ids: Collection[str]) -> bool:
        """Say whether a value of the field is one of the listed ids."""
        return text in ids or self.implied + text in ids


class Clear(Enum):
    """How an explicit `null` reaches the API; a field without one of these cannot be cleared."""

    NULL = "PATCH null"
    EMPTY = "PATCH with an empty value"
    REPLACE = "PUT of the whole resource without it"


class Marker(Enum):
    """Yes-or-no properties of a field."""

    SENSITIVE = "written by reference, never shown, never compared by value"
    WHOLE = "a map that is compared and sent as one value, like a list"
    AS_SET = "a list whose order means nothing"
    KEPT_BY_REPLACE = "PUT leaves it alone when it is empty; only PATCH empties it"
    EXPOSES = "it has a say in who can reach what"
    IMMUTABLE = "said when the resource is made and never again: another value takes another resource"


@dataclass(frozen=True, slots=True)
class Switch:
    """The boolean field is turned by calls of its own: POST to `on` or `off` below the resource."""

    on: str
    off: str


@dataclass(frozen=True, slots=True)
class Flags:
    """A flat map that a GET reads whole: PATCH changes the members it is given under `member`, and none goes away."""

    member: str
    goes_with_git: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Files:
    """Files by their paths, read one by one: POST makes a file, PUT rewrites it, DELETE takes it away."""

    goes_with_git: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Apart:
    """The field is a map that stands at `path` below the resource, in calls of its own.

    It is read only where git declares it, and written member by member: what is not declared is left alone. The
    form says what becomes of a member that leaves git: it goes, or is left as it is.
    """

    path: str
    form: Flags | Files


@dataclass(frozen=True, slots=True)
class Waits:
    """The field holds for how many seconds an apply waits for what a write of `field` makes the platform fetch.

    It is about the apply alone: neither compared nor sent.
    """

    field: str


@dataclass(frozen=True, slots=True)
class Syncs:
    """The field asks every apply to have content fetched anew that is behind its source.

    A write of `field` makes the platform fetch by itself. It is about the apply alone: neither compared nor sent.
    """

    field: str


@dataclass(frozen=True, slots=True)
class Beside:
    """The text may stand in a file of its own; where we write it, in this folder of the organization.

    `named_by` is the member beside it whose last part names the file.
    """

    folder: str
    named_by: str | None = None
