"""Every kind and channel type as something to be tested: its fields, values for them, and how it is declared.

All of it comes from the declarations: a field's examples are its values, and where one is not enough another is found
by changing it until the model takes it. A field whose values only the platform knows gives a second example.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from reconciler.kinds import BY_NAME, KINDS, TENANT
from reconciler.kinds.fields import Spec
from reconciler.kinds.kind import Kind, Shape
from reconciler.kinds.markers import Clear, Switch
from reconciler.kinds.traits import clears, immutable, of_the_apply, references, sensitive, switches, whole
from reconciler.kinds.walk import Step, reach, replaced, tags
from reconciler.manifest.metadata import SAID_OF_ITSELF
from reconciler.resource import Address

NAME, OTHER = "it", "stays"
TARGETS = ("left", "right")
FROM_FILE = "Say this.\n"

Path = tuple[str, ...]


@dataclass(frozen=True)
class Sort:
    """A kind, or one variant of a kind that has several: `model` describes it."""

    label: str
    kind: Kind
    model: type[Spec]

    @property
    def address(self) -> Address:
        """Where it is declared."""
        org = NAME if self.kind is TENANT else "default"
        return Address(org, self.kind.name, self.name, parent=NAME if self.kind.parent else None)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.kind.only or NAME

    @property
    def fixed(self) -> dict[str, str]:
        """What every spec of the variant says."""
        return dict(tags(self.model))

    def fields(self) -> list[Path]:
        """Give the path of every field that is compared by itself, those of nested models included."""
        return list(self._fields(self.model, ()))

    def _fields(self, model: type[Spec], above: Path) -> Iterator[Path]:
        own = SAID_OF_ITSELF if self.kind.parent and not above else frozenset()
        children = {self.kind.children[0]} if self.kind.children else set()
        for name, info in model.model_fields.items():
            is_fixed = name in dict(tags(model)) or len(_literals(info.annotation)) == 1
            if name in own or name in children or is_fixed or (not above and name in of_the_apply(self.kind)):
                continue
            path = (*above, name)
            nested = _model(info.annotation)
            if nested is not None and not self.is_whole(path):
                yield from self._fields(nested, path)
            else:
                yield path

    def info(self, path: Path) -> Any:
        """Give pydantic's description of a field."""
        model: Any = self.model
        for name in path[:-1]:
            model = _model(model.model_fields[name].annotation)
        return model.model_fields[path[-1]]

    def least(self) -> Shape:
        """Give a spec that says no more than it must, and what comes with it: its children, where it has any."""
        spec = self.fixed | _required(self.model)
        if self.kind.children:
            field = self.kind.children[0]
            spec |= {field: deepcopy(self.model.model_fields[field].examples[0])}
        return self.named(spec, 0)

    def full(self) -> Shape:
        """Give a spec with the example of every field, as far as they go together."""
        spec = self.least()
        for path in self.fields():
            more = self.with_field(spec, path, self.example(path))
            spec = more if self.accepts(more) and path not in UNSAYABLE.get(self.label, {}) else spec
        return self.named(spec, 0)

    def example(self, path: Path) -> Any:
        """Give the first value of a field."""
        return _written(self.info(path).examples[0])

    def values(self, path: Path) -> tuple[Shape, Shape]:
        """Give two specs that differ in one field alone; fails where the declaration does not tell two values."""
        info = self.info(path)
        values = [*map(_written, info.examples), *_others(self.example(path), info.annotation)]
        for base in (self.least(), self._around(path), self.full()):
            specs = [self.named(self.with_field(base, path, value), 0) for value in values]
            specs += [self.named(spec, 1, below=path) for spec in specs]
            accepted = [spec for spec in specs if self.accepts(spec)]
            others = [spec for spec in accepted if self.canonical(spec) != self.canonical(accepted[0])]
            if others:
                return accepted[0], others[0]
        raise AssertionError(f"{self.label} {'.'.join(path)}: give it a second example that the platform takes")

    def _around(self, path: Path) -> Shape:
        """Give a spec in which all fields beside one of a nested model are as in their examples."""
        if len(path) == 1:
            return self.least()
        model = _model(self.info(path[:-1]).annotation)
        assert model is not None
        beside = {name: _written(info.examples[0]) for name, info in model.model_fields.items()}
        return self.with_field(self.least(), path[:-1], beside)

    def emptied(self, spec: Shape, path: Path) -> list[Shape]:
        """Give the spec with a field emptied in every way that a manifest knows: by null, as a list, as a map."""
        found = [self.with_field(spec, path, None)] if self.accepts(self.with_field(spec, path, None)) else []
        value = _at(spec, path)
        is_map = isinstance(value, dict) and self.is_whole(path) and _model(self.info(path).annotation) is None
        if isinstance(value, list) or is_map:
            found.append(self.with_field(spec, path, type(value)()))
        return [one for one in found if self.accepts(one)]

    def with_field(self, spec: Shape, path: Path, value: Any) -> Shape:
        """Give a spec with one field as said; what it stands in comes from its example."""
        spec = deepcopy(spec)
        here = spec
        for depth, name in enumerate(path[:-1], 1):
            if not isinstance(here.get(name), dict):
                here[name] = deepcopy(_written(self.info(path[:depth]).examples[0]))
            here = here[name]
        here[path[-1]] = value
        return spec

    def named(self, spec: Shape, pick: int, *, below: Path = ()) -> Shape:
        """Give a spec whose references, or those below one field, are to one of the targets."""
        for path, reference in references(self.kind):
            if path[: len(below)] == below and not reference.prefix:
                spec = replaced(spec, path, lambda old, _where, kind=reference.kind: old and target(kind, pick))
        return spec

    def refers(self, spec: Shape) -> bool:
        """Say whether a spec, or what it stands in, refers to anything."""
        return self.kind is not TENANT or any(reach(path)(spec) for path, _ in references(self.kind))

    def going(self) -> Shape:
        """Give the spec of what is to be taken away: all of it, but of an organization nothing that stands in it."""
        return self.least() if self.kind is TENANT else self.full()

    def is_secret(self, path: Path) -> bool:
        """Say whether a field is a secret."""
        return self._is_among(path, sensitive(self.kind))

    def is_whole(self, path: Path) -> bool:
        """Say whether a field is a map that is compared as one value."""
        return self._is_among(path, whole(self.kind))

    def _is_among(self, path: Path, marked: Iterable[tuple[Step, ...]]) -> bool:
        own = tags(self.model)
        plain = [one for one in marked if all(isinstance(step, str) or step in own for step in one)]
        return path in [tuple(step for step in one if isinstance(step, str)) for one in plain]

    def accepts(self, spec: Shape) -> bool:
        """Say whether a manifest may say this."""
        try:
            TypeAdapter(self.model).validate_python(self._entry(spec))
        except ValidationError:
            return False
        return True

    def _entry(self, spec: Shape) -> Shape:
        return {"name": NAME} | spec if self.kind.parent else spec

    def canonical(self, spec: Shape) -> Any:
        """Give the form in which two specs are equal or not."""
        said = TypeAdapter(self.model).validate_python(self._entry(spec)).model_dump(exclude_unset=True)
        return self.kind.canonical(said)

    def is_switch(self, path: Path) -> bool:
        """Say whether a field is turned by calls of its own."""
        return isinstance(switches(self.kind).get(path[0]), Switch)

    def is_fixed(self, path: Path) -> bool:
        """Say whether a field is said once and never again."""
        return path[0] in immutable(self.kind)

    def clear(self, path: Path) -> Clear | None:
        """Give the rule by which a null of the field reaches the API."""
        return clears(self.kind).get(path[0]) if len(path) == 1 else None

    def declare(self, world: Any, spec: Shape, **metadata: Any) -> None:
        """Declare it, with all that it may refer to and another one beside it that stays."""
        org = {"org": NAME} if self.kind is TENANT else {}
        for kind in _needed(self.kind) if self.refers(spec) else ():
            for number, name in enumerate(TARGETS):
                world.declare(kind.name, name, sort_of(kind).named(_required(kind.spec), number), **org)
        if self.kind.parent:
            above = sort_of(BY_NAME[self.kind.parent])
            field = above.kind.children[0]
            siblings = [{"name": OTHER, **_sibling(self)}]
            entry = {"name": NAME, **spec, **metadata}
            world.declare(above.kind.name, NAME, above.least() | {field: [entry, *siblings]})
        else:
            beside = self.kind if self.kind.only is None else BY_NAME["Memory"]
            world.declare(beside.name, OTHER, sort_of(beside).least())
            world.declare(self.kind.name, self.name, spec, **metadata)

    def drop(self, world: Any) -> None:
        """Declare it no more."""
        if self.kind.parent:
            above = sort_of(BY_NAME[self.kind.parent])
            spec = world.declared[above.kind.name, NAME]["spec"]
            field = above.kind.children[0]
            spec[field] = [one for one in spec[field] if one["name"] != NAME]
        else:
            world.drop(self.kind.name, self.name)


