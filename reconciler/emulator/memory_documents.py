"""A memory as it is stored and shown: the order of its members, and which are left out."""

from collections.abc import Mapping
from typing import Any

from reconciler.emulator.store import Record, dumps

PATH = "memories"
ORDER = (
    "id",
    "name",
    "description",
    "source_type",
    "source",
    "is_readonly",
    "sync_status",
    "last_synced_at",
    "last_sync_error",
    "status",
    "created_at",
    "updated_at",
    "archived_at",
)


def stored(org: str, document: Mapping[str, Any]) -> Record:
    """Make the record of a memory, without its unset members (everruns-api/agents-memories-sessions.md, 4.7)."""
    kept = {key: document[key] for key in ORDER if document.get(key) is not None}
    haystack = f"{kept['name']} {kept.get('description', '')}".lower()
    name = kept["name"].lower()
    return Record(org=org, collection=PATH, id=kept["id"], text=dumps(kept), name=name, haystack=haystack)
