"""What a person would write of a Shape: nothing that says what its absence says, in an order people expect."""

import pytest

from reconciler.kinds.agent import AGENT
from reconciler.kinds.app import APP
from reconciler.kinds.channel import CHANNEL
from reconciler.kinds.lean import lean, variant
from reconciler.kinds.memory import MEMORY

HOOK = {"type": "webhook", "config": {"token": "t", "message": "m"}}
OIDC = {"mode": "oidc", "provider": {"type": "oidc", "issuer": "https://x"}}

CASES = [
    (
        "the server's default",
        APP,
        {"harness": "h", "agent_version_policy": "default", "published": False},
        {"harness": "h"},
    ),
    ("another value", APP, {"harness": "h", "published": True}, {"harness": "h", "published": True}),
    ("nothing, by any name", AGENT, {"system_prompt": "", "tags": [], "description": None}, {"system_prompt": ""}),
    ("an empty text says something", AGENT, {"description": ""}, {"description": ""}),
    ("true is not 1", CHANNEL, {"type": "fcp", "config": {"rate_limit_per_minute": False}}, None),
    ("a nested default", CHANNEL, HOOK | {"config": HOOK["config"] | {"rate_limit_per_minute": 0}}, HOOK),
    ("a map of which nothing is left", CHANNEL, {"type": "fcp", "config": {"anonymous": True}}, {"type": "fcp"}),
    ("a default in a list", AGENT, {"initial_files": [{"path": "p", "content": "", "is_readonly": False}]}, None),
    (
        "a default in a map of maps",
        AGENT,
        {"mcpServers": {"x": {"url": "u", "type": "http"}}},
        {"mcpServers": {"x": {"url": "u"}}},
    ),
    (
        "a default deep inside",
        CHANNEL,
        {"type": "a2a", "config": {"message": "m", "auth": OIDC | {"requirements": {"scopes": [], "claims": {}}}}},
        {"type": "a2a", "config": {"message": "m", "auth": OIDC}},
    ),
    ("what nobody describes", AGENT, {"capabilities": [{"ref": "x", "config": {"on": False, "list": []}}]}, None),
    ("an unknown field", APP, {"harness": "h", "mood": "good"}, {"mood": "good", "harness": "h"}),
]
KEPT = {
    "a default in a list": {"initial_files": [{"path": "p", "content": ""}]},
    "true is not 1": {"type": "fcp", "config": {"rate_limit_per_minute": False}},
}


@pytest.mark.parametrize(("case", "kind", "value", "expected"), CASES, ids=[row[0] for row in CASES])
def test_what_is_left_out(case, kind, value, expected):
    """A field goes when it holds the server's default or nothing, wherever it stands; all else is kept."""
    assert repr(lean(value, kind.spec)) == repr(expected or KEPT.get(case, value))


ORDERS = [
    (AGENT, {"tags": ["a"], "system_prompt": "p", "display_name": "d"}, ["display_name", "system_prompt", "tags"]),
    (
        CHANNEL,
        {"config": {"message": "m"}, "enabled": False, "type": "a2a", "name": "n"},
        ["name", "type", "enabled", "config"],
    ),
]


@pytest.mark.parametrize(("kind", "value", "names"), ORDERS)
def test_order(kind, value, names):
    """Fields stand in the order of the kind; a variant says first what it is and last what has fields of its own."""
    assert list(lean(value, kind.spec)) == names


def test_order_of_a_source():
    """What a variant inherits does not come before what makes it one."""
    source = {"sync_interval_secs": 300, "branch": "dev", "repository": "a/b", "type": "github"}
    names = list(lean({"source": source}, MEMORY.spec)["source"])
    assert names == ["type", "repository", "branch", "sync_interval_secs"]


def test_variant():
    """A map is described by the model whose tags it carries, else by one without tags, else by none."""
    assert variant({"type": "slack"}, CHANNEL.spec).__name__ == "SlackChannel"
    assert variant({"type": "telepathy"}, CHANNEL.spec) is None
    capabilities = AGENT.spec.model_fields["capabilities"].annotation.__args__[0]
    assert variant({"ref": "memory"}, capabilities).__name__ == "MemoryCapability"
    assert variant({"ref": "web_fetch"}, capabilities).__name__ == "Capability"
