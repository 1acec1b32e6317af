"""Agent: a prompt, a model and capabilities (everruns-api/agents-memories-sessions.md, 2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from reconciler.kinds.agent_parts import (
    AnyCapability,
    ClientTool,
    InitialFile,
    McpServer,
    NetworkAccess,
    once,
)
from reconciler.kinds.canonical import Shape, picked, sorted_set, veiled, without
from reconciler.kinds.fields import (
    AS_SET,
    EXPOSES,
    KEPT_BY_REPLACE,
    SET,
    WHOLE,
    Clear,
    References,
    Spec,
    Tags,
    Text,
    optional,
    required,
)
from reconciler.kinds.kind import Identity, Kind, Twin, Wire

_KIB, _MIB = 1024, 1024 * 1024


def at_most(limit: int, what: str) -> AfterValidator:
    """Refuse a text of more than `limit` bytes in UTF-8 (everruns-api/agents-memories-sessions.md, 2.5)."""

    def check(text: str | None) -> str | None:
        if text is not None and len(text) * 4 > limit and len(text.encode()) > limit:
            raise PydanticCustomError(
                "too_many_bytes", "{what} may have at most {limit} bytes in UTF-8", {"what": what, "limit": limit}
            )
        return text

    return AfterValidator(check)


class AgentSpec(Spec):
    """What a manifest may say of an agent."""

    display_name: Annotated[str | None, Clear.REPLACE, at_most(2 * _KIB, "display_name")] = optional(
        "Name shown to people; the platform shows the address without it.", example="Support triage"
    )
    description: Annotated[str | None, Clear.REPLACE, at_most(10 * _KIB, "description")] = optional(
        "What the agent does, for people.", example="Sorts incoming support mail"
    )
    system_prompt: Annotated[Text, at_most(_MIB, "system_prompt")] = required(
        "The instructions that open every session; text or {file: path}.",
        example={"file": "../prompts/triage.md"},
    )
    harness: Annotated[str, References("Harness")] = optional(
        "The harness it runs in, by name; the platform takes the organization's default without it.",
        example="generic",
    )
    default_model: Annotated[str | None, References("Model"), Clear.REPLACE] = optional(
        "The model it uses, by name, provider/name or display name.", example="claude-sonnet-4-5"
    )
    capabilities: Annotated[list[AnyCapability], AfterValidator(once), KEPT_BY_REPLACE] = optional(
        "What it can do, in the order applied; each at most once.",
        example=[{"ref": "web_fetch", "config": {"timeout_ms": 30000}}],
        max_length=250,
    )
    tags: Tags = optional("Labels, in any order.", example=["support"])
    initial_files: Annotated[list[InitialFile], AS_SET] = optional(
        "Files that every new session starts with.",
        example=[{"path": "/workspace/INSTRUCTIONS.md", "content": "Be brief.\n"}],
        max_length=100,
    )
    tools: Annotated[list[ClientTool], AS_SET] = optional(
        "Tools that the client runs.",
        example=[{"type": "client_side", "name": "open_url", "description": "Open a URL.", "parameters": {}}],
    )
    mcpServers: Annotated[dict[str, McpServer], WHOLE] = optional(  # noqa: N815 - the API's own name
        "Remote MCP servers by name.", example={"crm": {"url": "https://mcp.example.com/v1"}}
    )
    network_access: Annotated[NetworkAccess | None, WHOLE, EXPOSES, Clear.EMPTY] = optional(
        "Which hosts its sessions may reach.", example={"allowed": ["*.example.com"]}
    )
    max_iterations: Annotated[int | None, Clear.REPLACE] = optional("Most model calls in one turn.", example=20, ge=0)
    parallel_tool_calls: Annotated[bool | None, Clear.REPLACE] = optional(
        "Whether the model may call several tools at once.", example=True
    )


_FILE_DEFAULTS = {"encoding": "text", "is_readonly": False}
_MCP_DEFAULTS: Shape = {
    "type": "http",
    "headers": {},
    "auth_mode": "none",
    "protocol_mode": "auto",
    "tool_discovery": True,
    "command": "",
    "args": [],
    "env": {},
}
_MCP_PUBLIC = frozenset({"headers", "env", "args", "auth_mode"})
_CARRIES_MORE = re.compile("[?@#]")
_FILES_CAPABILITY = "session_file_system"


def _path(path: str) -> str:
    """Bring `x`, `/x` and `/workspace/x` to one form (2.5)."""
    return "/workspace/" + path.removeprefix("/workspace/").strip("/")


def _mount(mount: Shape) -> Shape:
    return {"mode": "readonly", **mount}


def _capability_form(capability: Shape) -> Shape:
    """Absent, null and empty configurations are equal (2.5)."""
    config = capability.get("config")
    if not config:
        return {"ref": capability["ref"]}
    if capability["ref"] == "memory" and isinstance(config.get("mounts"), list):
        config = {**config, "mounts": [_mount(mount) for mount in config["mounts"]]}
    elif len(capability) == 2:  # noqa: PLR2004 - a reference and its configuration, as nearly all are written
        return capability
    return {"ref": capability["ref"], "config": config}


def _mcp_seen(server: Shape) -> Shape:
    """Forget what may be secret in a live server's settings: environment, arguments, and what a URL carries along."""
    seen: Shape = veiled(server, public=_MCP_PUBLIC)
    if not isinstance(seen.get("headers", {}), (dict, type(None))):
        seen["headers"] = SET
    if seen.get("env"):
        seen["env"] = dict.fromkeys(seen["env"], SET)
    if seen.get("args"):
        seen["args"] = [SET for _ in seen["args"]]
    if _CARRIES_MORE.search(str(seen.get("url", ""))):
        seen["url"] = SET
    return seen