def target(kind: str, pick: int) -> str:
    """Give the name of one of two resources of a kind that others may refer to."""
    if BY_NAME[kind].managed:
        return TARGETS[pick]
    return UNMANAGED[kind][pick]


UNMANAGED = {"Model": ("claude-sonnet-4-5", "gpt-4o"), "Provider": ("Anthropic", "OpenAI")}
"""Two names of every kind that is only referred to, as the emulator has them."""

UNSAYABLE: dict[str, dict[Path, str]] = {
    "Agent": {("version",): "it is a step of its own and no part of an update: tests/scenarios/Agent/version_*.yaml"},
    "App": {("agent_version",): "a version has to be published first: tests/scenarios/App/version_*.yaml"},
}
"""Fields of which no value can be made up, and where they are tested instead."""


LATER_SERVERS: dict[tuple[str, Path], str] = {("Organization", ("default_model",)): "frozen"}
"""Fields that the platform of the seeds does not clear, and the emulator's profile of one that does."""


def sort_of(kind: Kind) -> Sort:
    """Give the only variant of a kind."""
    return next(one for one in SORTS if one.kind is kind)


def _models(spec: Any) -> Iterator[type[Spec]]:
    if get_origin(spec) is Annotated:
        yield from _models(get_args(spec)[0])
    elif get_origin(spec) is not None:
        for member in get_args(spec):
            yield from _models(member)
    elif isinstance(spec, type) and issubclass(spec, Spec):
        yield spec


