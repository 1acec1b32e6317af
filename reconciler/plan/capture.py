"""CAPTURE: what a manifest would say of a live resource, and what of it no manifest can say; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from reconciler.errors import Source
from reconciler.kinds import BY_NAME
from reconciler.kinds.contents import bytes_of
from reconciler.kinds.fields import SET, SecretRef
from reconciler.kinds.kind import Kind, Shape
from reconciler.kinds.lean import lean
from reconciler.kinds.markers import Apart, Files
from reconciler.kinds.secrecy import is_marked_secret
from reconciler.kinds.traits import apart, sensitive, whole
from reconciler.kinds.walk import at, replaced
from reconciler.plan.change import secrets_in
from reconciler.plan.naming import Taken, variable
from reconciler.resource import Address, Desired, Observed

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Home:
    """An organization as manifests know it: its name in addresses and the document that declares it, if one does.

    With `is_new` nothing can belong to it yet: it has to be declared before anything else of it is.
    """

    name: str
    id: str
    title: str
    document: Source | None = None
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A live resource that could be imported, at the address it has, or would have.

    `declared` is the document that stands for it already.
    """

    address: Address
    id: str
    title: str
    declared: Source | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A live resource to be imported, references under the names they will have.

    `is_shared` says that its title, or as a child its type, is not its alone; `news` names what the API tells of it
    and its kind has no field for. `refused` says why it cannot be imported at all.
    """

    observed: Observed
    title: str
    children: tuple[Seen, ...] = ()
    is_shared: bool = False
    news: tuple[str, ...] = ()
    refused: str | None = None

    @property
    def address(self) -> Address:
        """Its address."""
        return self.observed.address


@dataclass(frozen=True, slots=True)
class Gap:
    """What is live and stays out of the manifest: its place, why, and what was left out with it; all of it if ()."""

    address: Address
    path: Path
    message: str
    left_out: Path

    @property
    def place(self) -> str:
        """The path with dots."""
        return ".".join(map(str, self.path))

    @property
    def is_total(self) -> bool:
        """Whether the resource could not be imported at all."""
        return not self.left_out


@dataclass(frozen=True, slots=True)
class Needed:
    """A secret that must be provided before it can be sent: its environment variable, and where it is used."""

    variable: str
    address: Address
    path: Path


@dataclass(frozen=True, slots=True)
class Suspect:
    """A text that the platform shows to everybody and that looks like a secret: to be read before it is committed."""

    address: Address
    path: Path


@dataclass(frozen=True, slots=True)
class Captured:
    """What a manifest says of a live resource: its fields in the order people read them, secrets as references.

    `id` is given where the manifest has to say which one is meant. `folders` are the fields that are files, by path.
    """

    address: Address
    id: str | None
    spec: Shape
    children: tuple[Captured, ...]
    needed: tuple[Needed, ...]
    suspects: tuple[Suspect, ...] = ()
    folders: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict, repr=False)

    @property
    def kind(self) -> Kind:
        """The kind's declaration."""
        return BY_NAME[self.address.kind]

    @property
    def all_needed(self) -> tuple[Needed, ...]:
        """The secrets of the resource and of its children."""
        return self.needed + tuple(one for child in self.children for one in child.all_needed)

    @property
    def all_suspects(self) -> tuple[Suspect, ...]:
        """The texts of the resource and of its children that look like secrets."""
        return self.suspects + tuple(one for child in self.children for one in child.all_suspects)


def capture_all(seen: Iterable[Seen], *, beside: Iterable[Desired]) -> tuple[list[Captured], list[Gap]]:
    """Capture each, with variables for secrets that nothing else uses, what is declared `beside` them included."""
    variables = Taken(secret.name for one in beside for secret in secrets_in(one.spec))
    found: list[Captured] = []
    gaps: list[Gap] = []
    for one in seen:
        captured, more = capture(one, variables=variables)
        found += [captured] if captured else []
        gaps += more
    return found, gaps


def capture(one: Seen, *, variables: Taken) -> tuple[Captured | None, list[Gap]]:
    """Say a live resource as a manifest does; None when a manifest cannot, with the reasons for all that is missing.

    What is left out is not managed then, so that the plan of what was captured is empty.
    """
    address, kind = one.address, one.observed.kind
    if one.refused is not None:
        return None, [Gap(address, (), one.refused, ())]
    gaps = [Gap(address, (name,), "manifests have no field for it", (name,)) for name in one.news]
    files = {name: one.observed.spec.get(name) or {} for name, field in apart(kind).items() if _is_files(field)}
    said = {name: value for name, value in _titled(one).items() if name not in files}
    shape, faults = _acceptable(kind, address, _secrets_named(one, said, variables))
    gaps += faults
    if shape is None:
        return None, gaps
    children = []
    for child in one.children:
        captured, more = capture(child, variables=variables)
        gaps += more
        children += [captured] if captured else []
    spec: Shape = lean(shape, kind.spec)
    needed = tuple(_needed(kind, address, spec))
    suspects = tuple(Suspect(address, where) for where in _suspicious(spec | files, ()))
    folders = {name: {path: bytes_of(text) for path, text in found.items()} for name, found in files.items() if found}
    id_ = one.observed.id if one.is_shared else None
    return Captured(address, id_, spec, tuple(children), needed, suspects, folders), gaps


