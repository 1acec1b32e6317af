"""How an agent document is made, replaced and patched."""

from collections.abc import Mapping
from typing import Any

from reconciler.emulator import authored, bodies, clock, references, slugs
from reconciler.emulator.bodies import Field
from reconciler.emulator.call import Call
from reconciler.emulator.problems import bad_request, not_found

SCALARS = ("display_name", "description", "default_model_id", "max_iterations", "parallel_tool_calls")
ORDER = (
    "id",
    "name",
    "display_name",
    "description",
    "system_prompt",
    "default_model_id",
    "harness_id",
    "tags",
    "capabilities",
    "initial_files",
    "tools",
    "mcpServers",
    "network_access",
    "max_iterations",
    "parallel_tool_calls",
    "default_version_id",
    "forked_from_agent_id",
    "forked_from_version_id",
    "root_agent_id",
    "status",
    "created_at",
    "updated_at",
    "archived_at",
    "deleted_at",
)
ALWAYS = frozenset({"tags", "capabilities"})
LINEAGE = ("forked_from_agent_id", "forked_from_version_id", "root_agent_id")
KEPT = frozenset({"id", "created_at", "archived_at", "deleted_at", "default_version_id", *LINEAGE})
LISTS = ("tags", "capabilities", "initial_files", "tools")
CREATE = {
    "id": Field(bodies.identifier("agent")),
    "name": Field(bodies.text, required=True),
    "display_name": Field(bodies.text),
    "description": Field(bodies.text),
    "system_prompt": Field(bodies.text, required=True),
    "default_model_id": Field(bodies.identifier("model")),
    "harness_id": Field(bodies.identifier("harness")),
    "harness_name": Field(bodies.text),
    "tags": Field(authored.LISTS["tags"], nullable=False),
    "capabilities": Field(authored.LISTS["capabilities"], nullable=False),
    "initial_files": Field(authored.LISTS["initial_files"], nullable=False),
    "tools": Field(authored.TOOLS, nullable=False),
    "mcpServers": Field(authored.MCP_SERVERS, nullable=False, alias="mcp_servers"),
    "network_access": Field(authored.NETWORK_ACCESS),
    "max_iterations": Field(bodies.u32),
    "parallel_tool_calls": Field(bodies.flag),
}
UPDATE = {
    **{name: Field(field.check, alias=field.alias) for name, field in CREATE.items() if name != "id"},
    "status": Field(bodies.choice("active", "archived", "deleted")),
}


def check(body: Mapping[str, Any]) -> None:
    """Check what needs no database: the name, the sizes."""
    name = body.get("name")
    if name is not None:
        slugs.check("Agent", name)
    authored.check_sizes(body)


def fresh(call: Call, body: Mapping[str, Any], ident: str) -> dict[str, Any]:
    """Make the document of a new agent."""
    moment = clock.now()
    authored_ = _authored(call, body)
    return shaped({**authored_, "id": ident, "status": "active", "created_at": moment, "updated_at": moment})


def replaced(call: Call, current: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Replace a document (PUT by id): omitted optionals go, an empty capability list keeps the old one."""
    kept = {key: value for key, value in current.items() if key in KEPT}
    authored_ = _authored(call, body)
    authored_["capabilities"] = authored_["capabilities"] or current["capabilities"]
    return shaped({**kept, **authored_, "status": "active", "updated_at": clock.now()})


def patched(call: Call, current: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Patch a document: absent and null leave a member alone, lists and maps are replaced whole."""
    document = dict(current)
    for name in ("name", "system_prompt", *SCALARS, "status", "tags"):
        if body.get(name) is not None:
            document[name] = body[name]
    document |= authored.normalized(call, body)
    references.check_model(call, body.get("default_model_id"))
    if body.get("harness_id") is not None or body.get("harness_name") is not None:
        document["harness_id"] = _harness(call, body)
    files = document.get("initial_files") or []
    document["capabilities"] = authored.with_file_system(document["capabilities"], files)
    document["updated_at"] = clock.now()
    return shaped(document)


def emptied(body: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a create body into the patch PUT by name makes of it: lists and maps left out become empty."""
    patch = {key: value for key, value in body.items() if key != "id"}
    return {**{name: [] for name in LISTS}, "mcpServers": {}, **patch}


def shaped(document: Mapping[str, Any]) -> dict[str, Any]:
    """Order the members and leave out what is null or empty, except tags and capabilities."""
    return {
        key: document[key]
        for key in ORDER
        if key in document and (key in ALWAYS or document[key] not in (None, [], {}))
    }


def haystack(document: Mapping[str, Any]) -> str:
    """Give the text a search looks through, lowercased."""
    shown = document.get("display_name") or document["name"]
    return f"{shown} {document['name']} {document.get('description') or ''}".lower()


def _authored(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """Check and normalize everything an author writes, in the server's order."""
    capabilities = authored.capabilities(call, body.get("capabilities") or [])
    servers = authored.mcp_servers(body.get("mcpServers") or {})
    references.check_model(call, body.get("default_model_id"))
    harness = _harness(call, body)
    files = authored.initial_files(body.get("initial_files") or [])
    return {
        "name": body["name"],
        "system_prompt": body["system_prompt"],
        **{name: body.get(name) for name in SCALARS},
        "harness_id": harness,
        "tags": body.get("tags") or [],
        "capabilities": authored.with_file_system(capabilities, files),
        "initial_files": files,
        "tools": authored.tools(body.get("tools") or []),
        "mcpServers": servers,
        "network_access": authored.network_access(body.get("network_access")),
    }


def _harness(call: Call, body: Mapping[str, Any]) -> str:
    """Resolve the harness: by id, by name (`default` is virtual), else the default one."""
    ident, name = body.get("harness_id"), body.get("harness_name")
    if ident is not None and name is not None:
        raise bad_request("harness_id and harness_name are mutually exclusive")
    if name is not None and name != "default":
        record = call.store.named(call.org, "harnesses", name)
        ident = record.id if record else None
        if ident is None:
            raise not_found("Harness")
    ident = ident or references.default_harness(call)
    if ident is None:
        raise not_found("Harness")
    plural = "harnesses cannot be assigned to agents"
    found = references.assignable(call, "harnesses", ident, noun="Harness", plural=plural)
    return str(found["id"])
