"""Agents: the operations. How an agent document is made and changed stands in `agent_documents`."""

from functools import partial

from reconciler.emulator import agent_documents as documents
from reconciler.emulator import agent_records as records
from reconciler.emulator import authored, lifecycle, links, policies, references, slugs
from reconciler.emulator.call import Call, Reply, Route
from reconciler.emulator.problems import ProblemError, bad_request, forbidden, not_found
from reconciler.emulator.store import Record, dumps

PATH = records.PATH
NOT_COPIED = frozenset({"id", "network_access"})


def listing(call: Call) -> Reply:
    """GET /v1/agents: pages, newest first, with total; the stored text of each agent goes out as it is."""
    limit, offset = call.page()
    window = call.window(limit=limit, offset=offset)
    total = call.store.count(call.org, PATH, window)
    found = call.store.listed(call.org, PATH, window)
    apps = call.store.users(call.org, "apps", "agent_id") if found else {}
    sessions = call.store.users(call.org, "sessions", "agent_id") if found else {}
    query = call.request.args.to_dict()
    page = links.page(f"{call.base}/v1/{PATH}", query, offset=offset, limit=limit, total=total)
    items = ",".join(
        _counted(call, record, apps=apps.get(record.id, 0), sessions=sessions.get(record.id, 0)) for record in found
    )
    return Reply(text=f'{{"data":[{items}],{dumps(page)[1:]}')


def config(call: Call) -> Reply:
    """GET /v1/agents/config: what the caller may do."""
    return Reply(value=policies.overview("agent", call.role))


def check_name(call: Call) -> Reply:
    """GET /v1/agents/check-name: malformed names are not available, archived agents hold theirs."""
    return slugs.availability(call, "agent", PATH, fault=partial(slugs.fault, "Agent"))


def create(call: Call) -> Reply:
    """POST /v1/agents: a strict create; a taken name is a conflict without a code."""
    return records.entity(call, records.create(call, call.body), 201)


def show(call: Call) -> Reply:
    """GET /v1/agents/{id or name}: archived agents are shown, deleted ones are not found."""
    record = records.by_id_or_name(call)
    apps, sessions = (call.store.users(call.org, users, "agent_id").get(record.id, 0) for users in ("apps", "sessions"))
    return Reply(text=_counted(call, record, apps=apps, sessions=sessions))


def put(call: Call) -> Reply:
    """PUT /v1/agents/{id or name}: by id a full replacement that revives, by name create or patch."""
    key = call.args["agent"]
    return _put_by_id(call) if "_" in key else _put_by_name(call, key)


def update(call: Call) -> Reply:
    """PATCH /v1/agents/{id}: null means unchanged."""
    references.check_id(call, "agent")
    documents.check(call.body)
    if call.body.get("status") == "deleted":
        raise forbidden("Setting status=deleted requires dangerous delete permission")
    authored.check_risk(call, call.body.get("capabilities"))
    return records.entity(call, records.patch(call, records.by_id(call), call.body))


def archive(call: Call) -> Reply:
    """DELETE /v1/agents/{id}: archives, unless an app still needs it; repeating it is fine."""
    record = records.by_id(call)
    references.guard_apps(call, "agent_id", record.id, "agent")
    is_active = record.body()["status"] == "active"
    return lifecycle.end(call, record, "archived") if is_active else lifecycle.unchanged(record)


def delete(call: Call) -> Reply:
    """POST /v1/agents/{id}/delete: leaves a tombstone of an archived agent, which frees its name."""
    record = records.by_id(call)
    status = record.body()["status"]
    if status == "deleted":
        raise not_found("Agent")
    if status != "archived":
        raise bad_request("Agent must be archived before deletion")
    references.guard_apps(call, "agent_id", record.id, "agent")
    return lifecycle.end(call, record, "deleted")


def copy(call: Call) -> Reply:
    """POST /v1/agents/{id or name}/copy: a new agent `<name>-copy`, without the network access list."""
    source = records.by_id_or_name(call).body()
    shown = source.get("display_name")
    told = {name: source[name] for name in documents.CREATE if name in source and name not in NOT_COPIED}
    body = {
        **told,
        "name": slugs.of_copy(call, PATH, source["name"]),
        "display_name": f"{shown} (copy)" if shown else None,
    }
    return records.entity(call, records.create(call, body), 201)


def _put_by_id(call: Call) -> Reply:
    """Create under a chosen id, or replace everything; omitted optionals are cleared, status is active."""
    record, is_new = records.put(call, references.check_id(call, "agent"), call.body)
    return records.entity(call, record, 201 if is_new else 200)


def _put_by_name(call: Call, name: str) -> Reply:
    """Create, or on any conflict patch the agent that holds the name."""
    if call.body["name"] != name:
        raise bad_request("Agent name in URL must match name in request body")
    try:
        return records.entity(call, records.create(call, call.body), 201)
    except ProblemError as problem:
        holder = call.store.named(call.org, PATH, name)
        if problem.status != 409 or holder is None:  # noqa: PLR2004 - Conflict
            raise
    return records.entity(call, records.patch(call, holder, documents.emptied(call.body)))


def _counted(call: Call, record: Record, *, apps: int, sessions: int) -> str:
    """Write an agent with its counts and links."""
    counts = {"session_count": sessions, "app_count": apps}
    return links.spliced(record.text, {**counts, **links.urls(call.base, PATH, record.id)})


ROUTES = (
    Route("GET", "/v1/agents", listing, "agent.view"),
    Route("POST", "/v1/agents", create, "agent.manage", body=documents.CREATE),
    Route("GET", "/v1/agents/config", config),
    Route("GET", "/v1/agents/check-name", check_name, "agent.view"),
    Route("GET", "/v1/agents/<agent>", show, "agent.view"),
    Route("PUT", "/v1/agents/<agent>", put, "agent.manage", body=documents.CREATE),
    Route("PATCH", "/v1/agents/<agent>", update, "agent.manage", body=documents.UPDATE),
    Route("DELETE", "/v1/agents/<agent>", archive, "agent.manage"),
    Route("POST", "/v1/agents/<agent>/delete", delete, "agent.dangerous"),
    Route("POST", "/v1/agents/<agent>/copy", copy, "agent.manage"),
)
