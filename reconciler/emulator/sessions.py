"""Sessions: created, listed, renamed, pinned and deleted for good; what runs inside them is not served."""

from collections import Counter
from typing import Any

from reconciler.emulator import clock, ids, links, references
from reconciler.emulator import session_documents as documents
from reconciler.emulator.call import NO_CONTENT, Call, Reply, Route
from reconciler.emulator.problems import RejectionError, conflict, rate_limited
from reconciler.emulator.store import Record, Window

COLLECTION = documents.COLLECTION
MINUTE = 60
STATUSES = ("started", "active", "idle", "waiting_for_tool_results")


def listing(call: Call) -> Reply:
    """GET /v1/sessions: pages, newest first; an unknown agent has none."""
    limit, offset = call.page()
    total, found = _page(call, limit=limit, offset=offset)
    query = call.request.args.to_dict()
    page = links.page(f"{call.base}/v1/sessions", query, offset=offset, limit=limit, total=total)
    data = [documents.shown(call, session) for session in found]
    return Reply(value={"data": data, **page})


def stats(call: Call) -> Reply:
    """GET /v1/sessions/stats: how many sessions there are, by status."""
    counted = Counter(record.body()["status"] for record in call.store.everything(call.org, COLLECTION))
    return Reply(value={"total": counted.total(), **{status: counted[status] for status in STATUSES}})


def create(call: Call) -> Reply:
    """POST /v1/sessions: everything is optional; what is not said comes from the agent or the organization."""
    check_rate(call)
    document = documents.fresh(call)
    most = call.deployment.limit("sessions")
    if most is not None and call.store.count(call.org, COLLECTION) >= most:
        raise conflict(f"Session limit reached (max {most})")
    record = documents.record(call.org, document)
    call.store.insert(record)
    return entity(call, record, 201)


def show(call: Call) -> Reply:
    """GET /v1/sessions/{id}."""
    return entity(call, _record(call))


def update(call: Call) -> Reply:
    """PATCH /v1/sessions/{id}: title, tags, locale and identity; nothing else can change."""
    references.check_id(call, "session")
    documents.locale(call.body)
    return entity(call, _save(call, documents.patched(call, _record(call).body())))


def delete(call: Call) -> Reply:
    """DELETE /v1/sessions/{id}: for good, and without a word when there is nothing to delete."""
    ident = references.check_id(call, "session")
    if call.store.get(call.org, COLLECTION, ident) is not None:
        call.store.remove(ident)
    return Reply(NO_CONTENT)


def pin(call: Call) -> Reply:
    """PUT /v1/sessions/{id}/pin: for this caller alone."""
    return _pin(call, wanted=True)


def unpin(call: Call) -> Reply:
    """DELETE /v1/sessions/{id}/pin: for this caller alone."""
    return _pin(call, wanted=False)


def check_rate(call: Call) -> None:
    """Refuse more new sessions a minute than the organization may have."""
    most = call.deployment.limit("session_creates_per_minute")
    if most is None:
        return
    since = clock.ago(seconds=MINUTE)
    newest = call.store.listed(call.org, COLLECTION, Window(limit=most))
    if len(newest) >= most and all(record.body()["created_at"] > since for record in newest):
        raise rate_limited(MINUTE)


def entity(call: Call, record: Record, status: int = 200) -> Reply:
    """Answer with a session."""
    return Reply(status, documents.shown(call, record.body()), entity=record.id)


def _page(call: Call, *, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """Give the total and one page of the sessions asked for."""
    window = call.window(limit=limit, offset=offset)
    agent = call.request.args.get("agent_id")
    if agent is None:
        found = [record.body() for record in call.store.listed(call.org, COLLECTION, window)]
        return call.store.count(call.org, COLLECTION, window), found
    fault = ids.fault("agent", agent)
    if fault:
        raise RejectionError(400, f"Failed to deserialize query string: agent_id: {fault}")
    everything = call.store.listed(call.org, COLLECTION, call.window())
    theirs = [session for session in (record.body() for record in everything) if session.get("agent_id") == agent]
    return len(theirs), theirs[offset : offset + limit]


def _record(call: Call) -> Record:
    """Find the session in the path."""
    return references.in_path(call, "session", COLLECTION, noun="Session")


def _save(call: Call, document: dict[str, Any]) -> Record:
    """Store a changed session."""
    changed = documents.record(call.org, document)
    call.store.save(changed)
    return changed


def _pin(call: Call, *, wanted: bool) -> Reply:
    """Write down whether the caller keeps a session at hand; nobody else sees it, and the session is not changed."""
    session = _record(call).body()
    others = [user for user in session.get(documents.PINNED_BY, ()) if user != call.caller.user]
    record = _save(call, {**session, documents.PINNED_BY: [*others, call.caller.user] if wanted else others})
    return Reply(NO_CONTENT, entity=record.id)


ROUTES = (
    Route("GET", "/v1/sessions", listing, "session.view"),
    Route("POST", "/v1/sessions", create, "session.manage", body=documents.CREATE),
    Route("GET", "/v1/sessions/stats", stats, "session.view"),
    Route("GET", "/v1/sessions/<session>", show, "session.view"),
    Route("PATCH", "/v1/sessions/<session>", update, "session.manage", body=documents.UPDATE),
    Route("DELETE", "/v1/sessions/<session>", delete, "session.manage"),
    Route("PUT", "/v1/sessions/<session>/pin", pin, "session.manage"),
    Route("DELETE", "/v1/sessions/<session>/pin", unpin, "session.manage"),
)
