"""RELEASE: what a resource is can be published under a number, and one of the numbers is what runs; pure.

everruns-api/agents-memories-sessions.md, 3: once there is a default version, an edit alone reaches no session.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

LATEST = "latest-published"
"""How a manifest refers to the newest version there is."""
_FIRST = "0.1.0"
_ODD = "?"
_NUMBER = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Release:
    """How resources of a kind are published: `field` of the spec asks for it, `kind` is what comes of it.

    POST to `publish` below the resource makes a version, to `choose` makes one the default, whose id the member
    `chosen` holds. `plain` are members that are spelled alike on the resource and in a version. `flag` is the feature
    flag without which there is none of it. `respelled` gives the members that a version spells otherwise.
    """

    field: str
    kind: str
    publish: str
    choose: str
    chosen: str
    plain: tuple[str, ...]
    flag: str
    respelled: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Edition:
    """One published version; `is_current` says that it holds what the resource is now."""

    id: str
    number: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Released:
    """How a resource is released: its `editions`, newest first, and the id of the one that is `chosen` as default.

    `holds` is what the newest was made of, spelled as an API object, None where the platform does not tell.
    """

    editions: tuple[Edition, ...] = ()
    chosen: str | None = None
    holds: Mapping[str, Any] | None = None

    @property
    def newest(self) -> Edition | None:
        """The version that was published last."""
        return self.editions[0] if self.editions else None

    @property
    def default(self) -> Edition | None:
        """The version that runs where nothing else is said."""
        return next((one for one in self.editions if one.id == self.chosen), None)

    @property
    def is_current(self) -> bool:
        """Whether the newest version holds what the resource is now."""
        return self.newest is not None and self.newest.is_current


def released_from(release: Release, wire: Mapping[str, Any], versions: Iterable[Mapping[str, Any]]) -> Released:
    """Say how a live resource is released; `versions` are all its snapshots, drafts included, newest first.

    Every change leaves a draft, so that the newest snapshot has the hash of what the resource is now, unless the
    feature was off at the time: therefore the plain members have to agree as well (section 3).
    """
    snapshots = list(versions)
    now = snapshots[0].get("config_hash") if snapshots else None
    editions = tuple(
        Edition(str(one["id"]), number_of(one), one.get("config_hash") == now and _agree(release, wire, one))
        for one in snapshots
        if one.get("is_published") is True
    )
    chosen = wire.get(release.chosen)
    holds = next((_held(release, one) for one in snapshots if one.get("is_published") is True), None)
    return Released(editions, chosen if isinstance(chosen, str) else None, holds)


def _held(release: Release, version: Mapping[str, Any]) -> Mapping[str, Any] | None:
    config = version.get("authored_config")
    if not isinstance(config, Mapping):
        return None
    return {release.respelled.get(name, name): value for name, value in config.items()}


def number_of(version: Mapping[str, Any]) -> str:
    """Return the number of a version; one that is no semantic number is `?`, as it may be anything."""
    number = str(version["version"])
    return number if _NUMBER.fullmatch(number) else _ODD


def _agree(release: Release, wire: Mapping[str, Any], version: Mapping[str, Any]) -> bool:
    config = version.get("authored_config")
    if not isinstance(config, Mapping):
        return True  # nothing to compare: the hash decides
    return all((wire.get(name) or None) == (config.get(name) or None) for name in release.plain)


def next_number(last: str | None, part: str) -> str:
    """Return the number that the platform gives to the next version: the first is 0.1.0 whatever is asked (section 3).

    A number that is no semantic one is followed by one that nobody knows, spelled `?`.
    """
    if last is None:
        return _FIRST
    if not _NUMBER.fullmatch(last):
        return _ODD
    major, minor, patch = map(int, last.split("."))
    match part:
        case "major":
            return f"{major + 1}.0.0"
        case "minor":
            return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}"


def edition_name(owner: str, number: str) -> str:
    """Return what a version is called in references: `triage@1.2.0`."""
    return f"{owner}@{number}"
