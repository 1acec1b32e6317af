"""How a harness document is checked, made and patched."""

from collections.abc import Mapping
from typing import Any

from reconciler.emulator import authored, bodies, clock, ids, references, slugs
from reconciler.emulator.bodies import Field
from reconciler.emulator.call import Call
from reconciler.emulator.problems import bad_request, conflict, not_found
from reconciler.emulator.store import dumps

COLLECTION = "harnesses"
SCALARS = ("display_name", "description", "default_model_id")
METADATA_ENTRIES = 50
METADATA_BYTES = 10 * 1024
CREATE = {
    "name": Field(bodies.text, required=True),
    "display_name": Field(bodies.text),
    "description": Field(bodies.text),
    "system_prompt": Field(bodies.text),
    "parent_harness_id": Field(bodies.identifier("harness")),
    "default_model_id": Field(bodies.identifier("model")),
    "tags": Field(authored.LISTS["tags"], nullable=False),
    "capabilities": Field(authored.LISTS["capabilities"], nullable=False),
    "initial_files": Field(authored.LISTS["initial_files"], nullable=False),
    "mcpServers": Field(authored.MCP_SERVERS, nullable=False, alias="mcp_servers"),
    "network_access": Field(authored.NETWORK_ACCESS),
    "embedder_metadata": Field(bodies.map_of(bodies.text), nullable=False),
}
UPDATE = {
    **{name: Field(field.check, alias=field.alias) for name, field in CREATE.items()},
    "status": Field(bodies.choice("active", "archived", "deleted")),
}
ALWAYS = frozenset({"tags", "capabilities", "is_built_in"})


def fresh(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """Check a create body and make the document of a new harness."""
    check_name(call, body["name"])
    _check_limits(body)
    moment = clock.now()
    blank: dict[str, Any] = {
        "id": ids.new("harness"),
        "is_built_in": False,
        "status": "active",
        "tags": [],
        "capabilities": [],
        "created_at": moment,
    }
    return {**patched(call, blank, body), "updated_at": moment}


def patched(call: Call, current: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Apply what a body says to a document and leave out what is null or empty."""
    _check_limits(body)
    references.check_model(call, body.get("default_model_id"))
    _check_parent(call, current["id"], body.get("parent_harness_id"))
    document = {**current, "updated_at": clock.now()}
    plain = ("name", *SCALARS, "parent_harness_id", "tags", "status", "embedder_metadata")
    document |= {name: body[name] for name in plain if body.get(name) is not None}
    if body.get("system_prompt") is not None:
        document["system_prompt"] = body["system_prompt"] if body["system_prompt"].strip() else None
    document |= authored.normalized(call, body)
    files = document.get("initial_files") or []
    document["capabilities"] = authored.with_file_system(document["capabilities"], files)
    return {key: value for key, value in document.items() if key in ALWAYS or value not in (None, [], {})}


def _check_limits(body: Mapping[str, Any]) -> None:
    """Refuse input over a size limit."""
    authored.check_sizes(body)
    metadata = body.get("embedder_metadata") or {}
    if len(metadata) > METADATA_ENTRIES or len(dumps(metadata).encode()) > METADATA_BYTES:
        raise bad_request("Embedder metadata exceeds allowed limits")


def name_fault(name: str) -> str | None:
    """Say what is wrong with a harness name, or None."""
    reserved = "Harness name 'default' is reserved and cannot be used"
    return reserved if name == "default" else slugs.fault("Harness", name)


def check_name(call: Call, name: str) -> None:
    """Refuse a malformed, reserved or held name."""
    fault = name_fault(name)
    if fault:
        raise bad_request(fault)
    if call.store.named(call.org, COLLECTION, name) is not None:
        raise conflict(f"Harness name '{name}' is already taken")


def _check_parent(call: Call, own: str, parent: str | None) -> None:
    """Refuse a parent that is missing, not active, the harness itself, or one of its descendants."""
    if parent is None:
        return
    if parent == own:
        raise bad_request("Harness cannot inherit from itself")
    record = call.store.get(call.org, COLLECTION, parent)
    if record is None:
        raise not_found("Parent harness")
    if record.body()["status"] != "active":
        raise bad_request("Parent harness must be active")
    while record is not None:
        above = record.body().get("parent_harness_id")
        if above == own:
            raise bad_request("Harness inheritance cycle detected")
        record = call.store.get(call.org, COLLECTION, above) if above else None
