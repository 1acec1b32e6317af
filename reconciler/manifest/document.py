"""From one Document to what it declares: envelope, metadata and spec validated, all faults at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from reconciler.errors import Fault
from reconciler.kinds import BY_NAME, DECLARABLE
from reconciler.kinds.fields import REWRITTEN
from reconciler.kinds.kind import Kind, Shape
from reconciler.kinds.traits import may_be_replaced
from reconciler.manifest.faults import faults_of
from reconciler.manifest.metadata import Metadata, contradictions
from reconciler.manifest.suggest import meant, quoted, shown, suggest
from reconciler.manifest.texts import bytes_reader, folder_reader, locator, reader
from reconciler.resource import Document

API_VERSION = "everruns.reconciler/v1"
_ENVELOPE = ("apiVersion", "kind", "metadata", "spec")
_NAMES = [kind.name for kind in DECLARABLE]


@dataclass(frozen=True, slots=True)
class Declared:
    """A valid document: its metadata as written, and its spec as a Shape of the declared fields."""

    document: Document
    kind: Kind
    metadata: Shape
    spec: Shape


def declare(document: Document, *, roots: Mapping[str, str]) -> Declared | list[Fault]:
    """Validate one document against its kind; return what it declares, or every fault in it."""
    value, source = document.value, document.source
    if document.spec is not None:
        return Declared(document, BY_NAME[value["kind"]], value["metadata"], document.spec)
    if not isinstance(value, dict):
        return [Fault("a manifest is a map with apiVersion, kind, metadata and spec", source)]
    faults = _envelope_faults(document)
    kind = BY_NAME.get(value["kind"]) if isinstance(value.get("kind"), str) else None
    metadata = None
    if "metadata" in value:
        metadata = _validated(Metadata, value["metadata"], document, at="metadata", context={}, faults=faults)
    if kind is None or kind not in DECLARABLE:
        return faults
    context = _context(document.folder, roots.get(document.folder, document.folder))
    spec: Shape | None = {}
    if "spec" in value and _is_record(kind, value):
        spec = dict(value["spec"])
    elif "spec" in value:
        spec = _validated(kind.spec, value["spec"], document, at="spec", context=context, faults=faults)
    elif "archive" not in _map(value.get("metadata")) and "spec" not in _misspelt(value):
        needs: list[Fault] = []
        spec = _validated(kind.spec, {}, document, at="spec", context=context, faults=needs)
        hint = f"write spec: and its fields indented below it, {needs[0].hint}" if needs else None
        faults += [Fault("spec is missing", source, hint=hint)] if needs else []
    if metadata:
        faults += _reserved(kind, metadata, document)
        faults += _archive_faults(kind, metadata, document)
        faults += _replace_faults(kind, metadata, document)
        faults += contradictions(metadata, source=source, at=("metadata",))
    faults += _contradictory_children(kind, spec or {}, document)
    if faults or metadata is None or spec is None:
        return faults
    return Declared(document, kind, metadata, kind.canonical(spec))


def _reserved(kind: Kind, metadata: Shape, document: Document) -> Iterator[Fault]:
    """Yield why a name cannot be had, where the platform keeps it for itself."""
    name, path = metadata["name"], ("metadata", "name")
    if kind.only is not None and name != kind.only:
        message = f'"{name}" is no name for a {kind.noun}: there is one in an organization'
        yield Fault(message, document.source, path, hint=f"write {kind.only}", on_value=True)
    if name in kind.reserved:
        message = f'"{name}" is no name for a {kind.noun}: the platform keeps it for itself'
        yield Fault(message, document.source, path, hint="choose another name", on_value=True)
    if name in kind.built_in:
        message = f'"{name}" is built in, and the platform lets nobody change it'
        yield Fault(message, document.source, path, hint=kind.instead_of_built_in.format(name=name), on_value=True)


def _archive_faults(kind: Kind, metadata: Shape, document: Document) -> Iterator[Fault]:
    """Yield why what a document wants archived cannot be, or is not told."""
    path = ("metadata", "archive")
    if "archive" not in metadata:
        return
    if not kind.can_archive:
        yield Fault(f"the platform cannot archive {kind.plural}", document.source, path, hint="remove the line")
    elif kind.name_field and "spec" not in document.value and "id" not in metadata:
        message = f"it does not say which {kind.noun} is to be archived"
        hint = f"write its display name, as spec: {{{kind.name_field}: ...}}, or its id in metadata"
        yield Fault(message, document.source, path, hint=hint)


def _replace_faults(kind: Kind, metadata: Shape, document: Document) -> Iterator[Fault]:
    """Yield why a leave to replace means nothing: every field can be changed in place."""
    if "replace" in metadata and not may_be_replaced(kind):
        message = f"no {kind.noun} is ever replaced: all its fields can be changed"
        yield Fault(message, document.source, ("metadata", "replace"), hint="remove the line")


def _contradictory_children(kind: Kind, spec: Shape, document: Document) -> Iterator[Fault]:
    if kind.children is None:
        return
    member = kind.children[0]
    for index, child in enumerate(spec.get(member, ())):
        yield from contradictions(child, source=document.source, at=("spec", member, index))


@cache
def _context(folder: str, root: str) -> dict[str, Any]:
    """Return how the fields of a folder's documents reach the files beside them."""
    home = Path(root)
    return {
        "read": reader(folder=folder, root=home),
        "read_bytes": bytes_reader(folder=folder, root=home),
        "read_folder": folder_reader(folder=folder, root=home),
        "locate": locator(folder=folder, root=home),
    }


