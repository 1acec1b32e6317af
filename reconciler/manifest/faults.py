"""From pydantic's errors to Faults: in plain words, at the key at fault, with a way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.errors import Fault, Source
from reconciler.kinds.fields import WHOLE
from reconciler.kinds.secrecy import has_userinfo, holds_secret, looks_secret
from reconciler.kinds.walk import model_at
from reconciler.manifest.metadata import SAID_OF_ITSELF
from reconciler.manifest.suggest import flow, meant, quoted, shown, suggest

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]

_OURS = SAID_OF_ITSELF - {"name", "id"}

_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
    "union_tag_not_found": "a map",
}
_BOOLEANS = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
_SLUG_PATTERN = "[a-z0-9]+"
_AN_ADDRESS = "an https:// address"
_HEX = "[0-9a-f]{32}"
_ANY_ID = rf"^[a-z]+_{_HEX}$"
_A_SECRET = "for example {env: SLACK_BOT_TOKEN}"  # noqa: S105 - no secret, but how to write one


def faults_of(errors: list[ErrorDetails], *, value: Any, source: Source, at: Path, spec: Any) -> list[Fault]:
    """Translate the errors of one validation of `value`, which stands at `at` in its document.

    `spec` is the model, or union of models, that it was validated against. A required key that was misspelt is told
    once, as the unknown key that it is.
    """
    lacking = {error["loc"][:-1] for error in errors if error["type"] == "missing"}
    unknown = [error["loc"] for error in errors if error["type"] == "extra_forbidden"]
    misspelt = {_meant(loc, spec) for loc in unknown if loc[:-1] in lacking}
    told = [error for error in errors if error["type"] != "missing" or error["loc"] not in misspelt]
    return [_fault(error, value=value, source=source, at=at, spec=spec) for error in told]


def _meant(loc: Path, spec: Any) -> Path | None:
    """Return where the key would stand that an unknown one is a misspelling of."""
    model = model_at(spec, loc[:-1])
    key = meant(loc[-1], model.model_fields) if model else None
    return (*loc[:-1], key) if key else None


def _fault(error: ErrorDetails, *, value: Any, source: Source, at: Path, spec: Any) -> Fault:
    loc, given, context = error["loc"], error["input"], error.get("ctx", {})
    full = at + _in_document(loc, value)
    match error["type"]:
        case "missing":
            return Fault(f"{loc[-1]} is missing", source, full[:-1], hint=_example(loc, spec))
        case "extra_forbidden":
            return Fault(_unknown(str(loc[-1])), source, full, hint=_known(loc, spec))
        case kind if given is None and (kind in _TYPES or kind == "literal_error"):
            expected = _TYPES.get(kind) or f"one of {', '.join(_words(context['expected']))}"
            message, hint = _null(expected, loc, spec, is_ours=at in ((), ("metadata",)) or loc[-1] in _OURS)
        case "literal_error" if context["expected"] == "True":
            message, hint = "may only be true", "remove the line"
        case "literal_error":
            message, hint = f"{quoted(given)} is not allowed here", suggest(given, _words(context["expected"]))
        case "union_tag_invalid":
            full = (*full, "type")
            hint = suggest(given["type"], _words(context["expected_tags"]))
            message = f"unknown type {quoted(given['type'])}"
        case "union_tag_not_found" if isinstance(given, dict):
            return Fault("type is missing", source, full, hint=_example((*loc, "type"), spec))
        case kind if kind in _TYPES:
            message, hint = _wrong_type(_TYPES[kind], given, loc, spec)
        case "string_pattern_mismatch":
            message, hint = _mismatch(given, context["pattern"]), None
        case "string_too_long" | "too_long" | "string_too_short" | "too_short" as kind:
            message, hint = _length(kind, context), None
        case "secret_in_clear" | "secret_form" | "secret_name":
            return Fault(error["msg"], source, full, hint=_example(loc, spec) or _A_SECRET)
        case _:
            full += (context["at"],) if "at" in context else ()
            message, hint = _plain(_unspoken(error["msg"], context)), context.get("hint")
    return Fault(message, source, full, hint=hint, on_value=True)


def _in_document(loc: Path, value: Any) -> Path:
    """Keep the steps of a location that are keys and indexes of the input; drop pydantic's tags of unions."""
    path: list[str | int] = []
    for number, step in enumerate(loc):
        is_last = number == len(loc) - 1
        is_index = isinstance(value, list) and isinstance(step, int) and step < len(value)
        is_key = isinstance(value, dict) and step in value
        if is_key and not is_last and step in (value.get("type"), value.get("ref")):
            continue  # a tag, although there is a key of that name
        if is_index or is_key:
            path.append(step)
            value = value[step]
        elif is_last and isinstance(value, dict) and step not in (value.get("type"), value.get("ref")):
            path.append(step)
    return tuple(path)


def _known(loc: Path, spec: Any) -> str | None:
    """Suggest among the keys that may stand where an unknown one was found."""
    model = model_at(spec, loc[:-1])
    return suggest(loc[-1], model.model_fields) if model else None


def _field(loc: Path, spec: Any) -> FieldInfo | None:
    model = model_at(spec, loc[:-1])
    return model.model_fields.get(str(loc[-1])) if model else None


def _is_whole(loc: Path, spec: Any) -> bool:
    field = _field(loc, spec)
    return field is not None and WHOLE in field.metadata