def _sorts() -> Iterator[Sort]:
    for kind in KINDS:
        models = list(_models(kind.spec)) if kind.managed else []
        for model in models:
            variant = "".join(f" {text}" for _, text in tags(model)) if len(models) > 1 else ""
            yield Sort(kind.name + variant, kind, model)


SORTS = list(_sorts())


def _sibling(sort: Sort) -> Shape:
    """Give a child of another type, so that which is which is never a question."""
    other = next(one for one in SORTS if one.kind is sort.kind and one.label != sort.label)
    return other.least()


def _needed(kind: Kind, known: frozenset[str] = frozenset()) -> list[Kind]:
    """Give the kinds that a kind and its parent refer to, and what these refer to."""
    found: dict[str, Kind] = {}
    for _, reference in (*references(kind), *(references(BY_NAME[kind.parent]) if kind.parent else ())):
        one = BY_NAME[reference.kind]
        if one.managed and one.name not in known:
            found[one.name] = one
            found |= {more.name: more for more in _needed(one, known | found.keys())}
    return list(found.values())


def _model(annotation: Any) -> type[Spec] | None:
    """Give the one model of a field, None for a field that is something else or one of several."""
    if get_origin(annotation) is Annotated:
        return _model(get_args(annotation)[0])
    members = [one for one in get_args(annotation) if one is not type(None)] if _is_union(annotation) else [annotation]
    (one, *rest) = members
    return one if not rest and isinstance(one, type) and issubclass(one, Spec) else None


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, type(int | str))


def _required(model: type[Spec]) -> Shape:
    return {
        name: _written(info.examples[0])
        for name, info in model.model_fields.items()
        if info.is_required() and name not in SAID_OF_ITSELF
    }


def _written(value: Any) -> Any:
    """Give an example as it may be written anywhere: what stands in a file there stands in place here."""
    return FROM_FILE if isinstance(value, dict) and value.keys() == {"file"} else deepcopy(value)


def _at(spec: Shape, path: Path) -> Any:
    here: Any = spec
    for name in path:
        here = here.get(name) if isinstance(here, dict) else None
    return here


def _literals(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [value for part in get_args(annotation) for value in _literals(part)]


def _others(value: Any, annotation: Any) -> Iterator[Any]:
    """Yield values near one: for most fields the first of them is as good as the example."""
    match value:
        case bool():
            yield not value
        case int():
            yield from (value + 1, value - 1)
        case str():
            yield from (one for one in _literals(annotation) if one != value)
            yield from (f"{value}2", f"2{value}", value[:-1])
        case list():
            for index, item in enumerate(value):
                yield from ([*value[:index], other, *value[index + 1 :]] for other in _others(item, None))
        case {"env": str(name)}:
            yield {"env": f"{name}_NEW"}
        case dict():
            for key, item in value.items():
                yield from (value | {key: other} for other in _others(item, None))


def provided(world: Any) -> dict[str, str]:
    """Give a value to every secret that is declared."""
    found: dict[str, str] = {}

    def look(value: Any) -> None:
        if isinstance(value, dict):
            if value.keys() == {"env"}:
                found[value["env"]] = f"open {value['env'].lower()}"
            for item in value.values():
                look(item)
        elif isinstance(value, list):
            for item in value:
                look(item)

    look(json.loads(json.dumps(list(world.declared.values()))))
    return found
