"""Canonical values as JSON, and their digests: what plan files, preconditions and the ledger tell values apart by."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from reconciler.kinds.fields import SET, SecretRef, Set


def digest(value: Any) -> str:
    """Return the digest of a canonical value; secrets stand in it as references, never as values."""
    data = orjson.dumps(plain(value), option=orjson.OPT_SORT_KEYS)
    return "sha256:" + hashlib.sha256(data).hexdigest()


_HIDDEN = "$secret"


def plain(value: Any) -> Any:
    """Spell a canonical value as JSON can: secrets as `{"$secret": ...}`, a key of that name with one `$` more."""
    match value:
        case SecretRef():
            return {_HIDDEN: {value.source: value.name}}
        case Set():
            return {_HIDDEN: "set"}
        case dict():
            return {f"${key}" if _is_escaped(key) else key: plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
    return value


def unplain(value: Any) -> Any:
    """Read what `plain` wrote; raises ValueError for the mark of a secret that marks none."""
    match value:
        case {"$secret": "set"}:
            return SET
        case {"$secret": {**reference}}:
            if len(reference) == 1:
                ((source, name),) = reference.items()
                if source in ("env", "file") and isinstance(name, str):
                    return SecretRef(source=source, name=name)
            raise ValueError("refers to a secret in no known way")
        case dict():
            return {key[1:] if _is_escaped(key) else key: unplain(item) for key, item in value.items()}
        case list():
            return [unplain(item) for item in value]
    return value


def _is_escaped(key: str) -> bool:
    """Say whether a key could be taken for the mark of a secret: `$secret` behind any number of `$`."""
    return key.startswith("$") and key.lstrip("$") == "secret"
