"""What a kind says of itself, in plain words and values: for people who write manifests, and for programs."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import WithJsonSchema

from reconciler.kinds.fields import AS_SET, EXPOSES, IMMUTABLE, KEPT_BY_REPLACE, SENSITIVE, WHOLE, Spec
from reconciler.kinds.kind import Kind, Twin
from reconciler.kinds.markers import Apart, Beside, Clear, References, Switch, Waits
from reconciler.kinds.traits import immutable
from reconciler.kinds.walk import tags


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """One field: where it stands, `[]` for each element and `*` for each value of a map, and all that holds of it.

    `when` names the variant that has it, as `type: github`, the outer one first. `default` is what the platform does
    without it, None where it stores nothing. `order` says of a list whether its order counts. `cleared_by` says what
    empties it, in the manifest and on the wire; None where nothing does. `turned_by` are the calls that turn it. What
    `is_immutable` is said once: another value takes another resource. What `exposes` has a say in who can reach what.
    `by_member` says what becomes of a member that leaves git, where only declared members are compared and written.
    What `is_never_sent` is about the apply alone. `instead_of` are fields of the other forms that it may have: one of
    them all is required.
    """

    path: str
    when: str | None
    holds: str
    required: bool
    default: Any
    references: str | None
    order: Literal["counts", "means nothing"] | None
    is_one_value: bool
    is_write_only: bool
    is_immutable: bool
    exposes: bool
    cleared_by: str | None
    turned_by: tuple[str, str] | None
    by_member: Literal["goes", "stays"] | None
    is_never_sent: bool
    may_stand_in_a_file: bool
    description: str
    instead_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KindFacts:
    """A kind: how it is told apart, what becomes of it when it leaves git, and its fields in the order declared.

    `variants` are the forms that it has, where it has several; `only_name` is its name, where there is one of it.
    """

    name: str
    plural: str
    is_managed: bool
    inside: str | None
    identity: str
    archived: str
    taken_names: tuple[str, ...]
    only_name: str | None
    variants: tuple[str, ...]
    fields: tuple[FieldFacts, ...]


_EMPTIED = {
    Clear.NULL: "null",
    Clear.EMPTY: "null, which is sent as an empty value",
    Clear.REPLACE: "null, for which the whole resource is written",
}
_AGAIN = {
    Twin.REVIVE: "archived; declared again, it is brought back",
    Twin.REACTIVATE: "archived; declared again, it is brought back if it was ours, otherwise made anew",
    Twin.RENAME: "archived; declared again, it is made anew, and the archived one renamed",
    Twin.IGNORE: "archived; declared again, it is made anew",
    Twin.BLOCK: "archived; it keeps its name for good, so that declared again it needs another",
}
TOLD = frozenset({SENSITIVE, WHOLE, AS_SET, EXPOSES, IMMUTABLE, KEPT_BY_REPLACE})
"""The markers that are told of; the last is in how the field is cleared."""


def _identity(kind: Kind) -> str:
    """Say what makes one of a kind the one that is meant."""
    if kind.listed_below is None:
        return kind.identity.value
    return f"the number is unique below its {kind.listed_below}"


def described(kind: Kind) -> KindFacts:
    """Return what holds of a kind; one that is only referred to has no fields."""
    return KindFacts(
        name=kind.name,
        plural=kind.plural,
        is_managed=kind.managed,
        inside=kind.parent,
        identity=_identity(kind),
        archived=_when_gone(kind),
        taken_names=tuple(sorted(kind.reserved | kind.built_in)),
        only_name=kind.only,
        variants=_variants(kind.spec),
        fields=tuple(_own(kind)) if kind.managed else (),
    )


def _own(kind: Kind) -> Iterator[FieldFacts]:
    """Yield the fields of a kind, those of its children left to theirs; nothing clears what is immutable."""
    field, child = kind.children or ("", "")
    for said in _of(kind.spec, "", None):
        is_fixed = re.split(r"[.\[]", said.path)[0] in immutable(kind)
        one = replace(said, is_immutable=True, cleared_by=None) if is_fixed else said
        if one.path == field:
            yield replace(one, holds=f"list of {child}")
        elif not field or not one.path.startswith(f"{field}[]"):
            yield one


def _variants(spec: Any) -> tuple[str, ...]:
    """Return what tells the variants of a kind apart, nothing for a kind that has one form."""
    models = _models(spec)
    return tuple(f"{key}: {text}" for model in models for key, text in tags(model)) if len(models) > 1 else ()


def _when_gone(kind: Kind) -> str:
    if not kind.managed:
        return "left alone: it is only referred to"
    if not kind.can_archive:
        return "released, and left as it is: the platform cannot archive it"
    return "deleted for good: the platform cannot archive it" if kind.archive_is_final else _AGAIN[kind.twin]


def _of(annotation: Any, prefix: str, when: str | None) -> Iterator[FieldFacts]:
    """Yield the fields inside a type: below lists, maps, unions and nested models."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _of(get_args(annotation)[0], prefix, when)
    elif origin is list:
        yield from _of(get_args(annotation)[0], f"{prefix}[]", when)
    elif origin is dict:
        yield from _of(get_args(annotation)[1], f"{prefix}.*", when)
    elif origin in (Union, types.UnionType):
        yield from _merged(annotation, prefix, when)
    elif isinstance(annotation, type) and issubclass(annotation, Spec):
        for name, info in annotation.model_fields.items():
            yield _facts(_joined(prefix, name), when, info)
            yield from _of(info.annotation, _joined(prefix, name), when)


