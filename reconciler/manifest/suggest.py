"""Did-you-mean: the nearest of the known words, or the whole list when it is short."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_LISTED = 14


def suggest(word: object, known: Iterable[str]) -> str | None:
    """Return `did you mean X?`, or what would be known, or None when there is nothing to offer.

    >>> suggest("sytem_prompt", ["system_prompt", "tags"])
    'did you mean system_prompt?'
    """
    names = sorted(set(known))
    close = get_close_matches(str(word), names, n=2, cutoff=0.6) if isinstance(word, str) else []
    if not close and isinstance(word, str):
        lowered = {name.lower(): name for name in reversed(names)}
        close = [lowered[m] for m in get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)]
    if close:
        return f"did you mean {' or '.join(close)}?"
    if not names:
        return None
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"known: {', '.join(names[:_LISTED])}{more}"
