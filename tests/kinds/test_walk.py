"""Where the markers of a spec stand, and that none is missed: a secret that is not found is a secret that is shown."""

from __future__ import annotations

import types
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.kinds import BY_NAME, KINDS
from reconciler.kinds.agent import AGENT
from reconciler.kinds.agent_parts import Capability, MemoryCapability, NetworkAccess
from reconciler.kinds.app import APP
from reconciler.kinds.channel import CHANNEL, SlackChannel
from reconciler.kinds.channel_auth import Oidc
from reconciler.kinds.channel_config import SlackConfig
from reconciler.kinds.fields import SENSITIVE, SET, Spec
from reconciler.kinds.kind import Kind
from reconciler.kinds.markers import Clear, References
from reconciler.kinds.memory import MEMORY
from reconciler.kinds.organization import ORGANIZATION
from reconciler.kinds.traits import clears, exposing, kept_by_replace, references, sensitive, sets, switches, whole
from reconciler.kinds.translate import shape_of
from reconciler.kinds.walk import at, model_at, reach, replaced

SECRET = "hunter2"


def secret_fields(annotation: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Return the keys that lead to every secret below a type, by looking at metadata alone."""
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        return {path} if SENSITIVE in metadata else secret_fields(inner, path)
    if get_origin(annotation) in (list, dict):
        return secret_fields(get_args(annotation)[-1], (*path, "*"))
    if get_origin(annotation) in (Union, types.UnionType):
        return {found for part in get_args(annotation) for found in secret_fields(part, path)}
    if not (isinstance(annotation, type) and issubclass(annotation, Spec)):
        return set()
    found: set[tuple[str, ...]] = set()
    for name, field in annotation.model_fields.items():
        is_secret = SENSITIVE in field.metadata
        found |= {(*path, name)} if is_secret else secret_fields(field.annotation, (*path, name))
    return found


def test_which_hosts_are_reached_is_exposure() -> None:
    """Every field that says which hosts may be reached has a say in exposure, whichever kind it is of."""
    for kind in KINDS:
        fields = kind.spec.model_fields if isinstance(kind.spec, type) else {}
        for name, info in fields.items():
            if NetworkAccess in (info.annotation, *get_args(info.annotation)):
                assert (name,) in exposing(kind), f"{kind.name}.{name}"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.managed], ids=lambda kind: kind.name)
def test_every_secret_is_found(kind: Kind) -> None:
    """The walk over markers reaches each field that takes a secret, at whatever depth."""
    walked = {tuple(step for step in path if isinstance(step, str)) for path in sensitive(kind)}
    assert walked == secret_fields(kind.spec)


def test_which_fields_are_secret() -> None:
    """The secrets of the API, as the facts list them; a new one must be added here."""
    assert {".".join(path) for path in secret_fields(CHANNEL.spec)} == {
        "config.signing_secret",
        "config.bot_token",
        "config.token",
        "config.captcha.secret_key",
        "config.auth.provider.client_secret",
        "config.auth.provider.password",
        "config.auth.provider.proxy_secret",
    }
    assert {".".join(path) for path in secret_fields(AGENT.spec)} == {"mcpServers.*.headers.*"}
    assert secret_fields(MEMORY.spec) == secret_fields(ORGANIZATION.spec) == set()


PROVIDERS: dict[str, dict[str, Any]] = {
    "google_oidc": {"client_id": "c"},
    "oidc": {"issuer": "https://a.example"},
    "o_auth2_introspection": {"introspection_url": "https://a.example", "client_secret": SECRET},
    "oauth2_introspection": {"introspection_url": "https://a.example", "client_secret": SECRET},
    "http_basic": {"username": "u", "password": SECRET},
    "mtls": {"header_name": "h", "proxy_secret_header": "p", "allowed_values": ["v"], "proxy_secret": SECRET},
}


def channel(channel_type: str, config: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    """Return a channel as the API gives it."""
    return {
        "channel_type": channel_type,
        "channel_config": config,
        "enabled": True,
        **more,
    }


IN_CLEAR: list[tuple[str, dict[str, Any]]] = [
    ("slack", {"signing_secret": SECRET, "bot_token": SECRET}),
    ("ag_ui", {"token": SECRET}),
    ("webhook", {"token": SECRET, "message": "Go"}),
    ("fcp", {"token": SECRET}),
    ("public_chat", {"token": SECRET, "captcha": {"site_key": "k", "secret_key": SECRET}}),
    ("a2a", {"message": "Go", "signing_secret": SECRET, "api_key_hash": SECRET, "api_key_prefix": "evra2a_0a"}),
    ("api_endpoint", {"api_key_hash": SECRET, "api_key_prefix": "evr_app_0a"}),
    *(
        (channel_type, {"message": "Go", "auth": {"mode": mode, "provider": {"type": mode, **provider}}})
        for channel_type in ("ag_ui", "a2a", "api_endpoint", "public_chat")
        for mode, provider in PROVIDERS.items()
    ),
    ("ag_ui", {"auth": {"mode": "http_basic", "provider": {"type": "http_basic", "password_hash": SECRET}}}),
]


@pytest.mark.parametrize(("channel_type", "config"), IN_CLEAR)
def test_a_secret_in_an_answer_is_never_kept(channel_type: str, config: dict[str, Any]) -> None:
    """Older servers answer with secrets in clear (3.4, era A): what is kept is that there is one."""
    shape = shape_of(CHANNEL, channel(channel_type, config))
    assert SECRET not in repr(shape)
    expected = repr(config).count(SECRET) - ("api_key_hash" in config)
    assert repr(shape).count(repr(SET)) >= expected


@pytest.mark.parametrize(
    ("server", "kept"),
    [
        ({"type": "http", "url": "https://a", "headers": {"Authorization": SECRET}}, {"Authorization": SET}),
        ({"url": "https://a", "headers": {"A": SECRET, "B": SECRET}}, {"A": SET, "B": SET}),
        ({"type": "sse", "url": "https://a", "headers": {"A": SECRET}}, {"A": SET}),
        ({"url": "https://a", "headers": {}}, None),
        ({"url": "https://a"}, None),
    ],
)
def test_mcp_headers_are_never_kept(server: dict[str, Any], kept: Any) -> None:
    """Header values are answered in clear (2.5), whatever the transport: only their names are kept."""
    shape = shape_of(AGENT, {"name": "a", "mcpServers": {"crm": server}})
    assert SECRET not in repr(shape)
    assert shape["mcpServers"]["crm"].get("headers") == kept


def test_other_markers_stand_where_the_facts_say() -> None:
    """How fields are cleared, switched, compared and kept, as the facts list them."""
    assert clears(AGENT) == {
        **dict.fromkeys(
            ("display_name", "description", "default_model", "max_iterations", "parallel_tool_calls"), Clear.REPLACE
        ),
        "network_access": Clear.EMPTY,
    }
    assert clears(APP) == {
        "description": Clear.EMPTY,
        "agent_identity": Clear.NULL,
        "agent_version": Clear.NULL,
    }
    assert clears(MEMORY) == {"description": Clear.NULL}
    assert clears(ORGANIZATION) == {"default_model": Clear.NULL, "default_provider_per_service": Clear.EMPTY}
    assert set(switches(APP)) == {"published"}
    assert kept_by_replace(AGENT) == {("capabilities",)}
    assert whole(AGENT) == {("mcpServers",), ("network_access",), ("version",)}
    assert {path[0] for path in sets(AGENT)} == {"tags", "initial_files", "tools", "network_access"}
    assert ("capabilities",) not in sets(AGENT)


REFERENCES = {
    "Organization": {("default_model",): "Model", ("default_harness",): "Harness", ("base_harness",): "Harness"},
    "Agent": {("harness",): "Harness", ("default_model",): "Model"},
    "App": {
        ("harness",): "Harness",
        ("agent",): "Agent",
        ("agent_identity",): "AgentIdentity",
        ("agent_version",): "AgentVersion",
    },
    "Memory": {},
    "Channel": {},
}


@pytest.mark.parametrize(("name", "expected"), REFERENCES.items())
def test_what_a_kind_refers_to(name: str, expected: dict[tuple[str, ...], str]) -> None:
    """Which fields hold names in manifests and ids on the wire."""
    found = references(BY_NAME[name])
    assert {path: reference.kind for path, reference in found if len(path) == 1} == expected
    below = {"Agent": {"Memory", "McpServer", "Skill"}, "Organization": {"Provider"}}
    assert {reference.kind for path, reference in found if len(path) > 1} == below.get(name, set())


def test_a_mounted_memory_is_a_reference_only_in_the_memory_capability() -> None:
    """A `mounts` of another capability is not ours to read (4.8)."""
    ((path, reference),) = [one for one in references(AGENT) if one[1].kind == "Memory"]
    mounts = {"mounts": [{"memory": "docs"}, {"memory": "notes"}]}
    capabilities = [{"ref": "web_fetch", "config": mounts}, {"ref": "memory", "config": mounts}, {"ref": "memory"}]
    found = [where for _, _, where in at({"capabilities": capabilities}, path)]
    assert found == [("capabilities", 1, "config", "mounts", number, "memory") for number in (0, 1)]
    assert reference == References("Memory", wire="memory")


# Walks


@pytest.mark.parametrize(
    ("kind", "loc", "model"),
    [
        (AGENT, ("capabilities", 0, "any"), Capability),
        (AGENT, ("capabilities", 0, "memory"), MemoryCapability),
        (AGENT, ("system_prompt",), None),
        (AGENT, ("nothing", "at", "all"), None),
        (CHANNEL, ("slack",), SlackChannel),
        (APP, ("channels", 3, "slack", "config"), SlackConfig),
        (APP, ("channels", 3, "ag_ui", "config", "auth", "provider", "oidc"), Oidc),
    ],
)
def test_the_model_at_a_location(kind: Kind, loc: tuple[str | int, ...], model: type[Spec] | None) -> None:
    """A location of pydantic's leads to the model that stands there, through lists and the tags of unions."""
    assert model_at(kind.spec, loc) is model


STEPS = st.sampled_from(["a", "b", "*", ("type", "x"), ("type", "y")])
PATHS = st.lists(STEPS, min_size=1, max_size=4).filter(lambda path: isinstance(path[-1], str)).map(tuple)
VALUES = st.recursive(
    st.sampled_from(["x", "y", 1, None]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "type"]), inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None)
