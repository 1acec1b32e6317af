"""What a server says in its own words, and how much of it may be repeated: words can hold what they answer to.

Every request carries the key, and some carry secrets. So nothing is looked for in a text; it is shown as far as it can
be told that it holds neither. An answer to a request with secrets, or one about the key, is shown if it is a known text
of the platform (`known_texts.py`). Any other is shown word by word: ordinary words, numbers, ids, and what was sent in
clear; a key is none of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from reconciler.kinds.fields import SecretRef
from reconciler.kinds.taint import carried

OMITTED: Final = "…"


ASKED: Final = "reconciler.asked"
"""Names, among the extensions of a request, what it was made from."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Asked:
    """A request as it was before its secrets were opened: what an answer is judged by, and what `--debug` shows.

    `base` is the API's own address.
    """

    method: str = "GET"
    path: str = ""
    base: str = ""
    org: str | None = None
    body: Any = None

    def secrets(self) -> tuple[SecretRef, ...]:
        """Return the references of the values that it carried, each once."""
        return tuple(dict.fromkeys(carried(self.body)))

    def in_clear(self) -> Iterator[str]:
        """Yield every text that was sent in clear, and each part of the path."""
        yield from map(unquote, self.path.partition("?")[0].split("/"))
        yield from (self.org,) if self.org else ()
        yield from _texts(self.body)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


_RUN: Final = re.compile(r"""[^\s"'`,;()\[\]{}<>]+""")
_EDGE: Final = ".:!?=…"
_NUMBER: Final = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,6})?%?|[0-9]{1,6}[a-z]{1,3}|v[0-9]{1,2}")
_IDENTIFIER: Final = re.compile(r"[a-z]{1,20}(?:[_.:/=-][a-z]{1,20}){1,7}|X-[A-Z][a-z]+(?:-[A-Z][a-z]+){0,3}")
_CREDENTIAL: Final = re.compile("(?:evr|whk|sk|pat|xox[a-z]?|gh[pousr])[_-]")
_ID: Final = re.compile(
    "(?:org|app|appchan|agent|agentver|identity|harness|model|provider|mem|memory|user|principal|cap|session)"
    "_[0-9a-f]{32}"
)
_LONGEST: Final = 24
_ORDINARY_NAMES: Final = frozenset(
    ["JSON", "GitHub", "OAuth", "OAuth2", "AG-UI", "A2A", "FCP", "MCP", "KiB", "MiB", "UTF-8", "ID", "URL", "2.0"]
)


def plainly(text: str, asked: Asked) -> str:
    """Return a text with everything left out that is neither an ordinary word nor was sent in clear."""
    sent: set[str] = set()

    def shown(found: re.Match[str]) -> str:
        word = found[0]
        core = word.strip(_EDGE)
        if not core or _is_ordinary(core):
            return word
        if not sent:
            sent.update(part for one in asked.in_clear() for part in (one, *_cores(one)))
        return word if core in sent else word.replace(core, OMITTED)

    return _RUN.sub(shown, text)


def _cores(text: str) -> Iterator[str]:
    return (word.strip(_EDGE) for word in _RUN.findall(text))


def _is_ordinary(word: str) -> bool:
    """Say whether a word is one of a language, a number, an id, or the name of a field or flag."""
    if len(word) <= _LONGEST and word.isalpha():
        return word.islower() or word.isupper() or word.istitle()
    if word in _ORDINARY_NAMES or _NUMBER.fullmatch(word) or _ID.fullmatch(word):
        return True
    return _IDENTIFIER.fullmatch(word) is not None and _CREDENTIAL.match(word) is None
