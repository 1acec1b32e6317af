"""LOAD: from paths to Documents; every file is read once, every fault is kept."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from io import RawIOBase

from reconciler.errors import Fault, NothingDeclared, Source, SourceFile, UsageError
from reconciler.kinds.file_names import MANIFESTS
from reconciler.manifest.crew import Ready, folder_of, read_together
from reconciler.manifest.parsed import MAX_BYTES
from reconciler.resource import Document

Glance = Callable[[Sequence[Document]], None]
SUFFIXES = MANIFESTS
STDIN = "-"
CONFIG = "reconciler.yaml"
"""How a run is meant to go, no manifest; in the root of manifests or above it (see `config.py`)."""


@dataclass(slots=True)
class Loaded:
    """What was read: the documents, the faults met on the way, and the root that every document stands below."""

    documents: list[Document] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    roots: dict[str, str] = field(default_factory=dict)


def load(
    paths: Sequence[str],
    *,
    stdin: Iterable[bytes] = (),
    glance: Glance = lambda _documents: None,
    may_be_empty: bool = False,
) -> Loaded:
    """Read manifests from files, folders (all `.yaml` and `.yml` below, hidden ones left out) and `-`.

    `glance` is shown the documents so far whenever a folder of a single path is done, and at the end; what stands
    above a folder is read before it.
    Raises UsageError for a path that does not exist, and when there is no document at all: an empty set of
    manifests is a mistake more often than a wish. With `may_be_empty` it is taken as it is.
    """
    loaded = Loaded()
    found = _all_files([path for path in paths if not may_be_empty or os.path.lexists(path)], loaded)
    names = [name for name in found if name != STDIN]
    folder = ""
    with closing(read_together(names, roots=loaded.roots)) as answers:
        for name in found:
            if name == STDIN:
                _read_text(b"".join(stdin), name="<stdin>", folder=".", loaded=loaded)
                continue
            ready = next(answers)  # before the first glance: who looks may start threads, and none may run at a fork
            if folder_of(name) != folder and len(paths) == 1:
                glance(loaded.documents)
                folder = folder_of(name)
            _take(name, ready, loaded, is_named=name in paths)
    glance(loaded.documents)
    if not loaded.documents and not loaded.faults and not may_be_empty:
        where = ", ".join(paths)
        raise NothingDeclared(f"no manifests found in {where}", hint="point -f at a folder or file with YAML manifests")
    return loaded


def _all_files(paths: Sequence[str], loaded: Loaded) -> list[str]:
    """Return the files of all paths, and `-` where it is asked for; each once, however it is spelled."""
    found: list[str] = []
    read: set[str] = set()
    for path in dict.fromkeys(paths):
        if path == STDIN:
            found.append(path)
        else:
            found += _files(path, loaded) if len(paths) == 1 else _new(_files(path, loaded), read)
    return found


def _take(name: str, ready: Ready | None, loaded: Loaded, *, is_named: bool) -> None:
    """Keep what was read quickly, or read a file whose content is out of the ordinary.

    A pipe is read where it is named on the command line; one that lies in a folder could be waited for in vain.
    """
    if ready is None and (is_named or not _is_special(name)):
        _read_file(name, loaded)
        return
    if ready is None:
        source = Source(SourceFile(path=name, text=""), 0, 1)
        loaded.faults.append(Fault("is not a file", source, hint="name it with -f to have a pipe read"))
        return
    source = Source(SourceFile(path=name, text=ready.text), 0, ready.line)
    loaded.documents.append(Document(ready.value, source, folder_of(name), spec=ready.spec))


def _files(path: str, loaded: Loaded) -> Iterator[str]:
    """Yield the manifest files of a path in a stable order, and note the root each stands below."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - pathlib costs four times as much over 10,000 files
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}", hint="-f takes a folder, a file, or - for stdin"
        ) from error
    if not stat.S_ISDIR(mode):
        folder = os.path.dirname(path) or "."  # noqa: PTH120
        inside = not os.path.relpath(folder).startswith("..")
        loaded.roots.setdefault(folder, "." if inside else folder)
        yield path
        return
    root = path.rstrip("/") or "/"
    for folder, folders, names in os.walk(root, onerror=lambda error: _cannot_be_read(error, loaded)):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        loaded.roots[folder] = root
        for name in sorted(names):
            if name.endswith(SUFFIXES) and not name.startswith(".") and not (name == CONFIG and folder == root):
                yield f"{folder}/{name}"


def _cannot_be_read(error: OSError, loaded: Loaded) -> None:
    """Note a folder whose manifests nobody can see: to go on without them would be to plan another fleet."""
    file = SourceFile(path=str(error.filename), text="")
    message = f"cannot be read: {error.strerror}"
    loaded.faults.append(Fault(message, Source(file, 0, 1), hint="give read access, or name another folder with -f"))


def _new(names: Iterable[str], read: set[str]) -> Iterator[str]:
    """Yield the files that no other path has led to before, however they are spelled."""
    for name in names:
        place = os.path.abspath(name)  # noqa: PTH100
        if place not in read:
            read.add(place)
            yield name


def _is_special(path: str) -> bool:
    """Say whether a path leads to a pipe, a socket or a device."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _read_file(path: str, loaded: Loaded) -> None:
    try:
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 - pathlib costs four times as much
            size = os.fstat(stream.fileno()).st_size
            data = stream.read(size + 1) if 0 < size < MAX_BYTES else _to_the_end(stream)
    except OSError as error:
        file = SourceFile(path=path, text="")
        loaded.faults.append(Fault(f"cannot be read: {error.strerror}", Source(file, 0, 1), line=1, column=1))
        return
    _read_text(data, name=path, folder=folder_of(path), loaded=loaded)


def _to_the_end(stream: RawIOBase) -> bytes:
    """Read what has no size, as a pipe, in as many pieces as it comes in; stop where it is too large."""
    data = bytearray()
    while len(data) <= MAX_BYTES and (piece := stream.read(MAX_BYTES + 1 - len(data))):
        data += piece
    return bytes(data)


def _read_text(data: bytes, *, name: str, folder: str, loaded: Loaded) -> None:
    """Decode and parse one file; its documents and faults go into `loaded`."""
    if len(data) > MAX_BYTES:
        file = SourceFile(path=name, text="")
        message = f"is larger than {MAX_BYTES // 2**20} MiB"
        loaded.faults.append(Fault(message, Source(file, 0, 1), hint="split it", line=1, column=1))
        return
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(errors="replace")
        file = SourceFile(path=name, text=data.decode(errors="replace"))
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        source = Source(file, 0, line)
        loaded.faults.append(Fault("is not UTF-8 text", source, hint="save it as UTF-8", line=line, column=column))
        return
    from reconciler.manifest.parse import parse

    file = SourceFile(path=name, text=text)
    parsed, faults = parse(text)
    for fault in faults:
        source = Source(file, 0, fault.line)
        loaded.faults.append(Fault(fault.message, source, line=fault.line, column=fault.column))
    for document in parsed:
        loaded.documents.append(
            Document(value=document.value, source=Source(file, document.index, document.line), folder=folder)
        )
