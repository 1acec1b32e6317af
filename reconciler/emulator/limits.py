"""Caps and rates: none unless asked for, one by one or all that the platform has by default."""

import re
from collections.abc import Iterable, Mapping

PLATFORM: Mapping[str, int] = {
    "orgs": 5,
    "org_creates_per_hour": 10,
    "harnesses": 50,
    "agents": 500,
    "sessions": 10_000,
    "session_creates_per_minute": 60,
}
"""What the platform allows by default (everruns-api/orgs-apps-errors.md, 8)."""
WHOLE = "platform"


class LimitError(ValueError):
    """A limit that there is not, or that is no number; the message says what would do."""


def parse(texts: Iterable[str]) -> Mapping[str, int | None]:
    """Read `platform` and NAME=NUMBER (or NAME=none); a later one overrides an earlier one. Raises LimitError."""
    limits: dict[str, int | None] = {}
    for text in texts:
        if text == WHOLE:
            limits |= PLATFORM
            continue
        name, _, number = text.partition("=")
        if number != "none" and not re.fullmatch(r"[0-9]{1,9}", number):
            raise LimitError(f"{text}: expected {WHOLE}, NAME=NUMBER or NAME=none, such as agents=500")
        limits[name] = None if number == "none" else int(number)
    return checked(limits)


def checked(limits: Mapping[str, int | None]) -> Mapping[str, int | None]:
    """Insist that every limit is one that is kept; raises LimitError."""
    for name in limits:
        if name not in PLATFORM:
            raise LimitError(f"no such limit: {name}; there are {', '.join(PLATFORM)}")
    return limits
