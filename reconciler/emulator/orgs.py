"""Organizations: names are not unique, nothing is ever deleted, the creator owns."""

from collections.abc import Mapping
from typing import Any

from reconciler.emulator import bodies, callers, clock, ids, policies, seedling
from reconciler.emulator.bodies import Field
from reconciler.emulator.call import Call, Caller, Reply, Route
from reconciler.emulator.org_records import mine
from reconciler.emulator.problems import bad_request, conflict, forbidden, not_found, rate_limited
from reconciler.emulator.store import Record, Store, dumps

NAME_BYTES = 255
HOUR = 3600
CREATE = {"name": Field(bodies.text, required=True)}
UPDATE = {
    "name": Field(bodies.text),
    "default_model_id": Field(bodies.identifier("model")),
    "default_harness_id": Field(bodies.identifier("harness")),
    "default_harness_name": Field(bodies.text),
    "base_harness_id": Field(bodies.identifier("harness")),
    "default_provider_per_service": Field(bodies.map_of(bodies.text)),
}
SWITCH = {"org_id": Field(bodies.text, required=True)}
SERVICES = frozenset({"chat", "embeddings", "realtime", "images", "rerank"})


def found(store: Store, *, name: str, user: str, ident: str | None = None) -> dict[str, Any]:
    """Create an organization with its own models and built-in harnesses."""
    org = ident or ids.new("org")
    moment = clock.now()
    built_in = seedling.plant(store, org)
    body: dict[str, Any] = {
        "id": org,
        "name": name,
        "default_model_id": None,
        "default_harness_id": built_in["generic"],
        "base_harness_id": built_in["base"],
        "default_provider_per_service": {},
        "onboarding_completed_at": None,
        "created_at": moment,
        "updated_at": moment,
        "_created_by": user,
        "_flags": {},
    }
    store.insert(Record(org="", collection="orgs", id=org, text=dumps(body)))
    return body


