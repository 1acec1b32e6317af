"""Typed request bodies: what the server's deserializer accepts, and how it refuses the rest."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Request

from reconciler.emulator import ids
from reconciler.emulator.problems import RejectionError

Check = Callable[[Any], Any]


class MismatchError(Exception):
    """A value does not fit the type declared for it."""


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a body: how it is checked, whether it must be there, whether null is allowed."""

    check: Check
    required: bool = False
    nullable: bool = True
    alias: str = ""


Fields = Mapping[str, Field]


def read(request: Request, fields: Fields) -> dict[str, Any]:
    """Parse the body of a request into the members declared and present; unknown members are ignored."""
    return _fitted(fields, _json(request))


def read_optional(request: Request, fields: Fields) -> dict[str, Any]:
    """Parse a body that may be null or missing altogether."""
    if not request.mimetype and not request.get_data():
        return {}
    value = _json(request)
    return {} if value is None else _fitted(fields, value)


def _json(request: Request) -> Any:
    """Read the JSON of a request, or refuse it."""
    if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        raise RejectionError(415, "Expected request with `Content-Type: application/json`")
    raw = request.get_data()
    try:
        return loads(raw)
    except ValueError as error:
        raise RejectionError(400, f"Failed to parse the request body as JSON: {error}") from error


def loads(raw: bytes) -> Any:
    """Read JSON as strictly as the server: UTF-8 without a mark, finite numbers, whole characters; raises ValueError.

    Python's reader would take more (everruns-api/orgs-apps-errors.md, 4.2: broken JSON is 400).
    """
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_no_constant, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("recursion limit exceeded") from error
    if b"\\u" in raw:
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text
    return value


def _fitted(fields: Fields, value: Any) -> dict[str, Any]:
    """Check a body against its members; one that does not fit never reaches the command."""
    try:
        return parse(fields, value)
    except MismatchError as error:
        prefix = "Failed to deserialize the JSON body into the target type: "
        raise RejectionError(422, prefix + str(error)) from error


def _finite(digits: str) -> float:
    """Read a number with a point or an exponent, unless it is beyond what a double holds."""
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number


def _no_constant(name: str) -> None:
    """Refuse NaN and the infinities, which Python's reader would take."""
    raise ValueError(f"invalid number {name}")


def parse(fields: Fields, value: Any) -> dict[str, Any]:
    """Check an object against its declared members."""
    if not isinstance(value, dict):
        raise _wrong(value, "a map")
    found: dict[str, Any] = {}
    for name, field in fields.items():
        key = name if name in value or not field.alias else field.alias
        if key not in value:
            if field.required:
                raise MismatchError(f"missing field `{name}`")
            continue
        found[name] = _member(name, field, value[key])
    return found


def _member(name: str, field: Field, value: Any) -> Any:
    """Check one member, naming it in the refusal."""
    if value is None and field.nullable and not field.required:
        return None
    try:
        return field.check(value)
    except MismatchError as error:
        raise MismatchError(f"{name}: {error}") from error


def text(value: Any) -> str:
    """Accept a string."""
    if not isinstance(value, str):
        raise _wrong(value, "a string")
    return value


def flag(value: Any) -> bool:
    """Accept a boolean."""
    if not isinstance(value, bool):
        raise _wrong(value, "a boolean")
    return value


def anything(value: Any) -> Any:
    """Accept any JSON."""
    return value


def whole(least: int, most: int) -> Check:
    """Accept an integer within bounds."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong(value, "an integer")
        if not least <= value <= most:
            raise MismatchError(f"invalid value: integer `{value}`, expected {least}..={most}")
        return value

    return check


u32 = whole(0, 2**32 - 1)
i32 = whole(-(2**31), 2**31 - 1)


def choice(*names: str) -> Check:
    """Accept one of the names of an enumeration."""

    def check(value: Any) -> str:
        if text(value) not in names:
            expected = ", ".join(f"`{name}`" for name in names)
            raise MismatchError(f"unknown variant `{value}`, expected one of {expected}")
        return str(value)

    return check


def identifier(prefix: str) -> Check:
    """Accept a well-formed public id."""

    def check(value: Any) -> str:
        fault = ids.fault(prefix, text(value))
        if fault:
            raise MismatchError(fault)
        return str(value)

    return check


def list_of(item: Check) -> Check:
    """Accept a list."""

    def check(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise _wrong(value, "a sequence")
        return [item(entry) for entry in value]

    return check


def map_of(item: Check) -> Check:
    """Accept an object with values of one type."""

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong(value, "a map")
        return {key: item(entry) for key, entry in value.items()}

    return check


def struct(fields: Fields) -> Check:
    """Accept an object with declared members."""
    return lambda value: parse(fields, value)


def _wrong(value: Any, expected: str) -> MismatchError:
    """Describe a value of the wrong type."""
    return MismatchError(f"invalid type: {_described(value)}, expected {expected}")


def _described(value: Any) -> str:
    """Name a JSON value the way the deserializer does."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"boolean `{str(value).lower()}`"
    if isinstance(value, int):
        return f"integer `{value}`"
    if isinstance(value, float):
        return f"floating point `{value}`"
    if isinstance(value, str):
        return f"string {json.dumps(value)}"
    return "sequence" if isinstance(value, list) else "map"
