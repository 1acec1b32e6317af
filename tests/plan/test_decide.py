"""What is done about one address."""

import pytest

from reconciler.errors import Fault
from reconciler.kinds import BY_NAME
from reconciler.kinds.fields import SET, SecretRef
from reconciler.plan.change import Action, Precondition, covered
from reconciler.plan.decide import decide
from reconciler.plan.found import Found

TOKEN = SecretRef(source="env", name="TOKEN")
LIVE_AGENT = {
    "name": "triage",
    "system_prompt": "Help.",
    "harness": "generic",
    "capabilities": [{"ref": "web_fetch"}],
    "tags": ["live"],
    "display_name": "Triage",
    "description": "Sorts mail",
}
LIVE_APP = {"name": "bot", "harness": "generic", "published": False, "agent_version_policy": "default"}
WEBHOOK = {"type": "webhook", "enabled": True, "config": {"token": SET, "message": "Go.", "rate_limit_per_minute": 5}}


def only(result):
    """Insist on exactly one change."""
    assert isinstance(result, list), result
    (change,) = result
    return change


# --- create ---


def test_create_sends_the_declared_and_the_name(desired):
    """A create carries every declared field and the title; nulls say nothing there."""
    want = desired("Agent/triage", {"system_prompt": "Help.", "description": None, "tags": []})
    change = only(decide(want, Found()))
    assert (change.action, change.id, change.replace) == (Action.CREATE, None, False)
    assert change.body == {"name": "triage", "system_prompt": "Help.", "tags": []}
    assert change.pre == Precondition()
    assert {(field.name, field.old) for field in change.fields} == {(name, None) for name in change.body}


def test_create_takes_the_title(desired):
    """A declared display name wins over the address."""
    change = only(decide(desired("App/bot", {"name": "Support bot", "harness": "generic"}), Found()))
    assert change.body == {"name": "Support bot", "harness": "generic"}
    assert change.title == "Support bot"


def test_create_of_a_child(desired):
    """A child has no name to send, and minds which siblings it was planned among."""
    want = desired("App/bot/Channel/hook", {"type": "webhook", "config": {"token": TOKEN, "message": "Go."}})
    change = only(decide(want, Found(siblings=["b", "a"])))
    assert change.body == {"type": "webhook", "config": {"token": TOKEN, "message": "Go."}}
    assert change.pre == Precondition(beside=("a", "b"))
    assert change.secrets == (TOKEN,)


def test_create_adds_what_the_server_adds(desired):
    """Initial files bring their capability."""
    spec = {
        "system_prompt": "",
        "initial_files": [{"path": "a", "content": "x"}],
        "capabilities": [{"ref": "web_fetch"}],
    }
    change = only(decide(desired("Agent/triage", spec), Found()))
    assert [item["ref"] for item in change.body["capabilities"]] == ["session_file_system", "web_fetch"]


# --- in sync, update ---


def test_in_sync(desired, observed):
    """Nothing declared differs: nothing is done."""
    want = desired("Agent/triage", {"system_prompt": "Help.", "tags": ["live"]})
    assert decide(want, Found(observed("Agent/triage", LIVE_AGENT))) == []


def test_update_sends_what_differs(desired, observed):
    """An update is a PATCH of the fields that differ, bound to everything declared."""
    live = observed("Agent/triage", LIVE_AGENT)
    want = desired("Agent/triage", {"system_prompt": "Assist.", "tags": ["live"]})
    change = only(decide(want, Found(live)))
    assert (change.action, change.replace, change.id) == (Action.UPDATE, False, live.id)
    assert change.body == {"system_prompt": "Assist."}
    assert change.pre.covers == ("system_prompt", "tags")
    assert change.pre.digest == covered(change.kind, live.shape, change.pre, updated_at=None)
    assert change.pre.digest != covered(change.kind, live.shape | {"tags": ["x"]}, change.pre, updated_at=None)
    assert change.pre.digest == covered(change.kind, live.shape | {"description": "x"}, change.pre, updated_at=None)


