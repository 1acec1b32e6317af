"""AgentIdentity: whom an app acts as; referenced by name (everruns-api/agents-memories-sessions.md, 6)."""

from __future__ import annotations

from reconciler.kinds.canonical import picked
from reconciler.kinds.kind import Kind, Wire

AGENT_IDENTITY = Kind(
    name="AgentIdentity",
    plural="agent identities",
    wire=Wire(
        collection="/v1/agent-identities",
        query={"include_archived": "true"},
        from_wire=lambda wire: picked(wire, "name"),
    ),
)
