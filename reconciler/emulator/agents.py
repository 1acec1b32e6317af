"""Agents: the operations. How an agent document is made and changed stands in `agent_documents`."""

from typing import Any

from reconciler.emulator import agent_documents as documents
from reconciler.emulator import authored, clock, ids, links, policies, references
from reconciler.emulator.call import NO_CONTENT, Call, Reply, Route
from reconciler.emulator.problems import (
    ProblemError,
    already_exists,
    bad_request,
    conflict,
    forbidden,
    malformed,
    not_found,
)
from reconciler.emulator.store import Record, TakenError, dumps

PATH = "agents"
PAGE = 20
PAGE_MOST = 100


def listing(call: Call) -> Reply:
    """GET /v1/agents: pages, newest first, with total; the stored text of each agent goes out as it is."""
    limit = min(call.number("limit", PAGE), PAGE_MOST)
    offset = call.number("offset", 0)
    window = call.window(limit=limit, offset=offset)
    total = call.store.count(call.org, PATH, window)
    records = call.store.listed(call.org, PATH, window)
    used = call.store.app_counts(call.org, "agent_id") if records else {}
    page = {"total": total, "offset": offset, "limit": limit}
    query = call.request.args.to_dict()
    around = links.neighbours(f"{call.base}/v1/{PATH}", query, offset=offset, limit=limit, total=total)
    items = ",".join(_counted(call, record, used.get(record.id, 0)) for record in records)
    return Reply(text=f'{{"data":[{items}],{dumps({**page, **around})[1:]}')


def config(call: Call) -> Reply:
    """GET /v1/agents/config: what the caller may do."""
    return Reply(value=policies.overview("agent", call.role))


def check_name(call: Call) -> Reply:
    """GET /v1/agents/check-name: malformed names are not available, archived agents hold theirs."""
    name = call.told("name")
    exclude = call.request.args.get("exclude_id")
    fault = ids.fault("agent", exclude) if exclude is not None else None
    if fault:
        raise malformed("agent", fault)
    holder = call.store.named(call.org, PATH, name)
    free = holder is None or holder.id == exclude
    return Reply(value={"available": authored.slug_fault("Agent", name) is None and free})


def create(call: Call) -> Reply:
    """POST /v1/agents: a strict create; a taken name is a conflict without a code."""
    return _entity(call, _create(call), 201)


def show(call: Call) -> Reply:
    """GET /v1/agents/{id or name}: archived agents are shown, deleted ones are not found."""
    record = _by_id_or_name(call, call.args["agent"])
    if record is None or record.body()["status"] == "deleted":
        raise not_found("Agent")
    used = len([1 for app in call.store.apps_by(call.org, "agent_id", record.id) if _is_live(app)])
    return Reply(text=_counted(call, record, used))


def put(call: Call) -> Reply:
    """PUT /v1/agents/{id or name}: by id a full replacement that revives, by name create or patch."""
    key = call.args["agent"]
    return _put_by_id(call, key) if "_" in key else _put_by_name(call, key)


def update(call: Call) -> Reply:
    """PATCH /v1/agents/{id}: null means unchanged."""
    if call.body.get("status") == "deleted":
        raise forbidden("Setting status=deleted requires dangerous delete permission")
    record = _by_id(call)
    return _entity(call, _patch(call, record, dict(call.body)), 200)


def archive(call: Call) -> Reply:
    """DELETE /v1/agents/{id}: archives, unless an app still needs it; repeating it is fine."""
    record = _by_id(call)
    body = record.body()
    if body["status"] == "active":
        references.guard_apps(call, "agent_id", record.id, "agent")
        moment = clock.now()
        body |= {"status": "archived", "archived_at": moment, "updated_at": moment}
        call.store.save(record.with_body(body))
    return Reply(NO_CONTENT, entity=record.id)


def delete(call: Call) -> Reply:
    """POST /v1/agents/{id}/delete: leaves a tombstone of an archived agent, which frees its name."""
    record = _by_id(call)
    body = record.body()
    if body["status"] == "deleted":
        raise not_found("Agent")
    if body["status"] != "archived":
        raise bad_request("Agent must be archived before deletion")
    moment = clock.now()
    body |= {"status": "deleted", "deleted_at": moment, "updated_at": moment}
    call.store.save(record.with_body(body))
    return Reply(NO_CONTENT, entity=record.id)


def copy(call: Call) -> Reply:
    """POST /v1/agents/{id or name}/copy: a new agent `<name>-copy`, without the network access list."""
    source = _by_id_or_name(call, call.args["agent"])
    if source is None or source.body()["status"] == "deleted":
        raise not_found("Agent")
    body = source.body()
    shown = body.get("display_name") or body["name"]
    body |= {
        "id": ids.new("agent"),
        "name": _copy_name(call, body["name"]),
        "display_name": f"{shown} (copy)",
    }
    return _entity(call, _insert(call, documents.copied(body)), 201)


def _create(call: Call) -> Record:
    """Check a create body in the server's order and insert the agent."""
    body = dict(call.body)
    documents.check(body)
    ident = body.get("id") or ids.new("agent")
    document = documents.fresh(call, body, ident)
    most = call.deployment.limit("agents")
    if most is not None and call.store.count(call.org, PATH) >= most:
        raise conflict(f"Agent limit reached (max {most})")
    _check_free(call, body["name"])
    return _insert(call, document)


