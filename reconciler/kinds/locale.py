"""Languages: tags as `de-DE`, of which the platform knows a list (everruns-api/agents-memories-sessions.md, 6 and 8).

The list is the platform's, and may grow; every tag on it has the form that is asked for here, letter by letter.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_TAG = r"^[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?$"
_LOOSE_TAG = _TAG.replace("-[A-Z][a-z]{3}", "[-_][A-Z][a-z]{3}").replace("(?:-(?:", "(?:[-_](?:")
_SHOWN = 60
_HINT = "a language, and a country where it matters: en, de-DE, pt-BR"


def _checked(tag: str, pattern: str) -> str:
    if tag and not re.fullmatch(pattern, tag):  # an empty one is told by its field
        given = f'"{tag}"' if len(tag) <= _SHOWN and tag.isprintable() else "this"
        raise PydanticCustomError("locale", "{given} is no language tag", {"given": given, "hint": _HINT})
    return tag


def _tag(tag: str) -> str:
    """Refuse what cannot be on the platform's list, which is asked for the very text."""
    return _checked(tag, _TAG)


def _loose_tag(tag: str) -> str:
    """Refuse what cannot be on the platform's list, with an underscore for a hyphen."""
    return _checked(tag, _LOOSE_TAG)


Locale = Annotated[str, AfterValidator(_tag), WithJsonSchema({"type": "string", "pattern": _TAG})]
"""The language of an identity."""
LooseLocale = Annotated[str, AfterValidator(_loose_tag), WithJsonSchema({"type": "string", "pattern": _LOOSE_TAG})]
"""The language of a session, of which the platform takes `de_DE` for `de-DE`."""
