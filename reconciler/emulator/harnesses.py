"""Harnesses: built-in ones are read-only, there is no PUT and no way back from an archive."""

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.emulator import clock, ids, lifecycle, links, policies, references, slugs
from reconciler.emulator import harness_documents as documents
from reconciler.emulator.call import Call, Reply, Route
from reconciler.emulator.problems import (
    bad_request,
    conflict,
    forbidden,
    malformed,
    not_found,
    unique,
)
from reconciler.emulator.store import Record, dumps

PATH = "harnesses"


def listing(call: Call) -> Reply:
    """GET /v1/harnesses: all of them, newest first, without totals."""
    records = call.store.listed(call.org, PATH, call.window())
    return Reply(text=f'{{"data":[{",".join(_counted(call, records))}]}}')


def config(call: Call) -> Reply:
    """GET /v1/harnesses/config: what the caller may do."""
    return Reply(value=policies.overview("harness", call.role))


def check_name(call: Call) -> Reply:
    """GET /v1/harnesses/check-name: malformed, reserved and held names are not available."""
    return slugs.availability(call, "harness", PATH, fault=documents.name_fault)


def show(call: Call) -> Reply:
    """GET /v1/harnesses/{id or name}: `default` stands for the organization's default harness."""
    record = _by_id_or_name(call, call.args["harness"])
    return Reply(text=_counted(call, [record])[0])


def create(call: Call) -> Reply:
    """POST /v1/harnesses: always under an id of the server's making."""
    return make(call, call.body)


def make(call: Call, body: Mapping[str, Any]) -> Reply:
    """Check a create body and insert the harness; the cap does not count built-ins."""
    document = documents.fresh(call, body)
    _check_cap(call)
    return _entity(call, _insert(call, document), 201)


def copy(call: Call) -> Reply:
    """POST /v1/harnesses/{id or name}/copy: an editable twin named `<name>-copy`."""
    source = _by_id_or_name(call, call.args["harness"]).body()
    moment = clock.now()
    shown = source.get("display_name") or source["name"]
    document = {
        **{key: value for key, value in source.items() if not key.endswith("_at")},
        "id": ids.new("harness"),
        "name": slugs.of_copy(call, PATH, source["name"]),
        "display_name": f"{shown} (copy)",
        "is_built_in": False,
        "status": "active",
        "created_at": moment,
        "updated_at": moment,
    }
    _check_cap(call)
    return _entity(call, _insert(call, document), 201)


def update(call: Call) -> Reply:
    """PATCH /v1/harnesses/{id}: null means unchanged; a blank system prompt clears it."""
    if call.body.get("status") == "deleted":
        raise forbidden("Setting status=deleted requires dangerous delete permission")
    record = _by_id(call)
    current = record.body()
    if current["is_built_in"]:
        raise bad_request("Cannot modify built-in harness. Copy it first to create an editable version.")
    if current["status"] != "active":
        raise bad_request("Archived or deleted harnesses cannot be edited")
    body = dict(call.body)
    name = body.get("name")
    if name is not None and name != current["name"]:
        documents.check_name(call, name)
    document = documents.patched(call, current, body)
    changed = _record(call.org, document)
    call.store.save(changed)
    return _entity(call, changed, 200)


def archive(call: Call) -> Reply:
    """DELETE /v1/harnesses/{id}: archives what nothing needs; repeating it is 404."""
    record = _by_id(call)
    body = record.body()
    if body["is_built_in"]:
        raise bad_request("Cannot delete built-in harness.")
    if body["status"] != "active":
        raise not_found("Harness")
    _guard(call, record.id)
    return lifecycle.end(call, record, "archived")


def delete(call: Call) -> Reply:
    """POST /v1/harnesses/{id}/delete: leaves a tombstone of an archived harness, which frees its name."""
    record = _by_id(call)
    if record.body()["status"] != "archived":
        raise bad_request("Harness must be archived before deletion")
    _guard(call, record.id)
    return lifecycle.end(call, record, "deleted")


