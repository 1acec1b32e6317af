"""Both sides of a comparison, made by hand: no server, no files."""

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.errors import Source, SourceFile
from reconciler.kinds import BY_NAME
from reconciler.resource import Address, Desired, Observed

ORG = "acme"
SOURCE = Source(SourceFile("fleet.yaml", ""), 0, 1)


def _desired(address: str, spec: dict[str, Any] | None = None, *, title: str | None = None, **more: Any) -> Desired:
    where = Address.parse(f"{ORG}/{address}")
    kind = BY_NAME[where.kind]
    shape = kind.canonical(spec or {})
    return Desired(where, shape, SOURCE, title or shape.get(kind.name_field or "", where.name), **more)


def _observed(address: str, spec: dict[str, Any], *, id_: str = "x_1", **more: Any) -> Observed:
    where = Address.parse(f"{ORG}/{address}")
    shape = BY_NAME[where.kind].canonical(spec)
    return Observed(where, id_, shape, shape, **more)


@pytest.fixture(scope="session")
def desired() -> Callable[..., Desired]:
    """Give a function that makes what git wants of `Kind/name`."""
    return _desired


@pytest.fixture(scope="session")
def observed() -> Callable[..., Observed]:
    """Give a function that makes what the platform has at `Kind/name`."""
    return _observed
