"""KEPT: files of a resource that lie beside its manifest, in a folder that it names or one by one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from reconciler.errors import CannotAmend, Source
from reconciler.kinds import KINDS
from reconciler.kinds.contents import bytes_of
from reconciler.kinds.file_names import MANIFESTS
from reconciler.kinds.markers import Files
from reconciler.kinds.traits import apart
from reconciler.manifest.amend import spoken
from reconciler.manifest.crew import folder_of
from reconciler.manifest.parse import parse
from reconciler.manifest.substance import Taken, files_in

_OWN_FILE = "give one of the two a file of its own, then run again"


def file_of(one: Taken) -> str | None:
    """Return the name by which a manifest reads the file that a live value is of; None where it is of none."""
    match one.path:
        case ("spec", str(field), str(path)) if field in _fields():
            values = {document.index: document.value for document in parse(one.source.file.text)[0]}
            match values.get(one.source.index):
                case {"spec": {**spec}}:
                    return _named(spec.get(field), path)
    return None


@cache
def _fields() -> frozenset[str]:
    """Return the names of the fields that are files of their resource."""
    return frozenset(name for kind in KINDS for name, one in apart(kind).items() if isinstance(one.form, Files))


def _named(files: Any, path: str) -> str | None:
    match files:
        case {"dir": str(folder)}:
            return folder.rstrip("/") + path
        case list():
            for item in files:
                match item:
                    case {"path": str(there), "content": {"file": str(name)}} if f"/{there.strip('/')}" == path:
                        return name if item.get("encoding", "text") == "text" else None
    return None


def is_kept(one: Taken) -> bool:
    """Say whether a live value is a file of its resource, wherever its content stands here."""
    return len(one.path) > 2 and one.path[0] == "spec" and one.path[1] in _fields()  # noqa: PLR2004 - spec, field, file


def rewritten(one: Taken, place: Path, name: str, sources: Iterable[Source]) -> tuple[bytes, bytes]:
    """Return the bytes of a file here and those that are live, `name` being how the manifest reads it.

    Raises CannotAmend for a file that is not its alone: where others read it, where it is a manifest, or another's
    under a link. Whoever writes files on the platform must not get to write manifests, or what other resources say.
    """
    sources = [*sources]
    if not isinstance(one.value, str) or not place.is_file():
        message = f"{spoken(one.path)} came or went on the platform"
        raise CannotAmend(message, hint="make or remove the file by hand, or have git's written again by an apply")
    refuse_manifest(place, one.path, sources)
    written = Path(os.path.normpath(Path(folder_of(one.source.file.path)).resolve() / name))
    if written != place:
        message = f"{spoken(one.path)} is a link here, and what it leads to may be another's"
        raise CannotAmend(message, hint="put a file in the place of the link, or copy it by hand")
    own = (one.source.file.path, one.source.index)
    users = [(user.file.path, user.index) for user in _users(place, sources)]
    if other := next((user for user in users if user != own), own if users.count(own) > 1 else None):
        message = f"{spoken(one.path)} cannot be changed alone: {other[0]} reads the same file"
        raise CannotAmend(message + (" twice" if other == own else ""), hint=_OWN_FILE)
    return place.read_bytes(), bytes_of(one.value)


def refuse_manifest(place: Path, path: tuple[str | int, ...], sources: Iterable[Source]) -> None:
    """Raise CannotAmend for a text that stands in a manifest, or in what is read as one with its folder."""
    if place.name.endswith(MANIFESTS) or any(place == Path(source.file.path).resolve() for source in sources):
        message = f"{spoken(path)} stands in a manifest, {place.name}: those are not overwritten with what is live"
        raise CannotAmend(message, hint="copy it by hand if it is right, or apply to write git's again")


def _users(place: Path, sources: Iterable[Source]) -> Iterator[Source]:
    """Yield the documents that read a file, by its name or with the folder it lies in: one for each time."""
    known = {(one.file.path, one.index): one for one in sources}
    files = {one.file.path: one.file.text for one in known.values()}
    for manifest, text in files.items():
        if place.name not in text and "dir" not in text and "\\" not in text:
            continue
        for document in parse(text)[0]:
            names = [*(name for _, name in files_in(document.value)), *_folders_in(document.value)]
            here = [(Path(folder_of(manifest)) / name).resolve() for name in names]
            uses = sum(path == place or path in place.parents for path in here)
            if uses and (manifest, document.index) in known:
                yield from [known[manifest, document.index]] * uses


def _folders_in(value: Any) -> Iterator[str]:
    match value:
        case {"dir": str(name)}:
            yield name
        case dict() | list():
            for item in value.values() if isinstance(value, dict) else value:
                yield from _folders_in(item)
