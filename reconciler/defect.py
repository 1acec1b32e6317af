"""Defects: what is told of an exception that is not ours, which is where it happened and never what it says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import TracebackType

from reconciler.errors import Defect

_OURS = __file__.removesuffix(f"{os.sep}defect.py")
_MOST = 12


def defect_of(error: BaseException, *, doing: str | None = None) -> Defect:
    """Return an exception as an error of ours: its type, and our part of the way to it.

    No message, no line of source, no local: each may hold a value. What it was raised from is told the same way.
    """
    during = f" while {doing}" if doing else ""
    return Defect(
        f"{_name(error)}{during}, at {_way(error)}",
        hint="this is a defect of reconciler: please report it with this line and the version (reconciler version)",
    )


def _name(error: BaseException) -> str:
    """Return the types of an exception and of those it was raised from; a name is ours or a library's, never data."""
    names: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(names) < _MOST:
        names.append(type(seen).__name__)
        seen = seen.__cause__
    return " from ".join(names)


def _way(error: BaseException) -> str:
    """Return our frames, the outermost first, as `live/perform.py:44 in _create`."""
    frames = list(_frames(error.__traceback__))[-_MOST:]
    return " > ".join(frames) or "a place outside of reconciler"


def _frames(trace: TracebackType | None) -> Iterator[str]:
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename.startswith(_OURS + os.sep):
            path = code.co_filename[len(_OURS) + 1 :].replace(os.sep, "/")
            yield f"{path}:{trace.tb_lineno} in {code.co_name}"
        trace = trace.tb_next