def test_rename(desired, observed):
    """The address gives the name when the manifest does not, and the precondition covers it."""
    live = observed("Memory/docs", {"name": "Docs", "source": {"type": "manual"}})
    change = only(decide(desired("Memory/docs", {}), Found(live)))
    assert change.body == {"name": "docs"}
    assert "name" in change.pre.covers


def test_rename_of_a_slug(desired, observed):
    """What has no display name is called by its address, and is renamed to it."""
    live = observed("Agent/triage", {"name": "helper", "system_prompt": "Help."})
    change = only(decide(desired("Agent/triage", {"system_prompt": "Help."}), Found(live)))
    assert (change.action, change.body) == (Action.UPDATE, {"name": "triage"})
    assert "name" in change.pre.covers
    assert decide(desired("Agent/helper", {"system_prompt": "Help."}), Found(live)) == []


def test_rename_of_what_is_restored(desired, observed):
    """An archived agent comes back under the name of its address."""
    twin = observed("Agent/triage", {"name": "helper", "system_prompt": "Help."}, archived=True)
    change = only(decide(desired("Agent/triage", {"system_prompt": "Help."}), Found(twin=twin)))
    assert change.action is Action.RESTORE
    assert change.body["name"] == "triage"
    assert [(field.name, field.old, field.new) for field in change.fields] == [("name", "helper", "triage")]


def test_update_of_a_child_keeps_what_is_not_declared(desired, observed):
    """A setting replaced whole goes out with what is live, and with its secrets, which may be another's."""
    want = desired("App/bot/Channel/hook", {"type": "webhook", "config": {"token": TOKEN, "message": "Run."}})
    change = only(decide(want, Found(observed("App/bot/Channel/hook", WEBHOOK))))
    assert change.body == {"config": {"message": "Run.", "rate_limit_per_minute": 5, "token": TOKEN}}
    assert change.secrets == (TOKEN,)
    assert change.pre.with_time


def test_update_of_a_secret_minds_the_time(desired, observed):
    """What cannot be compared is bound to the time of the last change instead."""
    live = observed("App/bot/Channel/f", {"type": "fcp", "enabled": True, "config": {}}, updated_at="2026-01-01")
    change = only(decide(desired("App/bot/Channel/f", {"type": "fcp", "config": {"token": TOKEN}}), Found(live)))
    assert change.body == {"config": {"token": TOKEN}}
    assert change.pre.with_time
    assert change.pre.digest != covered(change.kind, live.shape, change.pre, updated_at="2026-01-02")


def test_another_type_shares_nothing(desired, observed):
    """A child pinned to one of another type is sent whole: no setting of the old type goes along."""
    want = desired("App/bot/Channel/hook", {"type": "fcp", "config": {"token": TOKEN}})
    change = only(decide(want, Found(observed("App/bot/Channel/hook", WEBHOOK))))
    assert change.body == {"type": "fcp", "config": {"token": TOKEN}}


# --- clearing ---

CLEARS = [
    ("Memory/docs", {"name": "docs", "description": "x", "source": {"type": "manual"}}, "description", None, False),
    ("App/bot", {**LIVE_APP, "description": "x"}, "description", "", False),
    ("App/bot", {**LIVE_APP, "agent_identity": "desk"}, "agent_identity", None, False),
    ("Agent/triage", {**LIVE_AGENT, "network_access": {"allowed": ["a"]}}, "network_access", {}, False),
    ("Agent/triage", LIVE_AGENT, "display_name", None, True),
    ("Agent/triage", LIVE_AGENT, "description", None, True),
    ("Agent/triage", {**LIVE_AGENT, "max_iterations": 3}, "max_iterations", None, True),
    ("Agent/triage", {**LIVE_AGENT, "parallel_tool_calls": False}, "parallel_tool_calls", None, True),
    ("Agent/triage", {**LIVE_AGENT, "default_model": "m"}, "default_model", None, True),
]


