"""What each kind makes of an API object, and of a manifest: the facts of `everruns-api/`, as tables."""

from __future__ import annotations

import types
from itertools import permutations
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from reconciler.kinds import BY_NAME, DECLARABLE, KINDS, RANK, TENANT
from reconciler.kinds.agent import AGENT, AgentSpec
from reconciler.kinds.app import APP
from reconciler.kinds.channel import CHANNEL
from reconciler.kinds.channel_config import CONFIGS
from reconciler.kinds.fields import SET, SecretRef, Spec
from reconciler.kinds.harness import HARNESS
from reconciler.kinds.kind import Creation, Kind
from reconciler.kinds.memory import MEMORY
from reconciler.kinds.model import MODEL
from reconciler.kinds.organization import ORGANIZATION
from reconciler.kinds.traits import references
from reconciler.kinds.translate import body_of, has_one_time_key, shape_of

TOP = Path(__file__).parents[2]
HEX = "0" * 31 + "1"
SECRET = "hunter2"
STAMPS = {"created_at": "2026-05-01T00:00:00Z", "updated_at": "2026-05-01T00:00:00Z"}
LINKS = {"self_url": "https://x", "view_url": "https://x", "ui_link": "https://x"}


def written(kind: Kind, spec: dict[str, Any]) -> dict[str, Any]:
    """Return the canonical shape of what a manifest says."""
    model = TypeAdapter(kind.spec).validate_python(spec)
    return kind.canonical(model.model_dump(exclude_unset=True))


def refused(kind: Kind, spec: dict[str, Any]) -> str:
    """Return why a spec is refused."""
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind.spec).validate_python(spec)
    return caught.value.errors()[0]["msg"]


# The list of kinds


def test_kinds_are_created_in_the_order_of_their_references() -> None:
    """Whatever a kind refers to, or is inside of, stands before it; so what is created first is there when needed.

    What refers to its own kind is ordered one by one, and an organization is completed when the rest is there.
    """
    for kind in KINDS:
        for reference in (one for _, one in references(kind) if BY_NAME[one.kind].managed):
            assert RANK[reference.kind] < RANK[kind.name] or kind in (TENANT, BY_NAME[reference.kind])
        assert kind.parent is None or RANK[kind.parent] < RANK[kind.name]
    assert [BY_NAME[kind.name] for kind in KINDS] == list(KINDS)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.managed], ids=lambda kind: kind.name)
def test_a_managed_kind_has_an_example(kind: Kind) -> None:
    """What can be declared is shown in `manifests/`, channels inside their apps."""
    documents = [one for path in (TOP / "manifests").rglob("*.yaml") for one in yaml.safe_load_all(path.read_text())]
    if kind.parent is None:
        assert any(document["kind"] == kind.name for document in documents)
        return
    channels = [one for d in documents if d["kind"] == kind.parent for one in d["spec"].get("channels", [])]
    assert {one["type"] for one in channels} == set(CONFIGS)


def models_of(annotation: Any) -> set[type[Spec]]:
    """Return the models that a type is made of, found without the product's own walk."""
    if get_origin(annotation) in (Annotated, list, dict, Union, types.UnionType):
        return {model for part in get_args(annotation) for model in models_of(part)}
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        below = (models_of(field.annotation) for field in annotation.model_fields.values())
        return {annotation}.union(*below)
    return set()


MODELS = sorted({model for kind in DECLARABLE for model in models_of(kind.spec)}, key=lambda model: model.__name__)


EXCLUSIVE = {"MemorySpec": ["files"]}
"""Fields that cannot be said together with the examples of the others: a synced memory has none of its own."""


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_is_documented(model: type[Spec]) -> None:
    """Every model says what it is, every field what it means and how it is written, and the examples are valid."""
    assert (model.__doc__ or "").endswith(".")
    for name, field in model.model_fields.items():
        assert (field.description or "").endswith("."), name
        assert field.examples, name
    examples = {name: field.examples[0] for name, field in model.model_fields.items()}
    alone = {name: examples.pop(name) for name in EXCLUSIVE.get(model.__name__, ())}
    for together in (examples, *({name: example} for name, example in alone.items())):
        TypeAdapter(model).validate_python(together)


