"""Names made of what the platform calls things: addresses, names of environment variables, each taken once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

LONGEST = 64
"""Characters of an address at most."""
_SEPARATORS = re.compile(r"[^a-z0-9]+")


def slug(text: str, *, otherwise: str) -> str:
    """Return a text as an address: lowercase letters, digits, single hyphens; `otherwise` when nothing is left.

    >>> slug("Café “Süd” (EU)", otherwise="app"), slug("日本", otherwise="app-1")
    ('cafe-sud-eu', 'app-1')
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _SEPARATORS.sub("-", plain).strip("-")[:LONGEST].rstrip("-") or otherwise


def is_slug(text: str) -> bool:
    """Say whether a text can be an address as it is."""
    return 0 < len(text) <= LONGEST and text == slug(text, otherwise="")


def variable(*parts: str) -> str:
    """Return the name of an environment variable that says what it is for.

    >>> variable("acme", "support-bot", "bot_token"), variable("3m", "bot", "X-Key")
    ('ACME_SUPPORT_BOT_BOT_TOKEN', 'ORG_3M_BOT_X_KEY')
    """
    name = "_".join(_SEPARATORS.sub("_", part.lower()).strip("_") for part in parts).upper()
    return f"ORG_{name}" if name[:1].isdigit() else name


class Taken:
    """The names that are in use; each is given once, numbered from 2 where it is wanted again."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = set(names)

    def give(self, name: str, *, spell: Callable[[int], str]) -> str:
        """Return the name, or the first free one that `spell` makes with a number."""
        number, free = 1, name
        while free in self._names:
            number += 1
            free = spell(number)
        self._names.add(free)
        return free

    def slug(self, name: str) -> str:
        """Return an address that is free: the name, or with `-2`, `-3` behind it."""

        def spell(number: int) -> str:
            end = f"-{number}"
            return name[: LONGEST - len(end)].rstrip("-") + end

        return self.give(name, spell=spell)

    def variable(self, name: str) -> str:
        """Return a name of a variable that is free."""
        return self.give(name, spell=lambda number: f"{name}_{number}")
