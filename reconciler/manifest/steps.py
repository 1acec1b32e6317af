"""The smallest changes that lead from one plain value to another, so that what did not change is not written anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any, Final

import orjson

Path = tuple[str | int, ...]
_NAMES: Final = ("name", "path", "ref", "id")
"""What tells one item of a list from the others, the first that it has."""


@dataclass(frozen=True, slots=True)
class Put:
    """Another value at a path that is there."""

    path: Path
    value: Any


@dataclass(frozen=True, slots=True)
class Add:
    """A key that is not there yet, or an item before the one of its number."""

    path: Path
    value: Any


@dataclass(frozen=True, slots=True)
class Drop:
    """A key or item that goes."""

    path: Path


Step = Put | Add | Drop


def same(one: Any, other: Any) -> bool:
    """Say whether two plain values are equal; true is not 1, and 1 is 1.0, as in JSON."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def steps(old: Any, new: Any, path: Path = ()) -> Iterator[Step]:
    """Yield what leads from the old value to the new one; every path counts in the old one."""
    if same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict) and old and new:
        yield from _in_map(old, new, path)
    elif isinstance(old, list) and isinstance(new, list) and old and new:
        yield from _in_list(old, new, path)
    else:
        yield Put(path, new)


def stepped(value: Any, step: Step) -> Any:
    """Return a value with one step taken."""
    return _at(value, step.path, step)


def found(value: Any, path: Path) -> Any:
    """Return what stands at a path that is there."""
    for part in path:
        value = value[part]
    return value


def _at(value: Any, path: Path, step: Step) -> Any:
    if not path:
        return step.value if not isinstance(step, Drop) else value
    key: Any = path[0]
    rest = path[1:]
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    if rest:
        copy[key] = _at(value[key], rest, step)
    elif isinstance(step, Drop):
        del copy[key]
    elif isinstance(step, Add) and isinstance(copy, list):
        copy.insert(key, step.value)
    else:
        copy[key] = step.value
    return copy


def _in_map(old: dict[str, Any], new: dict[str, Any], path: Path) -> Iterator[Step]:
    for key, value in old.items():
        if key in new:
            yield from steps(value, new[key], (*path, key))
        else:
            yield Drop((*path, key))
    yield from (Add((*path, key), value) for key, value in new.items() if key not in old)


def _in_list(old: list[Any], new: list[Any], path: Path) -> Iterator[Step]:
    """Pair what is equal, then what has the same name, then what stands in the same place between two such."""
    matcher = SequenceMatcher(None, [_key(item) for item in old], [_key(item) for item in new], autojunk=False)
    for tag, first, last, begin, end in matcher.get_opcodes():
        if tag != "equal":
            yield from _between(old[first:last], new[begin:end], path, first)


def _between(old: list[Any], new: list[Any], path: Path, offset: int) -> Iterator[Step]:
    names = SequenceMatcher(None, [name_of(item) for item in old], [name_of(item) for item in new], autojunk=False)
    for tag, first, last, begin, end in names.get_opcodes():
        if tag == "equal":
            for number in range(last - first):
                yield from steps(old[first + number], new[begin + number], (*path, offset + first + number))
            continue
        pairs = takewhile(lambda pair: _is_like(*pair), zip(old[first:last], new[begin:end], strict=False))
        alike = 0
        for alike, (one, other) in enumerate(pairs, start=1):
            yield from steps(one, other, (*path, offset + first + alike - 1))
        yield from (Add((*path, offset + last), item) for item in new[begin + alike : end])
        yield from (Drop((*path, offset + number)) for number in range(first + alike, last))


def _is_like(one: Any, other: Any) -> bool:
    """Say whether two maps have so much in common that one is rather the other renamed."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return False
    common = sum(1 for key in one if key in other and same(one[key], other[key]))
    return common * 2 >= len(one.keys() | other.keys())


def _key(item: Any) -> bytes:
    return orjson.dumps(_numbers(item), option=orjson.OPT_SORT_KEYS)


def _numbers(item: Any) -> Any:
    """Spell equal numbers alike, so that equal items have equal keys; what JSON has no text for goes by its form."""
    match item:
        case dict():
            return {_text(key): _numbers(value) for key, value in item.items()}
        case list():
            return [_numbers(value) for value in item]
        case float() if item.is_integer() and abs(item) < 2**53:
            return int(item)
        case str():
            return _text(item)
    return item


def _text(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def name_of(item: Any) -> bytes:
    """Return what tells an item of a list from the others, nothing where nothing does."""
    if not isinstance(item, dict):
        return b""
    return next((_key([name, item[name]]) for name in _NAMES if name in item), b"")
