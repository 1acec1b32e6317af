"""Memories: names are unique whatever their case, and an archived memory holds its name for good."""

from typing import Any

from reconciler.emulator import bodies, clock, ids
from reconciler.emulator.bodies import Field
from reconciler.emulator.call import NO_CONTENT, Call, Reply, Route
from reconciler.emulator.memory_documents import PATH, stored
from reconciler.emulator.memory_sources import normalized, request_source
from reconciler.emulator.problems import bad_request, not_found, unique
from reconciler.emulator.store import Record

NAME_LENGTH = 255
CREATE = {
    "name": Field(bodies.text, required=True),
    "description": Field(bodies.text),
    "source": Field(request_source),
}
UPDATE = {**CREATE, "name": Field(bodies.text)}


def listing(call: Call) -> Reply:
    """GET /v1/memories: all of them, newest first, without totals or links."""
    records = call.store.listed(call.org, PATH, call.window())
    return Reply(text=f'{{"data":[{",".join(record.text for record in records)}]}}')


def create(call: Call) -> Reply:
    """POST /v1/memories: manual without a source, else waiting for its first sync."""
    moment = clock.now()
    document = {
        "id": ids.new("mem"),
        "name": _name(call.body["name"]),
        "description": call.body.get("description"),
        "status": "active",
        "created_at": moment,
        "updated_at": moment,
        **_sourced(normalized(call.body.get("source"))),
    }
    record = stored(call.org, document)
    with unique("memory name already exists"):
        call.store.insert(record)
    return Reply(201, text=record.text, entity=record.id)


def show(call: Call) -> Reply:
    """GET /v1/memories/{id}: archived ones too; a malformed id is simply not found."""
    return Reply(text=_record(call).text)


def update(call: Call) -> Reply:
    """PATCH /v1/memories/{id}: null clears the description only; any source starts a sync."""
    record = _record(call)
    document = record.body()
    if call.body.get("name") is not None:
        document["name"] = _name(call.body["name"])
    if "description" in call.body:
        document["description"] = call.body["description"]
    if call.body.get("source") is not None:
        document |= _sourced(normalized(call.body["source"]))
        document |= {"last_synced_at": None, "last_sync_error": None}
    return _save(call, document)


def archive(call: Call) -> Reply:
    """DELETE /v1/memories/{id}: archives; a second time it is not found."""
    record = _record(call)
    document = record.body()
    if document["status"] != "active":
        raise not_found("Memory")
    _save(call, {**document, "status": "archived", "archived_at": clock.now()})
    return Reply(NO_CONTENT, entity=record.id)


def sync(call: Call) -> Reply:
    """POST /v1/memories/{id}/sync: queues, clears the error and keeps the time of the last success."""
    document = _record(call).body()
    if document["source_type"] == "manual":
        raise bad_request("manual memories do not have a source to sync")
    if document["status"] != "active":
        raise bad_request("only active source-backed memories can be synced")
    return _save(call, {**document, "sync_status": "pending", "last_sync_error": None})


def _name(wanted: str) -> str:
    """Trim a name and check its length."""
    name = wanted.strip()
    if not name:
        raise bad_request("Memory name cannot be empty")
    if len(name) > NAME_LENGTH:
        raise bad_request(f"Memory name must be at most {NAME_LENGTH} characters")
    return name


def _sourced(source: dict[str, Any]) -> dict[str, Any]:
    """Give the members that follow from a source."""
    manual = source["provider"] == "manual"
    return {
        "source": source,
        "source_type": source["provider"],
        "is_readonly": not manual,
        "sync_status": "idle" if manual else "pending",
    }


def _save(call: Call, document: dict[str, Any]) -> Reply:
    """Store a changed memory and show it."""
    changed = stored(call.org, {**document, "updated_at": clock.now()})
    with unique("memory name already exists"):
        call.store.save(changed)
    return Reply(text=changed.text, entity=changed.id)


def _record(call: Call) -> Record:
    """Find the memory in the path."""
    record = call.store.get(call.org, PATH, call.args["memory"])
    if record is None:
        raise not_found("Memory")
    return record


ROUTES = (
    Route("GET", "/v1/memories", listing, "memory.view", "memory"),
    Route("POST", "/v1/memories", create, "memory.manage", "memory", CREATE),
    Route("GET", "/v1/memories/<memory>", show, "memory.view", "memory"),
    Route("PATCH", "/v1/memories/<memory>", update, "memory.manage", "memory", UPDATE),
    Route("DELETE", "/v1/memories/<memory>", archive, "memory.manage", "memory"),
    Route("POST", "/v1/memories/<memory>/sync", sync, "memory.manage", "memory"),
)
