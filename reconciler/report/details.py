"""What changed inside a list or a map, element by element: `capabilities[web_fetch].config.timeout_ms: 10 -> 20`.

deepdiff finds the differences, in trees of maps and whole numbers only: the items of a list become entries named by
what tells them apart, and each value a number that stands for it. So no secret and no long text gets into it, and
true is not 1.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from reconciler.report.values import label_of

Path = tuple[str, ...]


class _Item(str):
    """The step to an item of a list of maps, by what tells it apart."""

    __slots__ = ()


class _Entry(str):
    """The step to an item of any other list: its value, and how many equal ones stand before it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Replaced:
    """A value at `path` that became another; None where there was or is none."""

    path: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Members:
    """The items that came into the list at `path` and those that left it."""

    path: str
    added: tuple[Any, ...]
    removed: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Reordered:
    """The list at `path` whose items stand in another order; they are given in the new one."""

    path: str
    items: tuple[Any, ...]


Detail = Replaced | Members | Reordered


def details(old: Any, new: Any) -> list[Detail]:
    """Return the differences between two lists or maps, in the order of what they stand in."""
    from deepdiff import DeepDiff  # noqa: PLC0415 - 130 ms, and most plans have nothing to take apart

    pair = _Pair()
    tree = DeepDiff(*pair.shaped((), old, new), view="tree", threshold_to_diff_deeper=0)
    found: list[tuple[Path, Detail]] = [(path, Reordered(spelled(path), i)) for path, i in pair.reordered.items()]
    added: defaultdict[Path, list[Any]] = defaultdict(list)
    removed: defaultdict[Path, list[Any]] = defaultdict(list)
    levels = [(tuple(level.path(output_format="list")), level) for levels in tree.values() for level in levels]
    for path, level in sorted(levels, key=lambda one: pair.rank[one[0]]):
        was, now = pair.value(level.t1), pair.value(level.t2)
        if not isinstance(path[-1], (_Item, _Entry)) or (isinstance(level.t1, int) and isinstance(level.t2, int)):
            found.append((path, Replaced(spelled(path), was, now)))
        elif isinstance(level.t2, int):
            added[path[:-1]].append(now)
        else:
            removed[path[:-1]].append(was)
    found += [
        (path, Members(spelled(path), tuple(added[path]), tuple(removed[path])))
        for path in added.keys() | removed.keys()
    ]
    return [detail for _, detail in sorted(found, key=lambda one: pair.rank[one[0]])]


def spelled(path: Path) -> str:
    """Write a path below a field: `.key` into a map, `[name]` into a list."""
    return "".join(f"[{step}]" if isinstance(step, (_Item, _Entry)) else f".{step}" for step in path)


@dataclass(slots=True)
class _Pair:
    """Two values on their way to becoming trees of numbers, and what the numbers stand for."""

    numbers: dict[str, int] = field(default_factory=dict)
    values: list[Any] = field(default_factory=list)
    rank: dict[Path, int] = field(default_factory=dict)
    reordered: dict[Path, tuple[Any, ...]] = field(default_factory=dict)

    def shaped(self, path: Path, old: Any, new: Any) -> tuple[Any, Any]:
        """Return the trees of two values that stand at the same path."""
        self.rank.setdefault(path, len(self.rank))
        kinds = {type(value) for value in (old, new) if value is not None}
        if kinds == {dict}:
            return self.maps(path, old or {}, new or {})
        if kinds == {list}:
            return self.lists(path, old or [], new or [])
        return self.number(old), self.number(new)

    def maps(self, path: Path, old: dict[str, Any], new: dict[str, Any]) -> tuple[Any, Any]:
        """Shape two maps: what stands in both goes on in pairs."""
        shaped: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
        for key in dict.fromkeys([*old, *new]):
            below = (*path, key)
            if key in old and key in new:
                shaped[0][key], shaped[1][key] = self.shaped(below, old[key], new[key])
            else:
                self.rank[below] = len(self.rank)
                side = int(key in new)
                shaped[side][key] = self.number((old, new)[side][key])
        return shaped

    def lists(self, path: Path, old: list[Any], new: list[Any]) -> tuple[Any, Any]:
        """Shape two lists as maps: by the label of their items where both have it, else by value."""
        label = label_of(old, new)
        named = (_named(old, label), _named(new, label))
        common = [name for name in named[1] if name in named[0]]
        if common != [name for name in named[0] if name in named[1]]:
            self.reordered[path] = tuple(item if label is None else item[label] for item in new)
        return self.maps(path, *named)

    def number(self, value: Any) -> int:
        """Return the number that stands for a value; equal values have the same, all emptiness is one."""
        number = self.numbers.setdefault(_canonical(value), len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number

    def value(self, number: Any) -> Any:
        """Return what a number stands for; None for deepdiff's mark of what is not there."""
        return self.values[number] if isinstance(number, int) else None


def _named(items: list[Any], label: str | None) -> dict[str, Any]:
    """Name the items of a list."""
    if label is not None:
        return {_Item(item[label]): item for item in items}
    named: dict[str, Any] = {}
    seen: Counter[str] = Counter()
    for item in items:
        text = _canonical(item)
        named[_Entry(f"{text}#{seen[text]}")] = item
        seen[text] += 1
    return named


def _canonical(value: Any) -> str:
    """Spell a value so that equal ones, and only those, are spelled the same; all emptiness is one."""
    if value is None or value in ([], {}):
        return ""
    match value:
        case dict():
            return "{" + ",".join(f"{key!r}:{_canonical(value[key])}" for key in sorted(value)) + "}"
        case list():
            return "[" + ",".join(map(_canonical, value)) + "]"
        case float() if value.is_integer():
            return repr(int(value))
    return repr(value)
