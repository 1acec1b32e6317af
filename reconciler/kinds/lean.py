"""What a person would write of a Shape: fields in the order of the kind, none that says what its absence says."""

from __future__ import annotations

import types
from typing import Annotated, Any, Union, get_args, get_origin

from reconciler.kinds.fields import Spec
from reconciler.kinds.walk import tags


def lean(value: Any, annotation: Any) -> Any:
    """Return a value less the fields that are empty or hold the server's default, by the models of its type.

    `annotation` is a model, a union of models, or the type of a field; what no model describes stays as it is.
    """
    match value:
        case dict() if (model := variant(value, annotation)) is not None:
            return _fields(value, model)
        case dict():
            inner = _inside(annotation, dict)
            return {key: lean(item, inner) for key, item in value.items()}
        case list():
            inner = _inside(annotation, list)
            return [lean(item, inner) for item in value]
    return value


def _fields(value: dict[str, Any], model: type[Spec]) -> dict[str, Any]:
    """Return the fields of a map in the order of its model; what the model does not know comes first, as a name."""
    kept = {name: item for name, item in value.items() if name not in model.model_fields}
    for name in _order(model, value):
        field = model.model_fields[name]
        item = lean(value[name], field.annotation)
        if field.is_required() or not _says_nothing(item, field.get_default()):
            kept[name] = item
    return kept


def _order(model: type[Spec], value: dict[str, Any]) -> list[str]:
    """Return the known fields in the order of the model; of a variant its tags first, and what has fields itself last.

    A variant inherits a part of its fields, so that its own order says little.
    """
    names = [name for name in model.model_fields if name in value]
    tag_names = {name for name, _ in tags(model)}
    if not tag_names:
        return names

    def rank(name: str) -> tuple[bool, bool, bool, bool]:
        is_required = model.model_fields[name].is_required()
        return name != "name", name not in tag_names, isinstance(value[name], (dict, list)), not is_required

    return sorted(names, key=rank)


def _says_nothing(value: Any, default: Any) -> bool:
    """Say whether a field could as well be left out; true is not 1."""
    return value is None or value in ([], {}) or (type(value) is type(default) and value == default)


def variant(value: dict[str, Any], annotation: Any) -> type[Spec] | None:
    """Return the model that describes a map: of a union the one whose tags it carries, else the one without any."""
    models = [one for one in _members(annotation) if isinstance(one, type) and issubclass(one, Spec)]
    tagged = [one for one in models if tags(one) and all(value.get(key) == text for key, text in tags(one))]
    plain = [one for one in models if not tags(one)]
    return next(iter((*tagged, *plain)), None)


def _inside(annotation: Any, container: type) -> Any:
    """Return the type of what a list or map holds, None when nothing is said of it."""
    return next((get_args(one)[-1] for one in _members(annotation) if get_origin(one) is container), None)


def _members(annotation: Any) -> list[Any]:
    """Return the types that an annotation allows, whatever is wrapped around them."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [one for member in get_args(annotation) for one in _members(member)]
    return [annotation]
