"""The quick way to read ordinary YAML: a parser in Rust, asked only where it surely means what `parse` means.

`parse` is the authority: it alone finds faults and their places. This answers None for every text that holds
anything out of the ordinary (several documents, anchors, tags, tabs, odd numbers, faults of any kind), and a law in
the tests holds the two together. Without the extra `fast` it always answers None, and everything works as well,
about three times slower to load.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from math import isfinite
from typing import Any, Final

from reconciler.manifest.parse import MAX_DEPTH, Parsed


def _reader() -> Callable[[str], Any] | None:
    """Return the reader of the extra `fast`, if it is installed; it raises ValueError for what it cannot read."""
    try:
        from yaml_rs import loads  # noqa: PLC0415 - the extra is optional
    except ImportError:
        return None
    return partial(loads, parse_datetime=False)


_read = _reader()
MAX_CHARS: Final = 64 * 1024
"""Longer texts gain nothing, and shorter ones cannot hold too many nodes."""

# A pattern that begins with one plain character is searched fast; what must stand before it comes last.
_INDICATORS: Final = {sign: re.compile(rf"\{sign}(?<![^\s\[{{,:].)") for sign in "&*!%@`?"}
_ODD_NUMBERS: Final = (
    re.compile(r"0[0-9xob](?<![^\s\[{,:]..)"),
    re.compile(r"-0[0-9xob](?<![^\s\[{,:]...)"),
    re.compile(r"\+0[0-9xob](?<![^\s\[{,:]...)"),
    re.compile(r"_(?<=[0-9]_)"),
)
_FOLDED: Final = re.compile(r">(?<![^\s\[{,:].)")
_BLOCK: Final = re.compile(r"\|(?<![^\s\[{,:].)(?!-?\n)")
_CONTENT: Final = re.compile(r"^ *[^ #\n]", re.MULTILINE)
_TEXT: Final = frozenset({str})
_SCALARS: Final = frozenset({str, bool, int, type(None)})


def quick(text: str) -> list[Parsed] | None:
    """Return what `parse` would return for a text without faults, or None to leave it to `parse`."""
    if _read is None or len(text) > MAX_CHARS or _is_unusual(text):
        return None
    content = _CONTENT.search(text, 4 if text.startswith("---\n") else 0)
    if content is None:
        return None
    try:
        value = _read(text)
    except (ValueError, OverflowError, RecursionError):
        return None
    if not _is_ordinary(value, MAX_DEPTH - 1):
        return None
    return [Parsed(value, text.count("\n", 0, content.start()) + 1, 0)]


def _is_unusual(text: str) -> bool:
    """Say whether a text may hold more than one document, or anything that parsers of YAML read differently."""
    return (
        not text.replace("\n", "").isprintable()
        or not text.endswith("\n")
        or text.endswith(("\n\n", "|\n", "|-\n"))
        or " \n" in text
        or _FOLDED.search(text) is not None
        or _BLOCK.search(text) is not None
        or "\n---" in text
        or "\n..." in text
        or "<<" in text
        or any(sign in text and pattern.search(text) for sign, pattern in _INDICATORS.items())
        or any(pattern.search(text) for pattern in _ODD_NUMBERS)
    )


def _is_ordinary(value: Any, levels: int) -> bool:
    """Say whether a collection holds only what JSON can say, keyed by text and not too deep."""
    if type(value) is dict:
        if not _TEXT.issuperset(map(type, value)):
            return False
        items: Iterable[Any] = value.values()
    elif type(value) is list:
        items = value
    else:
        return False
    if _SCALARS.issuperset(map(type, items)):
        return True
    for item in items:
        kind = type(item)
        if kind in _SCALARS or (kind is float and isfinite(item)):
            continue
        if levels <= 1 or not _is_ordinary(item, levels - 1):
            return False
    return True
