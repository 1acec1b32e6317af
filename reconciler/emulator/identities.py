"""Agent identities: names are free text, optional members are cleared by null, status may be set at will."""

from collections.abc import Mapping
from typing import Any

from reconciler.emulator import bodies, clock, ids, lifecycle, links, locales, policies, references
from reconciler.emulator.bodies import Field
from reconciler.emulator.call import Call, Reply, Route
from reconciler.emulator.problems import bad_request, not_found
from reconciler.emulator.store import Record, dumps

PATH = "agent-identities"
COLLECTION = "identities"
OPTIONAL = ("description", "avatar_url", "locale", "timezone")
CREATE = {
    "name": Field(bodies.text, required=True),
    **{name: Field(bodies.text) for name in OPTIONAL},
}
UPDATE = {
    **CREATE,
    "name": Field(bodies.text),
    "status": Field(bodies.choice("active", "archived", "deleted")),
}


def listing(call: Call) -> Reply:
    """GET /v1/agent-identities: all of them, newest first."""
    records = call.store.listed(call.org, COLLECTION, call.window())
    return Reply(text=f'{{"data":[{",".join(_linked(call, record) for record in records)}]}}')


def config(call: Call) -> Reply:
    """GET /v1/agent-identities/config: what the caller may do."""
    return Reply(value=policies.overview("agent_identity", call.role))


def create(call: Call) -> Reply:
    """POST /v1/agent-identities: names need not be unique, nor even there be one worth the name."""
    _check(call.body)
    moment = clock.now()
    document = {
        "id": ids.new("identity"),
        **call.body,
        "status": "active",
        "created_at": moment,
        "updated_at": moment,
    }
    record = _stored(call.org, document)
    call.store.insert(record)
    return Reply(201, text=_linked(call, record), entity=record.id)


def show(call: Call) -> Reply:
    """GET /v1/agent-identities/{id}."""
    return Reply(text=_linked(call, _record(call)))


def update(call: Call) -> Reply:
    """PATCH /v1/agent-identities/{id}: null clears an optional member; status is set without questions."""
    record = _record(call)
    _check(call.body)
    told = {key: value for key, value in call.body.items() if key in OPTIONAL or value is not None}
    changed = _stored(call.org, {**record.body(), **told, "updated_at": clock.now()})
    call.store.save(changed)
    return Reply(text=_linked(call, changed), entity=record.id)


def archive(call: Call) -> Reply:
    """DELETE /v1/agent-identities/{id}: archives one that is active and that no app uses."""
    record = _record(call)
    if record.body()["status"] != "active":
        raise not_found("Agent identity")
    references.guard_apps(call, "agent_identity_id", record.id, "agent identity")
    return lifecycle.end(call, record, "archived")


def delete(call: Call) -> Reply:
    """POST /v1/agent-identities/{id}/delete: leaves a tombstone of an archived identity, else 404."""
    record = _record(call)
    if record.body()["status"] != "archived":
        raise not_found("Agent identity")
    references.guard_apps(call, "agent_identity_id", record.id, "agent identity")
    return lifecycle.end(call, record, "deleted")


def _check(body: Mapping[str, Any]) -> None:
    """Refuse a locale or a time zone outside the lists."""
    locale, timezone = body.get("locale"), body.get("timezone")
    if locale is not None and not locales.is_locale(locale):
        raise bad_request("unsupported locale")
    if timezone is not None and timezone not in locales.timezones():
        raise bad_request("unsupported timezone")


def _record(call: Call) -> Record:
    """Find the identity in the path; deleted ones are not found."""
    record = references.in_path(call, "identity", COLLECTION, noun="Agent identity")
    if record.body()["status"] == "deleted":
        raise not_found("Agent identity")
    return record


def _stored(org: str, document: Mapping[str, Any]) -> Record:
    """Make the record of an identity, without its unset members."""
    kept = {key: value for key, value in document.items() if value is not None}
    haystack = f"{kept['name']} {kept.get('description', '')}".lower()
    return Record(org=org, collection=COLLECTION, id=kept["id"], text=dumps(kept), haystack=haystack)


def _linked(call: Call, record: Record) -> str:
    """Write an identity with its links."""
    return links.spliced(record.text, links.urls(call.base, PATH, record.id))


ROUTES = (
    Route("GET", "/v1/agent-identities", listing, "agent_identity.view"),
    Route("POST", "/v1/agent-identities", create, "agent_identity.manage", body=CREATE),
    Route("GET", "/v1/agent-identities/config", config),
    Route("GET", "/v1/agent-identities/<identity>", show, "agent_identity.view"),
    Route("PATCH", "/v1/agent-identities/<identity>", update, "agent_identity.manage", body=UPDATE),
    Route("DELETE", "/v1/agent-identities/<identity>", archive, "agent_identity.manage"),
    Route("POST", "/v1/agent-identities/<identity>/delete", delete, "agent_identity.dangerous"),
)
