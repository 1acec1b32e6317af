"""Model: an LLM that a provider offers; referenced by name (everruns-api/agents-memories-sessions.md, 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.kinds.canonical import picked
from reconciler.kinds.kind import Kind, Wire


def _titles(wire: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """Spell a model as its own name, as provider/name, or as its display name (section 7)."""
    name = str(wire.get("model_id", ""))
    providers = (str(wire[key]) for key in ("provider_name", "provider_type") if wire.get(key))
    qualified = tuple(dict.fromkeys(f"{provider}/{name}" for provider in providers))
    return (name,), qualified, (str(wire.get("display_name", "")),)


MODEL = Kind(
    name="Model",
    plural="models",
    comes_with_tenant=True,
    wire=Wire(
        collection="/v1/models",
        members=("id", "model_id"),
        from_wire=lambda wire: picked(wire, "model_id", "provider_name"),
        usable=lambda wire: wire.get("enabled") is not False,
        archived=lambda _wire: False,
    ),
    titles=_titles,
)
