"""What a text comes to when it is read, and how large it may be; without the parser, which most runs do not need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

MAX_BYTES: Final = 16 * 1024 * 1024
"""Of a file; whoever reads the file looks before reading."""
MAX_DEPTH: Final = 64
"""Of maps and lists in one another."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """One document of a stream: its plain value, the line it starts on, and its number in the stream."""

    value: Any
    line: int
    index: int
