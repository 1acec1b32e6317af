"""Memory of a large run: what was given back to the system and taken again costs a fault for each page of it."""

from __future__ import annotations

from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_LARGEST: Final = 32 * 2**20
"""The greatest threshold that the C library takes."""


def hold_on() -> None:
    """Ask the C library, where it is glibc, to keep what is freed for what comes next, in one place for all threads."""
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    for option, value in ((_M_ARENA_MAX, 1), (_M_MMAP_THRESHOLD, _LARGEST), (_M_TRIM_THRESHOLD, 2**31 - 1)):
        mallopt(option, value)
