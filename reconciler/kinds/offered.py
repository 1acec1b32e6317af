"""McpServer and Skill: what an organization shares with its agents; capabilities name them as `mcp:` and `skill:`.

Both are made on the platform and only ever referred to (openapi.json, McpServer and Skill).
"""

from __future__ import annotations

from reconciler.kinds.canonical import picked
from reconciler.kinds.kind import Identity, Kind, Wire

MCP_SERVER = Kind(
    name="McpServer",
    plural="MCP servers",
    called="MCP server",
    wire=Wire(
        collection="/v1/mcp-servers",
        query={"include_archived": "true"},
        from_wire=lambda wire: picked(wire, "name"),
        may_be_withheld=True,
    ),
)

SKILL = Kind(
    name="Skill",
    identity=Identity.SLUG,
    plural="skills",
    wire=Wire(
        collection="/v1/skills",
        query={"include_archived": "true"},
        from_wire=lambda wire: picked(wire, "name"),
        may_be_withheld=True,
    ),
)
