"""The served platform: put back to what it was, compared with what it should be, and whose every row is."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.emulator.app import Emulator

from . import fleet

ID = re.compile(r"\b(?:[a-z]+_)?[0-9a-f]{32}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
GONE = ("archived", "deleted")
INTRUDER = "intruder-"
_COLUMNS = "id, org, collection, parent, status, body"
_RANDOM = re.compile(r"(_at|_hash|_prefix)$|^_?(key|hash|prefix)")
"""Fields that no two runs agree on: times, and what belongs to a generated key."""


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
    found = emulator.store.query(f"SELECT {_COLUMNS} FROM documents ORDER BY seq")
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


def state(found: Mapping[str, Row], *, without: Iterable[str] = ()) -> Counter[str]:
    """Say what is there, each thing in one line without ids and times, so that two platforms can be compared.

    Left out are the ids in `without` and what stands in or below them, and what the platform makes by itself.
    """
    left = set(without)
    kept = [row for row in found.values() if not {row.id, row.org, row.parent} & left and row.collection in _SHOWN]
    return Counter(_line(row, found) for row in kept)


_SHOWN = ("orgs", "agents", "memories", "apps", "channels")


def _line(row: Row, found: Mapping[str, Row]) -> str:
    body = {key: value for key, value in row.body.items() if not _RANDOM.search(key)}
    name = row.body.get("name", row.body.get("channel_type"))
    above = found[row.parent].body["name"] if row.parent else ""
    text = ID.sub(lambda match: _named(match[0], found), json.dumps(_plain(body), sort_keys=True))
    text = re.sub(r"\(archived [0-9a-f]{8}\)", "(archived)", text)
    return f"{_named(row.org, found)}/{row.collection}/{above}/{name} {row.status} {text}"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if not _RANDOM.search(key)}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _named(ident: str, found: Mapping[str, Row]) -> str:
    row = found.get(ident)
    if row is None or row.collection == "channels":
        return "<id>"
    body = row.body
    return f"<{row.collection} {body.get('name') or body.get('model_id')}>"


def twins(found: Mapping[str, Row]) -> list[str]:
    """Name whatever is live twice in a place, foreign or ours: in this fleet no two live things share a name."""
    shared = Counter(
        (row.org, row.collection, row.body["name"].lower() if row.collection == "memories" else row.body["name"])
        for row in found.values()
        if row.collection in ("orgs", "agents", "memories", "apps") and not row.is_gone
    )
    return [str(place) for place, times in shared.items() if times > 1]


def differences(wanted: Counter[str], found: Counter[str]) -> list[str]:
    """Say what is missing and what is too much."""
    missing = [f"missing  {line}" for line in (wanted - found).elements()]
    return sorted(missing + [f"too much {line}" for line in (found - wanted).elements()])


def changed(before: Mapping[str, Row], now: Mapping[str, Row], idents: Iterable[str]) -> list[str]:
    """Say which of these rows are not byte for byte what they were."""
    return [f"{before[one]} is now {now.get(one)}" for one in idents if now.get(one) != before[one]]


def ours(entries: Mapping[Any, Any], found: Mapping[str, Row]) -> list[str]:
    """Say what is wrong with a ledger: it must own exactly what git wants, each of it live and once."""
    owned = {str(address): entry.id for address, entry in entries.items()}
    wanted = fleet.addresses(fleet.after())
    faults = [f"the ledger does not own {one}" for one in sorted(wanted - set(owned))]
    faults += [f"the ledger still owns {one}" for one in sorted(set(owned) - wanted)]
    faults += [f"{one}: {ident} is not live" for one, ident in owned.items() if ident not in found]
    faults += [f"{one}: {ident} is archived" for one, ident in owned.items() if ident in found and found[ident].is_gone]
    return faults + [f"{ident} is owned twice" for ident, times in Counter(owned.values()).items() if times > 1]
