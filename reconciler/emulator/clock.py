"""The server's clock, as it writes it."""

from datetime import UTC, datetime, timedelta


def now() -> str:
    """Give the current time in RFC 3339, UTC, with microseconds."""
    return stamp(datetime.now(UTC))


def ago(*, seconds: int) -> str:
    """Give the time `seconds` ago in the same notation, comparable as text."""
    return stamp(datetime.now(UTC) - timedelta(seconds=seconds))


def stamp(moment: datetime) -> str:
    """Write a moment the way every `*_at` field is written."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
