"""`fields.yaml` against the published file and the declarations: no field of a request is forgotten, on either side."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.kinds import BY_NAME, KINDS
from reconciler.kinds.describe import described
from reconciler.manifest.metadata import Metadata

from ..openapi.published import document  # noqa: TID252 - tests are found by path, there is no package to name

TABLE: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("fields.yaml").read_text())
SCHEMAS: dict[str, Any] = document()["components"]["schemas"]
PUBLISHED = {kind: row for kind, row in TABLE.items() if "schemas" in row}


def fields(schema: dict[str, Any], prefix: str = "", seen: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the path of every field of a schema, nested ones included, as `kinds` spells paths."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in seen:
            yield from fields(SCHEMAS[name], prefix, (*seen, name))
        return
    for word in ("oneOf", "anyOf", "allOf"):
        for member in schema.get(word, ()):
            yield from fields(member, prefix, seen)
    for name, below in schema.get("properties", {}).items():
        path = f"{prefix}.{name}" if prefix else name
        yield path
        yield from fields(below, path, seen)
    if "items" in schema:
        yield from fields(schema["items"], f"{prefix}[]", seen)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from fields(schema["additionalProperties"], f"{prefix}.*", seen)


def test_every_managed_kind_is_in_the_table():
    """A new kind comes with its row."""
    assert set(TABLE) == {kind.name for kind in KINDS if kind.managed}


@pytest.mark.parametrize("kind", PUBLISHED)
def test_no_field_of_a_request_is_forgotten(kind):
    """The table has the fields of both requests, and no others."""
    row = TABLE[kind]
    assert [re.match("(GetOr)?(Create|Update)", name)[2] for name in row["schemas"]] == ["Create", "Update"]
    published = {path for name in row["schemas"] for path in fields(SCHEMAS[name])}
    assert set(row["fields"]) == published


@pytest.mark.parametrize("kind", PUBLISHED)
def test_what_is_supported_exists(kind):
    """What a manifest is said to say is a field of it; what it does not say has a reason."""
    known = {f"spec.{one.path}" for one in described(BY_NAME[kind]).fields}
    known |= {f"metadata.{name}" for name in Metadata.model_fields}
    for path, place in TABLE[kind]["fields"].items():
        if isinstance(place, dict):
            assert set(place) == {"left_out"}, path
            assert len(place["left_out"].split()) > 3, path
        else:
            assert place in known, path


@pytest.mark.parametrize("kind", PUBLISHED)
def test_no_field_of_a_manifest_is_made_up(kind):
    """Every field of a spec is one of the requests', or is told to be ours."""
    row = TABLE[kind]
    said = {place for place in row["fields"].values() if isinstance(place, str)} | set(row.get("ours", {}))
    top = {f"spec.{name}" for name in BY_NAME[kind].spec.model_fields}
    assert top <= said


@pytest.mark.parametrize("kind", sorted(TABLE.keys() - PUBLISHED.keys()))
def test_what_is_not_published_is_not(kind):
    """A kind without requests in the file says so, until it has some."""
    assert TABLE[kind]["unpublished"]
    assert f"Create{kind}Request" not in SCHEMAS
    assert f"Update{kind}Request" not in SCHEMAS