def _example(loc: Path, spec: Any) -> str | None:
    """Show how a field is written, as `for example type: slack`."""
    field = _field(loc, spec)
    return f"for example {flow({str(loc[-1]): field.examples[0]})[1:-1]}" if field and field.examples else None


def _words(listed: str) -> list[str]:
    """Read a list of words as pydantic writes it: `'a', 'b' or 'c'`."""
    return [word.strip("'") for word in listed.replace(" or ", ", ").split(", ")]


def _null(expected: str, loc: Path, spec: Any, *, is_ours: bool) -> tuple[str, str | None]:
    """Say why a null cannot stand here; `is_ours` where the API knows nothing of the field."""
    if isinstance(loc[-1], int):
        return f"must be {expected}, not null", "remove the item"
    field = _field(loc, spec)
    if field and field.is_required():
        return f"must be {expected}, not null", _example(loc, spec)
    if is_ours:
        return f"must be {expected}, not null", "remove the line"
    whole = next((at for at in range(len(loc) - 1, 0, -1) if _is_whole(loc[:at], spec)), None)
    if whole is not None:
        return "cannot be null", f"remove the line: {loc[whole - 1]} is sent as a whole, and what it leaves out is gone"
    message = "cannot be null: the API has no way to clear it"
    return message, f"remove the line to leave it alone, or give {expected}"


def _wrong_type(expected: str, given: Any, loc: Path, spec: Any) -> tuple[str, str | None]:
    hint = None
    if expected == "text" and isinstance(given, float):
        hint = "quote it: YAML reads it as a number and drops what numbers do not keep, as the 0 of 1.10"
    elif expected == "text" and isinstance(given, int):
        hint = f'quote it: "{flow(given)}"'
    elif expected == "a list":
        hint = "write it as [item, item] or with a dash before each item"
    elif expected == "a map":
        hint = _example_of_map(loc, spec)
    elif isinstance(given, str):
        hint = _unquoted(given, expected)
    return f"must be {expected}, not {_named(given)}", hint


def _example_of_map(loc: Path, spec: Any) -> str | None:
    model = model_at(spec, loc)
    fields = model.model_fields if model else {}
    needed = {name: info.examples[0] for name, info in fields.items() if info.is_required() and info.examples}
    return f"for example {flow(needed)}" if needed else _example(loc, spec) if loc else None


def _unquoted(text: str, expected: str) -> str | None:
    if expected == "true or false":
        meant = _BOOLEANS.get(text.lower())
        return f"write {meant}, without quotes" if meant else None
    return "write it without quotes" if text.strip("+-").isdigit() else None


def _named(value: Any) -> str:
    match value:
        case bool():
            return flow(value)
        case int() | float():
            return f"the number {flow(value)}"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "a map"
    return type(value).__name__


def _unspoken(message: str, context: Mapping[str, Any]) -> str:
    """Take out of a message what it repeats of the manifest, where that has the form of a secret."""
    for value in (context.get("path"), context.get("ref")):
        if isinstance(value, str) and holds_secret(value):
            message = message.replace(value, "what stands here")
    return message


def _unknown(key: str) -> str:
    """Name an unknown key, unless it is a secret that slipped into the place of one."""
    return "unknown key, which may be a secret" if holds_secret(key) else f"unknown key {shown(key)}"


def _mismatch(given: str, pattern: str) -> str:
    """Say what a text should be; an address that may hold a secret is not repeated."""
    if not pattern.startswith("^https://") or not looks_secret(given):
        return f"{quoted(given)} {_pattern(pattern)}"
    if not given.startswith("https://"):
        return "must start with https://"
    return "must not hold a user name or password" if has_userinfo(given) else f"must be {_AN_ADDRESS}"


def _pattern(pattern: str) -> str:
    """Say in words what a text lacks that does not match."""
    if _SLUG_PATTERN in pattern:
        return "is not a name: use lowercase letters, digits and single hyphens"
    if pattern.startswith("^https://"):
        return f"is not {_AN_ADDRESS}"
    if pattern == _ANY_ID:
        return "is not an id: an id is a prefix, an underscore and 32 hex digits"
    if "latest-published" in pattern:
        return "is no version: write its number as 1.2.0, latest-published, or its id"
    if _HEX in pattern:
        return f"is not an id: it is written {pattern.strip('^$').replace(_HEX, '')} and 32 hex digits"
    if pattern.startswith("^/workspace"):
        return "must be a path below /workspace"
    return "must not be empty or hold spaces" if pattern == r"^\S+$" else f"does not have the form {pattern}"


def _length(kind: str, context: Mapping[str, Any]) -> str:
    if kind == "string_too_long":
        return f"may have at most {context['max_length']} characters"
    if kind == "too_long":
        return f"may have at most {context['max_length']} items"
    return "must not be empty"


def _plain(message: str) -> str:
    """Bring pydantic's own sentences to our tone."""
    message = message.removeprefix("Value error, ")
    for theirs, ours in (
        ("Input should be greater than or equal to ", "must be at least "),
        ("Input should be less than or equal to ", "must be at most "),
        ("Input should be ", "must be "),
        ("String should ", "must "),
        ("List should ", "must "),
    ):
        if message.startswith(theirs):
            return ours + message.removeprefix(theirs)
    return message
