"""Schedules: five fields become seven, anything else is refused, and how often one fires."""

import re
from itertools import pairwise

DAY = 86_400
FIVE, SEVEN = 5, 7
NAMES = {
    "month": ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    "weekday": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
}
# second, minute, hour, day of month, month, day of week, year
BOUNDS = (
    ("second", 0, 59),
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day", 1, 31),
    ("month", 1, 12),
    ("weekday", 0, 7),
    ("year", 1970, 2100),
)
PART = re.compile(r"(\*|\?|[0-9a-z]+)(?:-([0-9a-z]+))?(?:/([0-9]+))?")
FIELD_COUNT = (
    "Cron expression must be either 5 fields (minute hour day month weekday) "
    "or 7 fields (second minute hour day month weekday year)"
)


class CronError(ValueError):
    """An expression that is no schedule."""


def normalized(expression: str) -> str:
    """Write an expression in seven fields, blanks collapsed."""
    fields = expression.split()
    if len(fields) == FIVE:
        fields = ["0", *fields, "*"]
    if len(fields) != SEVEN:
        raise CronError(FIELD_COUNT)
    for bounds, field in zip(BOUNDS, fields, strict=True):
        _values(field, bounds)
    return " ".join(fields)


def least_gap(expression: str) -> int:
    """Give the shortest time in seconds between two runs on days that follow each other."""
    seconds, minutes, hours = (
        _values(field, bounds) for field, bounds in zip(expression.split()[:3], BOUNDS[:3], strict=True)
    )
    if len(seconds) > 1:
        return min(later - earlier for earlier, later in pairwise([*seconds, seconds[0] + 60]))
    times = [hour * 3600 + minute * 60 for hour in hours for minute in minutes]
    return min(later - earlier for earlier, later in pairwise([*times, times[0] + DAY]))


def _values(field: str, bounds: tuple[str, int, int]) -> list[int]:
    """List the values a field stands for."""
    found: set[int] = set()
    for part in field.lower().split(","):
        found |= _part(part, bounds)
    return sorted(found)


def _part(part: str, bounds: tuple[str, int, int]) -> set[int]:
    """List the values of one item of a field: `*`, a value, a range, each with an optional step."""
    name, least, most = bounds
    match = PART.fullmatch(part)
    if match is None:
        raise CronError(f"invalid {name} `{part}`")
    start, end, step = match.groups()
    every = int(step) if step else 1
    if every < 1 or (start in "*?" and end):
        raise CronError(f"invalid {name} `{part}`")
    if start in "*?":
        return set(range(least, most + 1, every))
    first = _value(start, name)
    last = _value(end, name) if end else (most if step else first)
    if not least <= first <= last <= most:
        raise CronError(f"{name} `{part}` is out of range")
    return set(range(first, last + 1, every))


def _value(text: str, name: str) -> int:
    """Read a number, or the name of a month or weekday."""
    if text.isdigit():
        return int(text)
    names = NAMES.get(name, [])
    if text not in names:
        raise CronError(f"invalid {name} `{text}`")
    return names.index(text) + (name == "month")
