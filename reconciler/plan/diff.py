"""DIFF: declared fields against observed ones; undeclared means unmanaged.

| desired        | observed            | result                                     |
| -------------- | ------------------- | ------------------------------------------ |
| not declared   | anything            | nothing: not ours                          |
| value          | the same            | nothing                                    |
| value          | another, or nothing | a FieldChange                              |
| null           | something           | a FieldChange to null                      |
| null, [], {}   | null, [], {}, none  | nothing: emptiness is one                  |
| secret         | set                 | nothing: it cannot be compared             |
| secret         | not set             | a FieldChange that sends it                |

Maps are compared by declared key, lists and maps marked WHOLE as one value.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson

from reconciler.kinds.fields import SET, SecretRef
from reconciler.kinds.kind import Kind, Shape
from reconciler.kinds.traits import in_order, whole
from reconciler.plan.change import FieldChange

Keys = tuple[str, ...]
_TAGS = ("type", "mode")


def diff(kind: Kind, desired: Shape, observed: Shape) -> list[FieldChange]:
    """Return the declared fields whose live value differs, in the order of the kind."""
    live = kind.defaulted(observed)
    wanted = kind.completed(desired, observed)
    if _identical(wanted, live):
        return []
    other = retagged(desired, observed)
    changes: list[FieldChange] = []
    for key, want in in_order(kind, wanted).items():
        if other and type(want) is dict:
            changes.append(FieldChange((key,), live.get(key), want))
        else:
            _compare((key,), want, live.get(key), wholes_of(kind), changes)
    return changes


def _identical(wanted: Shape, live: Shape) -> bool:
    """Say at once that nothing differs, as is true of nearly every resource; False leaves it to the full comparison."""
    want: list[Any] = []
    have: list[Any] = []
    for key, value in wanted.items():
        if type(value) is str:
            if value != live.get(key):
                return False
        else:
            want.append(value)
            have.append(live.get(key))
    try:  # as JSON, where true is not 1; in most the keys are in the order written, and need no sorting
        if orjson.dumps(want) == orjson.dumps(have):
            return True
        return orjson.dumps(want, option=orjson.OPT_SORT_KEYS) == orjson.dumps(have, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a secret, or a number beyond 64 bits
        return False


def _compare(path: Keys, want: Any, have: Any, wholes: frozenset[Keys], changes: list[FieldChange]) -> None:
    if type(want) is dict and isinstance(have, dict) and path not in wholes and not retagged(want, have):
        for key in sorted(want):  # whatever order they were written in
            _compare((*path, key), want[key], have.get(key), wholes, changes)
    elif not same(want, have):
        changes.append(FieldChange(path, have, want))


def same(want: Any, have: Any) -> bool:
    """Say whether two canonical values are equal; true is not 1, nothing is one, a secret equals a set one."""
    kind = type(want)
    if kind is str:
        return bool(want == have)
    if kind is dict:
        if not want or not have:
            return not want and not have and not isinstance(have, (bool, str, int, float))
        return (
            isinstance(have, dict)
            and len(want) == len(have)
            and all(key in have and same(value, have[key]) for key, value in want.items())
        )
    if kind is list:
        if not want or not have:
            return not want and not have and not isinstance(have, (bool, str, int, float))
        return isinstance(have, list) and len(want) == len(have) and all(map(same, want, have))
    if kind is SecretRef:
        return have is SET
    if want is None:
        return have is None or have in ([], {})
    return (kind is bool) is (type(have) is bool) and bool(want == have)


def retagged(want: Shape, have: Shape) -> bool:
    """Say whether two maps are different variants of a union, so that nothing of one belongs to the other."""
    return any(tag in want and tag in have and want[tag] != have[tag] for tag in _TAGS)


def merged(kind: Kind, field: str, want: Any, have: Any) -> Any:
    """Return a top-level field complete enough to be sent where the API replaces it whole.

    What is live and not declared stays as it is. A declared secret that the platform already has is left out: the
    server keeps it (everruns-api/orgs-apps-errors.md, 3.4).
    """
    return _merged((field,), want, have, wholes_of(kind))


def _merged(path: Keys, want: Any, have: Any, wholes: frozenset[Keys]) -> Any:
    if type(want) is not dict or not isinstance(have, dict) or path in wholes or retagged(want, have):
        return want
    result = {key: value for key, value in have.items() if value is not SET and key not in want}
    result = {key: without_set(value) for key, value in result.items()}
    for key, value in want.items():
        if not (isinstance(value, SecretRef) and have.get(key) is SET):
            result[key] = _merged((*path, key), value, have.get(key), wholes)
    return result


def without_set(value: Any) -> Any:
    """Return a live value less the secrets that the platform has in it."""
    if isinstance(value, dict):
        return {key: without_set(item) for key, item in value.items() if item is not SET}
    return value


def is_unwritten(kind: Kind, observed: Shape, one: FieldChange) -> bool:
    """Say whether nobody wrote a field that differs: it is absent, or what absence means on the platform."""
    absent: Any = kind.defaulted(without(observed, one.path))
    for step in one.path:
        absent = absent.get(step) if isinstance(absent, dict) else None
    return one.old is None or one.old == absent


def without(shape: Shape, path: tuple[str | int, ...]) -> Shape:
    """Return a shape less what stands at a path; a path into a list takes the list."""
    head, *rest = path
    if head not in shape:
        return shape
    below = shape[head]
    if rest and isinstance(below, dict):
        return shape | {str(head): without(below, tuple(rest))}
    return {key: value for key, value in shape.items() if key != head}


@cache
def wholes_of(kind: Kind) -> frozenset[Keys]:
    """Return the paths of maps that are one value, without the steps that only say which variant."""
    return frozenset(tuple(step for step in path if isinstance(step, str) and step != "*") for path in whole(kind))
