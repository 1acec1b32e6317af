"""Provider: who serves models and other services; referenced by name (everruns-api/agents-memories-sessions.md, 7)."""

from __future__ import annotations

from reconciler.kinds.canonical import picked
from reconciler.kinds.kind import Kind, Wire

PROVIDER = Kind(
    name="Provider",
    plural="providers",
    comes_with_tenant=True,
    wire=Wire(
        collection="/v1/providers",
        members=("id", "name", "provider_type"),
        from_wire=lambda wire: picked(wire, "name", "provider_type"),
        usable=lambda wire: wire.get("status") != "disabled",
        archived=lambda _wire: False,
        may_be_withheld=True,
    ),
    titles=lambda wire: ((str(wire.get("name", "")),), (str(wire.get("provider_type", "")),)),
)
