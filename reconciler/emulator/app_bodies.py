"""App documents: what a body may say, the references in it, and what is shown."""

from collections.abc import Mapping
from typing import Any

from reconciler.emulator import bodies, channel_rules, clock, ids, links, owners, references
from reconciler.emulator.bodies import Field
from reconciler.emulator.call import Call
from reconciler.emulator.problems import bad_request, not_found

COMMON = {
    "description": Field(bodies.text),
    "agent_id": Field(bodies.identifier("agent")),
    "agent_version_id": Field(bodies.identifier("agentver")),
    "agent_identity_id": Field(bodies.identifier("identity")),
}
POLICY = bodies.choice("default", "latest", "pinned")
CREATE = {
    **COMMON,
    "name": Field(bodies.text, required=True),
    "harness_id": Field(bodies.identifier("harness"), required=True),
    "agent_version_policy": Field(POLICY, nullable=False),
    "channel_type": Field(bodies.choice(*channel_rules.TYPES)),
    "channel_config": Field(channel_rules.config_value),
}
UPDATE = {
    **COMMON,
    "name": Field(bodies.text),
    "harness_id": Field(bodies.identifier("harness")),
    "agent_version_policy": Field(POLICY),
    "status": Field(bodies.choice("draft", "published", "archived", "deleted")),
}
NO_AGENT = (
    "Apps require an agent. Existing agent-less apps remain runnable, "
    "but must be assigned an agent before they can be updated."
)
KEPT = ("name", "description", "harness_id", "agent_id", "agent_version_policy", "status")
CLEARABLE = ("agent_version_id", "agent_identity_id")
NULL_SHOWN = frozenset({"agent_id"})
ACTIONS = (
    ("self", "GET", "get_app", "", "Read this app."),
    ("update", "PATCH", "update_app", "", "Change this app."),
    ("runs", "GET", "list_app_runs", "/runs", "See what this app ran."),
    ("delete", "DELETE", "delete_app", "", "Archive this app."),
)
MOVES = {
    "draft": ("publish", "POST", "publish_app", "/publish", "Start serving this app."),
    "published": ("unpublish", "POST", "unpublish_app", "/unpublish", "Stop serving this app."),
}


def check_harness(call: Call, ident: str) -> None:
    """Insist on an active harness."""
    plural = "harnesses cannot be assigned"
    references.assignable(call, "harnesses", ident, noun="Harness", plural=plural)


def check_agent(call: Call, ident: str | None) -> None:
    """Insist on an active agent; only strict servers insist that there is one."""
    if ident is None:
        if call.deployment.age.requires_agent:
            raise bad_request(NO_AGENT)
        return
    references.assignable(call, "agents", ident, noun="Agent", plural="agents cannot be assigned")


def check_version(call: Call, ident: str | None, agent: str | None) -> None:
    """Insist that a pinned version exists and is of the selected agent."""
    if ident is None:
        return
    record = call.store.get(call.org, "agent_versions", ident)
    if record is None:
        raise not_found("Agent version")
    if record.parent != agent:
        raise bad_request("Agent version must belong to the selected agent")
    if call.deployment.age.pins_published_only and not record.body()["is_published"]:
        raise bad_request("Agent version must be published before it can be pinned to an app")


def fresh(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """Make the document of a new app."""
    moment = clock.now()
    return {
        "id": ids.new("app"),
        "name": body["name"],
        "description": body.get("description"),
        "harness_id": body["harness_id"],
        "agent_id": body.get("agent_id"),
        "agent_version_policy": body.get("agent_version_policy", "default"),
        "agent_version_id": body.get("agent_version_id"),
        "agent_identity_id": body.get("agent_identity_id"),
        **owners.owned(call, body.get("agent_identity_id")),
        "status": "draft",
        "created_at": moment,
        "updated_at": moment,
    }


def patched(call: Call, current: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Check the references a patch brings and apply it; a new agent is not checked against the pin."""
    told = {key: body[key] for key in KEPT if body.get(key) is not None}
    cleared = {key: body[key] for key in CLEARABLE if key in body}
    document = {**current, **told, **cleared, "updated_at": clock.now()}
    if "harness_id" in told:
        check_harness(call, told["harness_id"])
    if "agent_id" in told or document["agent_id"] is None:
        check_agent(call, document["agent_id"])
    check_version(call, cleared.get("agent_version_id"), document["agent_id"])
    references.check_identity(call, cleared.get("agent_identity_id"))
    if "agent_identity_id" in cleared:
        document |= owners.owned(call, document["agent_identity_id"])
    return document


def visible(app: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out unset members; a missing agent alone is shown, as null."""
    return {key: value for key, value in app.items() if value is not None or key in NULL_SHOWN}


def actions(status: str, href: str) -> list[dict[str, str]]:
    """List what may be done next: the usual four, and the way to publish or back."""
    moves = [MOVES[status]] if status in MOVES else []
    return [_action(*action, href=href) for action in (*ACTIONS, *moves)]


def _action(rel: str, *rest: str, href: str) -> dict[str, str]:
    """Write one action; only an update says what its body looks like."""
    action = links.action(rel, *rest, href=href)
    return {**action, "schema_ref": "#/components/schemas/UpdateAppRequest"} if rel == "update" else action
