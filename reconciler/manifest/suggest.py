"""Ways out of a fault: did-you-mean, the nearest of the known words or all of them; and values as YAML spells them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from reconciler.kinds.secrecy import looks_secret

_LISTED = 14
_SHOWN = 60  # characters of a manifest that a message repeats
_PLAIN = re.compile(r"(?:/|(?:\.\.?/)+)?[A-Za-z](?:[\w./-]|[ :](?=[\w/]))*")
_WORDS = frozenset(("true", "false", "null"))


def suggest(word: object, known: Iterable[str]) -> str | None:
    """Return `did you mean X?`, or what would be known, or None when there is nothing to offer.

    >>> suggest("sytem_prompt", ["system_prompt", "tags"])
    'did you mean system_prompt?'
    """
    names = sorted(set(known))
    close = _close(word, names)
    if close:
        return f"did you mean {' or '.join(close)}?"
    if not names:
        return None
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"known: {', '.join(names[:_LISTED])}{more}"


def meant(word: object, known: Iterable[str]) -> str | None:
    """Return the known word that `suggest` offers first for a misspelt one, None when it offers none.

    >>> meant("specs", ["kind", "spec"])
    'spec'
    """
    return next(iter(_close(word, sorted(set(known)))), None)


def _close(word: object, names: list[str]) -> list[str]:
    """Return the nearest of the names, two at most."""
    if not isinstance(word, str):
        return []
    if close := get_close_matches(word, names, n=2, cutoff=0.6):
        return close
    lowered = {name.lower(): name for name in reversed(names)}
    return [lowered[match] for match in get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)]


def shown(text: str) -> str:
    """Return a piece of a manifest as a message may repeat it: short, in one line, and harmless."""
    text = text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


def quoted(value: object) -> str:
    """Repeat a value of a manifest in a message: short, in one line, text in quotes; never what may be a secret."""
    text = value if isinstance(value, str) else flow(value)
    if looks_secret(text):
        return "what stands here"
    return f'"{shown(text)}"' if isinstance(value, str) else shown(text)


def flow(value: Any) -> str:
    """Spell a value as YAML, in one line.

    >>> flow({"type": "slack", "cron": "0 9 * * *", "on": [True, None, 1]})
    '{type: slack, cron: "0 9 * * *", on: [true, null, 1]}'
    """
    match value:
        case dict():
            return f"{{{', '.join(f'{flow(key)}: {flow(item)}' for key, item in value.items())}}}"
        case list():
            return f"[{', '.join(map(flow, value))}]"
        case str() if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
            return value
    return json.dumps(value, ensure_ascii=False)
