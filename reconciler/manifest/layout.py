"""LAYOUT: the files that say what was captured: one manifest per resource, long texts beside it."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Any

from reconciler.kinds import TENANT
from reconciler.kinds.fields import SecretRef
from reconciler.kinds.kind import Kind, Shape
from reconciler.kinds.markers import Beside
from reconciler.kinds.traits import beside
from reconciler.kinds.walk import replaced
from reconciler.manifest.document import API_VERSION
from reconciler.manifest.parse import parse
from reconciler.manifest.schema import FILE_NAME
from reconciler.manifest.write import Inline, yaml_of
from reconciler.plan.capture import Captured, Gap, Home
from reconciler.plan.naming import Taken, slug
from reconciler.resource import Address, Desired

LONGEST_LINES, LONGEST_CHARS = 3, 300
"""A text that is longer stands in a file of its own."""
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")
_ID_FORM = "org_"


@dataclass(frozen=True, slots=True)
class File:
    """A file to be written, its path below the folder of the manifests; `folder` is one that its manifest names."""

    path: str
    data: bytes = field(repr=False)
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The files of one resource: the texts that its manifest refers to, and the manifest itself last."""

    address: Address
    files: tuple[File, ...]

    @property
    def manifest(self) -> File:
        """The manifest."""
        return self.files[-1]


def lay_out(
    captured: Iterable[Captured], homes: Mapping[str, Home], declared: Iterable[Desired], *, root: str
) -> tuple[list[Sheet], list[Gap]]:
    """Return the files of every resource below `root`, beside what is `declared` there, and what cannot be written.

    An organization stands in the folder of its document, a new one in a folder of its name, one that is never
    declared at the root. Manifests name their JSON Schema where it lies in `schemas/` beside the root.
    """
    in_use = {_below(one.source.file.path.rpartition("/")[0], root) for one in declared}
    documents = Counter(_below(one.source.file.path.rpartition("/")[0], root) for one in declared if one.kind is TENANT)
    schema = Path(root).absolute().parent / "schemas" / FILE_NAME
    layout = Layout(
        folders={name: _folder(home, root, in_use) for name, home in homes.items()},
        shared=frozenset(folder for folder, times in documents.items() if times > 1),
        schema=f"../schemas/{FILE_NAME}" if schema.exists() else None,
        root=Path(root),
    )
    results = [layout.sheet(one) for one in captured]
    return [one for one in results if isinstance(one, Sheet)], [one for one in results if isinstance(one, Gap)]


class Layout:
    """Turns what was captured into files below one folder, in which no two claim a path.

    `folders` are those of the organizations below it, by name; `shared` are folders in which several organizations
    are declared, so that a document has to say to which it belongs. `schema` is where the JSON Schema lies, if it does.
    """

    def __init__(self, *, folders: Mapping[str, str], shared: frozenset[str], schema: str | None, root: Path) -> None:
        self._folders = folders
        self._shared = shared
        self._schema = schema
        self._root = root
        self._paths = Taken()

    def sheet(self, one: Captured) -> Sheet | Gap:
        """Return the files of a resource, or the gap when its texts cannot be written."""
        home = self._folders[one.address.org]
        place = _manifest_path(one.kind, home, one.address.name)
        texts: list[File] = []
        spec = self._spec(one, texts, home=home, owner=one.address.name)
        for name, files in one.folders.items():
            folder = self._folder_for(files, f"{home}{name}/{one.address.name}")
            texts += [File(folder + path, data, folder) for path, data in files.items()]
            spec[name] = Inline(dir="../" + folder.removeprefix(home))
        document = {
            "apiVersion": API_VERSION,
            "kind": one.kind.name,
            "metadata": self._metadata(one, home),
            "spec": spec,
        }
        try:
            text = yaml_of(document)
            encoded = (self._heading(place) + text).encode()
        except ValueError:
            return _unwritable(one)
        parsed, faults = parse(text)
        if faults or len(parsed) != 1 or parsed[0].value != document:
            return _unwritable(one)
        return Sheet(one.address, (*texts, File(place, encoded)))

    def _metadata(self, one: Captured, home: str) -> Shape:
        address = one.address
        metadata: Shape = {"name": address.name}
        says_org = one.kind is not TENANT and (address.org.startswith(_ID_FORM) or home in self._shared)
        return metadata | ({"org": address.org} if says_org else {}) | ({"id": one.id} if one.id else {})

    def _spec(self, one: Captured, texts: list[File], *, home: str, owner: str) -> Shape:
        """Return the spec as it is written: long texts in files, secrets as references, children inside."""
        spec = one.spec
        for path, marker in beside(one.kind):

            def moved(value: Any, where: tuple[Any, ...], marker: Beside = marker) -> Any:
                if not _is_long(value):
                    return value
                file = self._text(value, f"{home}{marker.folder}/", _stem(one.spec, where, marker, owner))
                texts.append(file)
                return Inline(file="../" + file.path.removeprefix(home))

            spec = replaced(spec, path, moved)
        written: Shape = {key: _plain(value) for key, value in spec.items()}
        if one.id and one.address.parent:
            kept: Shape = {key: written.pop(key) for key in ("name", "type") if key in written}
            written = {**kept, "id": one.id, **written}
        if one.kind.children and one.children:
            below = [
                self._spec(child, texts, home=home, owner=f"{owner}-{child.address.name}") for child in one.children
            ]
            written[one.kind.children[0]] = below
        return written

    def _text(self, text: str, folder: str, name: str) -> File:
        stem, suffix = os.path.splitext(name)  # noqa: PTH122 - no path, but a name
        path = self._paths.give(f"{folder}{name}", spell=lambda number: f"{folder}{stem}-{number}{suffix}")
        return File(path, text.encode())

    def _folder_for(self, files: Collection[str], wish: str) -> str:
        """Return a folder in which nothing else lies: it would be taken for a file of the same resource."""
        names = chain((wish,), (f"{wish}-{number}" for number in count(2)))
        return next(one for one in names if not _holds_more(self._root / one, files))

    def _heading(self, place: str) -> str:
        if self._schema is None:
            return ""
        return f"# yaml-language-server: $schema={'../' * place.count('/')}{self._schema}\n"


