"""Times as people write them: a number and its unit."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from reconciler.kinds.fields import note_rewriting

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FORM: Final = re.compile(r"([0-9]{1,9})([smhd])")
EXAMPLES: Final = "90s, 30m, 12h or 7d"


def seconds(text: str) -> int | None:
    """Return the seconds of a time, None of what is none.

    >>> seconds("90m"), seconds("90")
    (5400, None)
    """
    found = _FORM.fullmatch(text)
    return None if found is None else int(found[1]) * _UNITS[found[2]]


def _seconds(value: Any, info: ValidationInfo) -> int:
    found = seconds(value) if isinstance(value, str) else None
    if not found:
        raise PydanticCustomError("duration", f"must be a number and its unit: {EXAMPLES}")
    note_rewriting(info)
    return found


Duration = Annotated[
    int, BeforeValidator(_seconds), WithJsonSchema({"type": "string", "pattern": "^[0-9]{0,8}[1-9][0-9]{0,8}[smhd]$"})
]
"""A time as people write it, in seconds."""
