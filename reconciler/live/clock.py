"""Time as a client sees it: what the hour is, how to let it pass, and chance; the only place in `live/` that sleeps."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass


def _chance() -> float:
    """Return a number from 0 up to 1; `random` would take longer to import than a plan has to spare."""
    return int.from_bytes(os.urandom(4)) / 2**32


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds that only go forward, a way to let some of them pass, and numbers from 0 up to 1 that nobody foresees.

    Another one makes waiting cost nothing: `sleep` then moves `monotonic` on.
    """

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = _chance


SYSTEM = Clock()
"""The clock of this machine."""
