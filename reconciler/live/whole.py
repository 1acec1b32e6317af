"""WHOLE: all of what stands apart of a resource that is to be imported, as far as files and manifests can say it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, assert_never

from reconciler.api_errors import NotFound
from reconciler.kinds import BY_NAME
from reconciler.kinds.contents import LARGEST, MOST_BYTES, MOST_FILES
from reconciler.kinds.file_names import misfits
from reconciler.kinds.kind import Kind
from reconciler.kinds.markers import Apart, Files, Flags
from reconciler.kinds.traits import apart, joined_as
from reconciler.live.apart import Place, contents, flags, is_in, listing, place_of
from reconciler.live.client import ReadClient
from reconciler.live.readers import readers
from reconciler.live.shapes import Wire
from reconciler.live.survey import Survey
from reconciler.plan.capture import Candidate, Gap
from reconciler.resource import Address

_MOST_ENTRIES: Final = 2 * MOST_FILES
"""Nobody walks further than this: a manifest holds fewer files, and a listing may have no end."""


@dataclass(slots=True)
class _Reading:
    """What is read of one resource: who reads, where it stands, and what stays out."""

    address: Address
    at: Place
    client: ReadClient
    pool: Executor
    gaps: list[Gap] = field(default_factory=list)

    def leave(self, path: Sequence[str], why: str) -> None:
        """Note what stays out, and why."""
        self.gaps.append(Gap(self.address, tuple(path), why, tuple(path)))


def with_whole(
    survey: Survey, chosen: Iterable[Candidate], *, client: ReadClient, parallelism: int
) -> tuple[Survey, list[Gap]]:
    """Join to what is chosen all that stands apart of it; return what no file can hold beside that. Raises ApiError."""
    wires, gaps = dict(survey.wires), list[Gap]()
    with readers(parallelism) as pool:
        for one in chosen:
            kind = BY_NAME[one.address.kind]
            if not apart(kind):
                continue
            org = survey.homes[one.address.org].id if kind.wire.org_scoped else None
            at = place_of(kind, wires[one.address], org=org, called=str(one.address))
            reading = _Reading(one.address, at, client, pool)
            wires[one.address] = {**wires[one.address], **_more(kind, wires[one.address], reading)}
            gaps += reading.gaps
    return replace(survey, wires=wires), gaps


def _more(kind: Kind, wire: Wire, reading: _Reading) -> Wire:
    """Read every field that stands apart and is the resource's own."""
    found: dict[str, Any] = {}
    for name, one in apart(kind).items():
        match one.form:
            case Flags():
                found[joined_as(name)] = _offered(one, reading)
            case Files():
                if kind.sync is None or kind.sync(wire) is None:  # else they are those of its source
                    found[joined_as(name)] = _files(name, one, reading)
            case _:
                assert_never(one.form)
    return found


def _offered(one: Apart, reading: _Reading) -> dict[str, bool]:
    """Read the flags in which the organization has a say; what it had when it was new, no platform tells."""
    found = flags(one, at=reading.at, client=reading.client)
    doing = f"reading which {one.path} are offered to {reading.at.called}"
    try:
        told = reading.client.get(f"{reading.at.path}/{one.path}/settings", doing=doing, org=reading.at.org)
    except NotFound:
        return found
    listed = told.get("flags") if isinstance(told, dict) else None
    withheld = {
        flag.get("name")
        for flag in (listed if isinstance(listed, list) else ())
        if isinstance(flag, dict) and flag.get("system_enabled") is False
    }
    return {name: value for name, value in found.items() if name not in withheld}


def _files(name: str, one: Apart, reading: _Reading) -> dict[str, str]:
    """Read all files, several at once; those that cannot lie here are not fetched."""
    entries: dict[str, dict[str, Any]] = {}
    for entry in _walked(name, one, reading):
        entries[entry["path"]] = entry
        if len(entries) > _MOST_ENTRIES:
            reading.leave((name,), f"it holds more than {_MOST_ENTRIES:,} files and folders")
            return {}
    entries = {path: entry for path, entry in entries.items() if not entry["is_directory"]}
    odd = {path: f"it is larger than {LARGEST >> 20} MiB" for path, entry in entries.items() if _size(entry) > LARGEST}
    odd |= misfits(entries.keys())
    for path, why in sorted(odd.items()):
        reading.leave((name, path), why)
    paths = sorted(entries.keys() - odd.keys())
    if len(paths) > MOST_FILES:
        reading.leave((name,), f"it holds {len(paths):,} files, and {MOST_FILES:,} are the most in a manifest")
        return {}
    if sum(_size(entries[path]) for path in paths) > MOST_BYTES:
        reading.leave((name,), f"it holds more than {MOST_BYTES >> 20} MiB, which is the most in a manifest")
        return {}
    return contents(one, paths, at=reading.at, client=reading.client, pool=reading.pool)


def _walked(name: str, one: Apart, reading: _Reading) -> Iterator[dict[str, Any]]:
    """Yield every file and folder, folder by folder, those of one depth at once."""
    level = [""]
    while level:
        below: dict[str, None] = {}
        read = partial(listing, one, at=reading.at, client=reading.client)
        for folder, entries in zip(level, reading.pool.map(read, level), strict=True):
            for entry in entries:
                if not is_in(folder, entry["path"]):
                    reading.leave((name, entry["path"]), f"the platform lists it in {folder or '/'}, where it is not")
                    continue
                if entry["is_directory"]:
                    below[entry["path"]] = None
                yield entry
        level = [*below]


def _size(entry: dict[str, Any]) -> int:
    size = entry.get("size_bytes")
    return size if isinstance(size, int) else 0
