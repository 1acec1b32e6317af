"""RESOLVE: from Documents to Desired; organizations found, children lifted out, addresses and titles unique."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from reconciler.errors import Fault
from reconciler.kinds import BY_NAME, TENANT
from reconciler.kinds.key_to import destination, variable_of
from reconciler.kinds.kind import Identity, Shape
from reconciler.kinds.traits import of_the_apply, references, syncs, waits
from reconciler.kinds.walk import at
from reconciler.manifest.document import Declared, declare
from reconciler.manifest.keys import contested_variables
from reconciler.manifest.load import Loaded
from reconciler.manifest.metadata import SAID_OF_ITSELF
from reconciler.manifest.moves import doubtful_moves
from reconciler.manifest.suggest import suggest
from reconciler.plan.circles import circular
from reconciler.resource import DEFAULT_ORG, Address, Desired


@dataclass(slots=True)
class Resolved:
    """What git wants, in the order of the files, and every fault that stands in the way."""

    desired: list[Desired] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def resolve(loaded: Loaded) -> Resolved:
    """Turn documents into Desired; a document with a fault contributes only its faults."""
    resolved = Resolved(faults=list(loaded.faults))
    declared: list[Declared] = []
    for document in loaded.documents:
        result = declare(document, roots=loaded.roots)
        if isinstance(result, Declared):
            declared.append(result)
        else:
            resolved.faults.extend(result)
    organizations = _Organizations(declared, partial=bool(resolved.faults))
    for one in declared:
        org = organizations.of(one)
        if isinstance(org, Fault):
            resolved.faults.append(org)
        else:
            resolved.desired.extend(_lifted(one, org))
    resolved.faults.extend(_repeated(resolved.desired))
    resolved.faults.extend(_archived_but_needed(resolved.desired))
    resolved.faults.extend(circular(resolved.desired))
    resolved.faults.extend(doubtful_moves(resolved.desired))
    resolved.faults.extend(contested_variables(resolved.desired))
    return resolved


class _Organizations:
    """Which organization a document belongs to: the one it names, or the nearest declared upwards."""

    def __init__(self, declared: list[Declared], *, partial: bool) -> None:
        self.by_folder: dict[str, list[str]] = {}
        self.partial = partial
        for one in declared:
            if one.kind.name == TENANT.name:
                self.by_folder.setdefault(one.document.folder, []).append(one.metadata["name"])
        self.names = sorted({name for names in self.by_folder.values() for name in names})
        self.nearest: dict[str, list[str]] = {}

    def of(self, one: Declared) -> str | Fault:
        """Return the organization's address name, or the fault that leaves it open."""
        source, named = one.document.source, one.metadata.get("org")
        if one.kind.name == TENANT.name:
            name: str = one.metadata["name"]
            if name == DEFAULT_ORG:
                message = f"{DEFAULT_ORG} stands for the organization of manifests that declare none"
                return Fault(message, source, ("metadata", "name"), hint="choose another name", on_value=True)
            if named not in (None, name):
                return Fault("an Organization belongs to itself", source, ("metadata", "org"), hint="remove the line")
            return name
        if named is not None:
            if named in self.names or named.startswith("org_") or self.partial:
                return str(named)
            message = f'organization "{named}" is not declared'
            hint = suggest(named, self.names) or "declare it, or write its org_ id"
            return Fault(message, source, ("metadata", "org"), hint=hint, on_value=True)
        found = self._upwards(one.document.folder)
        if len(found) > 1:
            message = f"several organizations are declared for this folder: {', '.join(found)}"
            return Fault(message, source, ("metadata",), hint=f"say which in metadata, as org: {found[0]}")
        return found[0] if found else DEFAULT_ORG

    def _upwards(self, folder: str) -> list[str]:
        """Return the organizations of the nearest folder upwards that declares any."""
        if folder not in self.nearest:
            parent = folder.rpartition("/")[0]
            own = self.by_folder.get(folder)
            above = self._upwards(parent) if parent else ([] if folder == "." else self.by_folder.get(".", []))
            self.nearest[folder] = own or above
        return self.nearest[folder]


