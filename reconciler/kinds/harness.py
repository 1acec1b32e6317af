"""Harness: what agents and apps run in, one built upon another (everruns-api/agents-memories-sessions.md, 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator

from reconciler.kinds import authored
from reconciler.kinds.agent_parts import AnyCapability, McpServer, NetworkAccess, once
from reconciler.kinds.authored import KIB, MIB, at_most
from reconciler.kinds.canonical import Shape
from reconciler.kinds.fields import EXPOSES, WHOLE, ClearableText, Spec, Tags, optional
from reconciler.kinds.kind import Identity, Kind, Twin, Wire
from reconciler.kinds.markers import Clear, References
from reconciler.kinds.starter_files import StarterFiles


class HarnessSpec(Spec):
    """What a manifest may say of a harness; a built-in one is read-only and can only be referred to."""

    display_name: Annotated[str, at_most(2 * KIB, "display_name")] = optional(
        "Name shown to people; it can be changed but not cleared.", example="Field desk"
    )
    description: Annotated[str, at_most(10 * KIB, "description")] = optional(
        "What the harness is for, for people; it can be changed but not cleared.",
        example="Everything that works in the field builds upon this",
    )
    system_prompt: Annotated[ClearableText, Clear.EMPTY, at_most(MIB, "system_prompt")] = optional(
        "What it says before the agent's own prompt; text or {file: path}.",
        example={"file": "../prompts/triage.md"},
    )
    parent_harness: Annotated[str, References("Harness")] = optional(
        "The harness it builds upon, by name; it can be changed but not cleared.", example="generic"
    )
    default_model: Annotated[str, References("Model")] = optional(
        "The model of what runs in it and names none; it can be changed but not cleared.",
        example="claude-sonnet-4-5",
    )
    capabilities: Annotated[list[AnyCapability], AfterValidator(once)] = optional(
        "What everything that runs in it can do, in the order applied; each at most once.",
        example=[{"ref": "web_fetch", "config": {"timeout_ms": 30000}}],
        max_length=250,
    )
    tags: Tags = optional("Labels, in any order.", example=["field"])
    initial_files: StarterFiles = optional(
        "Files that every new session in it starts with.",
        example=[{"path": "/workspace/INSTRUCTIONS.md", "content": "Be brief.\n"}],
        max_length=100,
    )
    mcpServers: Annotated[dict[str, McpServer], WHOLE] = optional(  # noqa: N815 - the API's own name
        "Remote MCP servers by name.", example={"crm": {"url": "https://mcp.example.com/v1"}}
    )
    network_access: Annotated[NetworkAccess | None, WHOLE, EXPOSES, Clear.EMPTY] = optional(
        "Which hosts its sessions may reach.", example={"allowed": ["*.example.com"]}
    )
    embedder_metadata: Annotated[dict[str, str], WHOLE] = optional(
        "Keys and values that accompany every model call, for observability.", example={"team": "field-operations"}
    )


def _from_wire(wire: Mapping[str, Any]) -> Shape:
    return authored.seen(wire, "embedder_metadata")


def _canonical(shape: Shape) -> Shape:
    """A blank prompt is none (5); the rest is as with agents."""
    form = authored.canonical(shape)
    if not (form.get("system_prompt") or "").strip() and "system_prompt" in form:
        form["system_prompt"] = None
    return form


_MANAGE = "harness.manage"

HARNESS = Kind(
    name="Harness",
    plural="harnesses",
    spec=HarnessSpec,
    comes_with_tenant=True,
    identity=Identity.SLUG,
    twin=Twin.BLOCK,
    reserved=frozenset({"default"}),
    built_in=frozenset({"base", "generic", "platform-chat"}),
    instead_of_built_in="declare a copy under a name of its own, or one that builds upon it: parent_harness: {name}",
    wire=Wire(
        collection="/v1/harnesses",
        query={"include_archived": "true"},
        known=frozenset("is_built_in parallel_tool_calls session_count app_count".split()),
        from_wire=_from_wire,
        tombstone="delete",
        policies="/v1/harnesses/config",
        policy_of={"create": _MANAGE, "update": _MANAGE, "archive": _MANAGE},
    ),
    canonical=_canonical,
    completed=authored.completed,
)