def _manifest_path(kind: Kind, home: str, name: str) -> str:
    """Return where a manifest stands: the organization's own in its folder, others in one folder a kind."""
    return f"{home}{kind.noun}.yaml" if kind is TENANT else f"{home}{slug(kind.plural, otherwise='')}/{name}.yaml"


def _unwritable(one: Captured) -> Gap:
    return Gap(one.address, (), "YAML cannot hold what is in it (half characters, or numbers beyond 64 bits)", ())


def _holds_more(folder: Path, files: Collection[str]) -> bool:
    """Say whether a folder, if it is there, holds anything but some of these files."""
    if not folder.is_dir():
        return os.path.lexists(folder)
    return any(f"/{one.relative_to(folder).as_posix()}" not in files for one in folder.rglob("*") if not one.is_dir())


def _is_long(value: Any) -> bool:
    """Say whether a text belongs in a file of its own, from which it would be read as it is."""
    if not isinstance(value, str) or (value.count("\n") < LONGEST_LINES and len(value) <= LONGEST_CHARS):
        return False
    return "\r\n" not in value and not value.startswith("\ufeff") and _is_utf8(value)


def _is_utf8(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _stem(spec: Shape, where: tuple[Any, ...], marker: Beside, owner: str) -> str:
    """Return the name of a text's file: its owner's, with that of the member beside it where it has one."""
    if marker.named_by is None:
        return f"{owner}.md"
    holder: Any = spec
    for step in where[:-1]:
        holder = holder[step]
    name = str(holder[marker.named_by]).rpartition("/")[2].lower()
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - no path, but a name
    end = suffix if _SUFFIX.fullmatch(suffix) else ".txt"
    return f"{owner}-{slug(stem, otherwise='file')}{end}"


def _plain(value: Any) -> Any:
    """Return a value with its secrets spelled as manifests spell them."""
    match value:
        case SecretRef():
            return Inline({value.source: value.name})
        case Inline():
            return value
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
    return value


def _folder(home: Home, root: str, in_use: Collection[str]) -> str:
    """Return the folder of an organization; a new one gets one in which nothing is declared that it would take over."""
    if home.document is not None:
        return _below(home.document.file.path.rpartition("/")[0], root)
    if not home.is_new:
        return ""
    names = chain((home.name,), (f"{home.name}-{number}" for number in count(2)))
    return next(f"{name}/" for name in names if not any(folder.startswith(f"{name}/") for folder in in_use))


def _below(folder: str, root: str) -> str:
    """Return a folder as the beginning of paths below the root."""
    inside = os.path.relpath(folder or ".", root)
    return "" if inside == "." else f"{inside}/"
