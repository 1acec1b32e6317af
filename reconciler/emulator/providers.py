"""Providers: those whose models an organization has; they can be listed, and none is made or changed here."""

from typing import Any

from reconciler.emulator import links
from reconciler.emulator.call import Call, Reply, Route
from reconciler.emulator.store import Store

PATH = "providers"


def listing(call: Call) -> Reply:
    """GET /v1/providers: all of them, by name; none tells its key."""
    return Reply(value={"data": [_linked(call, one) for one in everything(call.store, call.org)]})


def everything(store: Store, org: str) -> list[dict[str, Any]]:
    """List the providers of an organization by name, each known by the models it has."""
    found = {}
    for record in store.everything(org, "models"):
        model = record.body()
        found[model["provider_id"]] = {
            "id": model["provider_id"],
            "name": model["provider_name"],
            "provider_type": model["provider_type"],
            "api_key_set": True,
            "status": "active",
            "created_at": model["created_at"],
            "updated_at": model["created_at"],
        }
    return sorted(found.values(), key=lambda one: str(one["name"]))


def _linked(call: Call, provider: dict[str, Any]) -> dict[str, Any]:
    """Add the links."""
    return {**provider, **links.urls(call.base, PATH, provider["id"])}


ROUTES = (Route("GET", "/v1/providers", listing, "provider.view"),)
