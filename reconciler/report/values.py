"""How a value of a spec is written for people: compact, on one line, and a secret never by more than its reference."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from hashlib import sha256
from itertools import islice
from typing import Any

from reconciler.kinds.contents import bytes_of, is_marked
from reconciler.kinds.fields import SET, SecretRef
from reconciler.report.style import counted

Sent = AbstractSet[SecretRef]
"""The secrets that a change sends."""

LONGEST_TEXT = 80
"""Text beyond this many characters, or lines, is prose: it is shown by its size or by what changed in it."""

_BARE = re.compile(r"[\w][\w.:/@+-]{0,79}")
_LABELS = ("ref", "name", "path", "type")
_KIB, _MOST_ITEMS, _MOST_DEPTH = 1024, 50, 6


def is_prose(value: Any) -> bool:
    """Say whether a value is text that is too long to stand beside another."""
    return isinstance(value, str) and (len(value) > LONGEST_TEXT or "\n" in value) and not is_marked(value)


def value_text(value: Any, *, sent: Sent = frozenset(), depth: int = 0) -> str:
    """Write a value on one line."""
    match value:
        case SecretRef():
            return secret_text(value, sent=sent)
        case _ if value is SET:
            return "set"
        case None:
            return "unset"
        case str() if is_marked(value):
            return bytes_text(value)
        case str():
            return size_text(value) if is_prose(value) else quoted(value)
        case dict() | list() if not value:
            return "{}" if isinstance(value, dict) else "[]"
        case dict() | list() if depth > _MOST_DEPTH:
            return "{…}" if isinstance(value, dict) else "[…]"
        case dict():
            return "{" + _joined(_entries(value, sent, depth), len(value)) + "}"
        case list():
            return "[" + _joined((item_text(item, sent=sent, depth=depth) for item in value), len(value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def list_text(items: list[Any], *, sent: Sent = frozenset()) -> str:
    """Write a list that stands alone on its line, without brackets."""
    return _joined((item_text(item, sent=sent) for item in items), len(items))


def secret_text(secret: SecretRef, *, sent: Sent, is_set: bool = False) -> str:
    """Say what becomes of a secret: its reference when it is sent, else that the one that is set stays."""
    if secret not in sent:
        return "unchanged" if is_set else f"({secret.source} {secret.name})"
    return f"will be sent{' again' if is_set else ''} ({secret.source} {secret.name})"


def size_text(text: str) -> str:
    """Say how long a prose is, as `84 lines, 4.2 KB`."""
    size = len(text.encode(errors="replace"))
    bytes_ = counted(size, "byte") if size < _KIB else f"{size / _KIB:,.1f} KB"
    lines = len(text.splitlines())
    return f"{counted(lines, 'line')}, {bytes_}" if lines > 1 else f"text of {bytes_}"


def bytes_text(text: str) -> str:
    """Say of bytes that are no text how many they are, and by which digest they can be told from others."""
    try:
        data = bytes_of(text)
    except ValueError:  # a text that only begins like one of ours
        data = text.encode(errors="replace")
    size = counted(len(data), "byte") if len(data) < _KIB else f"{len(data) / _KIB:,.1f} KB"
    return f"binary, {size}, sha256 {sha256(data).hexdigest()[:12]}"


def quoted(text: str) -> str:
    """Write text in double quotes; its control characters are spelled out where it is painted."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def label_of(*lists: list[Any]) -> str | None:
    """Return the key that tells the items of each of these lists of maps apart, if there is one."""
    return next((label for label in _LABELS if all(_labels(items, label) for items in lists)), None)


def _labels(items: list[Any], label: str) -> bool:
    names = [item.get(label) if isinstance(item, dict) else None for item in items]
    return all(isinstance(name, str) and name for name in names) and len(set(names)) == len(names)


def item_text(item: Any, *, sent: Sent = frozenset(), depth: int = 0) -> str:
    """Write an item of a list: a plain word without quotes, a map by its label with the rest behind."""
    if isinstance(item, str) and _BARE.fullmatch(item):
        return item
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
