"""Taking the files out of a fetched repository: symlinks and `.git` are skipped, limits are kept."""

import hashlib
import os
import tempfile
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from reconciler.emulator.file_tree import NewFile
from reconciler.emulator.git_fetch import SNAPSHOT, TOO_LARGE
from reconciler.emulator.git_process import Repository, SyncError

SYMLINK = "120000"
MOST_SYMLINKS = 40
# Symlinks and `.git` count for nothing, yet listing them has to end; no path on a disk is as long as the second.
MOST_LISTED = 200_000
LONGEST = 4200
TOO_MANY = "repository snapshot exceeds maximum file count"
UNSUPPORTED = "repository contains unsupported file paths"
NO_FOLDER = "configured root folder does not exist"
OUTSIDE = "configured root folder is not a directory inside the repository"
METADATA = "configured root folder cannot point inside repository metadata"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a memory takes (everruns-api/agents-memories-sessions.md, 4.5)."""

    entries: int = 5000
    file_bytes: int = 10 * 1024 * 1024
    total_bytes: int = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the repository's tree; a submodule is not followed and stays an empty directory."""

    mode: str
    kind: str
    sha: str
    size: int

    @property
    def is_directory(self) -> bool:
        """Tell whether a checkout would make a directory of it."""
        return self.kind != "blob"


LIMITS = Limits()
ROOT = Item("040000", "tree", SNAPSHOT, 0)


def taken(repository: Repository, folder: str | None, limits: Limits = LIMITS) -> list[NewFile]:
    """Read all files and directories below a folder, their paths beginning there."""
    wanted = _listed(repository, _folder(repository, folder) if folder else ROOT, limits)
    contents = _contents(repository, [item for item in wanted.values() if not item.is_directory])
    return [_file(f"/{path}", None if item.is_directory else next(contents)) for path, item in wanted.items()]


def _listed(repository: Repository, root: Item, limits: Limits) -> Mapping[str, Item]:
    """List what a directory holds, each directory before what lies in it; what is too much is refused as it comes."""
    if root.kind != "tree":
        return {}
    wanted: dict[str, Item] = {}
    total = 0
    with closing(_entries(repository, "-r", "-t", root.sha)) as entries:
        for seen, (path, item) in enumerate(entries):
            is_taken = _is_taken(path, item)
            if seen >= MOST_LISTED or (is_taken and len(wanted) >= limits.entries):
                raise SyncError(TOO_MANY)
            if is_taken:
                total += item.size
                _check(path, item, total=total, limits=limits)
                wanted[path] = item
    return wanted


def _entries(repository: Repository, *what: str) -> Generator[tuple[str, Item], None, None]:
    """Give the entries of a tree as git lists them."""
    with repository.streamed("ls-tree", "-l", "-z", "--full-tree", *what) as chunks:
        for line in _lines(chunks):
            told, _, path = line.partition(b"\t")
            yield os.fsdecode(path), _item(*told.decode().split())


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Divide the output of git where a NUL stands."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\0")
        if max(map(len, (*lines, rest))) > LONGEST:
            raise SyncError(UNSUPPORTED)
        yield from lines


def _item(mode: str, kind: str, sha: str, size: str) -> Item:
    """Read what git says of one entry; only files have a size."""
    return Item(mode, kind, sha, int(size) if size.isdigit() else 0)


def _is_taken(path: str, item: Item) -> bool:
    """Tell whether an entry becomes part of the memory."""
    return item.mode != SYMLINK and ".git" not in path.split("/")


def _check(path: str, item: Item, *, total: int, limits: Limits) -> None:
    """Refuse what is too much before any of it is read."""
    if item.size > limits.file_bytes:
        raise SyncError("repository file exceeds maximum sync size")
    if total > limits.total_bytes:
        raise SyncError(TOO_LARGE)
    if any("\udc80" <= character <= "\udcff" for character in path):
        raise SyncError(UNSUPPORTED)


def _file(path: str, content: bytes | None) -> NewFile:
    """Give one file with its hash, or a directory."""
    return NewFile(path, content, None if content is None else hashlib.sha256(content).hexdigest())


def _contents(repository: Repository, items: Sequence[Item]) -> Iterator[bytes]:
    """Read the bytes of files or the targets of symlinks, in their order; lengths are known, so nothing is parsed."""
    with tempfile.TemporaryFile() as asked:
        asked.writelines(f"{item.sha}\n".encode() for item in items)
        asked.seek(0)
        with repository.streamed("cat-file", "--batch", stdin=asked) as chunks:
            buffer = bytearray()
            for item in items:
                begin = len(f"{item.sha} blob {item.size}\n")
                end = begin + item.size
                while len(buffer) <= end:
                    buffer += next(chunks)
                yield bytes(buffer[begin:end])
                del buffer[: end + 1]


def _folder(repository: Repository, folder: str) -> Item:
    """Find the root folder; symlinks on the way are followed as long as they stay inside."""
    ahead = deque(_segments(folder))
    here: list[str] = []
    found = [ROOT]
    symlinks = 0
    while ahead:
        name = ahead.popleft()
        if name == "..":
            if not here:
                raise SyncError(OUTSIDE)
            here.pop()
            found.pop()
        elif name not in ("", "."):
            item = _at(repository, "/".join([*here, name]))
            if item is None or symlinks > MOST_SYMLINKS or (ahead and not item.is_directory and item.mode != SYMLINK):
                raise SyncError(NO_FOLDER)
            if item.mode == SYMLINK:
                symlinks += 1
                ahead.extendleft(reversed(_target(repository, item)))
            else:
                here.append(name)
                found.append(item)
    if not found[-1].is_directory:
        raise SyncError(OUTSIDE)
    return found[-1]


def _at(repository: Repository, path: str) -> Item | None:
    """Find one entry of the commit."""
    with closing(_entries(repository, SNAPSHOT, "--", path)) as entries:
        return next((item for found, item in entries if found == path), None)


def _segments(path: str) -> list[str]:
    """Divide a path on the way to the root folder."""
    segments = path.split("/")
    if ".git" in segments:
        raise SyncError(METADATA)
    return segments


def _target(repository: Repository, item: Item) -> list[str]:
    """Give the segments a symlink points to; an absolute one leads out of the repository."""
    if item.size > LONGEST:
        raise SyncError(NO_FOLDER)
    target = os.fsdecode(next(_contents(repository, [item])))
    if target.startswith("/"):
        raise SyncError(OUTSIDE)
    return _segments(target)
