"""The generated checks notice when the emulator is broken on purpose: what they find nothing in is worth something."""

import json
from dataclasses import replace

import pytest

from reconciler.emulator import channel_rules, routes
from reconciler.emulator.call import Reply

from .generated import examined


def _kinds(*operations):
    """Run the checks on some operations; gives what kinds of failure were found on which."""
    return {kind[:2] for kind in examined(operations, most=3).failures}


@pytest.fixture
def change(monkeypatch):
    """Put something behind a handler that changes its replies."""

    def put(method, rule, mutate):
        route = routes.RULES[rule][method]
        handler = route.handler
        monkeypatch.setitem(routes.RULES[rule], method, replace(route, handler=lambda call: mutate(handler(call))))

    return put


def test_nothing_is_found_before():
    """The operations that the other tests break pass untouched."""
    assert not _kinds("create_memory", "get_memory", "regenerate_a2a_key", "list_apps")


def test_status_code(change):
    """A creation that answers 200 is noticed."""
    change("POST", "/v1/memories", lambda reply: replace(reply, status=200))
    assert ("UndefinedStatusCode", "create_memory") in _kinds("create_memory")


def test_required_field(change):
    """A memory without `is_readonly` is noticed."""

    def without(reply):
        value = json.loads(reply.text) if reply.text else dict(reply.value)
        del value["is_readonly"]
        return Reply(reply.status, value)

    change("GET", "/v1/memories/<memory>", without)
    assert ("JsonSchemaError", "get_memory") in _kinds("get_memory")


def test_redaction(monkeypatch):
    """A channel that shows what it keeps secret is noticed."""
    monkeypatch.setattr(channel_rules, "visible", lambda _call, channel: dict(channel))
    assert ("JsonSchemaError", "regenerate_a2a_key") in _kinds("regenerate_a2a_key")
