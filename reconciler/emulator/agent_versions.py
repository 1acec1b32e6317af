"""Agent versions: list, publish, default, diff, rollback and fork; without the flag there are none."""

from collections.abc import Mapping
from typing import Any

from reconciler.emulator import (
    agent_documents,
    agent_records,
    agent_snapshots,
    authored,
    bodies,
    clock,
    references,
)
from reconciler.emulator.agent_snapshots import Reason
from reconciler.emulator.bodies import Field
from reconciler.emulator.call import Call, Reply, Route
from reconciler.emulator.problems import RejectionError, bad_request, not_found
from reconciler.emulator.store import Record

KINDS = ("auto", "manual", "patch", "minor", "major", "import", "rollback", "fork")
CREATE = {"change_kind": Field(bodies.choice(*KINDS)), "summary": Field(bodies.text)}
DEFAULT = {"version_id": Field(bodies.identifier("agentver"), required=True)}
ROLLBACK = {"save_version": Field(bodies.flag, nullable=False), "summary": Field(bodies.text)}
FORK = {
    "name": Field(bodies.text, required=True),
    "display_name": Field(bodies.text),
    "description": Field(bodies.text),
}
COALESCED = ("display_name", "description", "default_model_id")


def listing(call: Call) -> Reply:
    """GET /v1/agents/{id or name}/versions: a bare array, newest first, drafts included."""
    versions = call.store.children(_agent(call).id, agent_snapshots.COLLECTION)
    return Reply(text=f"[{','.join(record.text for record in reversed(versions))}]")


def create(call: Call) -> Reply:
    """POST /v1/agents/{id or name}/versions: publishes what the agent is now and answers 200."""
    agent = _agent(call)
    kind = call.body.get("change_kind") or "manual"
    if kind == "auto":
        raise bad_request("Automatic change kind is reserved for draft snapshots")
    record = agent_snapshots.publish(call, agent, Reason(kind, call.body.get("summary")))
    return Reply(text=record.text, entity=record.id)


def set_default(call: Call) -> Reply:
    """POST /v1/agents/{id or name}/versions/default: chooses the version that runs, shows the agent."""
    agent = _agent(call)
    version = _version(call, agent, call.body["version_id"])
    if not version["is_published"]:
        raise bad_request("Default agent version must be published")
    authored.check_risk(call, version["authored_config"]["capabilities"])
    return agent_records.entity(call, agent_snapshots.choose_default(call, agent, version["id"]))


def diff(call: Call) -> Reply:
    """GET /v1/agents/{id or name}/versions/{from}/diff/{to}: the top-level members that differ."""
    agent = _agent(call)
    older, newer = (_version(call, agent, _version_id(call, name)) for name in ("from_version_id", "to_version_id"))
    return Reply(
        value={
            "from_version_id": older["id"],
            "to_version_id": newer["id"],
            "authored_diff": _changes(older["authored_config"], newer["authored_config"]),
            "resolved_diff": _changes(older["resolved_config"], newer["resolved_config"]),
        }
    )


def rollback(call: Call) -> Reply:
    """POST /v1/agents/{id or name}/versions/{id}/rollback: overwrites the draft; three members cannot be cleared."""
    agent = _agent(call)
    version = _version(call, agent, _version_id(call, "version_id"))
    wanted = agent_snapshots.restored(version["authored_config"])
    authored.check_risk(call, wanted["capabilities"])
    plural = "harnesses cannot be assigned to agents"
    references.assignable(call, "harnesses", wanted["harness_id"], noun="Harness", plural=plural)
    changed = agent_records.store(call, agent, _rolled_back(agent.body(), wanted))
    reply = agent_records.entity(call, changed)
    if call.body.get("save_version"):
        told = call.body.get("summary")
        summary = f"Rollback to {version['version']}" if told is None else told
        agent_snapshots.publish(call, changed, Reason("rollback", summary, version["id"]))
    return reply


def fork(call: Call) -> Reply:
    """POST /v1/agents/{id or name}/versions/{id}/fork: a new agent of the same family, published as 0.1.0."""
    agent_records.check_name(call, call.body["name"])
    source = _agent(call)
    version = _version(call, source, _version_id(call, "version_id"))
    wanted = agent_snapshots.restored(version["authored_config"])
    described = call.body.get("description")
    told = {
        "name": call.body["name"],
        "display_name": call.body.get("display_name"),
        "description": wanted["description"] if described is None else described,
    }
    lineage = {
        "forked_from_agent_id": source.id,
        "forked_from_version_id": version["id"],
        "root_agent_id": source.body().get("root_agent_id") or source.id,
    }
    created = agent_records.create(call, {**wanted, **told}, lineage=lineage)
    reply = agent_records.entity(call, created)
    summary = f"Forked from {version['version']}"
    agent_snapshots.publish(call, created, Reason("fork", summary, version["id"]))
    return reply


def _agent(call: Call) -> Record:
    """Find the agent in the path; with the flag off there are no versions at all."""
    if not call.flags["agent_versions"]:
        raise not_found("Agent versions", code="not_found")
    return agent_records.by_id_or_name(call)


def _version_id(call: Call, name: str) -> str:
    """Read a version id of the path; a malformed one never reaches the command."""
    try:
        return str(bodies.identifier("agentver")(call.args[name]))
    except bodies.MismatchError as error:
        raise RejectionError(400, f"Invalid URL: Cannot parse `{name}`: {error}") from error


def _version(call: Call, agent: Record, ident: str) -> dict[str, Any]:
    """Find a version, which must be one of this agent's."""
    record = call.store.get(call.org, agent_snapshots.COLLECTION, ident)
    if record is None:
        raise not_found("Agent version")
    if record.parent != agent.id:
        raise bad_request("Agent version belongs to another agent")
    return record.body()


def _rolled_back(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Write a version over an agent; three members of the agent stay where the version has none."""
    told = {key: value for key, value in wanted.items() if value is not None or key not in COALESCED}
    return agent_documents.shaped({**current, **told, "updated_at": clock.now()})


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Compare two configurations member by member."""
    names = sorted({*before, *after})
    return {
        name: {"from": before.get(name), "to": after.get(name)} for name in names if before.get(name) != after.get(name)
    }


ROUTES = (
    Route("GET", "/v1/agents/<agent>/versions", listing, "agent.view"),
    Route("POST", "/v1/agents/<agent>/versions", create, "agent.manage", body=CREATE),
    Route("POST", "/v1/agents/<agent>/versions/default", set_default, "agent.manage", body=DEFAULT),
    Route("GET", "/v1/agents/<agent>/versions/<from_version_id>/diff/<to_version_id>", diff, "agent.view"),
    Route("POST", "/v1/agents/<agent>/versions/<version_id>/rollback", rollback, "agent.manage", body=ROLLBACK),
    Route("POST", "/v1/agents/<agent>/versions/<version_id>/fork", fork, "agent.manage", body=FORK),
)