@pytest.mark.parametrize(("address", "live", "field", "sent", "whole"), CLEARS)
def test_clearing(desired, observed, address, live, field, sent, whole):
    """Null, an empty value, or the whole resource without it: as the API clears each field."""
    change = only(decide(desired(address, {field: None}), Found(observed(address, live))))
    assert [(f.name, f.new) for f in change.fields] == [(field, None)]
    assert change.replace is whole
    if whole:
        assert field not in change.body
        assert change.body == {key: value for key, value in observed(address, live).spec.items() if key != field}
        assert change.pre.covers is None
    else:
        assert change.body == {field: sent}


def test_replacing_keeps_what_is_not_declared(desired, observed):
    """A PUT writes back what is live, with the declared fields in their place."""
    want = desired("Agent/triage", {"system_prompt": "Assist.", "display_name": None})
    change = only(decide(want, Found(observed("Agent/triage", LIVE_AGENT))))
    assert change.body == {key: v for key, v in LIVE_AGENT.items() if key != "display_name"} | {
        "system_prompt": "Assist."
    }
    assert change.then == {}


def test_replacing_empties_capabilities_afterwards(desired, observed):
    """PUT keeps an empty list of capabilities, so a second call empties it."""
    want = desired("Agent/triage", {"display_name": None, "capabilities": []})
    change = only(decide(want, Found(observed("Agent/triage", LIVE_AGENT))))
    assert change.replace
    assert change.then == {"capabilities": []}
    bare = {key: value for key, value in LIVE_AGENT.items() if key != "capabilities"}
    assert only(decide(want, Found(observed("Agent/triage", bare)))).then == {}


MCP = {"crm": {"url": "https://crm.example.com", "headers": {"Authorization": SET}}}


def test_replacing_needs_every_secret(desired, observed):
    """What must be replaced whole and holds secrets nobody declared is refused, with what to declare."""
    live = observed("Agent/triage", {**LIVE_AGENT, "mcpServers": MCP})
    fault = decide(desired("Agent/triage", {"display_name": None}), Found(live))
    assert isinstance(fault, Fault)
    assert "mcpServers holds secrets not declared here" in fault.message
    assert fault.message.startswith("clearing display_name must replace the whole agent")
    assert "declare mcpServers" in fault.hint
    assert "mcpServers: {}" in fault.hint
    emptied = only(decide(desired("Agent/triage", {"display_name": None, "mcpServers": {}}), Found(live)))
    assert emptied.replace
    assert not emptied.body.get("mcpServers")
    declared = {"crm": {"url": "https://crm.example.com", "headers": {"Authorization": TOKEN}}}
    change = only(decide(desired("Agent/triage", {"display_name": None, "mcpServers": declared}), Found(live)))
    assert change.body["mcpServers"]["crm"]["headers"] == {"Authorization": TOKEN}
    assert change.secrets == (TOKEN,)


# --- archived twins ---


def test_twin_is_revived(desired, observed):
    """An archived agent of the name is brought back whole, with what was not declared as it was."""
    twin = observed("Agent/triage", LIVE_AGENT, archived=True)
    change = only(decide(desired("Agent/triage", {"system_prompt": "Assist.", "capabilities": []}), Found(twin=twin)))
    assert (change.action, change.id, change.replace) == (Action.RESTORE, twin.id, True)
    assert change.body["tags"] == ["live"]
    assert change.body["system_prompt"] == "Assist."
    assert change.then == {"capabilities": []}
    assert change.pre == Precondition(twin.id, covered(change.kind, twin.shape, Precondition(), updated_at=None))


def test_twin_is_revived_even_when_equal(desired, observed):
    """An archived agent that already agrees is restored all the same."""
    twin = observed("Agent/triage", LIVE_AGENT, archived=True)
    change = only(decide(desired("Agent/triage", {"system_prompt": "Help."}), Found(twin=twin)))
    assert (change.action, change.fields) == (Action.RESTORE, ())


