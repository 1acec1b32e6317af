"""What the emulator has stored, as rows that can be compared; pictures of all of it, and the way back to one."""

import json
from dataclasses import dataclass
from typing import Any

from reconciler.emulator.app import Emulator

GONE = ("archived", "deleted")
_COLUMNS = "id, org, collection, parent, status, body"
FILES = """
    SELECT memory || path, org, 'files', memory, '', json_object('name', path, 'hex', hex(content), 'at', f.updated_at)
    FROM memory_files AS f JOIN documents AS d ON d.id = f.memory WHERE NOT is_directory ORDER BY memory, path
"""
"""The files of memories, as documents below them."""


@dataclass(frozen=True)
class Row:
    """One stored document."""

    id: str
    org: str
    collection: str
    parent: str
    status: str
    text: str

    @property
    def body(self) -> dict[str, Any]:
        """The document."""
        found: dict[str, Any] = json.loads(self.text)
        return found

    @property
    def is_gone(self) -> bool:
        """Whether it is archived or deleted."""
        return self.status in GONE


Rows = dict[str, Row]


def rows(emulator: Emulator) -> Rows:
    """Read everything that is stored, by id."""
    store = emulator.store
    with store.transaction(reading=True):
        found = store.query(f"SELECT {_COLUMNS} FROM documents ORDER BY seq") + store.query(FILES)
    return {row[0]: Row(*row) for row in found}


def dump(emulator: Emulator) -> bytes:
    """Take a picture of everything the platform has."""
    with emulator.store._lock:
        return emulator.store._db.serialize()


def restore(emulator: Emulator, picture: bytes) -> None:
    """Put everything back to what it was."""
    with emulator.store._lock:
        emulator.store._db.deserialize(picture)
        emulator.store._counts.clear()
        emulator.store._counted_at = (0, 0)
