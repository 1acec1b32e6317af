"""What agents and harnesses share: capabilities, tools, starter files, MCP servers, size limits."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from reconciler.emulator import bodies, offered, policies
from reconciler.emulator.addresses import is_public_host
from reconciler.emulator.bodies import Field, MismatchError
from reconciler.emulator.call import Call
from reconciler.emulator.problems import (
    ProblemError,
    already_exists,
    bad_request,
    forbidden,
    not_found,
)

FILE_SYSTEM = "session_file_system"
BUILT_IN = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
HIGH_RISK = frozenset({"bashkit_shell"})
KIB = 1024
SIZES = {"display_name": 2 * KIB, "description": 10 * KIB, "system_prompt": KIB * KIB}
COUNTS = {"capabilities": 250, "initial_files": 100}
FILE_BYTES = 5 * KIB * KIB
MCP_DEFAULTS: Mapping[str, Any] = {
    "url": "",
    "headers": {},
    "command": "",
    "args": [],
    "env": {},
    "auth_mode": "none",
    "protocol_mode": "auto",
    "tool_discovery": True,
    "oauth_provider_id": None,
}


def _tool(value: Any) -> dict[str, Any]:
    """Accept a tool as sent, once it fits; the names of client-side ones may not look like those of MCP tools."""
    told: dict[str, Any] = bodies.map_of(bodies.anything)(value)
    tool = bodies.parse(TOOL, told)
    if tool["type"] == "client_side" and tool["name"].startswith("mcp_"):
        raise MismatchError(f"tool name `{tool['name']}` must not start with `mcp_`")
    return told


def _auth_mode(value: Any) -> str:
    """Accept an MCP authentication mode; `oauth` is another spelling of `o_auth`."""
    mode: str = bodies.choice("none", "api_key", "o_auth", "oauth")(value)
    return "o_auth" if mode == "oauth" else mode


HINT_TEXTS = ("capability_id", "capability_name", "concurrency_class", "narration_noun")
HINT_FLAGS = (
    "cpu_bound",
    "destructive",
    "idempotent",
    "long_running",
    "open_world",
    "persist_output",
    "readonly",
    "requires_secrets",
    "supports_background",
)
HINTS = {
    **{name: Field(bodies.text) for name in HINT_TEXTS},
    **{name: Field(bodies.flag) for name in HINT_FLAGS},
    "side_effect_class": Field(bodies.choice("Pure", "Idempotent", "AtMostOnce")),
}
TOOL = {
    "type": Field(bodies.choice("builtin", "client_side"), required=True),
    "name": Field(bodies.text, required=True),
    "description": Field(bodies.text, required=True),
    "parameters": Field(bodies.anything, required=True),
    "display_name": Field(bodies.text),
    "category": Field(bodies.text),
    "deferrable": Field(bodies.choice("never", "automatic", "always"), nullable=False),
    "policy": Field(bodies.choice("auto", "requires_approval", "client_side"), nullable=False),
    "hints": Field(bodies.struct(HINTS), nullable=False),
}
CAPABILITY = {"ref": Field(bodies.text, required=True), "config": Field(bodies.anything)}
FILE = {
    "path": Field(bodies.text, required=True),
    "content": Field(bodies.text, required=True),
    "encoding": Field(bodies.text, nullable=False),
    "is_readonly": Field(bodies.flag, nullable=False),
}
NETWORK = {
    "allowed": Field(bodies.list_of(bodies.text), nullable=False),
    "blocked": Field(bodies.list_of(bodies.text), nullable=False),
}
MCP_SERVER = {
    "type": Field(bodies.choice("http", "stdio"), nullable=False),
    "url": Field(bodies.text, nullable=False),
    "headers": Field(bodies.map_of(bodies.text), nullable=False),
    "command": Field(bodies.text),
    "args": Field(bodies.list_of(bodies.text), nullable=False),
    "env": Field(bodies.map_of(bodies.text), nullable=False),
    "auth_mode": Field(_auth_mode, nullable=False),
    "protocol_mode": Field(bodies.choice("auto", "legacy", "stable", "rc"), nullable=False),
    "tool_discovery": Field(bodies.flag, nullable=False),
    "oauth_provider_id": Field(bodies.text),
}
LISTS = {
    "tags": bodies.list_of(bodies.text),
    "capabilities": bodies.list_of(bodies.struct(CAPABILITY)),
    "initial_files": bodies.list_of(bodies.struct(FILE)),
}
TOOLS = bodies.list_of(_tool)
MCP_SERVERS = bodies.map_of(bodies.struct(MCP_SERVER))
NETWORK_ACCESS = bodies.struct(NETWORK)


def check_sizes(body: Mapping[str, Any]) -> None:
    """Refuse what is over a limit, without saying which."""
    too_long = any(len((body.get(name) or "").encode()) > most for name, most in SIZES.items())
    too_many = any(len(body.get(name) or ()) > most for name, most in COUNTS.items())
    files = sum(len(file["content"].encode()) for file in body.get("initial_files") or ())
    if too_long or too_many or files > FILE_BYTES:
        raise bad_request("Input exceeds allowed limits")


def check_risk(call: Call, wanted: Sequence[Mapping[str, Any]] | None) -> None:
    """Refuse high-risk capabilities from members, before anything is looked up (agents-memories-sessions.md, 2.5)."""
    risky = sorted(HIGH_RISK.intersection(entry["ref"] for entry in wanted or ()))
    if risky and not policies.at_least(call.role, "admin"):
        raise forbidden(f"Admin role required to assign high-risk capabilities: {', '.join(risky)}")


def capabilities(call: Call, wanted: Sequence[Mapping[str, Any]], *, unique: bool = True) -> list[dict[str, Any]]:
    """Check capability references; a config left out is kept as null; sessions alone may repeat one."""
    refs = [entry["ref"] for entry in wanted]
    for ref in refs:
        _check_capability(call, ref)
    if unique and len(set(refs)) < len(refs):
        raise already_exists()
    return [{"ref": entry["ref"], "config": entry.get("config")} for entry in wanted]


def _check_capability(call: Call, ref: str) -> None:
    """Refuse a reference to nothing; anything spelt like a built-in capability passes for one."""
    if ref.startswith(("mcp:", "skill:")):
        missing = offered.missing(call.store, call.org, ref)
        if missing:
            raise not_found(missing)
    elif not BUILT_IN.fullmatch(ref):
        raise not_found("Capability")


def with_file_system(entries: Sequence[Mapping[str, Any]], files: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Put the file system first where there are starter files and it is not listed."""
    listed = [dict(entry) for entry in entries]
    if files and all(entry["ref"] != FILE_SYSTEM for entry in listed):
        return [{"ref": FILE_SYSTEM, "config": {}}, *listed]
    return listed


