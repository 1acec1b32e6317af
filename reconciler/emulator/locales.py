"""The locales and time zones the server knows."""

import re
import zoneinfo
from functools import cache

LOCALE = re.compile(r"en|uk|[a-z]{2,3}-[A-Z]{2}")


def is_locale(text: str) -> bool:
    """Tell whether a locale is one of those supported."""
    return LOCALE.fullmatch(text) is not None


@cache
def timezones() -> frozenset[str]:
    """List the time zones, from the system's own database."""
    return frozenset(zoneinfo.available_timezones()) | {"UTC"}
