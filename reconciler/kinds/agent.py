"""Agent: a prompt, a model and capabilities (everruns-api/agents-memories-sessions.md, 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, model_validator
from pydantic_core import PydanticCustomError

from reconciler.kinds.agent_parts import (
    AnyCapability,
    ClientTool,
    McpServer,
    NetworkAccess,
    once,
)
from reconciler.kinds.authored import KIB, MIB, at_most, canonical, completed, seen
from reconciler.kinds.canonical import Shape
from reconciler.kinds.fields import AS_SET, EXPOSES, KEPT_BY_REPLACE, WHOLE, Spec, Tags, Text, optional, required
from reconciler.kinds.kind import Identity, Kind, Twin, Wire
from reconciler.kinds.markers import Clear, References
from reconciler.kinds.release import Release
from reconciler.kinds.starter_files import StarterFiles


class Versioning(Spec):
    """When an agent is published as a version, and whether that version becomes what runs."""

    publish: Literal["on-change", "manual"] = required(
        "Whether apply publishes a version whenever the agent is not what the newest one holds, or people do.",
        example="on-change",
    )
    kind: Literal["patch", "minor", "major"] = optional(
        "Which part of the number grows; the first version is 0.1.0 in any case.", example="minor", default="patch"
    )
    default: bool = optional(
        "Whether the newest version is made the default, which sessions run.", example=True, default=True
    )

    @model_validator(mode="after")
    def _kind_is_of_what_we_publish(self) -> Versioning:
        if self.publish == "manual" and "kind" in self.model_fields_set:
            raise PydanticCustomError(
                "kind_of_nothing",
                "kind says nothing where people publish",
                {"at": "kind", "hint": "remove kind, or write publish: on-change"},
            )
        return self


class AgentSpec(Spec):
    """What a manifest may say of an agent."""

    display_name: Annotated[str | None, Clear.REPLACE, at_most(2 * KIB, "display_name")] = optional(
        "Name shown to people; the platform shows the address without it.", example="Support triage"
    )
    description: Annotated[str | None, Clear.REPLACE, at_most(10 * KIB, "description")] = optional(
        "What the agent does, for people.", example="Sorts incoming support mail"
    )
    system_prompt: Annotated[Text, at_most(MIB, "system_prompt")] = required(
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
    initial_files: StarterFiles = optional(
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
    version: Annotated[Versioning, WHOLE] = optional(
        "How it is published; without it an agent that has a default version runs that, whatever is edited.",
        example={"publish": "on-change", "kind": "minor", "default": True},
    )


def _from_wire(wire: Mapping[str, Any]) -> Shape:
    return seen(wire, "tools", "max_iterations", "parallel_tool_calls")


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
            "usage session_count app_count root_agent_id forked_from_agent_id forked_from_version_id "
            "default_version_id".split()
        ),
        from_wire=_from_wire,
    ),
    titles=lambda wire: ((str(wire["name"]),),),
    canonical=canonical,
    completed=completed,
    release=Release(
        field="version",
        kind="AgentVersion",
        publish="versions",
        choose="versions/default",
        chosen="default_version_id",
        plain=("name", "display_name", "description", "system_prompt", "max_iterations", "parallel_tool_calls"),
        flag="agent_versions",
        respelled={"mcp_servers": "mcpServers"},
    ),
)
