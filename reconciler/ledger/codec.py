"""The ledger as text: canonical JSON, the same bytes for the same ledger, read back with suspicion."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Any, Final

import orjson

from reconciler.errors import LedgerDamaged
from reconciler.ledger.fingerprint import is_fingerprint
from reconciler.ledger.migrate import VERSION, migrated
from reconciler.plan.owned import Entry, Farewell, Ledger, Owner
from reconciler.resource import Address

_ENTRY: Final = frozenset({"id", "kind", "protect", "commit", "applied_at", "fields", "secrets"})
FORMAT: Final = "everruns.reconciler/ledger"
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_DIGEST_LENGTH: Final = 32
_LONGEST: Final = 300
_REBUILD: Final = (
    "restore an older one (git keeps them on the ledger's branch), or begin a new one: reconciler ledger rebuild; "
    "nothing is archived then, and what agrees is taken over again"
)


def dumps(ledger: Ledger) -> bytes:
    """Spell a ledger as canonical JSON: sorted, indented for diffs, with a line end."""
    orgs: dict[str, dict[str, Any]] = {}
    for address, entry in ledger.entries.items():
        orgs.setdefault(address.org, {})[address.local] = {
            "id": entry.id,
            "kind": address.kind,
            "protect": entry.protect,
            "commit": entry.commit,
            "applied_at": entry.applied_at,
            "fields": entry.fields,
            "secrets": entry.secrets,
        }
    data = {
        "format": FORMAT,
        "version": VERSION,
        "serial": ledger.serial,
        "owner": ledger.owner._asdict(),
        "orgs": orgs,
        "org_ids": dict(ledger.orgs),
        "begun": sorted(map(str, ledger.begun)),
        "runs": {
            run: {"at": one.at, "archived": {str(address): id_ for address, id_ in one.archived.items()}}
            for run, one in ledger.runs.items()
        },
    }
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def loads(data: bytes, *, place: str) -> Ledger:
    """Read a ledger, of this version or an older one; `place` says in words where it stands.

    Raises LedgerDamaged for a newer version, and for anything that is not exactly a ledger.
    """
    try:
        raw = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise LedgerDamaged(f"the ledger in {place} is damaged: {error}", hint=_REBUILD) from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise LedgerDamaged(f"what stands in {place} is not a ledger", hint=_REBUILD)
    version = raw.get("version")
    if type(version) is not int or version < 0:
        raise LedgerDamaged(f"the ledger in {place} is damaged: it has no version", hint=_REBUILD)
    if version > VERSION:
        message = f"the ledger in {place} is of version {version}, this reconciler reads up to {VERSION}"
        raise LedgerDamaged(message, hint="upgrade reconciler: a newer one has written it")
    try:
        return _ledger(migrated(raw, version))
    except _Odd as odd:
        raise LedgerDamaged(f"the ledger in {place} is damaged: {_shown(odd)}", hint=_REBUILD) from odd
    except (KeyError, TypeError, AttributeError, ValueError) as error:  # what a migration stumbles over
        message = f"the ledger in {place} is damaged: {type(error).__name__} {_shown(error)}"
        raise LedgerDamaged(message, hint=_REBUILD) from error


class _Odd(Exception):
    """Something in a document is not as it must be; the message says where and what."""


def _shown(error: Exception) -> str:
    """Return what an error says, cut where nobody reads on: it may quote what stands in the ledger."""
    text = str(error)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _ledger(raw: dict[str, Any]) -> Ledger:
    _members(raw, {"format", "version", "serial", "owner", "orgs", "org_ids", "begun", "runs"}, "the document")
    owner = _members(raw["owner"], {"repository", "root", "environment"}, "owner")
    serial, begun = raw["serial"], raw["begun"]
    if type(serial) is not int or serial < 0:
        raise _Odd("serial is no count")
    if type(begun) is not list:
        raise _Odd("begun is no list")
    entries = {
        address: entry
        for org, items in _map(raw["orgs"], "orgs").items()
        for address, entry in (_item(org, local, item) for local, item in _map(items, f"orgs.{org}").items())
    }
    return Ledger(
        owner=Owner(**{name: _text(value, f"owner.{name}") for name, value in owner.items()}),
        serial=serial,
        entries=entries,
        begun=frozenset(_address(_text(text, "begun")) for text in begun),
        orgs={org: _text(id_, f"org_ids.{org}") for org, id_ in _map(raw["org_ids"], "org_ids").items()},
        runs={run: _farewell(run, one) for run, one in _map(raw["runs"], "runs").items()},
    )


def _item(org: str, local: str, item: Any) -> tuple[Address, Entry]:
    address = _address(f"{org}/{local}")
    where = f"{org}/{local}"
    _members(item, _ENTRY, where)
    if item["kind"] != address.kind:
        raise _Odd(f"{where}: its kind is said to be {item['kind']}")
    if type(item["protect"]) is not bool:
        raise _Odd(f"{where}: protect is neither true nor false")
    if not _is_time(_text(item["applied_at"], where)):
        raise _Odd(f"{where}: applied_at is no time")
    fields, secrets = _map(item["fields"], where), _map(item["secrets"], where)
    if not _are_digests(fields.values()):
        raise _Odd(f"{where}: fields holds something that is no digest")
    if not all(type(value) is str and is_fingerprint(value) for value in secrets.values()):
        raise _Odd(f"{where}: secrets holds something that is no fingerprint")
    if not all(map(_is_pointer, fields)) or not all(map(_is_pointer, secrets)):
        raise _Odd(f"{where}: a path does not begin with /")
    return address, Entry(
        id=_text(item["id"], where),
        applied_at=item["applied_at"],
        commit=None if item["commit"] is None else _text(item["commit"], where),
        protect=item["protect"],
        fields=fields,
        secrets=secrets,
    )


def _are_digests(values: Collection[Any]) -> bool:
    """Say whether all of these are digests; they are looked at together, since there are many."""
    try:
        return len(bytes.fromhex("".join(values))) * 2 == _DIGEST_LENGTH * len(values) == len("".join(values))
    except (TypeError, ValueError):
        return False


@lru_cache(maxsize=1_000)
def _is_time(text: str) -> bool:
    return _TIME.fullmatch(text) is not None


@lru_cache(maxsize=10_000)
def _is_pointer(path: str) -> bool:
    return path.startswith("/")


def _farewell(run: str, raw: Any) -> Farewell:
    where = f"runs.{run}"
    _members(raw, {"at", "archived"}, where)
    if not _TIME.fullmatch(_text(raw["at"], where)):
        raise _Odd(f"{where}: at is no time")
    archived = _map(raw["archived"], where).items()
    return Farewell(raw["at"], {_address(text): _text(id_, where) for text, id_ in archived})


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise _Odd(f"{text} is no address of a kind that this version knows") from error


def _members(value: Any, names: Collection[str], where: str) -> dict[str, Any]:
    found = _map(value, where)
    if found.keys() != names:
        raise _Odd(f"{where}: {', '.join(sorted(found.keys() ^ set(names)))} is missing or surplus")
    return found


def _map(value: Any, where: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise _Odd(f"{where} is no map")
    return value


def _text(value: Any, where: str) -> str:
    if type(value) is not str or not value:
        raise _Odd(f"{where} holds {type(value).__name__} where text belongs")
    return value
