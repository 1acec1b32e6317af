"""A tainted value: whatever is done to it shows its reference, and two places alone can open it."""

import ast
import copy
import json
import pickle
from pathlib import Path

import orjson
import pytest

import reconciler
from reconciler.kinds.fields import SecretRef
from reconciler.kinds.taint import Tainted, carried, opened

SHOWN = "{env: HOOK}"
SHOWS = [
    repr,
    str,
    "{}".format,
    "{:>40}".format,
    lambda value: "%s %r" % (value, [value]),  # noqa: UP031 - one of the ways to format
    lambda value: f"{value!s} {value!r} {value!a}",
    lambda value: json.dumps({"a": value}, default=str),
    lambda value: repr(copy.deepcopy({"a": value})) + repr(copy.copy(value)),
    lambda value: orjson.dumps([value], default=repr).decode(),
]


@pytest.fixture
def value():
    """Give a tainted value."""
    return Tainted(SecretRef(source="env", name="HOOK"), "sesame")


@pytest.mark.parametrize("show", SHOWS)
def test_it_is_shown_as_its_reference(value, show):
    """Every way to make text of it gives the reference."""
    assert SHOWN in show(value)
    assert "sesame" not in show(value)


REFUSED = [pickle.dumps, json.dumps, orjson.dumps, "".join, lambda value: "" + value, vars, iter, len, bytes]


@pytest.mark.parametrize("use", REFUSED)
def test_it_is_no_text_and_no_data(value, use):
    """It cannot be stored, joined or taken apart, and what is said of that does not hold it."""
    with pytest.raises((TypeError, orjson.JSONEncodeError)) as raised:
        use([value] if use == "".join else value)
    assert "sesame" not in str(raised.value)


def test_it_is_opened_by_name():
    """The door gives the value, and nothing of what is no secret."""
    assert opened(Tainted(SecretRef(source="file", name="a"), "sesame")) == "sesame"
    with pytest.raises(TypeError):
        opened("sesame")


def test_what_a_body_carries(value):
    """The references are found wherever they stand, each as often as it stands there."""
    assert list(carried({"a": [value, {"b": value}], "c": "d"})) == [value.ref, value.ref]
    assert list(carried({"a": 1})) == []


def test_two_places_open_it():
    """Where the bytes of a request are made, and where a digest is taken: nobody else so much as imports the door."""
    top = Path(reconciler.__file__).parent
    found = set()
    for path in top.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "reconciler.kinds.taint":
                found |= {(str(path.relative_to(top)), name.name) for name in node.names if name.name == "opened"}
    assert found == {("live/connection.py", "opened"), ("ledger/fingerprint.py", "opened"), ("live/keys.py", "opened")}