def _lifted(one: Declared, org: str) -> Iterator[Desired]:
    """Yield the resource itself and each child written inside it."""
    kind, spec, metadata = one.kind, one.spec, one.metadata
    address = Address(org, kind.name, metadata["name"])
    children: list[Shape] | None = None
    archive = bool(metadata.get("archive"))
    if kind.children and kind.children[0] in spec:
        children = spec[kind.children[0]]
        spec = {key: value for key, value in spec.items() if key != kind.children[0]}
    patience = next((spec[name] for name in waits(kind) if name in spec), None)
    resyncs = not syncs(kind).keys().isdisjoint(spec)
    if resyncs or patience is not None:
        spec = {key: value for key, value in spec.items() if key not in of_the_apply(kind)}
    title = spec.get(kind.name_field, address.name) if kind.name_field else address.name
    yield Desired(
        address,
        spec,
        one.document.source,
        title,
        pinned=metadata.get("id"),
        archive=archive,
        replace=bool(metadata.get("replace")),
        protect=metadata.get("protect"),
        adopt=metadata.get("adopt"),
        moved_from=metadata.get("moved_from"),
        lists_children=children is not None,
        patience=patience,
        resyncs=resyncs,
    )
    if archive or not kind.children or not children:
        return
    child, seen = BY_NAME[kind.children[1]], Counter[str]()
    for index, entry in enumerate(children):
        own = {key: value for key, value in entry.items() if key not in SAID_OF_ITSELF}
        yield Desired(
            Address(org, child.name, entry["name"], parent=address.name),
            child.canonical(own),
            one.document.source,
            entry["type"],
            path=("spec", kind.children[0], index),
            pinned=entry.get("id"),
            archive=bool(entry.get("archive")),
            protect=entry.get("protect"),
            adopt=entry.get("adopt", metadata.get("adopt")),
            moved_from=entry.get("moved_from"),
            position=seen[entry["type"]],
            key_to=destination(entry["key_to"], variable=variable_of(address.name, entry["name"]))
            if "key_to" in entry
            else None,
        )
        seen[entry["type"]] += 1


def _repeated(desired: list[Desired]) -> Iterator[Fault]:
    """Yield a fault for each address, title or id that is declared twice."""
    addresses: dict[Address, Desired] = {}
    titles: dict[tuple[str, str, str], Desired] = {}
    for one in desired:
        first = addresses.setdefault(one.address, one)
        if first is not one:
            hint = f"{_first(first)}: rename or remove one"
            yield Fault(f"{one.address.local} is declared twice", one.source, _name_path(one), hint=hint, on_value=True)
            continue
        is_told_by_id = one.pinned and (one.archive or one.kind.identity in (Identity.NAME, Identity.TAG))
        if one.kind.identity is Identity.POSITION or is_told_by_id:
            continue
        key = (
            one.address.org,
            one.address.kind,
            one.title.lower() if one.kind.identity is Identity.CASELESS else one.title,
        )
        first = titles.setdefault(key, one)
        if first is not one:
            message = f'two {one.kind.plural} are called "{one.title}": the platform could not tell them apart'
            hint = f"{_first(first)}: give one another name"
            yield Fault(message, one.source, _title_path(one), hint=hint, on_value=True)


def _first(first: Desired) -> str:
    return f"the first stands in {first.source.file.path}, in the document at line {first.source.line}"


def _name_path(one: Desired) -> tuple[str | int, ...]:
    return ("metadata", "name") if one.path == ("spec",) else (*one.path, "name")


def _title_path(one: Desired) -> tuple[str | int, ...]:
    field_name = one.kind.name_field
    return ("spec", field_name) if field_name and field_name in one.spec else _name_path(one)


def _archived_but_needed(desired: list[Desired]) -> Iterator[Fault]:
    """Yield a fault where a resource refers to one that git wants archived."""
    going = {one.address: one.address for one in desired if one.archive}
    if not going:
        return
    addresses = {one.address for one in desired}
    titles = {one.address._replace(name=one.title): one.address for one in desired if one.archive}
    going |= {title: address for title, address in titles.items() if title not in addresses}
    for one in desired:
        if one.archive:
            continue
        for path, reference in references(one.kind):
            for holder, key, where in at(one.spec, path):
                target = going.get(Address(one.address.org, reference.kind, str(holder[key])))
                if target is not None:
                    message = f"refers to {target.local}, which is to be archived"
                    yield Fault(
                        message,
                        one.source,
                        (*one.path, *where),
                        hint="point it elsewhere first",
                        on_value=True,
                    )
