"""Walks: from a spec model to the markers on its fields, and along a marked path through a Shape."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import Tag

from reconciler.kinds.fields import Spec
from reconciler.kinds.markers import Apart, Beside, Clear, Listed, Marker, References, Switch, Syncs, Waits

Step = str | tuple[str, str]
"""One step into a Shape: a key, `*` for every element or value, or (key, value) that it must carry to be entered."""

_MARKERS = (References, Listed, Marker, Clear, Switch, Apart, Waits, Syncs, Beside)


def markers(spec: Any) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """Yield (path, marker) for every marked field of a model, or union of models, and of the models below it."""
    return _in_annotation(spec, ())


def _in_model(model: type[Spec], prefix: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], Any]]:
    for name, info in model.model_fields.items():
        path = (*prefix, name)
        for item in info.metadata:
            if isinstance(item, _MARKERS):
                yield path, item
        yield from _in_annotation(info.annotation, path)


def field_names(spec: Any) -> tuple[str, ...]:
    """Return the names of a model's fields, or of those of every model in a union, in the order declared."""
    if get_origin(spec) is Annotated:
        return field_names(get_args(spec)[0])
    if get_origin(spec) in (Union, types.UnionType):
        return tuple(dict.fromkeys(name for member in get_args(spec) for name in field_names(member)))
    return tuple(spec.model_fields) if isinstance(spec, type) and issubclass(spec, Spec) else ()


def _in_annotation(annotation: Any, path: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """Yield the markers inside a field's type: below lists, maps, unions and nested models."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *metadata = get_args(annotation)
        for item in metadata:
            if isinstance(item, _MARKERS):
                yield path, item
        yield from _in_annotation(inner, path)
    elif origin is list:
        yield from _in_annotation(get_args(annotation)[0], (*path, "*"))
    elif origin is dict:
        yield from _in_annotation(get_args(annotation)[1], (*path, "*"))
    elif origin in (Union, types.UnionType):
        for member in get_args(annotation):
            yield from _in_annotation(member, path)
    elif isinstance(annotation, type) and issubclass(annotation, Spec):
        yield from _in_model(annotation, (*path, *tags(annotation)))


def tags(model: type[Spec]) -> tuple[tuple[str, str], ...]:
    """Return what tells a variant of a union: its required fields that can hold one text only."""
    found = []
    for name, info in model.model_fields.items():
        if info.is_required() and get_origin(info.annotation) is Literal and len(get_args(info.annotation)) == 1:
            found.append((name, str(get_args(info.annotation)[0])))
    return tuple(found)


def model_at(spec: Any, loc: tuple[str | int, ...]) -> type[Spec] | None:
    """Return the model that stands at a location of pydantic's, whose steps include the tags of unions."""
    if get_origin(spec) is Annotated:
        return model_at(get_args(spec)[0], loc)
    if isinstance(spec, type) and issubclass(spec, Spec):
        info = spec.model_fields.get(str(loc[0])) if loc else None
        return model_at(info.annotation, loc[1:]) if info else (None if loc else spec)
    if get_origin(spec) in (list, dict):
        return model_at(get_args(spec)[-1], loc[1:]) if loc else None
    if get_origin(spec) in (Union, types.UnionType):
        for member in get_args(spec):
            if loc and loc[0] in _tags_of(member):
                return model_at(member, loc[1:])
        return next((found for member in get_args(spec) if (found := model_at(member, loc))), None)
    return None


def _tags_of(member: Any) -> tuple[str, ...]:
    """Return the tags under which a union knows one of its members."""
    if get_origin(member) is Annotated:
        inner, *metadata = get_args(member)
        return tuple(item.tag for item in metadata if isinstance(item, Tag)) or _tags_of(inner)
    return tuple(value for _, value in tags(member)) if isinstance(member, type) and issubclass(member, Spec) else ()


Place = tuple[Any, Any, tuple[Any, ...]]
"""What a path leads to: the container, the key in it, and the concrete path."""


def at(value: Any, path: tuple[Step, ...]) -> Iterable[Place]:
    """Return the place of everything in `value` that a marked path leads to."""
    if not reach(path)(value):
        return ()
    if len(path) == 1 and path[0] != "*":
        return ((value, path[0], path),)
    return _at(value, path, ())


def _at(value: Any, path: tuple[Step, ...], where: tuple[str | int, ...]) -> Iterator[Place]:
    if not path:
        return
    step, rest = path[0], path[1:]
    if isinstance(step, tuple):
        if isinstance(value, dict) and value.get(step[0]) == step[1]:
            yield from _at(value, rest, where)
    elif not rest:
        for key in _keys(value, step):
            yield value, key, (*where, key)
    elif step != "*":
        if isinstance(value, dict) and step in value:
            yield from _at(value[step], rest, (*where, step))
    else:
        tag = rest[0] if isinstance(rest[0], tuple) else None
        for key in _keys(value, step):
            # Most elements are of another variant: leave them out without a generator for each.
            if tag is None or (isinstance(value[key], dict) and value[key].get(tag[0]) == tag[1]):
                yield from _at(value[key], rest, (*where, key))


@cache
def reach(path: tuple[Step, ...], prefix: str = "") -> Callable[[Any], bool]:
    """Return what says whether a marked path leads to anything in a value, with a `prefix` to a text that begins so.

    Most paths lead nowhere in most resources; to be told so is much cheaper than to walk there and find nothing.
    """
    if not path:
        return lambda value: not prefix or (isinstance(value, str) and value.startswith(prefix))
    step, further = path[0], reach(path[1:], prefix)
    if isinstance(step, tuple):
        key, text = step
        return lambda value: isinstance(value, dict) and value.get(key) == text and further(value)
    if step == "*":
        return lambda value: any(map(further, _items(value)))
    if len(path) == 1 and not prefix:
        return lambda value: isinstance(value, dict) and step in value
    return lambda value: isinstance(value, dict) and step in value and further(value[step])


def _items(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()


def _keys(value: Any, step: Step) -> Iterable[Any]:
    """Return the keys or indexes of a container that a step leads to."""
    if step == "*":
        return range(len(value)) if isinstance(value, list) else list(value) if isinstance(value, dict) else ()
    return (step,) if isinstance(value, dict) and step in value else ()


def replaced(value: Any, path: tuple[Step, ...], change: Callable[[Any, tuple[Any, ...]], Any]) -> Any:
    """Return a copy of `value` in which everything a marked path leads to went through `change`; the rest is shared."""
    return _replaced(value, path, (), change)


def _replaced(
    value: Any, path: tuple[Step, ...], where: tuple[Any, ...], change: Callable[[Any, tuple[Any, ...]], Any]
) -> Any:
    if not path:
        return change(value, where)
    step, rest = path[0], path[1:]
    if isinstance(step, tuple):
        matches = isinstance(value, dict) and value.get(step[0]) == step[1]
        return _replaced(value, rest, where, change) if matches else value
    if step == "*" and isinstance(value, list):
        items = [_replaced(item, rest, (*where, index), change) for index, item in enumerate(value)]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if not isinstance(value, dict):
        return value
    keys = list(value) if step == "*" else [step] if step in value else []
    made = {key: _replaced(value[key], rest, (*where, key), change) for key in keys}
    made = {key: new for key, new in made.items() if new is not value[key]}
    return value | made if made else value