def tools(wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Keep client-side tools and drop every other kind without a word."""
    return [dict(tool) for tool in wanted if tool["type"] == "client_side"]


def initial_files(wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Fill in encoding and is_readonly; paths stay as sent."""
    return [
        {
            "path": file["path"],
            "content": file["content"],
            "encoding": file.get("encoding", "text"),
            "is_readonly": file.get("is_readonly", False),
        }
        for file in wanted
    ]


def mcp_servers(wanted: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Check scoped MCP servers and leave out members that have their default value."""
    seen: dict[str, str] = {}
    for name, server in wanted.items():
        plain = re.sub(r"[^a-z0-9]+", "_", name.lower())
        if plain in seen:
            raise bad_request(f"MCP server names '{seen[plain]}' and '{name}' clash")
        seen[plain] = name
        problem = _mcp_problem(name, server)
        if problem:
            raise problem
    return {name: _mcp_server(server) for name, server in wanted.items()}


def _mcp_server(server: Mapping[str, Any]) -> dict[str, Any]:
    """Write one scoped MCP server; the transport is always shown."""
    told = {key: value for key, value in server.items() if key != "type" and value is not None}
    changed = {key: value for key, value in told.items() if value != MCP_DEFAULTS[key]}
    return {"type": server.get("type", "http"), **changed}


def _mcp_problem(name: str, server: Mapping[str, Any]) -> ProblemError | None:
    """Find what makes a scoped MCP server unusable."""
    if server.get("type") == "stdio":
        return bad_request(f"MCP server '{name}': stdio transport is not supported")
    if not is_public_host(server.get("url", ""), schemes=("https", "http")):
        return bad_request(f"MCP server '{name}': URL must target a public host")
    return None


def network_access(wanted: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Write a network access list; one without entries is none."""
    told = {key: value for key, value in (wanted or {}).items() if value}
    return told or None


def normalized(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """Check and write the lists and maps that a body brings; absent and null ones are left out."""
    written: Mapping[str, Callable[[Any], Any]] = {
        "initial_files": initial_files,
        "tools": tools,
        "network_access": network_access,
        "capabilities": partial(capabilities, call),
        "mcpServers": mcp_servers,
    }
    return {name: write(body[name]) for name, write in written.items() if body.get(name) is not None}