def _envelope_faults(document: Document) -> list[Fault]:
    value, source = document.value, document.source
    faults = [
        Fault(f"unknown key {shown(key)}", source, (key,), hint=suggest(key, _ENVELOPE))
        for key in value
        if key not in _ENVELOPE
    ]
    misspelt = _misspelt(value)
    version = value.get("apiVersion")
    if version is None and "apiVersion" not in misspelt:
        faults.append(Fault("apiVersion is missing", source, hint=f"write apiVersion: {API_VERSION}"))
    elif version is not None and version != API_VERSION:
        hint = f"this version reads {API_VERSION}"
        faults.append(Fault(f"unknown apiVersion {quoted(version)}", source, ("apiVersion",), hint=hint, on_value=True))
    names = _NAMES
    kind = value.get("kind")
    if kind is None and "kind" not in misspelt:
        faults.append(Fault("kind is missing", source, hint=f"write kind: and one of {', '.join(names)}"))
    elif kind is not None and kind not in names:
        faults.append(_unknown_kind(kind, names, document))
    if "metadata" not in value and "metadata" not in misspelt:
        faults.append(Fault("metadata is missing", source, hint="write metadata: {name: ...}"))
    return faults


def _misspelt(value: Mapping[str, Any]) -> set[str]:
    """Return the keys of the envelope that are not there, but stand there misspelt: told once, as unknown keys."""
    return {known for key in value if key not in _ENVELOPE and (known := meant(key, _ENVELOPE))} - value.keys()


def _unknown_kind(kind: Any, names: list[str], document: Document) -> Fault:
    known = BY_NAME.get(kind) if isinstance(kind, str) else None
    if known is None:
        message, hint = f"unknown kind {quoted(kind)}", suggest(kind, names)
    elif known.parent is not None:
        message, hint = f"{kind} cannot be declared by a document", f"write it inside its {known.parent}"
    else:
        message = f"{known.plural} are not managed here"
        hint = f"refer to one by its name; a document may declare: {', '.join(names)}"
    return Fault(message, document.source, ("kind",), hint=hint, on_value=True)


def _is_record(kind: Kind, value: dict[str, Any]) -> bool:
    """Say whether a document only names what is to be archived."""
    if "archive" not in _map(value.get("metadata")):
        return False
    spec, name = _map(value["spec"]), kind.name_field or ""
    return set(spec) == {name} and isinstance(spec[name], str)


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


@cache
def _validator(spec: Any) -> Any:
    """Return the validator of a model or union of models, without the adapter around it: it runs for every document."""
    adapter = TypeAdapter[Any](spec)
    adapter.rebuild()
    return adapter.validator


def _validated(
    spec: Any, value: Any, document: Document, *, at: str, context: dict[str, Any], faults: list[Fault]
) -> Shape | None:
    """Validate a part of a document; its faults go into `faults`."""
    value = {} if value is None else value
    context[REWRITTEN] = False
    try:
        model = _validator(spec).validate_python(value, context=context)
    except ValidationError as error:
        details = error.errors(include_url=False)
        faults.extend(faults_of(details, value=value, source=document.source, at=(at,), spec=spec))
        return None
    written: Shape = model.model_dump(exclude_unset=True) if context[REWRITTEN] else value
    return written
