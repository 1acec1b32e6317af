"""The JSON Schema that editors check manifests by."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from reconciler.kinds import DECLARABLE
from reconciler.manifest.load import load
from reconciler.manifest.parse import parse
from reconciler.manifest.resolve import resolve
from reconciler.manifest.schema import FILE_NAME, manifest_schema, schema_bytes
from reconciler.manifest.suggest import flow

TOP = Path(__file__).parents[2]
SCHEMA = manifest_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
MANIFESTS = sorted(path for path in (TOP / "manifests").rglob("*.yaml"))


def pointed_to(schema):
    """Return what a schema says together with what it refers to; its own words win."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return SCHEMA["$defs"][name] | schema if name else schema


def properties(schema, place=()):
    """Yield (place, schema) of every property in a schema, at whatever depth."""
    if isinstance(schema, list):
        for number, item in enumerate(schema):
            yield from properties(item, (*place, str(number)))
    elif isinstance(schema, dict):
        is_map_of_schemas = place[-1:] in (("properties",), ("$defs",))
        for key, value in schema.items():
            if place[-1:] == ("properties",):
                yield (*place, key), value
            if is_map_of_schemas or key not in ("examples", "default", "const", "enum", "if", "then"):
                yield from properties(value, (*place, key))


PROPERTIES = {"/".join(place): schema for place, schema in properties(SCHEMA)}


def test_it_is_a_schema_of_the_2020_draft():
    """The schema names its draft and is valid in it."""
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMA)


def test_the_published_file_is_fresh():
    """What stands in `schemas/` is what the models say now: write it again with `reconciler schema`."""
    assert (TOP / "schemas" / FILE_NAME).read_bytes() == schema_bytes()
    assert json.loads(schema_bytes()) == SCHEMA


def test_it_is_the_same_every_time():
    """No order in it hangs on a hash: a file in git must not change by itself."""
    assert schema_bytes() == schema_bytes()
    assert list(SCHEMA["$defs"]) == sorted(SCHEMA["$defs"])


def test_every_reference_leads_somewhere_and_nothing_is_left_over():
    """Each definition is there, and is used."""
    text = schema_bytes().decode()
    assert set(re.findall(r'"#/\$defs/(\w+)"', text)) == set(SCHEMA["$defs"])
    assert '"$ref": "#/$defs/' in text


def test_the_walk_reaches_every_depth():
    """The checks of every property below reach envelope, metadata, specs, channels and references to secrets."""
    for place in (
        "properties/metadata",
        "$defs/Metadata/properties/archive",
        "$defs/AgentSpec/properties/system_prompt/oneOf/1/properties/file",
        "$defs/McpServer/properties/headers/additionalProperties/oneOf/0/properties/env",
        "$defs/Captcha/properties/secret_key",
        "$defs/Requirements/properties/claims",
    ):
        assert place in PROPERTIES


@pytest.mark.parametrize("place", PROPERTIES)
def test_every_property_is_described_by_word_and_example(place):
    """An editor can show what each property means and how it is written; the example is a valid one."""
    schema = pointed_to(PROPERTIES[place])
    assert len(schema["description"]) > 10
    assert schema["description"].endswith(".")
    assert schema["examples"]
    validator = Draft202012Validator({"$defs": SCHEMA["$defs"]} | {k: v for k, v in schema.items() if k != "$defs"})
    for example in schema["examples"]:
        validator.validate(example)


@pytest.mark.parametrize("place", PROPERTIES)
def test_every_default_is_valid(place):
    """What the schema calls a default could be written out."""
    schema = pointed_to(PROPERTIES[place])
    if "default" in schema:
        Draft202012Validator({"$defs": SCHEMA["$defs"]} | schema).validate(schema["default"])


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: str(path.relative_to(TOP)))
def test_the_example_fleet_is_valid(path):
    """Every document of `manifests/` satisfies the schema, by a validator that is not ours."""
    documents, faults = parse(path.read_text())
    assert documents
    assert not faults
    for document in documents:
        VALIDATOR.validate(document.value)


def test_the_example_fleet_resolves():
    """Every document of `manifests/` is one for us too."""
    assert not resolve(load([str(TOP / "manifests")])).faults


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: str(path.relative_to(TOP)))
def test_the_example_fleet_names_its_schema(path):
    """The first line of every example tells an editor where the schema is."""
    first = path.read_text().splitlines()[0]
    match = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert match
    assert (path.parent / match[1]).resolve() == TOP / "schemas" / FILE_NAME


@pytest.mark.parametrize("kind", DECLARABLE, ids=lambda kind: kind.name)
def test_a_kind_is_held_to_its_own_fields(kind):
    """The fields of one kind are refused in another."""
    envelope = {"apiVersion": "everruns.reconciler/v1", "kind": kind.name, "metadata": {"name": kind.only or "x"}}
    spec = {name: info.examples[0] for name, info in kind.spec.model_fields.items() if info.is_required()}
    VALIDATOR.validate(envelope | {"spec": spec})
    for other in DECLARABLE:
        for name, info in other.spec.model_fields.items():
            accepted = VALIDATOR.is_valid(envelope | {"spec": spec | {name: info.examples[0]}})
            if name not in kind.spec.model_fields:
                assert not accepted, name


@pytest.mark.parametrize(
    ("kind", "metadata", "spec", "accepted"),
    [
        ("Agent", {"name": "x", "archive": True}, None, True),
        ("Agent", {"name": "x"}, None, False),
        ("App", {"name": "x", "archive": True}, None, False),
        ("App", {"name": "x", "archive": True}, {"name": "Bot"}, True),
        ("App", {"name": "x", "archive": True}, {"name": "Bot", "harnes": "generic"}, False),
        ("App", {"name": "x", "archive": True, "id": "app_" + "0" * 32}, None, True),
        ("App", {"name": "x"}, {"name": "Bot"}, False),
        ("App", {"name": "x"}, None, False),
        ("Memory", {"name": "x"}, None, True),
        ("Memory", {"name": "x", "archive": True}, None, False),
        ("Memory", {"name": "x", "archive": True}, {"name": "Notes"}, True),
        ("Organization", {"name": "x"}, None, True),
        ("Organization", {"name": "x", "archive": True}, None, False),
    ],
)
def test_a_spec_may_be_left_out_where_nothing_is_required(kind, metadata, spec, accepted, tmp_path):
    """To archive needs a name or an id, and a kind without required fields no spec at all; both readers agree."""
    document = {"apiVersion": "everruns.reconciler/v1", "kind": kind, "metadata": metadata}
    document |= {"spec": spec} if spec else {}
    assert VALIDATOR.is_valid(document) is accepted
    (tmp_path / "x.yaml").write_text(flow(document))
    assert (not resolve(load([str(tmp_path)])).faults) is accepted
