"""The global chat: one session per user and organization, made when first asked for."""

from typing import Any

from reconciler.emulator import bodies, clock, ids, owners, sessions
from reconciler.emulator import session_documents as documents
from reconciler.emulator.bodies import Field
from reconciler.emulator.call import Call, Reply, Route
from reconciler.emulator.problems import ProblemError
from reconciler.emulator.store import Record

HARNESS = "platform-chat"
TAG = "global-chat"
BODY = {"locale": Field(bodies.text)}


def get_or_create(call: Call) -> Reply:
    """POST /v1/sessions/chat: always 200; the locale counts only when the session is made."""
    locale = documents.locale(bodies.read_optional(call.request, BODY))
    harness = call.store.named(call.org, "harnesses", HARNESS)
    if harness is None:
        raise ProblemError(404, "Global chat is not configured for this platform")
    record = _found(call)
    if record is None:
        sessions.check_rate(call)
        record = documents.record(call.org, _fresh(call, harness.body(), locale))
        call.store.insert(record)
    elif record.body()["harness_id"] != harness.id:
        record = documents.record(call.org, {**record.body(), "harness_id": harness.id, "updated_at": clock.now()})
        call.store.save(record)
    return sessions.entity(call, record)


def _tags(call: Call) -> list[str]:
    """Give the tags by which the chat of the caller is known."""
    return [TAG, f"user:{owners.user_uuid(call)}"]


def _found(call: Call) -> Record | None:
    """Find the chat of the caller: by both tags, among the caller's own sessions."""
    tags, owner = _tags(call), owners.owned(call)["owner_principal_id"]
    for record in call.store.listed(call.org, documents.COLLECTION):
        if tags[1] not in record.text:
            continue
        session = record.body()
        if session["owner_principal_id"] == owner and set(tags) <= set(session["tags"]):
            return record
    return None


def _fresh(call: Call, harness: dict[str, Any], locale: str | None) -> dict[str, Any]:
    """Make the chat of the caller, titled like its harness."""
    document = documents.blank(call, ids.new("session"), harness["id"])
    return {**document, "title": harness["display_name"], "locale": locale, "tags": _tags(call)}


ROUTES = (Route("POST", "/v1/sessions/chat", get_or_create, "session.manage", flag="global_chat"),)
