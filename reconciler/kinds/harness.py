"""Harness: what agents and apps run in; referenced by name (everruns-api/agents-memories-sessions.md, 5)."""

from __future__ import annotations

from reconciler.kinds.canonical import picked
from reconciler.kinds.kind import Identity, Kind, Wire

HARNESS = Kind(
    name="Harness",
    plural="harnesses",
    comes_with_tenant=True,
    identity=Identity.SLUG,
    wire=Wire(
        collection="/v1/harnesses",
        query={"include_archived": "true"},
        from_wire=lambda wire: picked(wire, "name", "display_name"),
    ),
)
