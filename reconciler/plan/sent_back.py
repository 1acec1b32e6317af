"""What a write sends back as it is live, because the API replaces the whole: and what of it must not be sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from reconciler.kinds.fields import SET
from reconciler.kinds.kind import Kind, Shape
from reconciler.kinds.secrecy import is_masked
from reconciler.kinds.traits import sensitive
from reconciler.plan.diff import Keys, retagged, wholes_of

_MASKED = "holds a mask in the place of its value"
_UNKNOWN = "holds a secret that manifests have no field for"


def unfit(kind: Kind, written: Iterable[str], desired: Shape, live: Shape) -> Iterator[tuple[str, str]]:
    """Yield what is live, undeclared and cannot be sent back with the fields written: its place with dots, and why.

    A secret that the API keeps by itself is left out of a write (see `merged`); any other one would be lost.
    """
    names = frozenset(written)
    yield from _beside(kind, (), desired, {name: value for name, value in live.items() if name in names})


def _beside(kind: Kind, path: Keys, want: Shape, have: Shape) -> Iterator[tuple[str, str]]:
    """Look at what is live beside what is declared."""
    for key, item in have.items():
        place = (*path, key)
        if key not in want:
            yield from _inside(kind, place, item)
        elif type(want[key]) is dict and isinstance(item, dict) and _is_merged(kind, place, want[key], item):
            yield from _beside(kind, place, want[key], item)


def _is_merged(kind: Kind, place: Keys, want: Shape, have: Shape) -> bool:
    return place not in wholes_of(kind) and not retagged(want, have)


def _inside(kind: Kind, path: Keys, have: Any) -> Iterator[tuple[str, str]]:
    """Look through a live value of which nothing is declared."""
    match have:
        case dict():
            for key, item in have.items():
                yield from _inside(kind, (*path, str(key)), item)
        case list():
            for index, item in enumerate(have):
                yield from _inside(kind, (*path, str(index)), item)
        case str() if len(path) > 1 and is_masked(path[-1], have):
            yield ".".join(path), _MASKED
        case _ if have is SET and not _is_kept(kind, path):
            yield ".".join(path), _UNKNOWN


def _is_kept(kind: Kind, path: Keys) -> bool:
    """Say whether a secret is one of those that the API keeps when it is not sent."""
    for known in sensitive(kind):
        steps = [step for step in known if isinstance(step, str)]
        if len(steps) == len(path) and all(step in ("*", key) for step, key in zip(steps, path, strict=True)):
            return True
    return False
