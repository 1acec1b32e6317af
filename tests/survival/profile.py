"""How much is tried: a sample in every test run, all of it with `SURVIVE=long`, one try with `SURVIVE_ONLY`.

`SURVIVE_ONLY` takes what a failure printed: `before:17` of a kill, a seed of a schedule.
"""

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
IS_LONG = os.environ.get("SURVIVE") == "long"
ONLY = os.environ.get("SURVIVE_ONLY")
SCHEDULES = 500 if IS_LONG else 60
PARTS = 4
"""Into how many tests a table is cut, so that several workers share it."""
PATIENCE = 3600 if IS_LONG or ONLY else 120


def sampled(every: Sequence[T], *, quick: int, part: int) -> Sequence[T]:
    """Take the part of a worker out of all, or out of so many that are spread evenly."""
    step = 1 if IS_LONG else max(1, len(every) // quick)
    return every[step // 2 :: step][part::PARTS]
