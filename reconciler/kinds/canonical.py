"""Small pure steps that bring both sides of a comparison to one form."""

from __future__ import annotations

from typing import Any

from reconciler.kinds.fields import SET
from reconciler.kinds.secrecy import names_secret

Shape = dict[str, Any]


def picked(wire: Any, *names: str) -> Shape:
    """Return the named members that are present and not null, in the order named."""
    return {name: value for name in names if (value := wire.get(name)) is not None}


def sorted_set(values: list[str]) -> list[str]:
    """Return a list without order or repetition, as a set should be compared."""
    return sorted(set(values)) if len(values) > 1 else values


def without(value: Shape, defaults: Shape) -> Shape:
    """Return the map less the members that say what their absence says."""
    return {k: v for k, v in value.items() if not (k in defaults and (v is None or v == defaults[k]))}


def masked(config: Shape) -> Shape:
    """Replace the `*_configured` markers of an API object by SET at the field they speak of, nested maps included.

    everruns-api/orgs-apps-errors.md, 3.4: secrets are removed from answers and replaced by `<field>_configured: true`.
    """
    result: Shape = {}
    for key, value in config.items():
        if key.endswith("_configured"):
            if value:
                result.setdefault(key.removesuffix("_configured"), SET)
        else:
            result[key] = masked(value) if isinstance(value, dict) else value
    return result


def veiled(value: Any, *, public: frozenset[str]) -> Any:
    """Replace by SET what a member may hold that no manifest can declare and whose name speaks of a secret.

    `public` names members that are known to hold none; numbers and switches are none either.
    """
    if isinstance(value, list):
        return [veiled(item, public=public) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: item
        if key in public
        else SET
        if names_secret(key) and item and not isinstance(item, (bool, int, float))
        else veiled(item, public=public)
        for key, item in value.items()
    }
