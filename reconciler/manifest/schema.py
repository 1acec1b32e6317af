"""KINDS as JSON Schema: one combined file, with a description and an example for every field."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

from reconciler.kinds import DECLARABLE
from reconciler.kinds.kind import Kind
from reconciler.kinds.traits import may_be_replaced
from reconciler.manifest.document import API_VERSION
from reconciler.manifest.metadata import Metadata

FILE_NAME = "manifest.schema.json"
_REF = "#/$defs/{model}"


class _WithoutWarnings(GenerateJsonSchema):
    """Spells our models; a default that JSON cannot say is simply not said."""

    def emit_warning(self, kind: JsonSchemaWarningKind, detail: str) -> None:
        """Say nothing."""


def manifest_schema() -> dict[str, Any]:
    """Return the JSON Schema of one manifest document."""
    definitions: dict[str, Any] = {}
    branches = [_branch(kind, definitions) for kind in DECLARABLE]
    metadata = _schema_of(Metadata, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Everruns manifest",
        "description": "One document of a manifest file, as reconciler reads it.",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata"],
        "additionalProperties": False,
        "properties": {
            "apiVersion": {
                "const": API_VERSION,
                "description": "The format of this file.",
                "examples": [API_VERSION],
            },
            "kind": {
                "enum": [kind.name for kind in DECLARABLE],
                "description": "What is declared.",
                "examples": ["Agent"],
            },
            "metadata": metadata | {"examples": [{"name": "support-triage"}]},
            "spec": {"type": "object", "description": "What the platform should have.", "examples": [{}]},
        },
        "allOf": branches,
        "$defs": dict(sorted(definitions.items())),
    }


def schema_bytes() -> bytes:
    """Return the schema as the text of its file."""
    return orjson.dumps(manifest_schema(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _branch(kind: Kind, definitions: dict[str, Any]) -> dict[str, Any]:
    """Say what the spec of one kind looks like; a document that only archives needs no more than a name."""
    spec = _schema_of(kind.spec, definitions)
    lives: dict[str, Any] = {"properties": {"spec": spec}}
    if _resolved(spec, definitions).get("required"):
        lives["required"] = ["spec"]
    goes: dict[str, Any] = {"properties": {"spec": spec}}
    if not kind.can_archive:
        goes = {"properties": {"metadata": {"not": {"required": ["archive"]}}}}
    elif kind.name_field:
        name = {"type": "string", "description": "Display name of what is to be archived.", "examples": ["Support bot"]}
        record = {"properties": {kind.name_field: name}, "required": [kind.name_field], "additionalProperties": False}
        goes["properties"] = {"spec": {"anyOf": [spec, record]}}
        goes["anyOf"] = [{"required": ["spec"]}, {"properties": {"metadata": {"required": ["id"]}}}]
    archives = {"properties": {"metadata": {"required": ["archive"]}}, "required": ["metadata"]}
    then: dict[str, Any] = {"if": archives, "then": goes, "else": lives}
    if not may_be_replaced(kind):
        then = {"allOf": [then, {"properties": {"metadata": {"not": {"required": ["replace"]}}}}]}
    if kind.only:
        alone: dict[str, Any] = {
            "description": "The name of the only one.",
            "examples": [kind.only],
            "const": kind.only,
        }
        then = {"allOf": [then, {"properties": {"metadata": {"properties": {"name": alone}}}}]}
    if kind.reserved or kind.built_in:
        taken = {"not": {"enum": sorted(kind.reserved | kind.built_in)}, "type": "string"}
        named = {"description": "No name that the platform has taken.", "examples": ["field-desk"], **taken}
        then = {"allOf": [then, {"properties": {"metadata": {"properties": {"name": named}}}}]}
    return {"if": {"properties": {"kind": {"const": kind.name}}, "required": ["kind"]}, "then": then}


def _resolved(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = definitions.get(name, schema)
    return found


def _schema_of(spec: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a model, and put what it uses into `definitions`."""
    schema = TypeAdapter(spec).json_schema(ref_template=_REF, schema_generator=_WithoutWarnings)
    definitions.update({name: _tidied(value) for name, value in schema.pop("$defs", {}).items()})
    name = schema.get("title")
    if "properties" in schema and name:
        definitions[name] = _tidied(schema)
        return {"$ref": _REF.format(model=name)}
    tidied: dict[str, Any] = _tidied(schema)
    return tidied


def _tidied(schema: Any) -> Any:
    """Drop what helps no reader: made-up titles, and nulls that stand for "left out"."""
    if isinstance(schema, list):
        return [_tidied(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key, value in schema.items():
        if key == "title" and isinstance(value, str):
            continue
        if key == "default" and value is None:
            continue
        if key in ("properties", "$defs"):
            kept[key] = {name: _tidied(item) for name, item in value.items()}
        elif key in ("examples", "default", "const", "enum", "discriminator"):
            if key != "discriminator":
                kept[key] = value
        else:
            kept[key] = _tidied(value)
    return kept