def channel(channel_type: str, config: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    """Return a channel as the API gives it."""
    return {
        "id": f"appchan_{HEX}",
        "channel_type": channel_type,
        "channel_config": config,
        "enabled": True,
        **STAMPS,
        **more,
    }


# From the wire

AGENT_WIRE = {
    "id": f"agent_{HEX}",
    "name": "triage",
    "system_prompt": "Be brief.",
    "harness_id": f"harness_{HEX}",
    "status": "active",
    "tags": ["b", "a", "b"],
    "capabilities": [],
    "session_count": 3,
    "app_count": 1,
    "usage": {},
    **STAMPS,
    **LINKS,
}

ORG_WIRE = {
    "id": f"org_{HEX}",
    "name": "Acme Corp",
    "default_model_id": None,
    "default_harness_id": f"harness_{HEX}",
    "base_harness_id": f"harness_{HEX}",
    "onboarding_completed_at": None,
    "default_provider_per_service": {},
    **STAMPS,
}

APP_WIRE = {
    "id": f"app_{HEX}",
    "name": "Support bot",
    "harness_id": f"harness_{HEX}",
    "agent_id": None,
    "agent_version_policy": "default",
    "owner_principal_id": f"principal_{HEX}",
    "channels": [],
    "status": "draft",
    **STAMPS,
    **LINKS,
}

MEMORY_WIRE = {
    "id": f"mem_{HEX}",
    "name": "Design docs",
    "source": {"provider": "manual"},
    "source_type": "manual",
    "is_readonly": False,
    "status": "active",
    "sync_status": "idle",
    **STAMPS,
}
GITHUB = {"repository": "acme/docs", "branch": "main", "root_folder": None, "sync_interval_secs": None}

SHAPES: list[tuple[Kind, dict[str, Any], dict[str, Any]]] = [
    (
        ORGANIZATION,
        ORG_WIRE,
        {
            "name": "Acme Corp",
            "default_harness": f"harness_{HEX}",
            "base_harness": f"harness_{HEX}",
            "default_provider_per_service": {},
        },
    ),
    (ORGANIZATION, {"name": "A", "default_model_id": f"model_{HEX}"}, {"name": "A", "default_model": f"model_{HEX}"}),
    (
        HARNESS,
        {"name": "generic", "display_name": "Generic", "is_built_in": True},
        {"name": "generic", "display_name": "Generic"},
    ),
    (
        MODEL,
        {"model_id": "gpt-4o", "provider_name": "OpenAI", "healthy": True},
        {"model_id": "gpt-4o", "provider_name": "OpenAI"},
    ),
    (
        AGENT,
        AGENT_WIRE,
        {
            "name": "triage",
            "system_prompt": "Be brief.",
            "capabilities": [],
            "tags": ["a", "b"],
            "harness": f"harness_{HEX}",
        },
    ),
    (
        APP,
        APP_WIRE,
        {"name": "Support bot", "agent_version_policy": "default", "harness": f"harness_{HEX}", "published": False},
    ),
    (
        APP,
        APP_WIRE
        | {"status": "published", "agent_id": f"agent_{HEX}", "agent_version_id": f"agentver_{HEX}", "description": ""},
        {
            "name": "Support bot",
            "agent_version_policy": "default",
            "agent_version": f"agentver_{HEX}",
            "harness": f"harness_{HEX}",
            "agent": f"agent_{HEX}",
            "published": True,
            "description": None,
        },
    ),
    (MEMORY, MEMORY_WIRE, {"name": "Design docs", "source": {"type": "manual"}}),
    (MEMORY, {"name": "A", "source_type": "manual"}, {"name": "A", "source": {"type": "manual"}}),
    (
        MEMORY,
        MEMORY_WIRE | {"source": {"provider": "github", **GITHUB}, "source_type": "github", "description": ""},
        {"name": "Design docs", "description": "", "source": {"type": "github", **GITHUB}},
    ),
    (
        MEMORY,
        {"name": "A", "source": {"provider": "git", "url": "https://a.example/b.git", "branch": "main"}},
        {"name": "A", "source": {"type": "git", "url": "https://a.example/b.git", "branch": "main"}},
    ),
    (CHANNEL, channel("fcp", None), {"type": "fcp", "enabled": True, "config": {}}),
    (CHANNEL, {"channel_type": "fcp", "channel_config": {}}, {"type": "fcp", "enabled": True, "config": {}}),
    (
        CHANNEL,
        channel(
            "slack",
            {
                "signing_secret_configured": True,
                "bot_token_configured": True,
                "webhook_verified_at": "2026-05-01T00:00:00Z",
                "first_message_received_at": "2026-05-01T00:00:00Z",
                "reply_mode": "all_messages",
            },
            enabled=False,
        ),
        {
            "type": "slack",
            "enabled": False,
            "config": {
                "signing_secret": SET,
                "bot_token": SET,
                "webhook_verified_at": "2026-05-01T00:00:00Z",
                "first_message_received_at": "2026-05-01T00:00:00Z",
                "reply_mode": "all_messages",
            },
        },
    ),
    (
        CHANNEL,
        channel("ag_ui", {"token_configured": False, "auth": {"mode": "anonymous"}}),
        {"type": "ag_ui", "enabled": True, "config": {"auth": {"mode": "anonymous"}}},
    ),
    (
        CHANNEL,
        channel("public_chat", {"captcha": {"site_key": "k", "secret_key_configured": True}}),
        {"type": "public_chat", "enabled": True, "config": {"captcha": {"site_key": "k", "secret_key": SET}}},
    ),
    (
        CHANNEL,
        channel(
            "api_endpoint",
            {
                "api_key_prefix": "evr_app_0a",
                "auth": {
                    "mode": "o_auth2_introspection",
                    "provider": {
                        "type": "o_auth2_introspection",
                        "introspection_url": "https://a.example",
                        "client_secret_configured": True,
                    },
                    "requirements": {"scopes": ["b", "a", "a"], "claims": {"x": [2, 1]}},
                },
            },
        ),
        {
            "type": "api_endpoint",
            "enabled": True,
            "config": {
                "auth": {
                    "mode": "o_auth2_introspection",
                    "provider": {
                        "type": "o_auth2_introspection",
                        "introspection_url": "https://a.example",
                        "client_secret": SET,
                    },
                    "requirements": {"scopes": ["a", "b"], "claims": {"x": [2, 1]}},
                }
            },
        },
    ),
]


@pytest.mark.parametrize(("kind", "wire", "shape"), SHAPES)
def test_shape_of_an_api_object(kind: Kind, wire: dict[str, Any], shape: dict[str, Any]) -> None:
    """What the server computes is left out, what it omits is absent, secrets are SET; the answer is left alone."""
    before = repr(wire)
    assert shape_of(kind, wire) == shape
    assert repr(wire) == before


@pytest.mark.parametrize(
    ("kind", "wire", "archived", "usable"),
    [
        (AGENT, {"status": "active"}, False, True),
        (AGENT, {"status": "archived"}, True, False),
        (AGENT, {"status": "deleted"}, False, False),
        (APP, {"status": "draft"}, False, True),
        (APP, {"status": "archived"}, True, False),
        (MEMORY, {"status": "archived"}, True, False),
        (HARNESS, {"status": "archived"}, True, False),
        (MODEL, {"enabled": True}, False, True),
        (MODEL, {"enabled": False, "status": "archived"}, False, False),
        (ORGANIZATION, {}, False, True),
        (CHANNEL, {"enabled": False}, False, True),
    ],
)
def test_lifecycle(kind: Kind, wire: dict[str, Any], archived: bool, usable: bool) -> None:
    """What is archived, and what may be referred to."""
    assert kind.wire.archived(wire) is archived
    assert kind.wire.usable(wire) is usable


@pytest.mark.parametrize(
    ("kind", "wire", "titles"),
    [
        (
            MODEL,
            {"model_id": "gpt-4o", "provider_name": "Main", "provider_type": "openai", "display_name": "GPT 4o"},
            (("gpt-4o",), ("Main/gpt-4o", "openai/gpt-4o"), ("GPT 4o",)),
        ),
        (MODEL, {"model_id": "m", "provider_name": "p", "provider_type": "p"}, (("m",), ("p/m",), ("",))),
        (HARNESS, {"name": "generic"}, (("generic",),)),
        (AGENT, {"name": "triage", "display_name": "Triage"}, (("triage",),)),
    ],
)
def test_titles(kind: Kind, wire: dict[str, Any], titles: tuple[tuple[str, ...], ...]) -> None:
    """By which names a resource may be referred to, best first (7)."""
    assert kind.titles(wire) == titles


# To the wire

BODIES: list[tuple[Kind, dict[str, Any], dict[str, Any]]] = [
    (
        AGENT,
        {"name": "a", "harness": f"harness_{HEX}", "default_model": None, "mcpServers": {}},
        {"name": "a", "harness_id": f"harness_{HEX}", "default_model_id": None, "mcpServers": {}},
    ),
    (
        APP,
        {"harness": "h", "agent": "a", "agent_identity": None, "agent_version": "v", "description": ""},
        {"harness_id": "h", "agent_id": "a", "agent_identity_id": None, "agent_version_id": "v", "description": ""},
    ),
    (
        ORGANIZATION,
        {"default_model": "m", "default_harness": "h", "base_harness": "b"},
        {"default_model_id": "m", "default_harness_id": "h", "base_harness_id": "b"},
    ),
    (MEMORY, {"name": "a", "source": {"type": "manual"}}, {"name": "a"}),
    (MEMORY, {"source": {"type": "github", **GITHUB}}, {"source": {"type": "github", **GITHUB}}),
    (MEMORY, {"description": None}, {"description": None}),
    (
        CHANNEL,
        {"type": "fcp", "enabled": False, "config": {"anonymous": False}},
        {"channel_type": "fcp", "enabled": False, "channel_config": {"anonymous": False}},
    ),
    (CHANNEL, {"enabled": False}, {"enabled": False}),
]


@pytest.mark.parametrize(("kind", "shape", "body"), BODIES)
def test_body_of_a_shape(kind: Kind, shape: dict[str, Any], body: dict[str, Any]) -> None:
    """References get the API's names; nulls are kept, as they clear; nothing is changed in place."""
    before = repr(shape)
    assert body_of(kind, shape) == body
    assert repr(shape) == before


CREATIONS: list[tuple[Kind, dict[str, Any], str, Creation]] = [
    (ORGANIZATION, {"name": "Acme"}, "/v1/orgs", Creation("/v1/orgs", {"name": "Acme"})),
    (
        ORGANIZATION,
        {"name": "Acme", "default_harness": "h", "default_model": "m"},
        "/v1/orgs",
        Creation("/v1/orgs", {"name": "Acme"}, follow_up={"default_harness": "h", "default_model": "m"}),
    ),
    (AGENT, {"name": "a"}, "/v1/agents", Creation("/v1/agents", {"name": "a"})),
    (
        CHANNEL,
        {"type": "fcp"},
        "/v1/apps/1/channels",
        Creation("/v1/apps/1/channels", {"type": "fcp", "config": {}}),
    ),
    (
        CHANNEL,
        {"type": "webhook", "config": {"message": "Go"}, "enabled": False},
        "/v1/apps/1/channels",
        Creation("/v1/apps/1/channels", {"type": "webhook", "config": {"message": "Go"}, "enabled": False}),
    ),
    (
        CHANNEL,
        {"type": "a2a", "config": {"message": "Go", "session_mode": "shared_session"}, "enabled": False},
        "/v1/apps/1/channels",
        Creation(
            "/v1/apps/1/a2a-channels",
            {"message": "Go", "session_mode": "shared_session", "enabled": False},
            raw=True,
            unwrap="channel",
            one_time="api_key",
            renewed_by="/regenerate-key",
        ),
    ),
    (
        CHANNEL,
        {"type": "a2a", "config": {"message": "Go", "rate_limit_per_minute": 5, "signing_secret": "s"}},
        "/v1/apps/1/channels",
        Creation(
            "/v1/apps/1/a2a-channels",
            {"message": "Go"},
            follow_up={"config": {"message": "Go", "rate_limit_per_minute": 5, "signing_secret": "s"}},
            raw=True,
            unwrap="channel",
            one_time="api_key",
            renewed_by="/regenerate-key",
        ),
    ),
    (
        CHANNEL,
        {"type": "api_endpoint"},
        "/v1/apps/channels/channels",
        Creation(
            "/v1/apps/channels/api-endpoint-channels",
            {},
            raw=True,
            unwrap="channel",
            one_time="api_key",
            renewed_by="/regenerate-key",
        ),
    ),
]


@pytest.mark.parametrize(("kind", "body", "path", "creation"), CREATIONS)
def test_create(kind: Kind, body: dict[str, Any], path: str, creation: Creation) -> None:
    """Which calls create a resource: what the first does not take follows as a PATCH of the whole (1.3, 3.6)."""
    assert kind.wire.create(body, path) == creation


@pytest.mark.parametrize(("channel_type", "is_noted"), [(name, name in ("a2a", "api_endpoint")) for name in CONFIGS])
def test_a_key_that_is_shown_once_is_noted(channel_type: str, is_noted: bool) -> None:
    """Which channels get a key from the platform that is shown once, and can be made anew."""
    assert has_one_time_key(CHANNEL, {"type": channel_type}) is is_noted


# One form for both sides

SAME: list[tuple[str, Kind, dict[str, Any], dict[str, Any]]] = [
    ("tags", AGENT, {"tags": ["b", "a", "b"]}, {"tags": ["a", "b"]}),
    ("no tags", AGENT, {"tags": []}, {"tags": []}),
    ("config null", AGENT, {"capabilities": [{"ref": "w", "config": None}]}, {"capabilities": [{"ref": "w"}]}),
    ("config empty", AGENT, {"capabilities": [{"ref": "w", "config": {}}]}, {"capabilities": [{"ref": "w"}]}),
    (
        "mount mode",
        AGENT,
        {"capabilities": [{"ref": "memory", "config": {"mounts": [{"memory": "d", "path": "/workspace/d"}]}}]},
        {
            "capabilities": [
                {"ref": "memory", "config": {"mounts": [{"mode": "readonly", "memory": "d", "path": "/workspace/d"}]}}
            ]
        },
    ),
    (
        "file paths",
        AGENT,
        {"initial_files": [{"path": p, "content": ""} for p in ("z", "/y", "/workspace/x")]},
        {"initial_files": [{"path": f"/workspace/{p}", "content": ""} for p in "xyz"]},
    ),
    (
        "file defaults",
        AGENT,
        {"initial_files": [{"path": "/workspace/a", "content": "", "encoding": "text", "is_readonly": False}]},
        {"initial_files": [{"path": "/workspace/a", "content": ""}]},
    ),
    (
        "mcp defaults",
        AGENT,
        {"mcpServers": {"a": {"type": "http", "url": "u", "headers": {}, "auth_mode": "none", "args": []}}},
        {"mcpServers": {"a": {"url": "u"}}},
    ),
    (
        "mcp spelling",
        AGENT,
        {"mcpServers": {"a": {"auth_mode": "oauth"}}},
        {"mcpServers": {"a": {"auth_mode": "o_auth"}}},
    ),
    ("tools by name", AGENT, {"tools": [{"name": "b"}, {"name": "a"}]}, {"tools": [{"name": "a"}, {"name": "b"}]}),
    ("network empty", AGENT, {"network_access": {"allowed": [], "blocked": []}}, {"network_access": None}),
    ("network none", AGENT, {"network_access": {}}, {"network_access": None}),
    (
        "network",
        AGENT,
        {"network_access": {"allowed": ["b", "a"], "blocked": []}},
        {"network_access": {"allowed": ["a", "b"]}},
    ),
    ("description", APP, {"description": ""}, {"description": None}),
    (
        "auth spelling",
        CHANNEL,
        {"config": {"auth": {"mode": "oauth2_introspection", "provider": {"type": "oauth2_introspection"}}}},
        {"config": {"auth": {"mode": "o_auth2_introspection", "provider": {"type": "o_auth2_introspection"}}}},
    ),
    (
        "auth sets",
        CHANNEL,
        {
            "config": {
                "auth": {
                    "mode": "oidc",
                    "provider": {"allowed_domains": ["b", "a"]},
                    "requirements": {"groups": ["b", "a"]},
                }
            }
        },
        {
            "config": {
                "auth": {
                    "mode": "oidc",
                    "provider": {"allowed_domains": ["a", "b"]},
                    "requirements": {"groups": ["a", "b"]},
                }
            }
        },
    ),
]


@pytest.mark.parametrize(("kind", "shape", "form"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
def test_what_means_the_same_has_one_form(kind: Kind, shape: dict[str, Any], form: dict[str, Any]) -> None:
    """Spellings, orders and defaults that mean nothing are gone, and the input is left alone."""
    before = repr(shape)
    assert kind.canonical(shape) == form
    assert kind.canonical(form) == form
    assert repr(shape) == before


@pytest.mark.parametrize(("field", "key"), [("tags", None), ("initial_files", "path"), ("tools", "name")])
def test_the_order_of_sets_does_not_matter(field: str, key: str | None) -> None:
    """Tags, files and tools are equal in whatever order they are written."""
    items = [{key: name} if key else name for name in "abc"]
    forms = [AGENT.canonical({field: list(order)}) for order in permutations(items)]
    assert all(form == forms[0] for form in forms)


def test_the_order_of_capabilities_is_kept() -> None:
    """Capabilities are applied in order (2.5): theirs is no set."""
    capabilities = [{"ref": "b"}, {"ref": "a"}]
    assert AGENT.canonical({"capabilities": capabilities}) == {"capabilities": capabilities}


FILE = {"path": "/workspace/a", "content": ""}
FILES = {"ref": "session_file_system"}


@pytest.mark.parametrize(
    ("desired", "observed", "expected"),
    [
        ({"initial_files": [FILE], "capabilities": [{"ref": "a"}]}, {}, [FILES, {"ref": "a"}]),
        ({"initial_files": [FILE], "capabilities": []}, {}, [FILES]),
        ({"initial_files": [FILE], "capabilities": [{"ref": "a"}, FILES]}, {}, [{"ref": "a"}, FILES]),
        ({"initial_files": [FILE]}, {}, None),
        ({"initial_files": [], "capabilities": [{"ref": "a"}]}, {"initial_files": [FILE]}, [{"ref": "a"}]),
        ({"capabilities": [{"ref": "a"}]}, {"initial_files": [FILE]}, [FILES, {"ref": "a"}]),
        ({"capabilities": [{"ref": "a"}]}, {}, [{"ref": "a"}]),
    ],
)
def test_the_capability_that_initial_files_bring(desired: Any, observed: Any, expected: Any) -> None:
    """The server puts session_file_system first on an agent with initial files that does not list it (2.5)."""
    completed = AGENT.completed(desired, observed)
    assert completed.get("capabilities") == expected
    assert AGENT.completed(completed, observed) == completed


@pytest.mark.parametrize("channel_type", [*CONFIGS, "a_type_of_tomorrow"])
def test_an_observed_channel_means_the_defaults(channel_type: str) -> None:
    """The server stores what it was sent; what is absent is filled in, but for a type that nobody knows yet (3.2)."""
    observed = shape_of(CHANNEL, channel(channel_type, {"future": 1}))
    filled = CHANNEL.defaulted(observed)
    assert filled["config"].items() >= {"future": 1}.items()
    assert CHANNEL.defaulted(filled) == filled
    assert (len(filled["config"]) > 1) is (channel_type in CONFIGS)


@pytest.mark.parametrize(
    ("desired", "observed", "is_blocked"),
    [
        ({"source": {"type": "manual"}}, {"source": {"type": "github"}}, True),
        ({"source": {"type": "manual"}}, {"source": {"type": "manual"}}, False),
        ({"source": {"type": "git"}}, {"source": {"type": "github"}}, False),
        ({"source": {"type": "github"}}, {"source": {"type": "manual"}}, False),
        ({}, {"source": {"type": "github"}}, False),
    ],
)
def test_a_synced_memory_stays_synced(desired: Any, observed: Any, is_blocked: bool) -> None:
    """There is no request that makes a memory manual again (4.4)."""
    assert bool(MEMORY.impossible(desired, observed)) is is_blocked


# What a manifest may say

REPOSITORIES = [
    "acme/Docs",
    " acme/Docs ",
    "acme/Docs.git",
    "https://github.com/acme/Docs",
    "https://github.com/acme/Docs.git/",
    "https://github.com/acme/Docs/",
    "git@github.com:acme/Docs.git",
]


@pytest.mark.parametrize("user", ["x-access-token:ghp_1", "ghp_1", "u:p"])
@pytest.mark.parametrize("key", ["repository", "url"])
def test_a_source_holds_no_secret(user: str, key: str) -> None:
    """An address with a secret is refused, and not repeated."""
    source = {"type": "git" if key == "url" else "github", key: f"https://{user}@github.com/a/b"}
    told = refused(MEMORY, {"source": source})
    assert told.startswith("a secret must not stand in a ")
    assert user not in told


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_every_spelling_of_a_repository_is_one(repository: str) -> None:
    """All become owner/repo, case preserved, as on the server (4.3)."""
    shape = written(MEMORY, {"source": {"type": "github", "repository": repository}})
    assert shape["source"]["repository"] == "acme/Docs"


@pytest.mark.parametrize(
    "repository",
    [
        "",
        "acme",
        "acme/",
        "/Docs",
        "a/b/c",
        "acme/Docs?x",
        "https://gitlab.com/a/b",
        "http://github.com/a/b",
        f"{'a' * 101}/b",
        "a b/c",
    ],
)
def test_what_is_no_repository(repository: str) -> None:
    """Anything else is refused before the server does."""
    told = refused(MEMORY, {"source": {"type": "github", "repository": repository}})
    assert told.startswith("repository is written owner/repo")


SOURCES = [
    ({"branch": " dev "}, {"branch": "dev"}),
    ({"branch": " "}, {"branch": "main"}),
    ({"root_folder": "docs/"}, {"root_folder": "docs"}),
    ({"root_folder": "/a/b//"}, {"root_folder": "a/b"}),
    ({"root_folder": "."}, {"root_folder": None}),
    ({"root_folder": "/"}, {"root_folder": None}),
    ({"root_folder": None}, {"root_folder": None}),
    ({"sync_interval_secs": 0}, {"sync_interval_secs": None}),
    ({"sync_interval_secs": None}, {"sync_interval_secs": None}),
    ({"sync_interval_secs": 300}, {"sync_interval_secs": 300}),
    ({"sync_interval_secs": 604800}, {"sync_interval_secs": 604800}),
]


@pytest.mark.parametrize(("source", "normal"), SOURCES)
@pytest.mark.parametrize(
    "base", [{"type": "github", "repository": "a/b"}, {"type": "git", "url": "https://a.example/b"}]
)
def test_a_source_is_normalised_as_on_the_server(base: Any, source: Any, normal: Any) -> None:
    """Both kinds of source follow the same rules (4.3), so that they compare equal to what is read back."""
    assert written(MEMORY, {"source": base | source}) == {"source": base | normal}


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ({"root_folder": "a/../b"}, "root_folder must be"),
        ({"root_folder": "a//b"}, "root_folder must be"),
        ({"root_folder": ".."}, "root_folder must be"),
        ({"root_folder": "a\0b"}, "root_folder must be"),
        ({"sync_interval_secs": 299}, "sync_interval_secs must be between"),
        ({"sync_interval_secs": 604801}, "sync_interval_secs must be between"),
        ({"sync_interval_secs": -1}, "sync_interval_secs must be between"),
        ({"url": "http://a.example/b"}, "a git url must start with https://"),
        ({"url": "https://"}, "a git url must name a host"),
        ({"url": "https:///b"}, "a git url must name a host"),
        ({"url": "https://u:p@a.example/b"}, "a secret must not stand in a git url"),
        ({"url": "https://a.example/b?x=1"}, "a git url must not have a query"),
        ({"url": "https://a.example/b#x"}, "a git url must not have a query"),
        ({"url": "https://a.example/b c"}, "a git url must not have a query"),
    ],
)
def test_what_is_no_source(source: Any, why: str) -> None:
    """What the server refuses is refused before (4.3)."""
    assert refused(MEMORY, {"source": {"type": "git", "url": "https://a.example/b"} | source}).startswith(why)


@pytest.mark.parametrize(
    ("kind", "base", "name", "good", "bad"),
    [
        (AGENT, {"system_prompt": ""}, "display_name", "é" * 1024, "é" * 1024 + "x"),
        (AGENT, {"system_prompt": ""}, "description", "é" * 5120, "é" * 5120 + "x"),
        (AGENT, {}, "system_prompt", "x" * 2**20, "x" * 2**20 + "x"),
        (MEMORY, {}, "name", "é" * 255, "é" * 256),
        (ORGANIZATION, {}, "name", "é" * 127 + "x", "é" * 128),
        (APP, {"harness": "h"}, "name", "é" * 255, "é" * 256),
    ],
)
def test_limits_of_texts(kind: Kind, base: dict[str, Any], name: str, good: str, bad: str) -> None:
    """Bytes where the server counts bytes, characters where it counts characters (2.5, 4.2, 1.3)."""
    assert written(kind, base | {name: good})[name] == good
    assert "at most" in refused(kind, base | {name: bad})


@pytest.mark.parametrize(
    ("field", "most", "item"),
    [
        ("capabilities", 250, lambda number: {"ref": f"c{number}"}),
        ("initial_files", 100, lambda number: {"path": f"/workspace/{number}", "content": ""}),
    ],
)
def test_limits_of_lists(field: str, most: int, item: Any) -> None:
    """A list of the most items is taken, of one more refused (2.5)."""
    assert len(written(AGENT, {"system_prompt": "", field: [item(number) for number in range(most)]})[field]) == most
    assert "at most" in refused(AGENT, {"system_prompt": "", field: [item(number) for number in range(most + 1)]})


def test_secrets_are_references() -> None:
    """A secret in a spec is where its value will be found, and is written as such again."""
    shape = written(
        AGENT, {"system_prompt": "", "mcpServers": {"a": {"url": "https://a", "headers": {"A": {"env": "T"}}}}}
    )
    secret = shape["mcpServers"]["a"]["headers"]["A"]
    assert secret == SecretRef(source="env", name="T")
    assert repr(secret) == "{env: T}"
    for name in ("hunter-2", "hunter2 ", "2hunter", "hünter2", "hunter2\n"):
        headers = {"A": {"env": name}}
        told = refused(AGENT, {"system_prompt": "", "mcpServers": {"a": {"url": "https://a", "headers": headers}}})
        assert told.startswith("env names an environment variable: letters, digits and underscores")
        assert "nter" not in told
    assert len({secret, SecretRef(source="env", name="T"), SecretRef(source="file", name="T")}) == 2
    assert secret != "{env: T}"


# Laws

NAMES = st.text("ab/._- ", max_size=6)
LISTS = st.lists(NAMES, max_size=4)
FILES_OF = st.lists(
    st.fixed_dictionaries(
        {"path": st.sampled_from(["", "/", "workspace", "/workspace", "/workspace/", "//workspace//a"]) | NAMES},
        optional={
            "content": NAMES,
            "encoding": st.sampled_from(["text", "base64", None]),
            "is_readonly": st.none() | st.booleans(),
        },
    ),
    max_size=3,
)
CONFIG = st.none() | st.just({}) | st.fixed_dictionaries({"a": st.integers()})
CAPABILITIES = st.lists(
    st.fixed_dictionaries({"ref": st.sampled_from(["a", "b", "session_file_system"])}, optional={"config": CONFIG})
    | st.fixed_dictionaries(
        {
            "ref": st.just("memory"),
            "config": st.fixed_dictionaries(
                {"mounts": st.lists(st.fixed_dictionaries({"memory": NAMES}, optional={"mode": NAMES}), max_size=2)}
            ),
        }
    ),
    max_size=3,
)
SERVERS = st.dictionaries(
    NAMES,
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["http", "sse", None]),
            "url": NAMES,
            "headers": st.dictionaries(NAMES, st.just(SECRET), max_size=2),
            "auth_mode": st.sampled_from(["none", "oauth", "o_auth", "api_key"]),
            "tool_discovery": st.booleans(),
            "args": LISTS,
        },
    ),
    max_size=2,
)
NETWORK = st.none() | st.fixed_dictionaries({}, optional={"allowed": LISTS, "blocked": LISTS})
AGENTS = st.fixed_dictionaries(
    {},
    optional={
        "capabilities": CAPABILITIES,
        "tags": LISTS,
        "initial_files": FILES_OF,
        "tools": st.lists(st.fixed_dictionaries({}, optional={"name": NAMES}), max_size=3),
        "mcpServers": SERVERS,
        "network_access": NETWORK,
        "description": st.none() | NAMES,
    },
)
PROVIDER = st.fixed_dictionaries(
    {"type": st.sampled_from(["oidc", "oauth2_introspection", "http_basic"])},
    optional={"allowed_domains": LISTS, "client_secret": st.just(SECRET), "password": st.just(SECRET)},
)
AUTH = st.fixed_dictionaries(
    {"mode": st.sampled_from(["anonymous", "oidc", "oauth2_introspection"])},
    optional={
        "provider": st.none() | PROVIDER,
        "requirements": st.none()
        | st.fixed_dictionaries({}, optional={"scopes": LISTS, "claims": st.just({"a": [2, 1]})}),
    },
)
CHANNELS = st.fixed_dictionaries(
    {"type": st.sampled_from([*CONFIGS, "new"])},
    optional={
        "enabled": st.booleans(),
        "config": st.fixed_dictionaries({}, optional={"auth": st.none() | AUTH, "token": st.just(SECRET)}),
    },
)
APPS = st.fixed_dictionaries({}, optional={"description": st.sampled_from([None, "", "a"]), "published": st.booleans()})


@settings(deadline=None)
@given(pair=st.one_of(*(st.tuples(st.just(k), s) for k, s in ((AGENT, AGENTS), (CHANNEL, CHANNELS), (APP, APPS)))))
def test_canonical_is_idempotent(pair: tuple[Kind, dict[str, Any]]) -> None:
    """The form in which equal things are equal is its own form, and is made without touching what was given."""
    kind, shape = pair
    before = repr(shape)
    form = kind.canonical(shape)
    assert kind.canonical(form) == form
    assert repr(shape) == before
    assert set(form) == set(shape)


@settings(deadline=None)
@given(prompt=st.text(), tags=st.lists(st.text()), name=st.none() | st.text(max_size=50))
def test_what_was_sent_reads_back_equal(prompt: str, tags: list[str], name: str | None) -> None:
    """A spec, sent as it is and answered with what the server adds, compares equal to itself."""
    spec = written(AGENT, {"system_prompt": prompt, "tags": tags, "display_name": name})
    wire = AGENT_WIRE | {key: value for key, value in body_of(AGENT, spec).items() if value is not None}
    observed = shape_of(AGENT, wire)
    assert {key: observed.get(key) for key in spec} == spec
    assert set(spec) <= set(AgentSpec.model_fields)
