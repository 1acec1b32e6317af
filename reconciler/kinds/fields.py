"""What a field of a spec can be: the base model, the markers, and the values that stand for something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from reconciler.kinds.markers import Beside, Marker


class Spec(BaseModel):
    """A part of a manifest: unknown keys refused, no coercion, built only when first used.

    Only what the author wrote counts (`model_dump(exclude_unset=True)`); a field's default is what the
    *server* does when the field is left out, kept so that both sides can be compared, never sent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


def required(description: str, *, example: Any, others: Sequence[Any] = (), **constraints: Any) -> Any:
    """Declare a field that must be written; `others` are more examples, for values that only the platform knows."""
    return Field(description=description, examples=[example, *others], **constraints)


def optional(
    description: str, *, example: Any, others: Sequence[Any] = (), default: Any = None, **constraints: Any
) -> Any:
    """Declare a field that may be left out; `default` is what the server does then, None when it stores nothing."""
    return Field(default=default, description=description, examples=[example, *others], **constraints)


NOT_BLANK: dict[str, Any] = {"not": {"type": "string", "pattern": r"^\s*$"}}
"""What the JSON Schema of a text says that must not be blank."""

_PROTECTED = {"const": True, "description": "What is protected cannot be archived.", "examples": [True]}
ARCHIVED_ALONE: dict[str, Any] = {
    "dependentSchemas": {
        "archive": {
            "not": {
                "anyOf": [
                    {"required": ["moved_from"]},
                    {"required": ["replace"]},
                    {"required": ["protect"], "properties": {"protect": _PROTECTED}},
                ]
            }
        }
    }
}
"""What the JSON Schema of metadata says of a resource that is to be archived."""

SENSITIVE, WHOLE, AS_SET, KEPT_BY_REPLACE, EXPOSES, IMMUTABLE = (
    Marker.SENSITIVE,
    Marker.WHOLE,
    Marker.AS_SET,
    Marker.KEPT_BY_REPLACE,
    Marker.EXPOSES,
    Marker.IMMUTABLE,
)


class SecretRef:
    """Where a secret's value will be read when it is sent: an environment variable or a file."""

    __slots__ = ("name", "source")

    def __init__(self, *, source: str, name: str) -> None:
        self.source = source
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretRef) and (self.source, self.name) == (other.source, other.name)

    def __hash__(self) -> int:
        return hash((self.source, self.name))

    def __repr__(self) -> str:
        return f"{{{self.source}: {self.name}}}"


class Set(Enum):
    """Stands where the platform has a secret whose value we never keep."""

    SET = "set"

    def __repr__(self) -> str:
        return "set"


SET = Set.SET


VARIABLE = "^[A-Za-z_][A-Za-z0-9_]*$"
"""The form of a variable's name."""
_VARIABLE = re.compile(VARIABLE)


REWRITTEN = "rewritten"
"""Noted in the context of a validation that gave back anything else than what was written."""


def rewrites(change: Callable[[Any], Any]) -> Callable[[Any, ValidationInfo], Any]:
    """Mark a validator's function that may return something else than it was given.

    What none of them changed is taken as it was written, which spares a copy of every spec.
    """

    def noting(value: Any, info: ValidationInfo) -> Any:
        result = change(value)
        if result is not value:
            note_rewriting(info)
        return result

    return noting


def note_rewriting(info: ValidationInfo) -> None:
    """Note that a validation gives back something else than was written."""
    if info.context is not None:
        info.context[REWRITTEN] = True


def located(path: str, info: ValidationInfo) -> str:
    """Return a path beside the manifest as it is reached from here; refused where it leads out of the manifest root."""
    note_rewriting(info)
    locate = (info.context or {}).get("locate")
    return str(locate(path)) if locate else path


def _secret(value: Any, info: ValidationInfo) -> SecretRef:
    """Accept `{env: NAME}` or `{file: path}`; a plain value is an error that does not repeat it."""
    note_rewriting(info)
    if isinstance(value, SecretRef):
        return value
    match value:
        case {"env": str(name), **rest} if not rest and name and not _VARIABLE.fullmatch(name):
            raise PydanticCustomError(
                "secret_name", "env names an environment variable: letters, digits and underscores, no value"
            )
        case {"env": str(name), **rest} if not rest and name:
            return SecretRef(source="env", name=name)
        case {"file": str(path), **rest} if not rest and path:
            return SecretRef(source="file", name=located(path, info))
        case str():
            raise PydanticCustomError(
                "secret_in_clear", "a secret must not stand in a manifest: write {env: NAME} or {file: path}"
            )
    raise PydanticCustomError("secret_form", "a secret is written {env: NAME} or {file: path}")


def _secret_or_null(value: Any, info: ValidationInfo) -> SecretRef | None:
    return None if value is None else _secret(value, info)


def _text(value: Any, info: ValidationInfo) -> Any:
    """Accept text, or `{file: path}` whose text is read through the context's `read`."""
    if type(value) is not dict:
        return value
    match value:
        case {"file": str(path), **rest} if not rest and path:
            note_rewriting(info)
            read = (info.context or {}).get("read")
            return read(path) if read else path
    raise PydanticCustomError("text_form", "must be text, or {file: path}")


_SECRET_SCHEMA: dict[str, Any] = {
    "description": "A secret by reference; its value is read when it is sent and never shown.",
    "examples": [{"env": "SLACK_BOT_TOKEN"}],
    "oneOf": [
        {
            "type": "object",
            "properties": {
                "env": {
                    "type": "string",
                    "pattern": _VARIABLE.pattern,
                    "description": "Environment variable.",
                    "examples": ["SLACK_BOT_TOKEN"],
                }
            },
            "required": ["env"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {
                "file": {
                    "type": "string",
                    "minLength": 1,
                    "description": "Path beside the manifest.",
                    "examples": ["secrets/bot-token"],
                }
            },
            "required": ["file"],
            "additionalProperties": False,
        },
    ],
}
_NULLABLE_SECRET_SCHEMA = _SECRET_SCHEMA | {"oneOf": [*_SECRET_SCHEMA["oneOf"], {"type": "null"}]}
TEXT_SCHEMA: dict[str, Any] = {
    "oneOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {
                "file": {
                    "type": "string",
                    "minLength": 1,
                    "description": "Path of a text file, relative to this manifest and inside the manifest root.",
                    "examples": ["../prompts/triage.md"],
                }
            },
            "required": ["file"],
            "additionalProperties": False,
        },
    ]
}

_NULLABLE_TEXT_SCHEMA = TEXT_SCHEMA | {"oneOf": [*TEXT_SCHEMA["oneOf"], {"type": "null"}]}

Secret = Annotated[Any, BeforeValidator(_secret), SENSITIVE, WithJsonSchema(_SECRET_SCHEMA)]
ClearableSecret = Annotated[Any, BeforeValidator(_secret_or_null), SENSITIVE, WithJsonSchema(_NULLABLE_SECRET_SCHEMA)]
Text = Annotated[str, BeforeValidator(_text), Beside("prompts"), WithJsonSchema(TEXT_SCHEMA)]
ClearableText = Annotated[str | None, BeforeValidator(_text), Beside("prompts"), WithJsonSchema(_NULLABLE_TEXT_SCHEMA)]
FileText = Annotated[str, BeforeValidator(_text), Beside("files", named_by="path"), WithJsonSchema(TEXT_SCHEMA)]
Tags = Annotated[list[str], AS_SET]
