"""Apps: names are not unique, lifecycle goes through its own routes, nothing but unpublish revives."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.emulator import app_bodies, channel_rules, clock, ids, lifecycle, links, policies, references
from reconciler.emulator.bodies import Fields
from reconciler.emulator.call import Call, Handler, Reply, Route
from reconciler.emulator.problems import RejectionError, bad_request, forbidden, internal, malformed, not_found
from reconciler.emulator.store import Record, dumps

PATH = "apps"
CHANNELS = "channels"
NAME_COLUMN = 255
WINDOW = re.compile(r"[0-9]{1,6}[mhd]")


def listing(call: Call) -> Reply:
    """GET /v1/apps: all of them in one reply, newest first, without totals."""
    by_app: dict[str, list[Record]] = defaultdict(list)
    for channel in call.store.everything(call.org, CHANNELS):
        by_app[channel.parent].append(channel)
    apps = call.store.listed(call.org, PATH, call.window())
    return Reply(value={"data": [_shown(call, app.body(), by_app[app.id]) for app in apps]})


def config(call: Call) -> Reply:
    """GET /v1/apps/config: what the caller may do; a frozen server lost the route and takes the word for an id."""
    fault = ids.fault("app", "config")
    if call.deployment.age.freezes_apps and fault:
        raise malformed("app", fault)
    return Reply(value=policies.overview("app", call.role))


def show(call: Call) -> Reply:
    """GET /v1/apps/{id}: archived apps are shown, deleted ones are not found."""
    record = by_id(call)
    if record.body()["status"] == "deleted":
        raise not_found("App")
    return _entity(call, record)


def create(call: Call) -> Reply:
    """POST /v1/apps: always a draft; the first channel, if any, is enabled."""
    body = call.body
    kind, wanted = body.get("channel_type"), body.get("channel_config")
    if wanted is not None and kind is None:
        raise bad_request("channel_config requires channel_type")
    first = channel_rules.accepted(call, kind, wanted) if kind else None
    app_bodies.check_harness(call, body["harness_id"])
    app_bodies.check_agent(call, body.get("agent_id"))
    app_bodies.check_version(call, body.get("agent_version_id"), body.get("agent_id"))
    references.check_identity(call, body.get("agent_identity_id"))
    document = app_bodies.fresh(call, body)
    _check_column(document)
    record = _stored(call.org, document)
    call.store.insert(record)
    if kind and first is not None:
        channel_rules.attach(call, record.id, kind, first)
    return _entity(call, record, 201)


def update(call: Call) -> Reply:
    """PATCH /v1/apps/{id}: only the pinned version and the identity can be cleared."""
    if call.body.get("status") == "deleted":
        raise forbidden("Setting status=deleted requires dangerous delete permission")
    record = by_id(call)
    current = record.body()
    check_editable(current)
    body = call.body
    if body.get("status") in ("draft", "published"):
        raise bad_request("Use publish/unpublish endpoints to change app publish status")
    document = app_bodies.patched(call, current, body)
    _check_column(document)
    changed = _stored(call.org, document)
    call.store.save(changed)
    return _entity(call, changed)


def publish(call: Call) -> Reply:
    """POST /v1/apps/{id}/publish: a draft with at least one channel, enabled or not; never twice."""
    record = by_id(call)
    document = record.body()
    if document["status"] != "draft":
        raise bad_request("App must be draft before publishing")
    if not call.store.children(record.id, CHANNELS):
        raise bad_request("App must have at least one channel before publishing")
    moment = clock.now()
    changed = record.with_body({**document, "status": "published", "published_at": moment, "updated_at": moment})
    call.store.save(changed)
    return _entity(call, changed)


def unpublish(call: Call) -> Reply:
    """POST /v1/apps/{id}/unpublish: back to draft from any state, archived included; stamps stay."""
    record = by_id(call)
    changed = record.with_body({**record.body(), "status": "draft", "updated_at": clock.now()})
    call.store.save(changed)
    return _entity(call, changed)


def archive(call: Call) -> Reply:
    """DELETE /v1/apps/{id}: archives; on an archived or deleted app it does nothing."""
    record = by_id(call)
    is_gone = record.body()["status"] in references.GONE
    return lifecycle.unchanged(record) if is_gone else lifecycle.end(call, record, "archived")


def delete(call: Call) -> Reply:
    """POST /v1/apps/{id}/delete: leaves a tombstone of an archived app."""
    record = by_id(call)
    if record.body()["status"] != "archived":
        raise bad_request("App must be archived before deletion")
    return lifecycle.end(call, record, "deleted")


def runs(call: Call) -> Reply:
    """GET /v1/apps/{id}/runs: nothing ever runs here, so there are none to show."""
    if call.deployment.age.freezes_apps:
        raise RejectionError(404)
    by_id(call)
    window, grouped = (call.request.args.get(name) for name in ("window", "groupBy"))
    if window is not None and not WINDOW.fullmatch(window):
        raise bad_request(f"Invalid window: {window}")
    if grouped not in (None, "hour"):
        raise bad_request(f"Invalid groupBy: {grouped}")
    return Reply(value={"data": [], **({"buckets": []} if grouped else {})})


def by_id(call: Call) -> Record:
    """Find the app in the path, deleted ones included."""
    return references.in_path(call, "app", PATH, noun="App")


def check_editable(app: Mapping[str, Any]) -> None:
    """Refuse to touch an archived or deleted app."""
    if app["status"] in references.GONE:
        raise bad_request("Archived or deleted apps cannot be edited")


def _check_column(document: Mapping[str, Any]) -> None:
    """Fail like the database does on a name its column cannot hold."""
    if len(document["name"]) > NAME_COLUMN:
        raise internal()


def _stored(org: str, document: Mapping[str, Any]) -> Record:
    """Make the record of an app."""
    haystack = f"{document['name']} {document.get('description') or ''}".lower()
    return Record(org=org, collection=PATH, id=document["id"], text=dumps(document), haystack=haystack)


def _shown(call: Call, app: dict[str, Any], channels: Sequence[Record]) -> dict[str, Any]:
    """Write an app with its channels (oldest first), links and the actions its state allows."""
    urls = links.urls(call.base, PATH, app["id"])
    return {
        **app_bodies.visible(app),
        "channels": [channel_rules.visible(call, channel.body()) for channel in channels],
        **urls,
        "allowed_actions": app_bodies.actions(app["status"], urls["self_url"]),
    }


def _entity(call: Call, record: Record, status: int = 200) -> Reply:
    """Answer with an app."""
    channels = call.store.children(record.id, CHANNELS)
    return Reply(status, _shown(call, record.body(), channels), entity=record.id)


def write(method: str, rule: str, handler: Handler, policy: str, body: Fields | None = None) -> Route:
    """Declare an operation that frozen servers no longer have."""
    return Route(method, rule, handler, policy, body=body, app_write=True)


ROUTES = (
    Route("GET", "/v1/apps", listing, "app.view"),
    write("POST", "/v1/apps", create, "app.manage", body=app_bodies.CREATE),
    Route("GET", "/v1/apps/config", config),
    Route("GET", "/v1/apps/<app>", show, "app.view"),
    Route("GET", "/v1/apps/<app>/runs", runs, "app.view"),
    write("PATCH", "/v1/apps/<app>", update, "app.manage", body=app_bodies.UPDATE),
    write("DELETE", "/v1/apps/<app>", archive, "app.dangerous"),
    write("POST", "/v1/apps/<app>/delete", delete, "app.dangerous"),
    write("POST", "/v1/apps/<app>/publish", publish, "app.dangerous"),
    write("POST", "/v1/apps/<app>/unpublish", unpublish, "app.dangerous"),
)
