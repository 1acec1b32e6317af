"""Models: one list without pages or name filter; only an administrator may change one."""

from collections.abc import Mapping
from typing import Any

from reconciler.emulator import bodies, clock, ids, links, policies
from reconciler.emulator.bodies import Field, MismatchError
from reconciler.emulator.call import NO_CONTENT, Call, Reply, Route
from reconciler.emulator.problems import RejectionError, malformed, not_found
from reconciler.emulator.store import Record

PATH = "models"
SOURCES = bodies.choice("manual", "discovered", "predefined")
UPDATE = {
    "model_id": Field(bodies.text),
    "provider_id": Field(bodies.identifier("provider")),
    "display_name": Field(bodies.text),
    "enabled": Field(bodies.flag),
    "is_favorite": Field(bodies.flag),
    "capabilities": Field(bodies.list_of(bodies.text)),
}


def listing(call: Call) -> Reply:
    """GET /v1/models: none of ours is ever stale; enabled first, then favorites, then by provider and display name."""
    models = [record.body() for record in call.store.everything(call.org, PATH)]
    source = _source(call)
    call.switch("include_stale")  # nothing here goes stale; a malformed value is refused all the same
    favorites_only = call.switch("favorites_only")
    shown = [
        model for model in models if source in (None, model["source"]) and (model["is_favorite"] or not favorites_only)
    ]
    return Reply(value={"data": [_linked(call, model) for model in sorted(shown, key=_rank)]})


def config(call: Call) -> Reply:
    """GET /v1/models/config: what the caller may do."""
    return Reply(value=policies.overview("model", call.role))


def show(call: Call) -> Reply:
    """GET /v1/models/{id}."""
    return Reply(value=_linked(call, _record(call).body()))


def update(call: Call) -> Reply:
    """PATCH /v1/models/{id}: null means unchanged."""
    record = _record(call)
    told = {key: value for key, value in call.body.items() if value is not None}
    if "provider_id" in told:
        told |= _provider(call, told["provider_id"])
    model = {**record.body(), **told, "updated_at": clock.now()}
    call.store.save(record.with_body(model))
    return Reply(value=_linked(call, model), entity=record.id)


def delete(call: Call) -> Reply:
    """DELETE /v1/models/{id}: for good."""
    record = _record(call)
    call.store.remove(record.id)
    return Reply(NO_CONTENT, entity=record.id)


def _record(call: Call) -> Record:
    """Find the model in the path."""
    fault = ids.fault("model", call.args["model"])
    if fault:
        raise malformed("model", fault)
    record = call.store.get(call.org, PATH, call.args["model"])
    if record is None:
        raise not_found("Model")
    return record


def _source(call: Call) -> str | None:
    """Read the source that the list is limited to."""
    told = call.request.args.get("source")
    try:
        return None if told is None else str(SOURCES(told))
    except MismatchError as error:
        raise RejectionError(400, f"Failed to deserialize query string: source: {error}") from error


def _provider(call: Call, ident: str) -> dict[str, Any]:
    """Find a provider by the models it already has."""
    for record in call.store.everything(call.org, PATH):
        model = record.body()
        if model["provider_id"] == ident:
            return {key: model[key] for key in ("provider_id", "provider_name", "provider_type")}
    raise not_found("Provider")


def _rank(model: Mapping[str, Any]) -> tuple[bool, bool, str, str]:
    """Give the place of a model in the list."""
    return (
        not model["enabled"],
        not model["is_favorite"],
        model["provider_name"],
        model["display_name"],
    )


def _linked(call: Call, model: dict[str, Any]) -> dict[str, Any]:
    """Add the links."""
    return {**model, **links.urls(call.base, PATH, model["id"])}


ROUTES = (
    Route("GET", "/v1/models", listing, "model.view"),
    Route("GET", "/v1/models/config", config),
    Route("GET", "/v1/models/<model>", show, "model.view"),
    Route("PATCH", "/v1/models/<model>", update, "model.manage", body=UPDATE),
    Route("DELETE", "/v1/models/<model>", delete, "model.manage"),
)
