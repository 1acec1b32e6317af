"""Which memory is synced next, and what a sync leaves behind (everruns-api/agents-memories-sessions.md, 4.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.emulator import clock, file_tree
from reconciler.emulator.file_tree import NewFile
from reconciler.emulator.memory_documents import PATH, stored
from reconciler.emulator.store import Store

RECLAIM_SECONDS = 15 * 60
INDEX = "CREATE INDEX IF NOT EXISTS memories ON documents (status) WHERE collection = 'memories'"
NEXT = """
    WITH memory AS (
        SELECT
            org,
            id,
            json_extract(body, '$.source_type') AS kind,
            json_extract(body, '$.sync_status') AS state,
            json_extract(body, '$.updated_at') AS updated_at,
            json_extract(body, '$.last_synced_at') AS last_synced_at,
            json_extract(body, '$.source.sync_interval_secs') AS interval
        FROM documents INDEXED BY memories
        WHERE collection = 'memories' AND status = 'active'
    )
    SELECT org, id FROM memory
    WHERE kind <> 'manual' AND (
        state = 'pending'
        OR (state = 'syncing' AND updated_at < ?)
        OR (
            state IN ('synced', 'succeeded', 'failed')
            AND interval > 0
            AND julianday(coalesce(last_synced_at, updated_at)) + interval / 86400.0 < julianday(?)
        )
    )
    ORDER BY updated_at LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A memory the worker has taken on, known again by when it did."""

    org: str
    memory: str
    claimed_at: str
    source: Mapping[str, Any]


def prepare(store: Store) -> None:
    """Make the index where it is missing."""
    store.execute(INDEX)


def claim(store: Store) -> Claim | None:
    """Take on the memory that has waited longest: a queued one, one abandoned, or one whose interval has passed."""
    with store.transaction():
        rows = store.query(NEXT, (clock.ago(seconds=RECLAIM_SECONDS), clock.now()))
        record = store.get(rows[0][0], PATH, rows[0][1]) if rows else None
        if record is None:
            return None
        moment = clock.now()
        changed = {**record.body(), "sync_status": "syncing", "last_sync_error": None, "updated_at": moment}
        store.save(stored(record.org, changed))
    return Claim(record.org, record.id, moment, changed["source"])


def complete(store: Store, done: Claim, files: Sequence[NewFile], *, spelling: str) -> bool:
    """Replace all files and record the success; tells whether the claim still held."""
    moment = clock.now()
    news = {"sync_status": spelling, "last_synced_at": moment, "last_sync_error": None, "updated_at": moment}
    with store.transaction():
        held = _record(store, done, news)
        if held:
            file_tree.replace_all(store, done.memory, files)
    return held


def fail(store: Store, done: Claim, error: str) -> bool:
    """Record a failure, keeping the files of the last success; tells whether the claim still held."""
    news = {"sync_status": "failed", "last_sync_error": error, "updated_at": clock.now()}
    with store.transaction():
        return _record(store, done, news)


def release(store: Store, given_up: Claim) -> bool:
    """Let a memory wait again whose sync was given up for the shutdown; tells whether the claim still held."""
    with store.transaction():
        return _record(store, given_up, {"sync_status": "pending"})


def _record(store: Store, done: Claim, news: Mapping[str, Any]) -> bool:
    """Write the result of a sync, unless the memory was touched since it was claimed."""
    record = store.get(done.org, PATH, done.memory)
    body = record.body() if record else {}
    held = (body.get("updated_at"), body.get("sync_status"), body.get("status"))
    if held != (done.claimed_at, "syncing", "active"):
        return False
    store.save(stored(done.org, {**body, **news}))
    return True
