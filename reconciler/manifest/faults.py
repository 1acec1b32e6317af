"""From pydantic's errors to Faults: in plain words, at the key at fault, with a way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.errors import Fault, Source
from reconciler.kinds.walk import model_at
from reconciler.manifest.suggest import suggest

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]

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
}
_SLUG_PATTERN = "[a-z0-9]+"


def faults_of(errors: list[ErrorDetails], *, value: Any, source: Source, at: Path, spec: Any) -> list[Fault]:
    """Translate the errors of one validation of `value`, which stands at `at` in its document.

    `spec` is the model, or union of models, that it was validated against.
    """
    return [_fault(error, value=value, source=source, at=at, spec=spec) for error in errors]


def _fault(error: ErrorDetails, *, value: Any, source: Source, at: Path, spec: Any) -> Fault:
    path = _in_document(error["loc"], value)
    full = at + path
    kind, context, given = error["type"], error.get("ctx", {}), error["input"]
    match kind:
        case "missing":
            return Fault(f"{error['loc'][-1]} is missing", source, full[:-1] or full)
        case "extra_forbidden":
            return Fault(f"unknown key {error['loc'][-1]}", source, full, hint=_known(error["loc"], spec))
        case "literal_error":
            expected = [word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
            return Fault(
                f"{_shown(given)} is not allowed here",
                source,
                full,
                hint=suggest(given, expected),
                on_value=True,
            )
        case "union_tag_invalid":
            expected = [word.strip("'") for word in context["expected_tags"].split(", ")]
            key = context["discriminator"].strip("'")
            key = key if key.isidentifier() else "type"
            hint = suggest(context["tag"], expected)
            return Fault(f"unknown {key} {_shown(context['tag'])}", source, (*full, key), hint=hint, on_value=True)
        case "union_tag_not_found":
            return Fault("type is missing", source, full, hint="a channel says what it is, as type: slack")
        case _ if kind in _TYPES:
            return _wrong_type(_TYPES[kind], given, source, full)
        case "string_pattern_mismatch":
            return Fault(_pattern(context["pattern"], given), source, full, on_value=True)
        case "string_too_long" | "too_long" | "string_too_short" | "too_short":
            return Fault(_length(kind, context), source, full, on_value=True)
        case "greater_than_equal" | "less_than_equal" | "greater_than" | "less_than":
            return Fault(_plain(error["msg"]), source, full, on_value=True)
        case "secret_in_clear" | "secret_form":
            return Fault(error["msg"], source, full, hint="for example {env: SLACK_BOT_TOKEN}")
    return Fault(_plain(error["msg"]), source, full, on_value=True)


def _in_document(loc: tuple[str | int, ...], value: Any) -> Path:
    """Keep the steps of a location that are keys and indexes of the input; drop pydantic's tags of unions."""
    path: list[str | int] = []
    for number, step in enumerate(loc):
        is_last = number == len(loc) - 1
        is_index = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if is_index or (isinstance(value, dict) and step in value):
            path.append(step)
            value = value[step]
        elif is_last and isinstance(value, dict):
            path.append(step)
    return tuple(path)


def _known(loc: tuple[str | int, ...], spec: Any) -> str | None:
    """Suggest among the keys that may stand where an unknown one was found."""
    model = model_at(spec, loc[:-1])
    return suggest(loc[-1], model.model_fields) if model else None


def _wrong_type(expected: str, given: Any, source: Source, path: Path) -> Fault:
    if given is None:
        message = "cannot be null: the API has no way to clear it"
        return Fault(
            message,
            source,
            path,
            hint=f"remove the line to leave it alone, or give {expected}",
            on_value=True,
        )
    hint = None
    if expected == "text" and isinstance(given, (int, float)):
        hint = f'quote it: "{given}"' if not isinstance(given, bool) else f'quote it: "{str(given).lower()}"'
        if isinstance(given, float):
            hint = "quote it: YAML reads it as a number and drops what numbers do not keep, as the 0 of 1.10"
    elif expected == "a list":
        hint = "write it as [item, item] or with a dash before each item"
    elif isinstance(given, str) and expected in ("a whole number", "a number", "true or false"):
        hint = "write it without quotes" if _reads_as(given, expected) else None
    return Fault(f"must be {expected}, not {_named(given)}", source, path, hint=hint, on_value=True)


def _reads_as(text: str, expected: str) -> bool:
    return text.lower() in ("true", "false") if expected == "true or false" else text.strip("+-").isdigit()


def _named(value: Any) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "a map"
    return type(value).__name__


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return f'"{text[:60]}"' if isinstance(value, str) else text[:60]


def _pattern(pattern: str, given: Any) -> str:
    if _SLUG_PATTERN in pattern:
        return f"{_shown(given)} is not a name: use lowercase letters, digits and single hyphens"
    if pattern.startswith("^https://"):
        return f"{_shown(given)} must start with https://"
    if "[0-9a-f]{32}" in pattern:
        prefix = pattern.strip("^$").replace("[0-9a-f]{32}", "")
        return f"{_shown(given)} is not an id: it is written {prefix} and 32 hex digits"
    if pattern.startswith("^/workspace"):
        return f"{_shown(given)} must be a path below /workspace"
    return f"{_shown(given)} does not have the form {pattern}"


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
        ("Input should be ", "must be "),
        ("String should ", "must "),
        ("List should ", "must "),
    ):
        if message.startswith(theirs):
            return ours + message.removeprefix(theirs)
    return message