def _is_files(field: Apart) -> bool:
    return isinstance(field.form, Files)


def _suspicious(value: Any, where: Path) -> Iterator[Path]:
    """Yield the places of texts that can hardly be anything but secrets."""
    match value:
        case str() if is_marked_secret(value):
            yield where
        case dict():
            for key, item in value.items():
                yield from _suspicious(item, (*where, key))
        case list():
            for index, item in enumerate(value):
                yield from _suspicious(item, (*where, index))


def _titled(one: Seen) -> Shape:
    """Return the observed fields, with the name that a manifest must say: a child's own, or a title that differs."""
    kind, fields = one.observed.kind, {key: value for key, value in one.observed.spec.items() if key != "name"}
    if kind.parent:
        return {"name": one.address.name} | fields
    if kind.name_field and one.title != one.address.name:
        return {kind.name_field: one.title} | fields
    return fields


def _secrets_named(one: Seen, shape: Shape, variables: Taken) -> Shape:
    """Put a reference to an environment variable of its own where the platform has a secret."""
    address = one.address
    owner = [part for part in (address.org, address.parent, address.name) if part]
    for path in sensitive(one.observed.kind):
        keys = [step for step in path if isinstance(step, str)]

        def reference(value: Any, where: tuple[Any, ...], keys: list[str] = keys) -> Any:
            if value is not SET:
                return value
            told = [str(key) for step, key in zip(keys[:-1], where[:-1], strict=True) if step == "*"]
            return SecretRef(source="env", name=variables.variable(variable(*owner, *told, str(where[-1]))))

        shape = replaced(shape, path, reference)
    return shape


def _needed(kind: Kind, address: Address, spec: Shape) -> Iterator[Needed]:
    for path in sorted(sensitive(kind), key=str):
        for holder, key, where in at(spec, path):
            if isinstance(holder[key], SecretRef):
                yield Needed(holder[key].name, address, where)


@cache
def _adapter(kind: Kind) -> TypeAdapter[Any]:
    return TypeAdapter(kind.spec)


def _acceptable(kind: Kind, address: Address, shape: Shape) -> tuple[Shape | None, list[Gap]]:
    """Return the largest part of a shape that a manifest may say, None when that is not enough to be one."""
    gaps: list[Gap] = []
    while errors := _errors(kind, shape):
        cuts: list[Path] = []
        for error in errors:
            found = _found(error["loc"], shape)
            cut = _cut(kind, found, shape)
            told = (*found, str(error["loc"][-1])) if error["type"] == "missing" else found
            if all(told != gap.path for gap in gaps):
                gaps.append(Gap(address, told, _why(error), cut))
            cuts.append(cut)
        if () in cuts:
            return None, [*gaps, Gap(address, (), "a manifest needs what it cannot say", ())]
        for cut in cuts:
            shape = _less(shape, cut)
    return shape, gaps


def _errors(kind: Kind, shape: Shape) -> list[ErrorDetails]:
    try:
        _adapter(kind).validate_python(shape)
    except ValidationError as error:
        return error.errors(include_url=False)
    return []


def _found(loc: Path, shape: Shape) -> Path:
    """Return the part of a location of pydantic's that exists in the shape; its steps include the tags of unions."""
    path: list[str | int] = []
    here: Any = shape
    for step in loc:
        if isinstance(here, list) if isinstance(step, int) else isinstance(here, dict) and step in here:
            here = here[step]
            path.append(step)
    return tuple(path)


def _why(error: ErrorDetails) -> str:
    """Say why a manifest cannot hold a live value, without repeating it."""
    if error["input"] is SET:
        return "holds a secret where a manifest cannot refer to one"
    match error["type"]:
        case "extra_forbidden":
            return "manifests have no field for it"
        case "missing":
            return "the platform does not tell it, and a manifest needs it"
    return error["msg"]


def _cut(kind: Kind, path: Path, shape: Shape) -> Path:
    """Return what must go so that nothing at a path is said: a list, or a map that is one value, goes as a whole."""
    wholes = {tuple(step for step in one if isinstance(step, str) and step != "*") for one in whole(kind)}
    here: Any = shape
    for depth, step in enumerate(path):
        if isinstance(here, list) or (depth and path[:depth] in wholes):
            return path[:depth]
        here = here[step]
    return path


def _less(shape: Shape, path: Path) -> Shape:
    """Return a shape without what stands at a path of keys, if it is still there."""
    head, rest = path[0], path[1:]
    if head not in shape:
        return shape
    if not rest:
        return {key: value for key, value in shape.items() if key != head}
    return {key: _less(value, rest) if key == head else value for key, value in shape.items()}
