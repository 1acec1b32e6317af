"""Storage: one SQLite table of JSON documents, one connection, one transaction at a time."""

import json
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from reconciler.emulator import clock
from reconciler.emulator.sql import (
    APPS_BY,
    BETWEEN,
    COLUMNS,
    COUNT,
    COUNT_MATCHING,
    LIST,
    PLACES,
    SCHEMA,
    SEARCH,
    TOKENS,
    USERS,
)


class TakenError(Exception):
    """A unique index was violated: the id or the name is held by another document."""


@dataclass(frozen=True, slots=True)
class Record:
    """One stored document: its place, the name it holds, what searches look through, and its JSON text."""

    org: str
    collection: str
    id: str
    text: str
    name: str | None = None
    parent: str = ""
    haystack: str = ""
    seq: int = 0

    def body(self) -> dict[str, Any]:
        """Parse the document."""
        parsed: dict[str, Any] = json.loads(self.text)
        return parsed

    def with_body(self, body: Mapping[str, Any], *, haystack: str | None = None) -> "Record":
        """Give the same record holding another document."""
        text = dumps(body)
        return replace(self, text=text, haystack=self.haystack if haystack is None else haystack)


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a collection a list call asks for."""

    include_archived: bool = False
    search: Sequence[str] = ()
    limit: int = -1
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Changed:
    """One entry of the change history."""

    org: str
    entity: str
    method: str
    reason: str | None


_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def dumps(value: object) -> str:
    """Write JSON the compact way the server does."""
    return _ENCODER.encode(value)


class Store:
    """All documents of all organizations; safe with several threads, durable when `data` names a file."""

    def __init__(self, data: str | None = None) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(data or ":memory:", isolation_level=None, check_same_thread=False)
        self._finalizer = weakref.finalize(self, self._db.close)
        self._db.execute("PRAGMA busy_timeout = 10000")
        if data:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(SCHEMA)
        self._counts: dict[tuple[Any, ...], Any] = {}
        self._counted_at: tuple[int, int] = (0, 0)

    @contextmanager
    def transaction(self, *, reading: bool = False) -> Iterator[None]:
        """Run everything inside as one unit: all of it is kept, or none of it when an exception leaves.

        One that may write asks for the file at once: to ask when it has read already would fail beside another process.
        A unit inside a unit is a part of it.
        """
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN" if reading else "BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                self._counts.clear()
                raise
            self._db.execute("COMMIT")

    def insert(self, record: Record) -> None:
        """Add a document, newest in its collection."""
        self._write(
            "INSERT INTO documents (id, org, collection, parent, name, status, haystack, body) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (record.id, record.org, record.collection, record.parent, *_content(record)),
        )

    def save(self, record: Record) -> None:
        """Write a changed document back in its place."""
        self._write(
            "UPDATE documents SET name = ?, status = ?, haystack = ?, body = ? WHERE id = ?",
            (*_content(record), record.id),
        )

    def remove(self, ident: str) -> None:
        """Delete a document for good."""
        self._write("DELETE FROM documents WHERE id = ?", (ident,))

    def get(self, org: str, collection: str, ident: str) -> Record | None:
        """Find a document by id inside an organization, whatever its status."""
        sql = COLUMNS + "WHERE id = ? AND org = ? AND collection = ?"
        return self._one(sql, (ident, org, collection))

    def find(self, ident: str) -> Record | None:
        """Find a document by id in any organization."""
        return self._one(COLUMNS + "WHERE id = ?", (ident,))

    def named(self, org: str, collection: str, name: str) -> Record | None:
        """Find the document that holds a name: active or archived, never deleted."""
        sql = COLUMNS + "WHERE org = ? AND collection = ? AND name = ? AND status <> 'deleted'"
        return self._one(sql, (org, collection, name))

    def listed(self, org: str, collection: str, window: Window | None = None) -> list[Record]:
        """List a collection, newest first."""
        window = window or Window()
        where = (org, collection, window.include_archived)
        if window.search:
            parameters = (*where, *_padded(window.search), window.limit, window.offset)
            return self._all(SEARCH, parameters)
        if not window.offset:
            return self._all(LIST, (*where, window.limit))
        with self._lock:  # what stands before a far page is counted once, not for every page
            places = self._counting(PLACES, where)
            end = window.offset + window.limit if window.limit >= 0 else None
            rows = places[window.offset : end]
            return self._all(BETWEEN, (*where, rows[-1][0], rows[0][0])) if rows else []

    def count(self, org: str, collection: str, window: Window | None = None) -> int:
        """Count what `listed` would give without limit and offset."""
        window = window or Window()
        where = (org, collection, window.include_archived)
        sql, parameters = (COUNT_MATCHING, (*where, *_padded(window.search))) if window.search else (COUNT, where)
        total: int = self._counting(sql, parameters)[0][0]
        return total

    def children(self, parent: str, collection: str) -> list[Record]:
        """List the documents below another one, oldest first."""
        return self._all(
            COLUMNS + "WHERE parent = ? AND parent <> '' AND collection = ? ORDER BY seq", (parent, collection)
        )

    def everything(self, org: str, collection: str) -> list[Record]:
        """List a whole collection, oldest first, whatever the status."""
        return self._all(COLUMNS + "WHERE org = ? AND collection = ? ORDER BY seq", (org, collection))

    def apps_by(self, org: str, field: str, ident: str) -> list[Record]:
        """List the apps that refer to an agent, a harness or an identity, oldest first."""
        return self._all(APPS_BY[field], (org, ident))

    def users(self, org: str, collection: str, field: str) -> dict[str, int]:
        """Count live apps, or sessions, per agent or per harness."""
        return dict(self._counting(USERS[collection, field], (org,)))

    def record_change(self, change: Changed) -> None:
        """Append to the change history."""
        self._write(
            "INSERT INTO changes (org, entity, method, reason, created_at) VALUES (?, ?, ?, ?, ?)",
            (change.org, change.entity, change.method, change.reason, clock.now()),
        )

    def changes(self, org: str) -> list[Changed]:
        """Read the change history of an organization, oldest first."""
        with self._lock:
            sql = "SELECT org, entity, method, reason FROM changes WHERE org = ? ORDER BY seq"
            return [Changed(*row) for row in self._db.execute(sql, (org,))]

    def is_empty(self) -> bool:
        """Tell whether nothing was ever kept here."""
        with self._lock:
            return self._db.execute("SELECT 1 FROM documents LIMIT 1").fetchone() is None

    def clear(self) -> None:
        """Forget everything."""
        self._write("DELETE FROM documents", ())
        self._write("DELETE FROM changes", ())

    def close(self) -> None:
        """Close the database; the store cannot be used afterwards."""
        with self._lock:
            self._finalizer()

    def query(self, sql: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Run a select of a module that keeps a table of its own."""
        with self._lock:
            return self._db.execute(sql, parameters).fetchall()

    def execute(self, sql: str, parameters: tuple[object, ...] = ()) -> int:
        """Run a writing statement, telling a violated unique index apart; gives the number of rows."""
        with self._lock:
            try:
                return self._db.execute(sql, parameters).rowcount
            except sqlite3.IntegrityError as error:
                raise TakenError(str(error)) from error

    def _write(self, sql: str, parameters: tuple[object, ...]) -> None:
        """Run a writing statement on the store's own tables."""
        self.execute(sql, parameters)

    def _counting(self, sql: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """Run a select that counts, once while nothing changes: a list has many pages, and each tells the total."""
        with self._lock:
            now = self._db.execute("PRAGMA data_version").fetchone()[0], self._db.total_changes
            if now != self._counted_at:
                self._counts.clear()
                self._counted_at = now
            key = (sql, *parameters)
            if key not in self._counts:
                self._counts[key] = self._db.execute(sql, parameters).fetchall()
            found: list[tuple[Any, ...]] = self._counts[key]
            return found

    def _all(self, sql: str, parameters: tuple[object, ...]) -> list[Record]:
        """Run a select and give its records."""
        with self._lock:
            rows = self._db.execute(sql, parameters).fetchall()
        return [_record(row) for row in rows]

    def _one(self, sql: str, parameters: tuple[object, ...]) -> Record | None:
        """Run a select that gives one record at most."""
        with self._lock:
            row = self._db.execute(sql, parameters).fetchone()
        return None if row is None else _record(row)


def _record(row: tuple[Any, ...]) -> Record:
    """Turn a row of `COLUMNS` into a record."""
    seq, ident, org, collection, parent, name, haystack, text = row
    return Record(org, collection, ident, text, name, parent, haystack, seq)


def _content(record: Record) -> tuple[str | None, str, str, str]:
    """Give the columns that change with the document; the status column mirrors the document's own."""
    return record.name, record.body().get("status") or "active", record.haystack, record.text


def _padded(tokens: Sequence[str]) -> tuple[str, ...]:
    """Fill the search slots; an empty token matches everything."""
    return (*tokens, *[""] * (TOKENS - len(tokens)))
