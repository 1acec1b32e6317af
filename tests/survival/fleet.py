"""The fleet that is applied: what was there before, what git wants afterwards, and whose things stand beside it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from . import deeper
from .documents import CRM, Documents, agent, app, channel, document, hook, kept, secret, slack

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


def _mounts(*memories: str) -> list[dict[str, Any]]:
    mounts = [{"memory": name, "path": f"/workspace/{name}", "mode": "readonly"} for name in memories]
    return [{"ref": "memory", "config": {"mounts": mounts}}, {"ref": "web_fetch"}]


def before() -> Documents:
    """Give what an earlier run applied: all of it is ours."""
    return [
        document("Organization", "acme", {"name": "Acme", "feature_flags": deeper.FLAGS_BEFORE}),
        *deeper.before(),
        document("Memory", "docs", {"description": "How we work"}),
        document("Memory", "notes", {"name": "Old notes"}),
        document("Memory", "left", {"name": "Left", "description": "Was left"}),
        document("Memory", "right", {"name": "Right", "description": "Was right"}),
        document("Memory", "forgotten", {}),
        agent("triage", description="Sorts", default_model="gpt-4o", tags=["a"]),
        agent("writer", display_name="Writer", mcpServers=CRM),
        agent("helper", description="Helps"),
        agent("patched", tags=["old"]),
        agent("retired"),
        agent("steady", capabilities=_mounts("docs")),
        app("support", hook("tickets"), slack("team"), channel("card", "a2a", message="Hi"), agent="triage"),
        app("desk", hook("calls"), agent="retired"),
        app(
            "digest",
            channel("nightly", "schedule", cron_expression="0 2 * * *", message="Go"),
            agent="writer",
            published=True,
        ),
        app("quiet", hook("pings"), published=False),
    ]


def after() -> Documents:
    """Give what git wants now: 40 resources and more to create, change, rename, archive and delete."""
    return [*_changed(), *_added(), *_labs(), *deeper.after()]


def _changed() -> Documents:
    """Give what was there before, as git wants it now; what is missing here leaves."""
    return [
        document(
            "Organization", "acme", {"name": "Acme", "default_model": "gpt-4o-mini", "feature_flags": deeper.FLAGS}
        ),
        document("Memory", "docs", {"description": "How we work now"}),
        document("Memory", "notes", {"name": "New notes"}),
        document("Memory", "left", {"name": "Right", "description": "Was left"}),
        document("Memory", "right", {"name": "Left", "description": "Was right"}),
        agent("triage", description="Sorts what comes in", default_model="gpt-4o", tags=["a", "b"]),
        agent("writer", display_name=None, mcpServers=CRM),
        agent("assistant", moved_from="helper", description="Helps"),
        agent("patched", tags=["new"]),
        agent("steady", capabilities=_mounts("docs")),
        app(
            "support",
            hook("tickets", "HOOK_NEW", message="A ticket"),
            channel("card", "a2a", message="Hello"),
            channel("chat", "ag_ui", token=secret("CHAT")),
            agent="triage",
            published=True,
        ),
        app(
            "digest",
            channel("nightly", "schedule", cron_expression="0 3 * * *", message="Go"),
            agent="writer",
            description="Once a day",
            published=False,
        ),
        app("quiet", hook("pings"), published=True),
    ]


def _added() -> Documents:
    """Give what is new in the organization that was there."""
    return [
        document(
            "Memory", "handbook", {"source": {"type": "github", "repository": "acme/handbook"}, "wait_for_sync": "60s"}
        ),
        document("Memory", "faq", {"description": "Answers"}),
        document("Memory", "forms", {}),
        agent("billing", mcpServers=CRM, initial_files=[{"path": "/workspace/a.md", "content": "A"}]),
        agent("returns", capabilities=_mounts("faq", "handbook")),
        agent("greeter", display_name="Greeter", tags=["hello"]),
        agent("auditor", max_iterations=7),
        app("storefront", channel("web", "public_chat", anonymous=True, token=secret("CHAT")), agent="greeter"),
        app(
            "partners",
            kept(channel("card", "a2a", message="Order", signing_secret=secret("CARD"))),
            kept(channel("calls", "api_endpoint", rate_limit_per_minute=10)),
            agent="billing",
            published=True,
        ),
        app("counter", channel("desk", "fcp", anonymous=True), slack("team"), agent="returns", published=True),
    ]


def _labs() -> Documents:
    """Give an organization that does not exist yet, with all that is in it."""
    return [
        document("Organization", "labs", {"name": "Acme labs", "feature_flags": {"skills": False}}),
        document("Memory", "papers", {"description": "To read"}, org="labs"),
        agent("reader", org="labs", capabilities=_mounts("papers")),
        agent("checker", org="labs", description="Checks"),
        agent("runner", org="labs", mcpServers=CRM),
        document("Memory", "results", {"files": deeper.files(one="1", two="2")}, org="labs"),
        app("demo", channel("card", "a2a", message="Try"), org="labs", agent="runner"),
        app("bench", hook("runs"), channel("try", "api_endpoint"), org="labs", agent="reader", published=True),
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
            {"id": ACME, "name": "Acme", **things, "feature_flags": deeper.FLAGS_BEFORE},
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
