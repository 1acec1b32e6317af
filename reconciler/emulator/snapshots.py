"""Taking the files out of a fetched repository: symlinks and `.git` are skipped, limits are kept."""

import hashlib
import os
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.emulator.file_tree import NewFile
from reconciler.emulator.git_fetch import SNAPSHOT, SyncError

if TYPE_CHECKING:
    from git.cmd import Git

SYMLINK = "120000"
MOST_SYMLINKS = 40
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


Tree = Mapping[str, Item]
LIMITS = Limits()
ROOT = Item("040000", "tree", "", 0)


def taken(git: "Git", folder: str | None, limits: Limits = LIMITS) -> list[NewFile]:
    """Read all files and directories below a folder, their paths beginning there."""
    tree = _tree(git)
    above = _folder(git, tree, folder) if folder else ""
    wanted = {
        path: item for path, item in tree.items() if path.startswith(above and f"{above}/") and _is_taken(path, item)
    }
    _check(wanted, limits)
    return [_read(git, "/" + path.removeprefix(above).strip("/"), item) for path, item in wanted.items()]


def _tree(git: "Git") -> dict[str, Item]:
    """List everything the commit holds, each directory before what lies in it."""
    listed = git.execute(["git", "ls-tree", "-r", "-t", "-l", "-z", "--full-tree", SNAPSHOT], stdout_as_string=False)
    lines = (line.partition(b"\t") for line in listed.split(b"\0") if line)
    return {os.fsdecode(path): _item(*what.decode().split()) for what, _, path in sorted(lines, key=_place)}


def _place(line: tuple[bytes, bytes, bytes]) -> list[bytes]:
    """Order by name within each directory."""
    return line[2].split(b"/")


def _item(mode: str, kind: str, sha: str, size: str) -> Item:
    """Read what git says of one entry; only files have a size."""
    return Item(mode, kind, sha, int(size) if size.isdigit() else 0)


def _is_taken(path: str, item: Item) -> bool:
    """Tell whether an entry becomes part of the memory."""
    return item.mode != SYMLINK and ".git" not in path.split("/")


def _check(wanted: Tree, limits: Limits) -> None:
    """Refuse what is too much before any of it is read."""
    total = 0
    for count, (path, item) in enumerate(wanted.items()):
        total += item.size
        if item.size > limits.file_bytes:
            raise SyncError("repository file exceeds maximum sync size")
        if total > limits.total_bytes:
            raise SyncError("repository snapshot exceeds maximum sync size")
        if count >= limits.entries:
            raise SyncError("repository snapshot exceeds maximum file count")
        if any("\udc80" <= character <= "\udcff" for character in path):
            raise SyncError("repository contains unsupported file paths")


def _read(git: "Git", path: str, item: Item) -> NewFile:
    """Read one file with its hash."""
    if item.is_directory:
        return NewFile(path)
    content = _content(git, item)
    return NewFile(path, content, hashlib.sha256(content).hexdigest())


def _content(git: "Git", item: Item) -> bytes:
    """Read the bytes of a file or the target of a symlink."""
    return bytes(git.get_object_data(item.sha)[3])


def _folder(git: "Git", tree: Tree, folder: str) -> str:
    """Find the root folder; symlinks on the way are followed as long as they stay inside."""
    ahead = deque(folder.split("/"))
    if ".git" in ahead:
        raise SyncError(METADATA)
    here: list[str] = []
    symlinks = 0
    while ahead:
        name = ahead.popleft()
        if name == "..":
            if not here:
                raise SyncError(OUTSIDE)
            here.pop()
        elif name not in ("", "."):
            here.append(name)
            item = tree.get("/".join(here))
            if item is None or symlinks > MOST_SYMLINKS or (ahead and not item.is_directory and item.mode != SYMLINK):
                raise SyncError(NO_FOLDER)
            if item.mode == SYMLINK:
                here.pop()
                symlinks += 1
                ahead.extendleft(reversed(_target(git, item)))
    if not tree.get("/".join(here), ROOT).is_directory:
        raise SyncError(OUTSIDE)
    return "/".join(here)


def _target(git: "Git", item: Item) -> list[str]:
    """Give the segments a symlink points to; an absolute one leads out of the repository."""
    target = os.fsdecode(_content(git, item))
    if target.startswith("/"):
        raise SyncError(OUTSIDE)
    return target.split("/")
