"""Snapshots of an agent: published versions with semantic numbers, and the drafts taken on every change."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.emulator import agent_documents, clock, ids
from reconciler.emulator.call import Call
from reconciler.emulator.store import Record, dumps

COLLECTION = "agent_versions"
DRAFTS_KEPT = 50
# What tells snapshots apart without parsing them; nothing searches through versions.
DRAFT, PUBLISHED = "draft", "published"
FIRST = (0, 1, 0)
LISTS = ("tags", "capabilities", "initial_files", "tools")
SCALARS = ("name", *agent_documents.SCALARS, "system_prompt", "harness_id", "network_access")
RESOLVED = (
    "system_prompt",
    "tools",
    "capabilities",
    "mcp_servers",
    "default_model_id",
    "harness_id",
    "max_iterations",
    "parallel_tool_calls",
)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a version is published: the kind of change, what is said about it, and the version it restores or forks."""

    kind: str
    summary: str | None = None
    source: str | None = None


def authored_config(agent: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the author of an agent wrote; unset members are null or empty (agents-memories-sessions.md, 3)."""
    return {
        **{name: agent.get(name) for name in SCALARS},
        **{name: agent.get(name, []) for name in LISTS},
        "mcp_servers": agent.get("mcpServers", {}),
    }


def config_hash(config: Mapping[str, Any]) -> str:
    """Give the hash by which equal configurations are recognized (agents-memories-sessions.md, 3)."""
    text = json.dumps(config, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def restored(config: Mapping[str, Any]) -> dict[str, Any]:
    """Turn an authored configuration back into the members of an agent document."""
    document = {name: value for name, value in config.items() if name != "mcp_servers"}
    return {**document, "mcpServers": config["mcp_servers"]}


def publish(call: Call, agent: Record, reason: Reason) -> Record:
    """Publish what an agent is now, even when nothing changed; without a default, it becomes the default."""
    before = call.store.children(agent.id, COLLECTION)
    published = [record for record in before if record.haystack == PUBLISHED]
    last = published[-1].body() if published else None
    numbers = _next(reason.kind, last)
    told = {
        **_numbered(numbers, ".".join(map(str, numbers))),
        "is_published": True,
        "parent_version_id": last["id"] if last else None,
        "source_version_id": reason.source,
        "change_kind": reason.kind,
        "summary": reason.summary,
    }
    record = _insert(call, agent, _number(before), told)
    if agent.body().get("default_version_id") is None:
        choose_default(call, agent, record.id)
    return record


def choose_default(call: Call, agent: Record, version: str) -> Record:
    """Write the default version into an agent."""
    document = {**agent.body(), "default_version_id": version, "updated_at": clock.now()}
    changed = agent.with_body(agent_documents.shaped(document))
    call.store.save(changed)
    return changed


def draft(call: Call, agent: Record, *, before: Mapping[str, Any]) -> None:
    """Take an unpublished snapshot of a change, unless nothing authored changed; the newest fifty are kept."""
    if not call.flags["agent_versions"]:
        return
    digest = config_hash(authored_config(agent.body()))
    if digest == config_hash(authored_config(before)):
        return
    earlier = call.store.children(agent.id, COLLECTION)
    if earlier and earlier[-1].body()["config_hash"] == digest:
        return
    number = _number(earlier)
    told = {
        **_numbered((0, 0, 0), f"draft.{number}"),
        "is_published": False,
        "parent_version_id": earlier[-1].id if earlier else None,
        "change_kind": "auto",
    }
    _insert(call, agent, number, told)
    drafts = [record.id for record in earlier if record.haystack == DRAFT]
    for ident in drafts[: max(0, len(drafts) + 1 - DRAFTS_KEPT)]:
        call.store.remove(ident)


def _insert(call: Call, agent: Record, number: int, told: Mapping[str, Any]) -> Record:
    """Store one more snapshot of an agent; members without a value are left out."""
    config = authored_config(agent.body())
    version = {
        "id": ids.new("agentver"),
        "agent_id": agent.id,
        "version_number": number,
        **told,
        "config_hash": config_hash(config),
        "authored_config": config,
        "resolved_config": {name: config[name] for name in RESOLVED},
        "created_at": clock.now(),
    }
    kept = {key: value for key, value in version.items() if value is not None}
    record = Record(
        org=call.org,
        collection=COLLECTION,
        id=version["id"],
        text=dumps(kept),
        parent=agent.id,
        haystack=PUBLISHED if told["is_published"] else DRAFT,
    )
    call.store.insert(record)
    return record


def _number(before: Sequence[Record]) -> int:
    """Give the number of the next snapshot; drafts count too, so published numbers have gaps."""
    return int(before[-1].body()["version_number"]) + 1 if before else 1


def _numbered(numbers: tuple[int, int, int], version: str) -> dict[str, Any]:
    """Write a semantic number in its parts and as one text."""
    major, minor, patch = numbers
    return {"semver_major": major, "semver_minor": minor, "semver_patch": patch, "version": version}


def _next(kind: str, last: Mapping[str, Any] | None) -> tuple[int, int, int]:
    """Give the number after the last published one: 0.1.0 first, then the part that the kind of change names."""
    if last is None:
        return FIRST
    major, minor, patch = last["semver_major"], last["semver_minor"], last["semver_patch"]
    if kind == "major":
        return major + 1, 0, 0
    if kind in ("minor", "fork"):
        return major, minor + 1, 0
    return major, minor, patch + 1
