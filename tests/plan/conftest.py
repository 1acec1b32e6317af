"""Both sides of a comparison, made by hand: no server, no files."""

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.errors import Source, SourceFile
from reconciler.kinds import BY_NAME
from reconciler.kinds.fields import SecretRef
from reconciler.plan.leaves import leaves, secret_refs
from reconciler.plan.owned import Entry, Ledger, Owner, field_digest, pointer
from reconciler.resource import Address, Desired, Observed

ORG = "acme"
OWNER = Owner("example.com/acme/fleet", "manifests", "production")
TIME = "2026-11-02T10:00:00Z"
NOBODYS = Ledger(OWNER)
SOURCE = Source(SourceFile("fleet.yaml", ""), 0, 1)


def _desired(address: str, spec: dict[str, Any] | None = None, *, title: str | None = None, **more: Any) -> Desired:
    where = Address.parse(f"{ORG}/{address}")
    kind = BY_NAME[where.kind]
    shape = kind.canonical(spec or {})
    return Desired(where, shape, SOURCE, title or shape.get(kind.name_field or "", where.name), **more)


def _observed(address: str, spec: dict[str, Any], *, id_: str = "x_1", **more: Any) -> Observed:
    where = Address.parse(f"{ORG}/{address}")
    kind = BY_NAME[where.kind]
    named = {"name": where.name} if kind.named_by and not kind.name_field else {}
    shape = kind.canonical(named | spec)
    return Observed(where, id_, shape, shape, **more)


def token(name: str = "TOKEN") -> SecretRef:
    """Refer to a secret in the environment."""
    return SecretRef(source="env", name=name)


def written(one: Desired, *, id_: str = "x_1", **more: Any) -> Entry:
    """Give what the ledger knows of a resource after all that is declared of it was written, secrets included."""
    secrets = {pointer(path): f"of {ref.name}" for path, ref in secret_refs(one.spec)}
    named = {one.kind.name_field: one.title} if one.kind.name_field else {}
    spec = one.spec | named
    fields = {
        pointer(path): field_digest(value) for path, value in leaves(one.kind, spec) if pointer(path) not in secrets
    }
    return Entry(id_, TIME, "a1b2c3d" * 5, fields=fields, secrets=secrets, **more)


def ledger_of(entries: dict[str, Entry], **more: Any) -> Ledger:
    """Give a ledger that knows these addresses, each spelled `Kind/name`."""
    return Ledger(OWNER, entries={Address.parse(f"{ORG}/{name}"): entry for name, entry in entries.items()}, **more)


@pytest.fixture(scope="session")
def desired() -> Callable[..., Desired]:
    """Give a function that makes what git wants of `Kind/name`."""
    return _desired


@pytest.fixture(scope="session")
def observed() -> Callable[..., Observed]:
    """Give a function that makes what the platform has at `Kind/name`."""
    return _observed
