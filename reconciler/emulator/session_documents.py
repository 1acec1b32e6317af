"""How a session document is made, changed and shown."""

from collections.abc import Mapping
from typing import Any

from reconciler.emulator import authored, bodies, clock, ids, links, locales, owners, references, slugs
from reconciler.emulator.bodies import Field
from reconciler.emulator.call import Call
from reconciler.emulator.problems import ProblemError, bad_request, not_found
from reconciler.emulator.store import Record, dumps

COLLECTION = "sessions"
PINNED_BY = "_pinned_by"
CREATE = {
    "agent_id": Field(bodies.identifier("agent")),
    "agent_name": Field(bodies.text),
    "harness_id": Field(bodies.identifier("harness")),
    "harness_name": Field(bodies.text),
    "agent_identity_id": Field(bodies.identifier("identity")),
    "title": Field(bodies.text),
    "locale": Field(bodies.text),
    "tags": Field(authored.LISTS["tags"], nullable=False),
    "model_id": Field(bodies.identifier("model")),
    "capabilities": Field(authored.LISTS["capabilities"], nullable=False),
    "tools": Field(authored.TOOLS, nullable=False),
    "mcpServers": Field(authored.MCP_SERVERS, nullable=False, alias="mcp_servers"),
    "system_prompt": Field(bodies.text),
    "initial_files": Field(authored.LISTS["initial_files"], nullable=False),
    "hints": Field(bodies.map_of(bodies.anything)),
    "network_access": Field(authored.NETWORK_ACCESS),
    "max_iterations": Field(bodies.u32),
    "parallel_tool_calls": Field(bodies.flag),
    "workspace_id": Field(bodies.identifier("wsp")),
}
UPDATE = {
    "title": Field(bodies.text),
    "tags": Field(authored.LISTS["tags"]),
    "locale": Field(bodies.text),
    "agent_identity_id": Field(bodies.identifier("identity")),
}
ALWAYS = frozenset({"tags"})
PLAIN = ("title", "model_id", "system_prompt", "hints", "max_iterations", "parallel_tool_calls", "agent_identity_id")
ACTIONS = (
    ("self", "GET", "get_session", "", "Read this session."),
    ("events", "GET", "list_events", "/events", "Follow what happens in this session."),
    ("update", "PATCH", "update_session", "", "Change title, tags or locale."),
    ("delete", "DELETE", "delete_session", "", "Delete this session for good."),
)
PIN = ("pin", "PUT", "pin_session", "/pin", "Keep this session at hand.")
UNPIN = ("unpin", "DELETE", "unpin_session", "/pin", "Stop keeping this session at hand.")


def locale(body: Mapping[str, Any]) -> str | None:
    """Read the locale of a body; an underscore becomes a hyphen (agents-memories-sessions.md, 8)."""
    told = body.get("locale")
    if told is None:
        return None
    normal = str(told).replace("_", "-")
    if not locales.is_locale(normal):
        raise bad_request("Input exceeds allowed limits")
    return normal


def check_exclusive(body: Mapping[str, Any]) -> None:
    """Refuse an agent or a harness that is named twice."""
    for noun in ("harness", "agent"):
        if body.get(f"{noun}_id") is not None and body.get(f"{noun}_name") is not None:
            raise bad_request(f"Cannot specify both {noun}_id and {noun}_name")


def fresh(call: Call) -> dict[str, Any]:
    """Check the references of a create body in the server's order and make the document."""
    body = call.body
    spoken = locale(body)
    check_exclusive(body)
    agent = _agent(call)
    harness = _harness(call, agent)
    references.check_model(call, body.get("model_id"))
    authored.check_sizes(body)
    references.check_identity(call, body.get("agent_identity_id"))
    ident = ids.new("session")
    return {
        **blank(call, ident, harness),
        **({"agent_id": agent["id"], "agent_version_id": agent.get("default_version_id")} if agent else {}),
        **{name: body.get(name) for name in PLAIN},
        "workspace_id": _workspace(call, ident),
        "locale": spoken,
        "tags": body.get("tags") or [],
        "capabilities": authored.capabilities(call, body.get("capabilities") or [], unique=False),
        "tools": authored.tools(body.get("tools") or []),
        "mcpServers": authored.mcp_servers(body.get("mcpServers") or {}),
        "initial_files": authored.initial_files(body.get("initial_files") or []),
        "network_access": authored.network_access(body.get("network_access")),
    }


