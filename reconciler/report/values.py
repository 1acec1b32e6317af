"""How a value of a spec is written for people: compact, on one line, and a secret never by more than its reference."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any

import orjson

from reconciler.kinds.fields import SET, SecretRef
from reconciler.report.style import counted

Sent = AbstractSet[SecretRef]
"""The secrets that a change sends."""

LONGEST_TEXT = 80
"""Text beyond this many characters, or lines, is prose: it is shown by its size or by what changed in it."""

_LABELS = ("ref", "name", "path", "type")
_KIB, _MOST_ITEMS, _MOST_DEPTH = 1024, 50, 6


def is_prose(value: Any) -> bool:
    """Say whether a value is text that is too long to stand beside another."""
    return isinstance(value, str) and (len(value) > LONGEST_TEXT or "\n" in value)


def value_text(value: Any, *, sent: Sent = frozenset(), depth: int = 0) -> str:
    """Write a value on one line."""
    match value:
        case SecretRef():
            return secret_text(value, sent=sent)
        case _ if value is SET:
            return "set"
        case None:
            return "unset"
        case str():
            return size_text(value) if is_prose(value) else quoted(value)
        case dict() | list() if not value:
            return "{}" if isinstance(value, dict) else "[]"
        case dict() | list() if depth > _MOST_DEPTH:
            return "{…}" if isinstance(value, dict) else "[…]"
        case dict():
            return "{" + _joined(_entries(value, sent, depth), len(value)) + "}"
        case list():
            return "[" + _joined((_item(item, sent, depth) for item in value), len(value)) + "]"
    return orjson.dumps(value).decode() if isinstance(value, (bool, int, float)) else str(value)


def list_text(items: list[Any], *, sent: Sent = frozenset()) -> str:
    """Write a list that stands alone on its line, without brackets."""
    return _joined((_item(item, sent, 0) for item in items), len(items))


def secret_text(secret: SecretRef, *, sent: Sent) -> str:
    """Say what becomes of a secret: its reference when it is sent, else that it stays."""
    return f"will be sent ({secret.source} {secret.name})" if secret in sent else "unchanged"


def size_text(text: str) -> str:
    """Say how long a prose is, as `84 lines, 4.2 KB`."""
    size = len(text.encode(errors="replace"))
    bytes_ = counted(size, "byte") if size < _KIB else f"{size / _KIB:,.1f} KB"
    lines = len(text.splitlines())
    return f"{counted(lines, 'line')}, {bytes_}" if lines > 1 else f"text of {bytes_}"


def quoted(text: str) -> str:
    """Write text in double quotes; its control characters are spelled out where it is painted."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def label_of(items: list[Any]) -> str | None:
    """Return the key that tells the items of a list of maps apart, if there is one."""
    for label in _LABELS:
        names = [item.get(label) if isinstance(item, dict) else None for item in items]
        if all(isinstance(name, str) and name for name in names) and len(set(names)) == len(names):
            return label
    return None


def _item(item: Any, sent: Sent, depth: int) -> str:
    """Write an item of a list: a map by its label with the rest behind."""
    label = label_of([item]) if isinstance(item, dict) else None
    if label is None:
        return value_text(item, sent=sent, depth=depth + 1)
    rest = {key: value for key, value in item.items() if key != label}
    return f"{item[label]} {value_text(rest, sent=sent, depth=depth + 1)}" if rest else str(item[label])


def _entries(value: dict[str, Any], sent: Sent, depth: int) -> Any:
    return (f"{key}: {value_text(item, sent=sent, depth=depth + 1)}" for key, item in value.items())


def _joined(parts: Any, count: int) -> str:
    text = ", ".join(islice(parts, _MOST_ITEMS))
    return text if count <= _MOST_ITEMS else f"{text}, and {count - _MOST_ITEMS:,} more"