def _merged(annotation: Any, prefix: str, when: str | None) -> Iterator[FieldFacts]:
    """Yield what tells the variants of a union apart, what all have alike, and the fields of each."""
    models = _models(annotation)
    telling = set.intersection(*({name for name, _ in tags(model)} for model in models)) if len(models) > 1 else set()
    for name in sorted(telling):
        told = [_facts(_joined(prefix, name), when, model.model_fields[name]) for model in models]
        yield replace(told[0], holds=" or ".join(one.holds for one in told))
    shown = {_joined(prefix, name) for name in telling}
    variants = [(model, [one for one in _of(model, prefix, None) if one.path not in shown]) for model in models]
    alike = set.intersection(*({_key(one) for one in fields} for _, fields in variants)) if variants else set()
    seen: set[Any] = set()
    choices = _choices(models)
    for (model, fields), choice in zip(variants, choices, strict=True):
        own = ", ".join(f"{key}: {text}" for key, text in tags(model)) or ", ".join(choice) or None
        others = tuple(name for other in choices if other is not choice for name in other)
        for one in fields:
            if one.path in {_joined(prefix, name) for name in choice}:
                yield replace(one, required=False, instead_of=others, when=when)
                continue
            is_common = _key(one) in alike
            if _key(one) not in seen or not is_common:
                parts = (when, None if is_common else own, one.when)
                yield replace(one, when=" / ".join(part for part in parts if part) or None)
            seen.add(_key(one))


def _choices(models: Sequence[type[Spec]]) -> list[tuple[str, ...]]:
    """Return, of forms that no value of a field tells apart, the required fields that only each of them has."""
    if len(models) < 2 or any(tags(model) for model in models):  # noqa: PLR2004 - one form is no choice
        return [() for _ in models]
    known = [set(model.model_fields) for model in models]
    return [
        tuple(
            name
            for name, info in model.model_fields.items()
            if info.is_required() and not any(name in fields for fields in known if fields is not own)
        )
        for model, own in zip(models, known, strict=True)
    ]


def _joined(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _key(one: FieldFacts) -> Any:
    return one.path, one.holds, one.required, one.description, one.when


def _models(annotation: Any) -> list[type[Spec]]:
    if get_origin(annotation) is Annotated:
        return _models(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [one for member in get_args(annotation) for one in _models(member)]
    return [annotation] if isinstance(annotation, type) and issubclass(annotation, Spec) else []


def _facts(path: str, when: str | None, info: Any) -> FieldFacts:
    marks = {type(one): one for one in info.metadata}
    kinds = [one.kind for one in info.metadata if isinstance(one, References) and not one.prefix]
    found = [*info.metadata, *_deeper(info.annotation)]
    switch = marks.get(Switch)
    field = next((one for one in found if isinstance(one, Apart)), None)
    is_list = _core(info.annotation) is list
    return FieldFacts(
        path=path,
        when=when,
        holds="time, as 90s" if Waits in marks else _words(info.annotation, is_secret=SENSITIVE in info.metadata),
        required=info.is_required(),
        default=None if info.is_required() else info.get_default(),
        references=kinds[0] if kinds else None,
        order=("means nothing" if AS_SET in found else "counts") if is_list and not field else None,
        is_one_value=WHOLE in found,
        is_write_only=SENSITIVE in info.metadata,
        is_immutable=IMMUTABLE in info.metadata,
        exposes=EXPOSES in info.metadata,
        cleared_by=None if field and not field.form.goes_with_git else _cleared(info, is_list=is_list),
        turned_by=(switch.on, switch.off) if switch else None,
        by_member=None if field is None else "goes" if field.form.goes_with_git else "stays",
        is_never_sent=Waits in marks,
        may_stand_in_a_file=any(isinstance(one, Beside) for one in found),
        description=info.description or "",
    )


def _deeper(annotation: Any) -> list[Any]:
    """Return the markers that an alias of a type carries."""
    return list(get_args(annotation)[1:]) if get_origin(annotation) is Annotated else []


def _core(annotation: Any) -> Any:
    """Return the container that a type is, None for anything else."""
    if get_origin(annotation) is Annotated:
        return _core(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        cores = {_core(one) for one in get_args(annotation) if one is not type(None)}
        return cores.pop() if len(cores) == 1 else None
    return get_origin(annotation)


def _cleared(info: Any, *, is_list: bool) -> str | None:
    """Say what empties a field: a null by the rule of its marker, a null inside a map, or an empty list or map."""
    marker = next((one for one in info.metadata if isinstance(one, Clear)), None)
    if marker is not None:
        return _EMPTIED[marker]
    if is_list:
        return "[]"
    if WHOLE in info.metadata and _core(info.annotation) is dict:
        return "{}"
    return "null" if _takes_null(info) else None


def _takes_null(info: Any) -> bool:
    if type(None) in get_args(info.annotation):
        return True
    schemas = [one.json_schema or {} for one in info.metadata if isinstance(one, WithJsonSchema)]
    return any({"type": "null"} in schema.get("oneOf", ()) for schema in schemas)


_PLAIN = {str: "text", int: "whole number", bool: "true or false", float: "number"}


def _words(annotation: Any, *, is_secret: bool = False) -> str:
    """Say in words what a type holds."""
    origin, args = get_origin(annotation), get_args(annotation)
    if is_secret:
        return "secret by reference"
    if origin is Annotated:
        return _words(args[0], is_secret=SENSITIVE in args[1:])
    if origin is Literal:
        return " or ".join(str(one).lower() if isinstance(one, bool) else str(one) for one in args)
    if origin is list:
        return f"list of {_many(args[0])}"
    if origin is dict:
        return f"map to {_many(args[1])}"
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_words(one) for one in args if one is not type(None)))
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        return "map"
    return _PLAIN.get(annotation, "anything")


def _many(annotation: Any) -> str:
    words = _words(annotation)
    plurals = {"text": "texts", "map": "maps", "secret by reference": "secrets by reference"}
    return plurals.get(words, words)