def visible(body: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what the server keeps to itself; unset members are null, not omitted."""
    return {key: value for key, value in body.items() if not key.startswith("_")}


def listing(call: Call) -> Reply:
    """GET /v1/orgs: every organization of the caller, by name, in one page."""
    mine = callers.memberships(call.store, call.caller)
    return Reply(value={"data": [visible(body) for _, body in mine]})


def create(call: Call) -> Reply:
    """POST /v1/orgs."""
    created = _created_by(call.store, call.caller)
    _check_rate(call, created)
    _check_name(call.body["name"])
    most = call.deployment.limit("orgs")
    if most is not None and len(created) >= most:
        raise conflict(f"Organization limit reached (max {most})")
    body = found(call.store, name=call.body["name"], user=call.caller.user)
    return Reply(201, visible(body))


def show(call: Call) -> Reply:
    """GET /v1/orgs/{org}: by public id only."""
    return Reply(value=visible(mine(call)[1]))


def update(call: Call) -> Reply:
    """PATCH /v1/orgs/{org}: null means unchanged; the update time moves even when nothing does."""
    record, org = _administered(call, "Only organization admins can update organization settings")
    _rename(record, org, call.body.get("name"))
    _set_model(call, record, org)
    _set_harnesses(call, record, org)
    _set_providers(call, record, org)
    org["updated_at"] = clock.now()
    call.store.save(record.with_body(org))
    return Reply(value=visible(org))


def complete_onboarding(call: Call) -> Reply:
    """POST /v1/orgs/{org}/onboarding/complete: idempotent."""
    record, org = _administered(call, "Only organization admins can complete onboarding")
    if org["onboarding_completed_at"] is None:
        org["onboarding_completed_at"] = org["updated_at"] = clock.now()
        call.store.save(record.with_body(org))
    return Reply(value=visible(org))


def resolve(call: Call) -> Reply:
    """GET /v1/resolve-org?id=: the organization that owns an id, when it is one of the caller's."""
    ident = call.text("id")
    record = call.store.find(ident)
    owner = None if record is None else call.store.get("", "orgs", record.org or record.id)
    body = owner.body() if owner else None
    if body is None or call.caller.role_in(body) is None:
        raise not_found("Organization", code="not_found")
    return Reply(value={"org_id": body["id"], "org_name": body["name"]})


def switch(call: Call) -> Reply:
    """POST /v1/users/me/switch-org: remembers the organization in a cookie, which the header still overrides."""
    ident = call.body["org_id"]
    if ids.fault("org", ident):
        raise bad_request("Invalid organization ID format")
    record = call.store.get("", "orgs", ident)
    if record is None or call.caller.role_in(record.body()) is None:
        raise not_found("Organization", code="not_found")
    cookie = f"{callers.COOKIE}={ident}; Path=/; HttpOnly; SameSite=Lax"
    return Reply(value={"success": True, "org_id": ident}, headers={"Set-Cookie": cookie})


def _created_by(store: Store, caller: Caller) -> list[dict[str, Any]]:
    """List the organizations the caller made."""
    bodies_ = [record.body() for record in store.everything("", "orgs")]
    return [body for body in bodies_ if body["_created_by"] == caller.user]


def _check_rate(call: Call, created: list[dict[str, Any]]) -> None:
    """Refuse more creations an hour than the deployment allows."""
    most = call.deployment.limit("org_creates_per_hour")
    since = clock.ago(seconds=HOUR)
    if most is not None and sum(body["created_at"] > since for body in created) >= most:
        raise rate_limited(HOUR)


def _check_name(name: str) -> None:
    """Refuse a blank name and one over 255 bytes; the stored name is not trimmed."""
    if not name.strip():
        raise bad_request("Organization name cannot be empty")
    if len(name.encode()) > NAME_BYTES:
        raise bad_request("Organization name cannot exceed 255 characters")


def _administered(call: Call, otherwise: str) -> tuple[Record, dict[str, Any]]:
    """Find the organization in the path and insist on an administrator."""
    record, org = mine(call)
    role = call.caller.role_in(org)
    if role is None or not policies.at_least(role, "admin"):
        raise forbidden(otherwise)
    return record, org


def _rename(record: Record, org: dict[str, Any], name: str | None) -> None:
    """Set the name; the default organization keeps its own."""
    if name is None:
        return
    _check_name(name)
    if record.id == ids.DEFAULT_ORG and name != org["name"]:
        raise bad_request("Cannot update default organization")
    org["name"] = name


def _set_model(call: Call, record: Record, org: dict[str, Any]) -> None:
    """Set the default model; only the newest servers take null as a wish to clear it."""
    if "default_model_id" not in call.body:
        return
    wanted = call.body["default_model_id"]
    if wanted is None:
        if call.deployment.age.clears_default_model:
            org["default_model_id"] = None
        return
    found_ = call.store.get(record.id, "models", wanted)
    if found_ is None:
        raise bad_request("Model not found")
    model = found_.body()
    if not seedling.is_chat(model):
        raise bad_request("Default model must be a chat model")
    if not model["enabled"]:
        raise bad_request("Default model must be an enabled model")
    org["default_model_id"] = wanted


def _set_harnesses(call: Call, record: Record, org: dict[str, Any]) -> None:
    """Set the default and the base harness, by id or (default only) by name."""
    by_id, by_name = call.body.get("default_harness_id"), call.body.get("default_harness_name")
    if by_id is not None and by_name is not None:
        raise bad_request("Cannot specify both default_harness_id and default_harness_name")
    if by_name is not None:
        named = call.store.named(record.id, "harnesses", by_name)
        by_id = named.id if named else ""
    for field, wanted in (
        ("default_harness_id", by_id),
        ("base_harness_id", call.body.get("base_harness_id")),
    ):
        if wanted is None:
            continue
        harness = call.store.get(record.id, "harnesses", wanted)
        if harness is None or harness.body()["status"] == "deleted":
            raise not_found("Harness")
        org[field] = wanted


def _set_providers(call: Call, record: Record, org: dict[str, Any]) -> None:
    """Replace the whole map of providers per service."""
    wanted = call.body.get("default_provider_per_service")
    if wanted is None:
        return
    known = {model.body()["provider_id"] for model in call.store.everything(record.id, "models")}
    for service, provider in wanted.items():
        if service not in SERVICES:
            raise bad_request(f"Unknown service kind: {service}")
        if provider not in known:
            raise bad_request(f"Provider {provider} not found")
    org["default_provider_per_service"] = wanted


ROUTES = (
    Route("GET", "/v1/orgs", listing, scoped=False),
    Route("POST", "/v1/orgs", create, body=CREATE, scoped=False),
    Route("GET", "/v1/orgs/<org>", show, scoped=False),
    Route("PATCH", "/v1/orgs/<org>", update, body=UPDATE, scoped=False),
    Route("POST", "/v1/orgs/<org>/onboarding/complete", complete_onboarding, scoped=False),
    Route("POST", "/v1/users/me/switch-org", switch, body=SWITCH, scoped=False),
    Route("GET", "/v1/resolve-org", resolve, scoped=False),
)
