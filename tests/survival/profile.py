"""How much is tried: a sample in every test run, all of it with `SURVIVE=long`, one try with `SURVIVE_ONLY`.

`SURVIVE_ONLY` takes what a failure printed: `before:17` of a kill, a seed of a schedule.
"""

import os
from collections.abc import Sequence

IS_LONG = os.environ.get("SURVIVE") == "long"
ONLY = os.environ.get("SURVIVE_ONLY")
SCHEDULES = 500 if IS_LONG else 60
PARTS = 4
"""Into how many tests a table is cut, so that several workers share it."""
PATIENCE = 3600 if IS_LONG or ONLY else 120


def boundaries(total: int, *, moment: str, quick: int, part: int, each: int = 1) -> Sequence[int]:
    """Choose the requests that a part is about: every so manieth of all, or about so many that are spread evenly."""
    if ONLY:
        chosen, _, number = ONLY.partition(":")
        return [int(number)] if chosen == moment and not part else []
    every = range(1, total + 1, each)
    step = 1 if IS_LONG else max(1, len(every) // quick)
    return every[step // 2 :: step][part::PARTS]


def seeds(*, part: int) -> Sequence[int]:
    """Choose the seeds that a part is about."""
    if ONLY:
        return [int(ONLY)] if ONLY.isdigit() and not part else []
    return range(SCHEDULES)[part::PARTS]
