"""Feature flags of an organization; every flag this server knows about starts switched on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.emulator import bodies, ids, policies
from reconciler.emulator.bodies import Field
from reconciler.emulator.call import Call, Reply, Route
from reconciler.emulator.org_records import mine
from reconciler.emulator.problems import bad_request, forbidden, unauthorized


@dataclass(frozen=True, slots=True)
class Flag:
    """One feature flag; the deployment may not offer it at all."""

    name: str
    label: str
    description: str
    experimental: bool = False
    available: bool = True


FLAGS = (
    Flag("agent_api", "Agent API", "Expose agents through API channels", experimental=True),
    Flag("agent_versions", "Agent versions", "Publish, pin and roll back versions of agents"),
    Flag("evals", "Evals", "Evaluate agents against test cases", experimental=True),
    Flag("global_chat", "Global chat", "One chat per user, open from every page"),
    Flag("knowledge", "Knowledge", "Knowledge bases and indexes"),
    Flag("machine_payments", "Payments", "Let agents pay", experimental=True, available=False),
    Flag("memory", "Memory", "Memories shared by sessions"),
    Flag("notifications", "Notifications", "Notify people about sessions", experimental=True),
    Flag("observers", "Observers", "Watch sessions with other agents", experimental=True),
    Flag("plugins", "Plugins", "Install plugins from marketplaces", experimental=True),
    Flag("public_chat", "Public chat", "Public chat channels on apps"),
    Flag("skills", "Skills", "Skills shared by agents"),
    Flag("voice", "Voice", "Talk to agents", experimental=True),
)
NAMED = {flag.name: flag for flag in FLAGS}
UPDATE = {"flags": Field(bodies.map_of(bodies.flag), required=True)}


def effective(org: Mapping[str, Any]) -> dict[str, bool]:
    """Give the flags in force: those the deployment allows and the organization keeps on."""
    chosen = org["_flags"]
    return {flag.name: flag.available and chosen.get(flag.name, True) for flag in FLAGS}


def show(call: Call) -> Reply:
    """GET /v1/orgs/{org}/feature-flags: a flat map."""
    return Reply(value=effective(mine(call)[1]))


def settings(call: Call) -> Reply:
    """GET /v1/orgs/{org}/feature-flags/settings: the flags with their labels and both switches."""
    chosen = mine(call)[1]["_flags"]
    return Reply(value={"flags": [_setting(flag, wanted=chosen.get(flag.name, True)) for flag in FLAGS]})


def update(call: Call) -> Reply:
    """PATCH /v1/orgs/{org}/feature-flags: merge; flags not mentioned stay."""
    if ids.fault("org", call.args["org"]):
        raise unauthorized("Invalid organization ID format")
    record, org = mine(call)
    role = call.caller.role_in(org)
    if role is None or not policies.at_least(role, "admin"):
        raise forbidden("Admin access required", code="forbidden")
    wanted: dict[str, bool] = call.body["flags"]
    for name, on in wanted.items():
        if name not in NAMED:
            raise bad_request(f"Unknown feature flag: {name}")
        if on and not NAMED[name].available:
            raise bad_request(f"Feature flag '{name}' is not available on this deployment")
    org["_flags"] = {**org["_flags"], **wanted}
    call.store.save(record.with_body(org))
    return Reply(value=effective(org))


def _setting(flag: Flag, *, wanted: bool) -> dict[str, Any]:
    """Describe one flag for the settings page."""
    return {
        "name": flag.name,
        "label": flag.label,
        "description": flag.description,
        "experimental": flag.experimental,
        "system_enabled": flag.available,
        "org_enabled": wanted,
        "effective": flag.available and wanted,
    }


ROUTES = (
    Route("GET", "/v1/orgs/<org>/feature-flags", show, scoped=False),
    Route("PATCH", "/v1/orgs/<org>/feature-flags", update, body=UPDATE, scoped=False),
    Route("GET", "/v1/orgs/<org>/feature-flags/settings", settings, scoped=False),
)
