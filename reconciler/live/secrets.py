"""Secret values: read when they are sent, tainted from then on, kept nowhere."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reconciler.errors import SecretUnavailable
from reconciler.kinds.fields import SecretRef
from reconciler.kinds.secrecy import is_mask
from reconciler.kinds.taint import Tainted


def value_of(ref: SecretRef) -> Tainted:
    """Read a secret; raises SecretUnavailable when it is not there, is empty, or looks like a mask."""
    value = os.environ.get(ref.name) if ref.source == "env" else _file(ref)
    if value is None:
        raise SecretUnavailable(f"the secret {ref} has no value: {ref.name} is not set", hint=f"export {ref.name}=...")
    if not value.isprintable() and any("\ud800" <= c <= "\udfff" for c in value):
        raise SecretUnavailable(f"the secret {ref} is not UTF-8 text", hint="give it a value that is")
    if not value.strip():
        raise SecretUnavailable(f"the secret {ref} is empty", hint="give it a value, or remove the line")
    if is_mask(value):
        raise SecretUnavailable(f"the secret {ref} holds a mask, not a value", hint="give it the real value")
    return Tainted(ref, value)


def value_if_any(ref: SecretRef) -> Tainted | None:
    """Read a secret where it has a value here, to compare it with what was sent before."""
    try:
        return value_of(ref)
    except SecretUnavailable:
        return None


def _file(ref: SecretRef) -> str:
    try:
        return Path(ref.name).read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SecretUnavailable(
            f"the secret {ref} cannot be read: {why}", hint="check the path and its permissions"
        ) from None


def require(needs: Iterable[tuple[SecretRef, str]]) -> None:
    """Check that every secret has a value, before anything is written.

    `needs` says of each which resource it is for. Raises SecretUnavailable, naming all that have none.
    """
    users: dict[SecretRef, list[str]] = {}
    for ref, user in needs:
        users.setdefault(ref, []).append(user)
    missing: list[str] = []
    for ref in sorted(users, key=repr):
        try:
            value_of(ref)
        except SecretUnavailable as error:
            others = f" and {len(users[ref]) - 1} more" if len(users[ref]) > 1 else ""
            missing.append(f"{error.message} (for {users[ref][0]}{others})")
            hint = error.hint
    if missing:
        many = f"{len(missing)} secrets cannot be sent: " if len(missing) > 1 else ""
        hint = "provide them and run again" if many else hint
        raise SecretUnavailable(many + "; ".join(missing), hint=f"nothing was written; {hint}")


def read_in(value: Any) -> Any:
    """Return the value with every reference replaced by what it refers to, tainted; only ever a request body."""
    if isinstance(value, SecretRef):
        return value_of(value)
    if isinstance(value, dict):
        return {key: read_in(item) for key, item in value.items()}
    if isinstance(value, list):
        return [read_in(item) for item in value]
    return value
