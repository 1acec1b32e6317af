"""The single fields of a spec, as a diff tells them apart: what the ledger remembers one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from reconciler.kinds.fields import SecretRef
from reconciler.kinds.kind import Kind, Shape
from reconciler.kinds.traits import sensitive
from reconciler.kinds.walk import at
from reconciler.plan.diff import Keys, wholes_of
from reconciler.plan.owned import pointer


def leaves(kind: Kind, shape: Shape) -> Iterator[tuple[Keys, Any]]:
    """Yield each field with its path: maps are taken apart, unless they are one value."""
    wholes = wholes_of(kind)
    for key, value in shape.items():
        yield from _below((key,), value, wholes)


def _below(path: Keys, value: Any, wholes: frozenset[Keys]) -> Iterator[tuple[Keys, Any]]:
    if type(value) is dict and value and path not in wholes:
        for key, item in value.items():
            yield from _below((*path, key), item, wholes)
    else:
        yield path, value


def pointers(kind: Kind, shape: Shape) -> set[str]:
    """Return the paths of the same fields, spelled as the ledger does."""
    found = set(map(_TOPS.__getitem__, shape))
    for key, value in shape.items():
        if type(value) is dict and value and (key,) not in wholes_of(kind):
            found.remove(_TOPS[key])
            found.update(pointer(path) for path, _ in _below((key,), value, wholes_of(kind)))
    return found


class _Spellings(dict[str, str]):
    """The paths of top-level fields, each spelled once: every resource of a plan asks for them."""

    def __missing__(self, key: str) -> str:
        spelled = self[key] = pointer((key,))
        return spelled


_TOPS = _Spellings()

Path = tuple[str | int, ...]


def secret_refs(value: Any, path: Path = ()) -> Iterator[tuple[Path, SecretRef]]:
    """Yield every secret reference inside a value with its path."""
    if isinstance(value, SecretRef):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from secret_refs(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from secret_refs(item, (*path, index))


def declared_secrets(kind: Kind, spec: Shape) -> Iterator[tuple[Path, SecretRef]]:
    """Yield the secrets of a spec, looked for only where the kind may have one."""
    for path in sensitive(kind):
        for holder, key, where in at(spec, path):
            if isinstance(holder[key], SecretRef):
                yield where, holder[key]


@cache
def secret_fields(kind: Kind) -> frozenset[str]:
    """Return the names of fields in which a secret may stand, on any level and in any variant."""
    return frozenset(step for path in sensitive(kind) for step in path if isinstance(step, str))


def value_at(shape: Any, path: Path) -> Any:
    """Return what stands at a path of maps, None where nothing does."""
    for step in path:
        if not isinstance(shape, dict):
            return None
        shape = shape.get(step)
    return shape
