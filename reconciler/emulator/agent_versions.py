"""Agent versions: published snapshots of an agent; draft snapshots are not taken here."""

import hashlib
import json
from typing import Any

from reconciler.emulator import agent_documents, authored, bodies, clock, ids, links
from reconciler.emulator.bodies import Field
from reconciler.emulator.call import Call, Reply, Route
from reconciler.emulator.problems import bad_request, malformed, not_found
from reconciler.emulator.store import Record, dumps

KINDS = ("auto", "manual", "patch", "minor", "major", "import", "rollback", "fork")
COLLECTION = "agent_versions"
CREATE = {"change_kind": Field(bodies.choice(*KINDS)), "summary": Field(bodies.text)}
DEFAULT = {"version_id": Field(bodies.identifier("agentver"), required=True)}
CONFIG = (
    "name",
    *agent_documents.SCALARS,
    "system_prompt",
    "harness_id",
    "tags",
    "capabilities",
    "initial_files",
    "tools",
    "network_access",
)


def listing(call: Call) -> Reply:
    """GET /v1/agents/{id or name}/versions: a bare array, newest first."""
    versions = call.store.children(_agent(call).id, COLLECTION)
    return Reply(text=f"[{','.join(record.text for record in reversed(versions))}]")


def create(call: Call) -> Reply:
    """POST /v1/agents/{id or name}/versions: publishes what the agent is now and answers 200."""
    agent = _agent(call)
    kind = call.body.get("change_kind") or "manual"
    if kind == "auto":
        raise bad_request("Automatic change kind is reserved for draft snapshots")
    before = [record.body() for record in call.store.children(agent.id, COLLECTION)]
    version = _version(agent.body(), kind, before)
    if call.body.get("summary") is not None:
        version["summary"] = call.body["summary"]
    record = Record(org=call.org, collection=COLLECTION, id=version["id"], text=dumps(version), parent=agent.id)
    call.store.insert(record)
    if not before:
        _set_default(call, agent, record.id)
    return Reply(text=record.text, entity=record.id)


def set_default(call: Call) -> Reply:
    """POST /v1/agents/{id or name}/versions/default: chooses the version that runs, shows the agent."""
    agent = _agent(call)
    record = call.store.get(call.org, COLLECTION, call.body["version_id"])
    if record is None:
        raise not_found("Agent version")
    if record.parent != agent.id:
        raise bad_request("Agent version belongs to another agent")
    changed = _set_default(call, agent, record.id)
    return Reply(text=links.spliced(changed.text, links.urls(call.base, "agents", agent.id)), entity=agent.id)


def _set_default(call: Call, agent: Record, version: str) -> Record:
    """Write the default version into the agent."""
    body = agent.body()
    authored.capabilities(call, body["capabilities"])
    document = {**body, "default_version_id": version, "updated_at": clock.now()}
    changed = agent.with_body(agent_documents.shaped(document))
    call.store.save(changed)
    return changed


def _agent(call: Call) -> Record:
    """Find the agent in the path; with the flag off there are no versions at all."""
    if not call.flags["agent_versions"]:
        raise not_found("Agent versions", code="not_found")
    key = call.args["agent"]
    named = "_" not in key
    fault = None if named else ids.fault("agent", key)
    if fault:
        raise malformed("agent", fault)
    record = call.store.named(call.org, "agents", key) if named else call.store.get(call.org, "agents", key)
    if record is None or record.body()["status"] == "deleted":
        raise not_found("Agent")
    return record


def _version(agent: dict[str, Any], kind: str, before: list[dict[str, Any]]) -> dict[str, Any]:
    """Make the next version: 0.1.0 first, then the part that the kind of change names goes up."""
    config = {name: agent.get(name) for name in CONFIG} | {"mcp_servers": agent.get("mcpServers")}
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()
    major, minor, patch = _next(kind, before[-1] if before else None)
    return {
        "id": ids.new("agentver"),
        "agent_id": agent["id"],
        "version_number": len(before) + 1,
        "semver_major": major,
        "semver_minor": minor,
        "semver_patch": patch,
        "version": f"{major}.{minor}.{patch}",
        "is_published": True,
        "change_kind": kind,
        "config_hash": f"sha256:{digest}",
        "authored_config": config,
        "resolved_config": config,
        "created_at": clock.now(),
    }


def _next(kind: str, last: dict[str, Any] | None) -> tuple[int, int, int]:
    """Give the number that follows the last one."""
    if last is None:
        return 0, 1, 0
    if kind == "major":
        return last["semver_major"] + 1, 0, 0
    if kind in ("minor", "fork"):
        return last["semver_major"], last["semver_minor"] + 1, 0
    return last["semver_major"], last["semver_minor"], last["semver_patch"] + 1


ROUTES = (
    Route("GET", "/v1/agents/<agent>/versions", listing, "agent.view"),
    Route("POST", "/v1/agents/<agent>/versions", create, "agent.manage", body=CREATE),
    Route("POST", "/v1/agents/<agent>/versions/default", set_default, "agent.manage", body=DEFAULT),
)
