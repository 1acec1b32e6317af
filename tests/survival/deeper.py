"""What stands in the fleet beside agents and apps: harnesses, identities, versions, files, flags, sessions."""

from typing import Any

from .documents import Documents, agent, app, document

FLAGS_BEFORE = {"voice": True, "evals": False}
FLAGS = {"voice": False, "evals": False, "observers": False}
THEIR_FLAGS = {"notifications": False, "plugins": False}
"""What somebody switched by hand."""
_PINNED = {"agent_version_policy": "pinned", "agent_version": "latest-published"}


def files(**texts: str) -> list[dict[str, str]]:
    """Write files of a memory, two underscores for a slash."""
    return [{"path": f"/{name.replace('__', '/')}.md", "content": text} for name, text in texts.items()]


def _released(name: str, **spec: Any) -> dict[str, Any]:
    """Write an agent that is published whenever it changed."""
    return agent(name, version={"publish": "on-change"}, **spec)


def before() -> Documents:
    """Give what an earlier run applied."""
    return [
        document("Harness", "desk", {"description": "Was", "parent_harness": "generic"}),
        document("Harness", "counter", {"parent_harness": "desk"}),
        document("Harness", "shelf", {"parent_harness": "desk"}),
        document("AgentIdentity", "duty", {"description": "On duty"}),
        document("AgentIdentity", "leaver", {}),
        document("Memory", "guide", {"files": files(a="A", b__c="C", b__d="D", b__f="F")}),
        _released("coach"),
        agent("pilot"),
        app("coaching", agent="coach", **_PINNED),
        document("Session", "weekly", {"title": "Weekly", "tags": ["care"], "max_iterations": 3}),
        document("Session", "daily", {"title": "Daily", "agent": "steady"}),
        document("Session", "stale", {"title": "Stale"}),
    ]


def after() -> Documents:
    """Give what git wants now."""
    return [
        document("Harness", "desk", {"description": "Is", "parent_harness": "generic"}),
        document("Harness", "counter", {"parent_harness": "till"}),
        document("Harness", "till", {"parent_harness": "desk", "description": "Between them"}),
        document("AgentIdentity", "duty", {"description": None, "locale": "de-DE"}),
        document("AgentIdentity", "relief", {}),
        document("Memory", "guide", {"files": files(a="A2", b__d="D", e="E", b__f="F2", g__h="H")}),
        _released("coach", description="Trains"),
        _released("pilot"),
        app("coaching", agent="coach", **_PINNED),
        app("piloting", agent="pilot", agent_identity="relief", **_PINNED),
        document("Session", "weekly", {"title": "Weekly", "tags": ["care"], "max_iterations": 5}, replace=True),
        document("Session", "daily", {"title": "Day by day", "agent": "steady"}),
        document("Session", "review", {"title": "Review", "agent": "pilot", "agent_identity": "duty"}),
        document("ChatSession", "chat", {"locale": "de-DE"}),
    ]


def meddle(api: Any, org: str, guide: str) -> None:
    """Let somebody else have files in a memory of ours, flags of an organization of ours, sessions and a chat."""
    for path in ("theirs.md", "b/theirs.md"):
        assert api.post(f"/v1/memories/{guide}/fs/{path}", json={"content": "Theirs."}).is_success
    assert api.patch(f"/v1/orgs/{org}/feature-flags", json={"flags": THEIR_FLAGS}).is_success
    assert api.post("/v1/sessions", json={"title": "Weekly", "tags": ["care"]}).is_success
    assert api.post("/v1/sessions/chat", json={"locale": "en"}).is_success