def _insert(call: Call, document: dict[str, Any]) -> Record:
    """Store a new agent; an id that exists, here or elsewhere, is a plain uniqueness conflict."""
    record = Record(
        org=call.org,
        collection=PATH,
        id=document["id"],
        text=dumps(document),
        name=document["name"],
        haystack=documents.haystack(document),
    )
    try:
        call.store.insert(record)
    except TakenError as error:
        raise already_exists() from error
    return record


def _put_by_id(call: Call, key: str) -> Reply:
    """Create under a chosen id, or replace everything; omitted optionals are cleared, status is active."""
    fault = ids.fault("agent", key)
    if fault:
        raise malformed("agent", fault)
    body = dict(call.body)
    documents.check(body)
    record = call.store.get(call.org, PATH, key)
    if record is None:
        return _entity(call, _insert(call, documents.fresh(call, body, key)), 201)
    document = documents.replaced(call, record.body(), body)
    return _entity(call, _save(call, record, document), 200)


def _put_by_name(call: Call, name: str) -> Reply:
    """Create, or on any conflict patch the agent that holds the name."""
    if call.body["name"] != name:
        raise bad_request("Agent name in URL must match name in request body")
    try:
        return _entity(call, _create(call), 201)
    except ProblemError as problem:
        holder = call.store.named(call.org, PATH, name)
        if problem.status != 409 or holder is None:  # noqa: PLR2004 - Conflict
            raise
    return _entity(call, _patch(call, holder, documents.emptied(call.body)), 200)


def _patch(call: Call, record: Record, body: dict[str, Any]) -> Record:
    """Apply a patch to an active agent."""
    current = record.body()
    if current["status"] != "active":
        raise bad_request("Archived or deleted agents cannot be edited")
    documents.check(body)
    name = body.get("name")
    if name is not None and name != current["name"]:
        _check_free(call, name)
    return _save(call, record, documents.patched(call, current, body))


def _save(call: Call, record: Record, document: dict[str, Any]) -> Record:
    """Store a changed agent under its current name."""
    changed = Record(
        org=record.org,
        collection=PATH,
        id=record.id,
        text=dumps(document),
        name=document["name"],
        haystack=documents.haystack(document),
    )
    try:
        call.store.save(changed)
    except TakenError as error:
        raise already_exists() from error
    return changed


def _check_free(call: Call, name: str) -> None:
    """Refuse a name that an active or archived agent holds."""
    if call.store.named(call.org, PATH, name) is not None:
        raise conflict(f"Agent name '{name}' is already taken")


def _copy_name(call: Call, name: str) -> str:
    """Find the first free name for a copy."""
    number = 1
    while True:
        candidate = f"{name}-copy" if number == 1 else f"{name}-copy-{number}"
        if call.store.named(call.org, PATH, candidate) is None:
            return candidate
        number += 1


def _by_id(call: Call) -> Record:
    """Find the agent in the path by id alone; a name there is a malformed id."""
    ident = call.args["agent"]
    fault = ids.fault("agent", ident)
    if fault:
        raise malformed("agent", fault)
    record = call.store.get(call.org, PATH, ident)
    if record is None:
        raise not_found("Agent")
    return record


def _by_id_or_name(call: Call, key: str) -> Record | None:
    """Find an agent by id or, since names hold no underscore, by name."""
    if "_" not in key:
        return call.store.named(call.org, PATH, key)
    fault = ids.fault("agent", key)
    if fault:
        raise malformed("agent", fault)
    return call.store.get(call.org, PATH, key)


def _is_live(app: Record) -> bool:
    """Tell whether an app counts as a user of its agent."""
    return app.body()["status"] not in references.GONE


def _counted(call: Call, record: Record, apps: int) -> str:
    """Write an agent with its counts and links."""
    counts = {"session_count": 0, "app_count": apps}
    return links.spliced(record.text, {**counts, **links.urls(call.base, PATH, record.id)})


def _entity(call: Call, record: Record, status: int) -> Reply:
    """Answer with an agent and its links."""
    text = links.spliced(record.text, links.urls(call.base, PATH, record.id))
    return Reply(status, text=text, entity=record.id)


ROUTES = (
    Route("GET", "/v1/agents", listing, "agent.view"),
    Route("POST", "/v1/agents", create, "agent.manage", body=documents.CREATE),
    Route("GET", "/v1/agents/config", config),
    Route("GET", "/v1/agents/check-name", check_name, "agent.manage"),
    Route("GET", "/v1/agents/<agent>", show, "agent.view"),
    Route("PUT", "/v1/agents/<agent>", put, "agent.manage", body=documents.CREATE),
    Route("PATCH", "/v1/agents/<agent>", update, "agent.manage", body=documents.UPDATE),
    Route("DELETE", "/v1/agents/<agent>", archive, "agent.manage"),
    Route("POST", "/v1/agents/<agent>/delete", delete, "agent.dangerous"),
    Route("POST", "/v1/agents/<agent>/copy", copy, "agent.manage"),
)
