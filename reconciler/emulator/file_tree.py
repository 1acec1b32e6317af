"""The files of memories in the database: a table beside the documents, so that a list never reads a content."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reconciler.emulator import clock
from reconciler.emulator.memory_paths import parent
from reconciler.emulator.store import Store

SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS memory_files (
        memory TEXT NOT NULL,
        path TEXT NOT NULL,
        parent TEXT NOT NULL,
        is_directory INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        content_hash TEXT,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        content BLOB,
        PRIMARY KEY (memory, path)
    )
    """,
    "CREATE INDEX IF NOT EXISTS memory_children ON memory_files (memory, parent, is_directory DESC, path)",
    """
    CREATE TRIGGER IF NOT EXISTS memory_gone AFTER DELETE ON documents WHEN old.collection = 'memories'
    BEGIN DELETE FROM memory_files WHERE memory = old.id; END
    """,
)
ENTRY = "SELECT path, is_directory, size_bytes, content_hash, created_at, updated_at FROM memory_files WHERE memory = ?"
ADD = (
    "INSERT INTO memory_files (memory, path, parent, is_directory, size_bytes, content_hash, created_at, updated_at, "
    "content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
BELOW = " AND (path = ? OR substr(path, 1, length(?)) = ?)"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or directory, without its content."""

    path: str
    is_directory: bool
    size_bytes: int
    content_hash: str | None
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class NewFile:
    """What is to be written; a directory has no content, and only a synced file has a hash."""

    path: str
    content: bytes | None = None
    content_hash: str | None = None


def prepare(store: Store) -> None:
    """Make the table where it is missing."""
    for statement in SCHEMA:
        store.execute(statement)


def entry(store: Store, memory: str, path: str) -> Entry | None:
    """Find one file or directory; the root has no entry of its own."""
    found = _entries(store.query(f"{ENTRY} AND path = ?", (memory, path)))
    return found[0] if found else None


def children(store: Store, memory: str, path: str) -> list[Entry]:
    """List what lies directly in a directory: directories first, then by path."""
    sql = f"{ENTRY} AND parent = ? ORDER BY is_directory DESC, path"
    return _entries(store.query(sql, (memory, path)))


def files(store: Store, memory: str, *, most: int) -> list[Entry]:
    """List all files of `most` bytes at most, by path."""
    sql = f"{ENTRY} AND is_directory = 0 AND size_bytes <= ? ORDER BY path"
    return _entries(store.query(sql, (memory, most)))


def content(store: Store, memory: str, path: str) -> bytes:
    """Read a file; nothing stands for a directory or a missing one."""
    rows = store.query("SELECT content FROM memory_files WHERE memory = ? AND path = ?", (memory, path))
    return bytes(rows[0][0] or b"") if rows else b""


def add(store: Store, memory: str, file: NewFile) -> None:
    """Add one file or directory."""
    _insert(store, memory, file, clock.now())


def rewrite(store: Store, memory: str, path: str, data: bytes) -> bool:
    """Replace the content of a file and forget its hash; tells whether there was such a file."""
    sql = (
        "UPDATE memory_files SET content = ?, size_bytes = ?, content_hash = NULL, updated_at = ? "
        "WHERE memory = ? AND path = ? AND is_directory = 0"
    )
    return store.execute(sql, (data, len(data), clock.now(), memory, path)) > 0


def remove(store: Store, memory: str, path: str) -> None:
    """Delete a file, or a directory with everything below it."""
    below = f"{path}/"
    store.execute(f"DELETE FROM memory_files WHERE memory = ?{BELOW}", (memory, path, below, below))  # noqa: S608


def replace_all(store: Store, memory: str, new: Iterable[NewFile]) -> None:
    """Put other files in the place of all there are."""
    store.execute("DELETE FROM memory_files WHERE memory = ?", (memory,))
    moment = clock.now()
    for file in new:
        _insert(store, memory, file, moment)


def _insert(store: Store, memory: str, file: NewFile, moment: str) -> None:
    """Write one row."""
    is_directory = file.content is None
    size = len(file.content or b"")
    row = (memory, file.path, parent(file.path), is_directory, size, file.content_hash, moment, moment, file.content)
    store.execute(ADD, row)


def _entries(rows: list[tuple[Any, ...]]) -> list[Entry]:
    """Turn rows into entries."""
    return [Entry(path, bool(is_directory), *rest) for path, is_directory, *rest in rows]
