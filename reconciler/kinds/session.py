"""Session: a conversation that is prepared, never run from here (everruns-api/agents-memories-sessions.md, 8).

The API has no name for it, so that the address stands in a tag of ours: with it a lost ledger finds the session again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from reconciler.kinds import authored
from reconciler.kinds.agent_parts import AnyCapability, ClientTool, McpServer, NetworkAccess, once
from reconciler.kinds.authored import MIB, at_most
from reconciler.kinds.canonical import Shape, picked
from reconciler.kinds.fields import AS_SET, EXPOSES, IMMUTABLE, WHOLE, Spec, Text, optional
from reconciler.kinds.kind import Identity, Kind, Wire
from reconciler.kinds.locale import LooseLocale
from reconciler.kinds.markers import Clear, References
from reconciler.kinds.starter_files import StarterFiles

CHAT = "global-chat"
"""The tag by which the platform knows the chat of a user (8.1)."""
OURS = "reconciler:"
"""What the tag with the address begins with."""


def _own_tags(tags: list[str]) -> list[str]:
    """Refuse the tags by which sessions are told apart."""
    for index, tag in enumerate(tags):
        if tag == CHAT or tag.startswith(OURS):
            message = '"{tag}" is a tag by which sessions are told apart'
            context = {"tag": tag, "at": index, "hint": "remove it, or choose another"}
            raise PydanticCustomError("tag_taken", message, context)
    return tags


class SessionSpec(Spec):
    """What a manifest may say of a session; all but title, tags, locale and identity is said once."""

    title: str = optional("Title shown to people; it can be changed but not cleared.", example="Weekly review")
    tags: Annotated[list[str], AS_SET, AfterValidator(_own_tags)] = optional(
        "Labels, in any order; the one with its address is added.",
        example=["review"],
        json_schema_extra={"items": {"type": "string", "not": {"pattern": f"^(?:{CHAT}$|{OURS})"}}},
    )
    locale: LooseLocale = optional(
        "Its language, of those that the platform knows; it can be changed but not cleared.",
        example="de-DE",
        others=["en"],
        min_length=1,
    )
    agent_identity: Annotated[str | None, References("AgentIdentity"), Clear.NULL] = optional(
        "Whom it acts as when nobody is present, by name.", example="support-desk"
    )
    agent: Annotated[str, References("Agent"), IMMUTABLE] = optional(
        "The agent that works in it, by name.", example="support-triage"
    )
    harness: Annotated[str, References("Harness"), IMMUTABLE] = optional(
        "What it runs in, by name; the platform takes the agent's or the organization's without it.", example="generic"
    )
    model: Annotated[str, References("Model"), IMMUTABLE] = optional(
        "The model it uses instead of its agent's, by name, provider/name or display name.",
        example="claude-sonnet-4-5",
    )
    system_prompt: Annotated[Text, IMMUTABLE, at_most(MIB, "system_prompt")] = optional(
        "Instructions beside its agent's; text or {file: path}.", example={"file": "../prompts/review.md"}
    )
    capabilities: Annotated[list[AnyCapability], IMMUTABLE, AfterValidator(once)] = optional(
        "What it can do beside its agent, in the order applied; each at most once.",
        example=[{"ref": "web_fetch", "config": {"timeout_ms": 30000}}],
        max_length=250,
    )
    initial_files: Annotated[StarterFiles, IMMUTABLE] = optional(
        "Files it starts with beside its agent's.",
        example=[{"path": "/workspace/NOTES.md", "content": "Be brief.\n"}],
        max_length=100,
    )
    tools: Annotated[list[ClientTool], IMMUTABLE, AS_SET] = optional(
        "Tools that the client runs.",
        example=[{"type": "client_side", "name": "open_url", "description": "Open a URL.", "parameters": {}}],
    )
    mcpServers: Annotated[dict[str, McpServer], IMMUTABLE, WHOLE] = optional(  # noqa: N815 - the API's own name
        "Remote MCP servers by name, for this session alone.", example={"crm": {"url": "https://mcp.example.com/v1"}}
    )
    hints: Annotated[dict[str, Any], IMMUTABLE, WHOLE] = optional(
        "What its clients can handle, for every turn.", example={"rich_media": True}
    )
    network_access: Annotated[NetworkAccess, IMMUTABLE, WHOLE, EXPOSES] = optional(
        "Which hosts it may reach.", example={"allowed": ["*.example.com"]}
    )
    max_iterations: Annotated[int, IMMUTABLE] = optional("Most model calls in one turn.", example=20, ge=0)
    parallel_tool_calls: Annotated[bool, IMMUTABLE] = optional(
        "Whether the model may call several tools at once.", example=True
    )


def named(wire: Mapping[str, Any]) -> str:
    """Return the address that the tag of ours tells, "" for a session that somebody opened."""
    ours = [tag.removeprefix(OURS) for tag in wire.get("tags") or () if tag.startswith(OURS)]
    return ours[0] if len(ours) == 1 else ""


def is_chat(wire: Mapping[str, Any]) -> bool:
    """Say whether a session is the chat of a user."""
    tags = wire.get("tags")
    return isinstance(tags, list) and CHAT in tags


def _from_wire(wire: Mapping[str, Any]) -> Shape:
    shape = picked(
        wire,
        "title",
        "locale",
        "system_prompt",
        "capabilities",
        "initial_files",
        "tools",
        "mcpServers",
        "hints",
        "network_access",
        "max_iterations",
        "parallel_tool_calls",
    )
    tags = [tag for tag in wire.get("tags") or () if not tag.startswith(OURS)]
    return authored.without_secrets({"name": named(wire), "tags": tags} | shape)


def _to_wire(shape: Shape) -> dict[str, Any]:
    """Put the name into the tags; whoever writes one of the two has both (`together`)."""
    body = {key: value for key, value in shape.items() if key != "name"}
    return body | {"tags": [*(shape.get("tags") or ()), f"{OURS}{shape['name']}"]} if "name" in shape else body


def canonical(shape: Shape) -> Shape:
    """Spell the locale as the server does (8); the rest is as with agents."""
    form = authored.canonical(shape)
    if isinstance(form.get("locale"), str):
        form["locale"] = form["locale"].replace("_", "-")
    return form


SESSION = Kind(
    name="Session",
    plural="sessions",
    spec=SessionSpec,
    identity=Identity.TAG,
    archive_is_final=True,
    takes_releases=True,
    together=frozenset({"name", "tags"}),
    wire=Wire(
        collection="/v1/sessions",
        members=("id",),
        paged=True,
        known=frozenset(
            "organization_id workspace_id owner_principal_id resolved_owner_user_id owner effective_owner usage"
            " features preview output_preview agent_version_id is_pinned active_schedule_count started_at finished_at"
            " parent_session_id forked_from_session_id forked_from_sequence blueprint_id blueprint_config".split()
        ),
        from_wire=_from_wire,
        to_wire=_to_wire,
        archived=lambda _wire: False,
        holds=lambda wire: not is_chat(wire),
        named=named,
    ),
    canonical=canonical,
)