def blank(call: Call, ident: str, harness: str) -> dict[str, Any]:
    """Make the members every session has; the workspace mirrors the session."""
    moment = clock.now()
    return {
        "id": ident,
        "organization_id": call.org,
        "workspace_id": f"wsp_{ident.partition('_')[2]}",
        "harness_id": harness,
        **owners.owned(call),
        "status": "started",
        "created_at": moment,
        "updated_at": moment,
    }


def patched(call: Call, current: Mapping[str, Any]) -> dict[str, Any]:
    """Apply a patch: only the identity can be cleared, and nothing else may change (agents-memories-sessions.md, 8)."""
    body = call.body
    spoken = {**body, "locale": locale(body)}
    told = {name: spoken[name] for name in ("title", "tags", "locale") if spoken.get(name) is not None}
    if "agent_identity_id" in body:
        references.check_identity(call, body["agent_identity_id"])
        told["agent_identity_id"] = body["agent_identity_id"]
    return {**current, **told, "updated_at": clock.now()}


def record(org: str, document: Mapping[str, Any]) -> Record:
    """Make the record of a session, without its unset members; searches look through the title."""
    kept = {key: value for key, value in document.items() if key in ALWAYS or value not in (None, [], {})}
    haystack = str(kept.get("title", "")).lower()
    return Record(org=org, collection=COLLECTION, id=kept["id"], text=dumps(kept), haystack=haystack)


def shown(call: Call, session: Mapping[str, Any]) -> dict[str, Any]:
    """Write a session with its links, the caller's pin, and what may be done next."""
    urls = links.urls(call.base, COLLECTION, session["id"])
    view = f"{urls['view_url']}/chat"
    is_pinned = call.caller.user in session.get(PINNED_BY, ())
    return {
        **{key: value for key, value in session.items() if key != PINNED_BY},
        "is_pinned": is_pinned,
        "self_url": urls["self_url"],
        "view_url": view,
        "ui_link": view,
        "allowed_actions": [
            links.action(*action, href=urls["self_url"]) for action in (*ACTIONS, UNPIN if is_pinned else PIN)
        ],
    }


def _agent(call: Call) -> dict[str, Any] | None:
    """Find the agent of a create body, by id or by name: it must exist and be active."""
    ident, name = call.body.get("agent_id"), call.body.get("agent_name")
    if name is not None:
        holder = call.store.named(call.org, "agents", name)
        if holder is None:
            raise not_found("Agent")
        ident = holder.id
    if ident is None:
        return None
    return references.assignable(call, "agents", ident, noun="Agent", plural="agents cannot be assigned")


def _harness(call: Call, agent: Mapping[str, Any] | None) -> str:
    """Choose the harness: the one asked for, else the agent's, else the organization's default, else `generic`."""
    ident, name = call.body.get("harness_id"), call.body.get("harness_name")
    if name is not None:
        ident = _named_harness(call, name)
    elif ident is None:
        ident = agent["harness_id"] if agent else references.default_harness(call)
    if ident is None:
        raise not_found("Harness")
    plural = "harnesses cannot be assigned"
    return str(references.assignable(call, "harnesses", ident, noun="Harness", plural=plural)["id"])


def _named_harness(call: Call, name: str) -> str:
    """Find a harness by its name; `default` stands for the organization's."""
    slugs.check("Harness", name)
    if name == "default":
        org = call.store.get("", "orgs", call.org)
        chosen = org.body()["default_harness_id"] if org else None
        if chosen is None:
            raise ProblemError(404, "Default harness not configured for this organization")
        return str(chosen)
    found = call.store.named(call.org, "harnesses", name)
    if found is None:
        raise not_found("Harness")
    return found.id


def _workspace(call: Call, ident: str) -> str:
    """Choose the workspace: that of another session where one is named, else one of its own."""
    wanted = call.body.get("workspace_id")
    digits = (wanted or ident).partition("_")[2]
    if wanted is not None and call.store.get(call.org, COLLECTION, f"session_{digits}") is None:
        raise not_found("Workspace")
    return f"wsp_{digits}"
