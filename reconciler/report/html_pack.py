"""What items of a large page hold, packed: compressed texts that the page's own script unpacks when one is opened.

A chunk is a `<template>` whose text is base64 of a zlib stream of a JSON array: the HTML of the items from `data-first`
on, null where an item holds nothing. Browsers read it by themselves (`DecompressionStream`, since 2023 in all of them).
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reconciler.report.html_tags import Html, el

_CHUNK = 400_000
"""So many characters are unpacked for one item: little to wait for, and enough to find what is repeated."""


class Packed(NamedTuple):
    """The chunks that had room, and how many items have theirs in none."""

    chunks: tuple[Html, ...]
    left_out: int


def packed(bodies: Sequence[str | None], *, room: int) -> Packed:
    """Pack what items hold, in order, until a chunk does not fit in the bytes that there are."""
    chunks: list[Html] = []
    for first, part in _parts(bodies):
        chunk = _chunk(first, part)
        room -= len(chunk)
        if room < 0:
            return Packed(tuple(chunks), sum(body is not None for body in bodies[first:]))
        chunks.append(chunk)
    return Packed(tuple(chunks), 0)


def _parts(bodies: Sequence[str | None]) -> Iterator[tuple[int, Sequence[str | None]]]:
    """Yield runs of items that are long enough together, each with the number of its first."""
    first = size = 0
    for number, body in enumerate(bodies):
        size += len(body or "")
        if size >= _CHUNK:
            yield first, bodies[first : number + 1]
            first, size = number + 1, 0
    if size:
        yield first, bodies[first:]


def _chunk(first: int, part: Sequence[str | None]) -> Html:
    data = zlib.compress(json.dumps(part).encode(), 9)
    return el("template", Html(b64encode(data).decode()), data_first=str(first))
