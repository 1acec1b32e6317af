"""The quick way to read ordinary YAML: a parser in Rust, asked only where it surely means what `parse` means.

`parse` is the authority: it alone finds faults and their places. This answers None for every text that holds
anything out of the ordinary (several documents, anchors, tags, tabs, odd numbers, faults of any kind), and a law in
the tests holds the two together. Without the extra `fast` it always answers None, and everything works as well,
only reading takes about twice as long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

import orjson

from reconciler.manifest.parsed import MAX_DEPTH, Parsed


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

# Most texts hold none of these pieces, which is told at once. A pattern that begins with a plain character is
# searched fast, so what must stand before it comes last.
_ODD: Final = (
    ("<", re.compile("<<")),
    *((sign, re.compile(rf"\{sign}(?<![^\s\[{{,:].)")) for sign in "&*!%@`?"),
    ("0", re.compile(r"0[0-9xob](?<![^\s\[{,:]..)")),  # 012, 0x1F: numbers that versions of YAML read differently
    ("-0", re.compile(r"-0[0-9xob](?<![^\s\[{,:]...)")),
    ("+", re.compile(r"\+0[0-9xob](?<![^\s\[{,:]...)")),
    ("_", re.compile(r"_(?:(?<=[\s\[{,:0-9.+_-]_)|(?<=[0-9.][eE]_))")),  # it may stand in a number, or does not
    (">", re.compile(r">(?<![^\s\[{,:].)")),  # folded texts, and every literal one but | and |-
    ("\n", re.compile(r"\n(?<= \n)")),  # spaces at the end of a line
    ("|", re.compile(r"\|(?<![^\s\[{,:].)(?!-?\n)")),
    ("{", re.compile(r"\{(?!(?:[^{}\n]++|\{(?:[^{}\n]++|\{[^{}\n]*+\})*+\})*+\})")),  # what goes on in the next line
    ("[", re.compile(r"\[(?!(?:[^\[\]\n]++|\[[^\[\]\n]*+\])*+\])")),
    (":", re.compile(r":(?:[\]},]|(?<=[\s\[{,:]:))")),
)
_CONTENT: Final = re.compile(r"^ *[^ #\n]", re.MULTILINE)
_BEYOND: Final = 2**63
_TEXT: Final = frozenset({str})
_CONTROL: Final = bytes({*range(32), 127} - {10})


def quick(text: str) -> list[Parsed] | None:
    """Return what `parse` would return for a text without faults, or None to leave it to `parse`."""
    if _read is None or len(text) > MAX_CHARS or _is_unusual(text):
        return None
    content = _CONTENT.search(text, 4 if text.startswith("---\n") else 0)
    if content is None:
        return None
    try:
        value = _read(text)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    if not _is_ordinary(value):
        return None
    return [Parsed(value, text.count("\n", 0, content.start()) + 1, 0)]


def _is_unusual(text: str) -> bool:
    """Say whether a text may hold more than one document, or anything that parsers of YAML read differently."""
    return (
        not _is_printable(text)
        or not text.endswith("\n")
        or text.endswith(("\n\n", "|\n", "|-\n"))
        or text.startswith("...")
        or (text.startswith("---") and not text.startswith("---\n"))
        or "\n---" in text
        or "\n..." in text
        or _is_odd(text)
    )


def _is_odd(text: str) -> bool:
    for piece, pattern in _ODD:  # noqa: SIM110 - for every file of a run, and any() would cost as much as the search
        if piece in text and pattern.search(text):
            return True
    return False


def _is_printable(text: str) -> bool:
    """Say whether a text holds nothing but lines of printable characters."""
    if text.isascii():
        data = text.encode()
        return len(data.translate(None, _CONTROL)) == len(data)
    return text.replace("\n", "").isprintable()


def _is_ordinary(value: Any) -> bool:
    """Say whether a value holds only what JSON can say, keyed by text and not too deep."""
    if type(value) is not dict and type(value) is not list:
        return False
    try:  # nearly every value is told by writing it as JSON, which costs a fifth of a walk
        text = orjson.dumps(value, option=orjson.OPT_STRICT_INTEGER)
    except TypeError:
        return _is_plain(value, MAX_DEPTH - 1)
    is_shallow = text.count(b"{") + text.count(b"[") < MAX_DEPTH
    if b'"|' in text:  # a literal text where none can stand is read as a plain one
        return False
    return (is_shallow and b"null" not in text) or _is_plain(value, MAX_DEPTH - 1)


def _is_plain(value: Any, levels: int) -> bool:
    """Walk a map or list, down to as many levels."""
    if type(value) is dict:
        if not _TEXT.issuperset(map(type, value)):
            return False
        items: Iterable[Any] = value.values()
    else:
        items = value
    for item in items:
        kind = type(item)
        if kind is str or kind is bool or item is None:
            continue
        if kind is int or kind is float:
            if not -_BEYOND <= item < _BEYOND:  # neither infinite nor beyond 64 bits
                return False
        elif (kind is not dict and kind is not list) or levels <= 1 or not _is_plain(item, levels - 1):
            return False
    return True
