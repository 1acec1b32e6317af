"""Parts of an agent: capabilities, files, tools, servers (everruns-api/agents-memories-sessions.md, 2.5 and 4.8)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Tag
from pydantic_core import PydanticCustomError

from reconciler.kinds.fields import Secret, Spec, Tags, optional, required
from reconciler.kinds.markers import Listed, References


def _tool_name(name: str) -> str:
    """Refuse what the server refuses (2.5)."""
    if not name or name.startswith("mcp_"):
        raise PydanticCustomError("tool_name", "a client tool's name must not be empty or start with mcp_")
    return name


def _run_by_clients(kind: Any) -> Any:
    """Refuse what the server drops without a word (2.5)."""
    if isinstance(kind, str) and kind != "client_side":
        hint = "type: client_side, or a capability or an MCP server for tools that run on the platform"
        raise PydanticCustomError(
            "tool_type", '"{given}" tools are dropped by the platform without a word', {"given": kind, "hint": hint}
        )
    return kind


class MemoryMount(Spec):
    """A memory mounted into the sessions of an agent (4.8)."""

    memory: Annotated[str, References("Memory", wire="memory")] = required(
        "The memory, by its name here or on the platform.", example="design-docs"
    )
    path: str = required("Where it is mounted, below /workspace.", example="/workspace/docs", pattern=r"^/workspace/.+")
    mode: Literal["readonly", "readwrite"] = optional(
        "Whether sessions may write to it.", example="readonly", default="readonly"
    )


def _apart(mounts: list[MemoryMount]) -> list[MemoryMount]:
    """Refuse mounts that overlap or lead out of the workspace (4.8)."""
    seen: list[str] = []
    for mount in mounts:
        path = mount.path.rstrip("/") + "/"
        if ".." in path.split("/") or "//" in path:
            raise PydanticCustomError("mount", "{path} must be a plain path below /workspace", {"path": mount.path})
        if any(path.startswith(other) or other.startswith(path) for other in seen):
            raise PydanticCustomError("mount", "{path} overlaps with another mount", {"path": mount.path})
        seen.append(path)
    return mounts


class MemoryMounts(Spec):
    """The configuration of the `memory` capability."""

    mounts: Annotated[list[MemoryMount], AfterValidator(_apart)] = required(
        "What is mounted where; paths are unique and do not overlap.",
        example=[{"memory": "design-docs", "path": "/workspace/docs"}],
    )


class MemoryCapability(Spec):
    """The capability that mounts memories into sessions."""

    ref: Literal["memory"] = required("The capability.", example="memory")
    config: MemoryMounts = required(
        "Its mounts.", example={"mounts": [{"memory": "design-docs", "path": "/workspace/docs"}]}
    )


class Capability(Spec):
    """Something an agent can do, with its configuration."""

    ref: Annotated[
        str,
        References("McpServer", prefix="mcp:"),
        References("Skill", prefix="skill:"),
        Listed("/v1/capabilities", "capability", implied="declarative:"),
    ] = required(
        "The capability, as the platform names it; a shared MCP server or skill as `mcp:name` or `skill:name`.",
        example="web_fetch",
        min_length=1,
        json_schema_extra={"not": {"const": "memory"}},
    )
    config: dict[str, Any] | None = optional(
        "Its configuration, as the capability defines it.", example={"timeout_ms": 30000}
    )


class NetworkAccess(Spec):
    """Which hosts the sessions of an agent may reach."""

    allowed: Tags = optional("Hosts that may be reached; empty means any.", example=["*.example.com"])
    blocked: Tags = optional("Hosts that may never be reached.", example=["169.254.169.254"])


class ClientTool(Spec):
    """A tool that the client runs; the server keeps no other type (2.5)."""

    type: Annotated[Literal["client_side"], BeforeValidator(_run_by_clients)] = required(
        "Only client-side tools are kept by the platform.", example="client_side"
    )
    name: Annotated[str, AfterValidator(_tool_name)] = required(
        "The name the model calls it by.", example="open_url", json_schema_extra={"pattern": "^(?!mcp_)."}
    )
    description: str = required("What it does, for the model.", example="Open a URL in the user's browser")
    parameters: dict[str, Any] = required("JSON Schema of its arguments.", example={"type": "object", "properties": {}})


class McpServer(Spec):
    """A remote MCP server whose tools the agent may use."""

    type: Literal["http"] = optional("Transport; the platform refuses stdio.", example="http", default="http")
    url: str = required("Its https address.", example="https://mcp.example.com/v1", pattern=r"^https://[^@?#\s]+$")
    headers: dict[str, Secret] = optional(
        "Headers sent with every call, by reference.", example={"Authorization": {"env": "MCP_TOKEN"}}
    )
    auth_mode: Literal["none", "api_key", "o_auth"] = optional("How it authenticates.", example="none", default="none")
    oauth_provider_id: str = optional(
        "The provider whose token of the user is sent, with auth_mode o_auth; as the platform names it.",
        example="github",
        min_length=1,
    )
    protocol_mode: Literal["auto", "legacy", "stable", "rc"] = optional(
        "Which age of the protocol is spoken; auto finds out.", example="stable", default="auto"
    )
    tool_discovery: bool = optional("Whether its tools are asked for live.", example=False, default=True)


def _capability(value: Any) -> str:
    ref = value.get("ref") if isinstance(value, dict) else getattr(value, "ref", None)
    return "memory" if ref == "memory" else "any"


def once(capabilities: list[Any]) -> list[Any]:
    """Refuse a capability that is listed twice: the server keeps each `ref` once (2.5)."""
    seen: set[str] = set()
    for index, capability in enumerate(capabilities):
        if capability.ref in seen:
            raise PydanticCustomError(
                "capability_twice", 'capability "{ref}" is listed twice', {"ref": capability.ref, "at": index}
            )
        seen.add(capability.ref)
    return capabilities


AnyCapability = Annotated[
    Annotated[MemoryCapability, Tag("memory")] | Annotated[Capability, Tag("any")], Discriminator(_capability)
]
