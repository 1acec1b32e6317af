"""Agents as they are stored: found by id or name, created, patched, replaced, each change with its draft snapshot."""

from collections.abc import Mapping
from typing import Any

from reconciler.emulator import agent_documents as documents
from reconciler.emulator import agent_snapshots, authored, ids, links, references, slugs
from reconciler.emulator.call import Call, Reply
from reconciler.emulator.problems import bad_request, conflict, not_found, unique
from reconciler.emulator.store import Record, dumps

PATH = "agents"


def by_id(call: Call) -> Record:
    """Find the agent in the path by id alone, whatever its status; a name there is a malformed id."""
    return references.in_path(call, "agent", PATH, noun="Agent")


def by_id_or_name(call: Call) -> Record:
    """Find the agent in the path by id or, since names hold no underscore, by name; deleted ones are not found."""
    key = call.args["agent"]
    if "_" in key:
        record = by_id(call)
    else:
        found = call.store.named(call.org, PATH, key)
        if found is None:
            raise not_found("Agent")
        record = found
    if record.body()["status"] == "deleted":
        raise not_found("Agent")
    return record


def check_name(call: Call, name: str) -> None:
    """Refuse a name that is no slug or that an active or archived agent holds."""
    slugs.check("Agent", name)
    check_free(call, name)


def check_free(call: Call, name: str) -> None:
    """Refuse a name that an active or archived agent holds (agents-memories-sessions.md, 2.2)."""
    if call.store.named(call.org, PATH, name) is not None:
        raise conflict(f"Agent name '{name}' is already taken")


def create(call: Call, body: Mapping[str, Any], *, lineage: Mapping[str, str] | None = None) -> Record:
    """Check a create body in the server's order and insert the agent."""
    documents.check(body)
    authored.check_risk(call, body.get("capabilities"))
    _check_cap(call)
    check_free(call, body["name"])
    document = documents.fresh(call, body, body.get("id") or ids.new("agent"))
    return _insert(call, {**document, **(lineage or {})})


def put(call: Call, ident: str, body: Mapping[str, Any]) -> tuple[Record, bool]:
    """Create under a chosen id, or replace everything there; tells whether the agent is new."""
    documents.check(body)
    authored.check_risk(call, body.get("capabilities"))
    record = call.store.get(call.org, PATH, ident)
    if record is None:
        _check_cap(call)
        return _insert(call, documents.fresh(call, body, ident)), True
    return save(call, record, documents.replaced(call, record.body(), body)), False


def patch(call: Call, record: Record, body: Mapping[str, Any]) -> Record:
    """Apply a patch to an active agent."""
    current = record.body()
    if current["status"] != "active":
        raise bad_request("Archived or deleted agents cannot be edited")
    name = body.get("name")
    if name is not None and name != current["name"]:
        check_free(call, name)
    return save(call, record, documents.patched(call, current, body))


def save(call: Call, record: Record, document: Mapping[str, Any]) -> Record:
    """Store a changed agent under its current name, and snapshot what changed."""
    changed = store(call, record, document)
    agent_snapshots.draft(call, changed, before=record.body())
    return changed


def store(call: Call, record: Record, document: Mapping[str, Any]) -> Record:
    """Write a document in the place of another; a name held by a third is a plain uniqueness conflict."""
    changed = _record(record.org, document)
    with unique():
        call.store.save(changed)
    return changed


def entity(call: Call, record: Record, status: int = 200) -> Reply:
    """Answer with an agent and its links."""
    text = links.spliced(record.text, links.urls(call.base, PATH, record.id))
    return Reply(status, text=text, entity=record.id)


def _check_cap(call: Call) -> None:
    """Refuse more agents than the organization may have (agents-memories-sessions.md, 2.5)."""
    most = call.deployment.limit("agents")
    if most is not None and call.store.count(call.org, PATH) >= most:
        raise conflict(f"Agent limit reached (max {most})")


def _insert(call: Call, document: Mapping[str, Any]) -> Record:
    """Store a new agent; an id that exists, here or elsewhere, is a plain uniqueness conflict."""
    record = _record(call.org, documents.shaped(document))
    with unique():
        call.store.insert(record)
    return record


def _record(org: str, document: Mapping[str, Any]) -> Record:
    """Make the record of an agent document."""
    return Record(
        org=org,
        collection=PATH,
        id=document["id"],
        text=dumps(document),
        name=document["name"],
        haystack=documents.haystack(document),
    )