def test_twin_is_renamed(desired, observed):
    """An archived memory of the name steps aside for a new one."""
    twin = observed("Memory/docs", {"name": "Docs"}, archived=True)
    change = only(decide(desired("Memory/docs", {"name": "docs"}), Found(twin=twin)))
    assert (change.action, change.id, change.frees) == (Action.CREATE, None, twin.id)
    assert "renamed out of the way" in change.notes[0]


def test_twin_is_ignored(desired, observed):
    """An archived app does not hold its name."""
    twin = observed("App/bot", LIVE_APP, archived=True)
    change = only(decide(desired("App/bot", {"harness": "generic"}), Found(twin=twin)))
    assert (change.action, change.frees, change.notes) == (Action.CREATE, None, ())


# --- archive ---


@pytest.mark.parametrize(("address", "live"), [("Agent/triage", LIVE_AGENT), ("App/bot/Channel/hook", WEBHOOK)])
def test_archive(desired, observed, address, live):
    """What git wants gone is archived while all of it is as it was seen; channels are gone for good, and say so."""
    seen = observed(address, live)
    change = only(decide(desired(address, {}, archive=True), Found(seen)))
    assert (change.action, change.id, change.body) == (Action.ARCHIVE, seen.id, {})
    assert change.pre == Precondition(seen.id, covered(change.kind, seen.shape, Precondition(), updated_at=None))
    assert bool(change.notes) is BY_NAME[seen.address.kind].archive_is_final


def test_archive_of_nothing(desired, observed):
    """What is gone or archived already is left alone."""
    assert decide(desired("Agent/triage", {}, archive=True), Found()) == []
    twin = observed("Agent/triage", LIVE_AGENT, archived=True)
    assert decide(desired("Agent/triage", {}, archive=True), Found(twin=twin)) == []


# --- publish ---

PUBLISHING = [
    (True, False, [Action.PUBLISH]),
    (False, True, [Action.UNPUBLISH]),
    (True, True, []),
    (False, False, []),
]


@pytest.mark.parametrize(("want", "have", "actions"), PUBLISHING)
def test_publishing(desired, observed, want, have, actions):
    """Publishing is a step of its own, taken only when it changes something."""
    live = observed("App/bot", {**LIVE_APP, "published": have})
    result = decide(desired("App/bot", {"published": want}), Found(live, has_children=True))
    assert [change.action for change in result] == actions
    for change in result:
        assert change.body == {}
        assert change.pre.covers == ("published",)


def test_publishing_a_new_app(desired):
    """A new app is created as a draft and published by a second step; unpublished is how it is born."""
    want = desired("App/bot", {"harness": "generic", "published": True})
    create, publish = decide(want, Found(), has_desired_children=True)
    assert (create.action, publish.action) == (Action.CREATE, Action.PUBLISH)
    assert "published" not in create.body
    assert publish.pre == Precondition()
    assert create.step != publish.step
    assert only(decide(desired("App/bot", {"harness": "generic", "published": False}), Found())).action is Action.CREATE


def test_publishing_needs_a_channel(desired, observed):
    """An app without a channel, live or declared, cannot be published: a fault on the line that asks for it."""
    want = desired("App/bot", {"harness": "generic", "published": True})
    for found in (Found(), Found(observed("App/bot", LIVE_APP))):
        fault = decide(want, found)
        assert isinstance(fault, Fault)
        assert fault.path == ("spec", "published")
        assert fault.hint == "declare a channel, or published: false"
    published = observed("App/bot", {**LIVE_APP, "published": True})
    assert decide(want, Found(published)) == []


# --- the impossible ---


def test_impossible(desired, observed):
    """What the API cannot do is a fault on the value that asks for it."""
    source = {"type": "github", "repository": "acme/docs"}
    live = observed("Memory/docs", {"name": "docs", "source": source})
    fault = decide(desired("Memory/docs", {"source": {"type": "manual"}}), Found(live))
    assert isinstance(fault, Fault)
    assert "cannot become manual" in fault.message
    assert (fault.path, fault.on_value) == (("spec", "source"), True)
