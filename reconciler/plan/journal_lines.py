"""A journal as JSON lines: each record on one, and read back whatever became of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from reconciler.plan.journal import SCHEMA, Damage, Head, Log, Record, Settled

LARGEST = 256 * 1024 * 1024
"""Bytes of a journal that is read: a run of 100,000 steps writes about a quarter of it."""
_MOST_DAMAGE = 20


def dumps(record: Record) -> bytes:
    """Spell a record as one line."""
    try:
        return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:  # half of a surrogate pair, as a path or a host may hold
        plain = {name: _spelled(getattr(record, name)) for name in record.__dataclass_fields__}
        return orjson.dumps(plain, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)


def _spelled(value: Any) -> Any:
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def loads(data: bytes) -> Log:
    """Read a journal: never fails; what cannot be read is told as damage with its line."""
    *lines, rest = data.split(b"\n")
    records: list[Record] = []
    damage: list[Damage] = []
    read = _reader()
    torn = False  # the line before could not be read: no damage where a later run went on behind it
    for number, line in enumerate(lines, 1):
        record = read(line)
        if isinstance(record, Head) and record.schema != SCHEMA:
            return Log(is_newer=True)
        if isinstance(record, str):
            damage.append(Damage(number, record))
        else:
            if torn and isinstance(record, Settled):
                damage.pop()
            records.append(record)
        torn = isinstance(record, str)
    if rest and not records and not damage and not _may_begin(rest):
        damage.append(Damage(1, "this is no journal"))
    if records and not isinstance(records[0], Head):
        damage.insert(0, Damage(1, "it does not begin with the record of a run"))
    return Log(tuple(records), tuple(damage[:_MOST_DAMAGE]))


def _may_begin(rest: bytes) -> bool:
    """Say whether the only line, cut short, could be the beginning of the first record."""
    return rest.startswith(b'{"') or b'{"'.startswith(rest)


@cache
def _reader() -> Callable[[bytes], Record | str]:
    """Make the function that reads a line, or says why it cannot."""
    adapter: TypeAdapter[Record] = TypeAdapter(Annotated[Record, Field(discriminator="type")])

    def read(line: bytes) -> Record | str:
        if b"\0" in line:
            return "it holds zero bytes, as after a loss of power"
        if line.startswith(b'{"') and b'"type":"run"' in line and (newer := _newer(line)):
            return newer
        try:
            return adapter.validate_json(line, strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            return "it is not JSON" if first["type"] == "json_invalid" else f"it is no record ({first['type']})"
        except RecursionError:
            return "it is nested too deeply"

    return read


def _newer(line: bytes) -> Head | None:
    """Return a head with nothing but its schema, where that is of another version than ours."""
    try:
        raw = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    schema = raw.get("schema") if isinstance(raw, dict) else None
    if not isinstance(schema, str) or schema == SCHEMA or not schema.startswith(SCHEMA.rpartition("/")[0]):
        return None
    return Head("", "", "", "", 0, "", "", "", "", 0, schema=schema)
