"""The fleet that is applied: what was there before, what git wants afterwards, and whose things stand beside it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

SECRETS = {
    "SLACK_SIGNING": "sesame-slack-signing-0815",
    "SLACK_BOT": "sesame-slack-bot-4711",
    "HOOK": "sesame-hook-1234",
    "HOOK_NEW": "sesame-hook-rotated-5678",
    "CRM": "sesame-crm-9999",
    "CHAT": "sesame-chat-7777",
    "CARD": "sesame-card-3333",
}
UNMANAGED = "Somebody else"
ACME = "org_" + "a" * 32
THEIRS = "org_" + "b" * 32

Documents = list[dict[str, Any]]


def document(kind: str, name: str, spec: Mapping[str, Any], *, org: str = "acme", **metadata: Any) -> dict[str, Any]:
    """Write a manifest document."""
    where = {} if kind == "Organization" else {"org": org}
    head = {"name": name, **where, **metadata}
    return {"apiVersion": "everruns.reconciler/v1", "kind": kind, "metadata": head, "spec": dict(spec)}


def _secret(name: str) -> dict[str, str]:
    return {"env": name}


def _agent(name: str, *, org: str = "acme", moved_from: str | None = None, **spec: Any) -> dict[str, Any]:
    moved = {"moved_from": moved_from} if moved_from else {}
    return document("Agent", name, {"system_prompt": f"You are {name}.", **spec}, org=org, **moved)


def _app(name: str, *channels: Mapping[str, Any], org: str = "acme", **spec: Any) -> dict[str, Any]:
    listed = {"channels": list(channels)} if channels else {}
    return document("App", name, {"harness": "generic", **spec, **listed}, org=org)


def _channel(name: str, type_: str, *, enabled: bool = True, **config: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, "enabled": enabled, "config": config}


def _hook(name: str, secret: str = "HOOK", *, message: str = "New ticket") -> dict[str, Any]:
    return _channel(name, "webhook", token=_secret(secret), message=message)


def _slack(name: str) -> dict[str, Any]:
    return _channel(name, "slack", signing_secret=_secret("SLACK_SIGNING"), bot_token=_secret("SLACK_BOT"))


_CRM = {"crm": {"url": "https://crm.example.com/v1", "headers": {"Authorization": _secret("CRM")}}}


def _mounts(*memories: str) -> list[dict[str, Any]]:
    mounts = [{"memory": name, "path": f"/workspace/{name}", "mode": "readonly"} for name in memories]
    return [{"ref": "memory", "config": {"mounts": mounts}}, {"ref": "web_fetch"}]


def before() -> Documents:
    """Give what an earlier run applied: all of it is ours."""
    return [
        document("Organization", "acme", {"name": "Acme"}),
        document("Memory", "docs", {"description": "How we work"}),
        document("Memory", "notes", {"name": "Old notes"}),
        document("Memory", "left", {"name": "Left", "description": "Was left"}),
        document("Memory", "right", {"name": "Right", "description": "Was right"}),
        document("Memory", "forgotten", {}),
        _agent("triage", description="Sorts", default_model="gpt-4o", tags=["a"]),
        _agent("writer", display_name="Writer", mcpServers=_CRM),
        _agent("helper", description="Helps"),
        _agent("patched", tags=["old"]),
        _agent("retired"),
        _agent("steady", capabilities=_mounts("docs")),
        _app("support", _hook("tickets"), _slack("team"), _channel("card", "a2a", message="Hi"), agent="triage"),
        _app("desk", _hook("calls"), agent="retired"),
        _app(
            "digest",
            _channel("nightly", "schedule", cron_expression="0 2 * * *", message="Go"),
            agent="writer",
            published=True,
        ),
        _app("quiet", _hook("pings"), published=False),
    ]


def after() -> Documents:
    """Give what git wants now: 40 resources and more to create, change, rename, archive and delete."""
    return [*_changed(), *_added(), *_labs()]


def _changed() -> Documents:
    """Give what was there before, as git wants it now; what is missing here leaves."""
    return [
        document("Organization", "acme", {"name": "Acme", "default_model": "gpt-4o-mini"}),
        document("Memory", "docs", {"description": "How we work now"}),
        document("Memory", "notes", {"name": "New notes"}),
        document("Memory", "left", {"name": "Right", "description": "Was left"}),
        document("Memory", "right", {"name": "Left", "description": "Was right"}),
        _agent("triage", description="Sorts what comes in", default_model="gpt-4o", tags=["a", "b"]),
        _agent("writer", display_name=None, mcpServers=_CRM),
        _agent("assistant", moved_from="helper", description="Helps"),
        _agent("patched", tags=["new"]),
        _agent("steady", capabilities=_mounts("docs")),
        _app(
            "support",
            _hook("tickets", "HOOK_NEW", message="A ticket"),
            _channel("card", "a2a", message="Hello"),
            _channel("chat", "ag_ui", token=_secret("CHAT")),
            agent="triage",
            published=True,
        ),
        _app(
            "digest",
            _channel("nightly", "schedule", cron_expression="0 3 * * *", message="Go"),
            agent="writer",
            description="Once a day",
            published=False,
        ),
        _app("quiet", _hook("pings"), published=True),
    ]


def _added() -> Documents:
    """Give what is new in the organization that was there."""
    return [
        document("Memory", "handbook", {"source": {"type": "github", "repository": "acme/handbook"}}),
        document("Memory", "faq", {"description": "Answers"}),
        document("Memory", "forms", {}),
        _agent("billing", mcpServers=_CRM, initial_files=[{"path": "/workspace/a.md", "content": "A"}]),
        _agent("returns", capabilities=_mounts("faq", "handbook")),
        _agent("greeter", display_name="Greeter", tags=["hello"]),
        _agent("auditor", max_iterations=7),
        _app("storefront", _channel("web", "public_chat", anonymous=True, token=_secret("CHAT")), agent="greeter"),
        _app(
            "partners",
            _channel("card", "a2a", message="Order", signing_secret=_secret("CARD")),
            _channel("calls", "api_endpoint", rate_limit_per_minute=10),
            agent="billing",
            published=True,
        ),
        _app("counter", _channel("desk", "fcp", anonymous=True), _slack("team"), agent="returns", published=True),
    ]


def _labs() -> Documents:
    """Give an organization that does not exist yet, with all that is in it."""
    return [
        document("Organization", "labs", {"name": "Acme labs"}),
        document("Memory", "papers", {"description": "To read"}, org="labs"),
        _agent("reader", org="labs", capabilities=_mounts("papers")),
        _agent("checker", org="labs", description="Checks"),
        _agent("runner", org="labs", mcpServers=_CRM),
        document("Memory", "results", {}, org="labs"),
        _app("demo", _channel("card", "a2a", message="Try"), org="labs", agent="runner"),
        _app("bench", _hook("runs"), _channel("try", "api_endpoint"), org="labs", agent="reader", published=True),
    ]


def foreign_seed() -> dict[str, Any]:
    """Give what somebody else has: beside ours under names like ours, and in an organization of their own."""
    hook = {"channel_type": "webhook", "channel_config": {"token": "t0k3n", "message": "Not yours"}}
    things: dict[str, Any] = {
        "agents": [
            {"name": "triage-2", "system_prompt": "Theirs.", "description": "Theirs", "tags": ["a"]},
            {"name": "billing-old", "system_prompt": "Theirs.", "archived": True},
        ],
        "memories": [{"name": "docs-2", "description": "Theirs"}],
        "apps": [
            {"name": "support 2", "harness": "generic", "channels": [hook], "published": True},
            {"name": "Storefront", "harness": "generic", "agent": "triage-2", "channels": [hook]},
            {"name": "partners", "harness": "generic", "archived": True},
        ],
    }
    return {
        "orgs": [
            {"id": ACME, "name": "Acme", **things},
            {"id": THEIRS, "name": UNMANAGED, **things, "default_model": "gpt-4o"},
        ]
    }


def text(documents: Iterable[Mapping[str, Any]]) -> str:
    """Write documents as one manifest file."""
    return "\n---\n".join(json.dumps(one, indent=1) for one in documents)


def addresses(documents: Iterable[Mapping[str, Any]]) -> set[str]:
    """Say under which addresses the ledger owns what is declared, channels included."""
    found = set()
    for one in documents:
        kind, name = one["kind"], one["metadata"]["name"]
        org = name if kind == "Organization" else one["metadata"]["org"]
        found.add(f"{org}/{kind}/{name}")
        found |= {f"{org}/{kind}/{name}/Channel/{channel['name']}" for channel in one["spec"].get("channels", [])}
    return found