@given(value=VALUES, path=PATHS)
def test_what_is_replaced_is_what_is_found(value: Any, path: tuple[Any, ...]) -> None:
    """`replaced` changes exactly what `at` finds, in a copy."""
    before = repr(value)
    found = [where for _, _, where in at(value, path)]
    changed: list[tuple[Any, ...]] = []
    replaced(value, path, lambda _old, where: changed.append(where))
    assert changed == found
    assert repr(value) == before
    assert replaced(value, path, lambda old, _where: old) == value
    for holder, key, where in at(value, path):
        target = value
        for step in where:
            target = target[step]
        assert target is holder[key]


_KEYS = st.sampled_from("ab")
_VALUES = st.recursive(
    st.sampled_from(["x", "y", 1, None]), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner)
)
_PATHS = st.tuples(
    st.lists(st.sampled_from(["a", "b", "*", ("a", "x"), ("b", "y")]), max_size=4), st.sampled_from(["a", "b", "*"])
).map(lambda parts: (*parts[0], parts[1]))


@given(value=_VALUES, path=_PATHS)
@settings(max_examples=500, deadline=None)
def test_three_walks_see_the_same(value, path):
    """A path leads somewhere exactly where something is found and replaced: else a secret could be overlooked."""
    touched: list[tuple[Any, ...]] = []
    replaced(value, path, lambda item, where: touched.append(where) or item)
    assert [where for _, _, where in at(value, path)] == touched
    assert reach(path)(value) is bool(touched)
    texts = [holder[key] for holder, key, _ in at(value, path)]
    assert reach(path, "x")(value) is any(isinstance(text, str) and text.startswith("x") for text in texts)
