"""AgentVersion: what an agent was when it was published; referred to by number (agents-memories-sessions.md, 3)."""

from __future__ import annotations

from reconciler.kinds.canonical import picked
from reconciler.kinds.kind import Kind, Wire

AGENT_VERSION = Kind(
    name="AgentVersion",
    plural="agent versions",
    listed_below="Agent",
    wire=Wire(
        collection="/v1/agents/{parent}/versions",
        members=("id", "version", "config_hash"),
        from_wire=lambda wire: picked(wire, "version"),
        usable=lambda wire: wire.get("is_published") is True,
        archived=lambda _wire: False,
    ),
)
