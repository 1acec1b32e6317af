"""KEPT: files of a resource that lie beside its manifest, in a folder that it names or one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from reconciler.errors import CannotAmend, Source
from reconciler.kinds import KINDS
from reconciler.kinds.contents import bytes_of
from reconciler.kinds.markers import Files
from reconciler.kinds.traits import apart
from reconciler.manifest.amend import spoken
from reconciler.manifest.crew import folder_of
from reconciler.manifest.parse import parse
from reconciler.manifest.substance import Taken, files_in


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


def rewritten(one: Taken, place: Path, sources: Iterable[Source]) -> tuple[bytes, bytes]:
    """Return the bytes of a file here and those that are live; raises CannotAmend for a file that is not its alone."""
    if not isinstance(one.value, str) or not place.is_file():
        message = f"{spoken(one.path)} came or went on the platform"
        raise CannotAmend(message, hint="make or remove the file by hand, or have git's written again by an apply")
    for user in _users(place, sources):
        if (user.file.path, user.index) != (one.source.file.path, one.source.index):
            message = f"{spoken(one.path)} cannot be changed alone: {user.file.path} reads the same file"
            raise CannotAmend(message, hint="give one of the two a file of its own, then run again")
    return place.read_bytes(), bytes_of(one.value)


def _users(place: Path, sources: Iterable[Source]) -> Iterator[Source]:
    """Yield the documents that read a file, by its name or with the folder it lies in."""
    known = {(one.file.path, one.index): one for one in sources}
    files = {one.file.path: one.file.text for one in known.values()}
    for manifest, text in files.items():
        if place.name not in text and "dir" not in text and "\\" not in text:
            continue
        for document in parse(text)[0]:
            names = [*(name for _, name in files_in(document.value)), *_folders_in(document.value)]
            here = [(Path(folder_of(manifest)) / name).resolve() for name in names]
            if any(path == place or path in place.parents for path in here) and (manifest, document.index) in known:
                yield known[manifest, document.index]


def _folders_in(value: Any) -> Iterator[str]:
    match value:
        case {"dir": str(name)}:
            yield name
        case dict() | list():
            for item in value.values() if isinstance(value, dict) else value:
                yield from _folders_in(item)