def _mcp_form(server: Shape) -> Shape:
    form = without(server, _MCP_DEFAULTS)
    return form | {"auth_mode": "o_auth"} if form.get("auth_mode") == "oauth" else form


def _canonical(shape: Shape) -> Shape:
    """Fill or drop what says nothing, sort what has no order; the same for both sides."""
    form = dict(shape)
    if form.get("capabilities"):
        form["capabilities"] = [_capability_form(capability) for capability in form["capabilities"]]
    if form.get("tags"):
        form["tags"] = sorted_set(form["tags"])
    if form.get("initial_files"):
        files = [without(file, _FILE_DEFAULTS) | {"path": _path(file["path"])} for file in form["initial_files"]]
        form["initial_files"] = sorted(files, key=lambda file: str(file["path"]))
    if form.get("tools"):
        form["tools"] = sorted(form["tools"], key=lambda tool: str(tool.get("name", "")))
    if form.get("mcpServers"):
        form["mcpServers"] = {name: _mcp_form(server) for name, server in form["mcpServers"].items()}
    if "network_access" in form:
        lists = {k: sorted_set(v) for k, v in (form["network_access"] or {}).items() if v}
        form["network_access"] = lists or None
    return form


def _completed(desired: Shape, observed: Shape) -> Shape:
    """Add the capability that the server adds to an agent with initial files (2.5)."""
    files = desired["initial_files"] if "initial_files" in desired else observed.get("initial_files")
    listed = desired.get("capabilities")
    if not files or listed is None or any(item["ref"] == _FILES_CAPABILITY for item in listed):
        return desired
    return desired | {"capabilities": [{"ref": _FILES_CAPABILITY}, *listed]}


def _from_wire(wire: Mapping[str, Any]) -> Shape:
    shape = picked(
        wire,
        "name",
        "display_name",
        "description",
        "system_prompt",
        "capabilities",
        "tags",
        "initial_files",
        "tools",
        "mcpServers",
        "network_access",
        "max_iterations",
        "parallel_tool_calls",
    )
    if shape.get("mcpServers"):
        shape["mcpServers"] = {name: _mcp_seen(server) for name, server in shape["mcpServers"].items()}
    return shape


AGENT = Kind(
    name="Agent",
    plural="agents",
    spec=AgentSpec,
    identity=Identity.SLUG,
    twin=Twin.REVIVE,
    replaceable=True,
    wire=Wire(
        collection="/v1/agents",
        id_prefix="agent_",
        paged=True,
        query={"include_archived": "true"},
        known=frozenset(
            "usage session_count app_count root_agent_id forked_from_agent_id forked_from_version_id".split()
        ),
        from_wire=_from_wire,
    ),
    titles=lambda wire: ((str(wire["name"]),),),
    canonical=_canonical,
    completed=_completed,
)