def _check_cap(call: Call) -> None:
    """Refuse more harnesses than the organization may have (agents-memories-sessions.md, 5)."""
    most = call.deployment.limit("harnesses")
    made = [record for record in call.store.listed(call.org, PATH) if not record.body()["is_built_in"]]
    if most is not None and len(made) >= most:
        raise conflict(f"Harness limit reached (max {most})")


def _guard(call: Call, ident: str) -> None:
    """Refuse to archive or delete a harness that children, apps or the organization depend on."""
    stem = "Cannot archive or delete harness while"
    others = [record.body() for record in call.store.everything(call.org, PATH)]
    children = [
        body["name"] for body in others if body.get("parent_harness_id") == ident and body["status"] == "active"
    ]
    if children:
        raise conflict(f"{stem} child harnesses still inherit from it: {', '.join(children)}")
    references.guard_apps(call, "harness_id", ident, "harness")
    record = call.store.get("", "orgs", call.org)
    org = record.body() if record else {}
    if org.get("default_harness_id") == ident:
        raise conflict(f"{stem} it is the organization default harness")
    if org.get("base_harness_id") == ident:
        raise conflict(f"{stem} it is the organization base harness")


def _record(org: str, document: dict[str, Any]) -> Record:
    """Make the record of a harness document."""
    shown = document.get("display_name") or document["name"]
    haystack = f"{shown} {document['name']} {document.get('description') or ''}".lower()
    return Record(
        org=org,
        collection=PATH,
        id=document["id"],
        text=dumps(document),
        name=document["name"],
        haystack=haystack,
    )


def _insert(call: Call, document: dict[str, Any]) -> Record:
    """Store a new harness."""
    record = _record(call.org, document)
    with unique():
        call.store.insert(record)
    return record


def _by_id(call: Call) -> Record:
    """Find the harness in the path by id alone."""
    return references.in_path(call, "harness", PATH, noun="Harness")


def _by_id_or_name(call: Call, key: str) -> Record:
    """Find a harness that is not deleted by id, by name, or by the virtual name `default`."""
    ident = references.default_harness(call) or "" if key == "default" else key
    fault = ids.fault("harness", ident) if "_" in ident else None
    if fault:
        raise malformed("harness", fault)
    named = "_" not in ident
    record = call.store.named(call.org, PATH, ident) if named else call.store.get(call.org, PATH, ident)
    if record is None or record.body()["status"] == "deleted":
        raise not_found("Harness")
    return record


def _counted(call: Call, records: Sequence[Record]) -> list[str]:
    """Write harnesses with their counts and links."""
    sessions, apps = (call.store.users(call.org, collection, "harness_id") for collection in ("sessions", "apps"))
    return [
        links.spliced(
            record.text,
            {
                "session_count": sessions.get(record.id, 0),
                "app_count": apps.get(record.id, 0),
                **links.urls(call.base, PATH, record.id),
            },
        )
        for record in records
    ]


def _entity(call: Call, record: Record, status: int) -> Reply:
    """Answer with a harness and its links."""
    text = links.spliced(record.text, links.urls(call.base, PATH, record.id))
    return Reply(status, text=text, entity=record.id)


ROUTES = (
    Route("GET", "/v1/harnesses", listing, "harness.view"),
    Route("POST", "/v1/harnesses", create, "harness.manage", body=documents.CREATE),
    Route("GET", "/v1/harnesses/config", config),
    Route("GET", "/v1/harnesses/check-name", check_name, "harness.view"),
    Route("GET", "/v1/harnesses/<harness>", show, "harness.view"),
    Route("PATCH", "/v1/harnesses/<harness>", update, "harness.manage", body=documents.UPDATE),
    Route("DELETE", "/v1/harnesses/<harness>", archive, "harness.manage"),
    Route("POST", "/v1/harnesses/<harness>/delete", delete, "harness.dangerous"),
    Route("POST", "/v1/harnesses/<harness>/copy", copy, "harness.manage"),
)
