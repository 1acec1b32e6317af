"""One API object as the Observed of an address."""

from __future__ import annotations

from typing import Any

from reconciler.api_errors import ServerFault
from reconciler.kinds.kind import Kind, Shape
from reconciler.kinds.release import Released
from reconciler.live.names import Names
from reconciler.live.shapes import Wire, shape_from
from reconciler.resource import Address, Observed

AT_STAKE = "/at-stake"
"""The member in which what would be lost is kept beside an API object: no answer of the API has such a one."""


def observed_at(
    address: Address, kind: Kind, wire: Wire, names: Names, *, released: Released | None = None
) -> Observed:
    """Turn an API object into the Observed of an address; `released` tells of its versions, where they were read."""
    shape = shape_from(kind, wire)
    updated: Any = wire.get("updated_at")
    return Observed(
        address,
        wire["id"],
        names.named(address.org, kind, shape),
        shape,
        archived=kind.wire.archived(wire),
        updated_at=updated if isinstance(updated, str) else None,
        sync=kind.sync(wire) if kind.sync else None,
        released=released,
        at_stake=tuple(wire.get(AT_STAKE, ())),
        has_default=bool(kind.release and wire.get(kind.release.chosen)),
        newest=_newest(address, kind, names, released) if released else None,
    )


def _newest(address: Address, kind: Kind, names: Names, released: Released) -> Shape | None:
    """Return what the newest version holds as a spec, None where the platform does not tell, or nothing sensible."""
    if released.holds is None:
        return None
    try:
        return names.named(address.org, kind, shape_from(kind, {**released.holds, "id": address.name}))
    except ServerFault:
        return None
