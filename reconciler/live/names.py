"""Names for ids: what a reference means, and what a live resource is called here."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from reconciler.errors import Fault
from reconciler.kinds import BY_NAME
from reconciler.kinds.kind import Kind, Shape
from reconciler.kinds.markers import References
from reconciler.kinds.traits import references
from reconciler.kinds.walk import Step, at, reach, replaced
from reconciler.resource import Address, Desired

_ID = re.compile(r"^[a-z]+_[0-9a-f]{32}$")
_LISTED = 10


def is_long_id(text: str) -> bool:
    """Say whether a text is an id as the platform spells them."""
    return _ID.match(text) is not None


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A reference that means nothing, or several things."""

    message: str
    hint: str | None = None


@dataclass(slots=True)
class Directory:
    """The resources of one kind in one organization, declared and live, by every name they go by.

    `returning` gives the declared name of each archived id that is to be brought back: what refers to it already does
    so by that name. `renamed` are the ids of those to which git gives another name: the one they have is no more.
    """

    kind: Kind
    live: Mapping[str, Mapping[str, Any]]
    declared: Mapping[str, str | None]
    returning: Mapping[str, str] = field(default_factory=dict)
    renamed: Collection[str] = ()
    _names: dict[str, str] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Give each live resource the name it goes by here: its address, else the first title that is its alone."""
        for name, id_ in self.declared.items():
            if id_ is not None:
                self._names[id_] = name
                self._ids[name] = id_
        self._names |= self.returning
        strangers = [(id_, wire) for id_, wire in self.live.items() if id_ not in self._names]
        if not strangers:
            return
        titles = Counter(self.kind.titles(wire)[0][0] for wire in self.live.values() if self.kind.wire.usable(wire))
        for id_, wire in strangers:
            title = self.kind.titles(wire)[0][0]
            alone = titles[title] == 1 and title not in self.declared and self.kind.wire.usable(wire)
            alone = alone and not _ID.match(title)  # a name that looks like an id must not stand for another's
            self._names[id_] = title if alone else self._longer(wire) or id_
            self._ids[self._names[id_]] = id_

    def _longer(self, wire: Mapping[str, Any]) -> str | None:
        """Return a longer spelling that means this one alone, as `provider/model`; None when there is none."""
        usable = [self.kind.titles(one) for one in self.live.values() if self.kind.wire.usable(one)]
        for text in (text for tier in self.kind.titles(wire)[1:] for text in tier):
            known = text in self.declared or _ID.match(text) or not self.kind.wire.usable(wire)
            if text and not known and sum(text in tier for titles in usable for tier in titles) == 1:
                return text
        return None

    def name_of(self, id_: str) -> str:
        """Return what a live resource is called here; an unknown id is its own name."""
        return self._names.get(id_, id_)

    def renaming(self, reference: References) -> Callable[[Any, Any], Any]:
        """Return what puts the name in the place of an id, as `walk.replaced` wants it."""

        def renamed(value: Any, _path: Any) -> Any:
            id_ = reference.name_in(value)
            return value if id_ is None else reference.on_wire(self.name_of(id_))

        return renamed

    def id_of(self, name: str) -> str | None:
        """Return the id behind a name given by `resolve`, if it exists yet."""
        return self._ids.get(name)

    def resolve(self, text: str) -> str | Unresolved:
        """Return the one name of what `text` refers to, or why it refers to nothing or to several things."""
        if text in self.declared:
            return text
        if _ID.match(text):
            return self._names[text] if text in self._names else Unresolved(f"no {self.kind.noun} has the id {text}")
        usable = [(id_, self.kind.titles(wire)) for id_, wire in self.live.items() if self.kind.wire.usable(wire)]
        for fold in (str, str.casefold):
            for tier in range(max((len(titles) for _, titles in usable), default=0)):
                hits = [id_ for id_, titles in usable if fold(text) in map(fold, titles[tier])]
                if len(hits) == 1:
                    return self._given_up(text, hits[0], fold) if hits[0] in self.renamed else self._names[hits[0]]
                if hits:
                    return self._several(text, hits)
        return self._nothing(text)

    def _given_up(self, text: str, id_: str, fold: Callable[[str], str]) -> str | Unresolved:
        """Return what is renamed under its new name, unless `text` is the old one: that is no more."""
        name = self._names[id_]
        if fold(text) != fold(str(self.live[id_].get("name", ""))):
            return name
        return Unresolved(f'git calls the {self.kind.noun} "{text}" {name} now', f"refer to it as {name}")

    def _several(self, text: str, hits: list[str]) -> Unresolved:
        candidates = ", ".join(sorted(self._candidate(id_) for id_ in hits))
        message = f'{len(hits)} {self.kind.plural} are called "{text}": {candidates}'
        return Unresolved(message, "refer to one of them by a longer name or by its id")

    def _candidate(self, id_: str) -> str:
        titles = self.kind.titles(self.live[id_])
        longer = titles[1][0] if len(titles) > 1 and titles[1] else titles[0][0]
        return f"{longer} ({id_})"

    def _nothing(self, text: str) -> Unresolved:
        gone = [
            id_
            for id_, wire in self.live.items()
            if text in self.kind.titles(wire)[0] and not self.kind.wire.usable(wire)
        ]
        if gone:
            return Unresolved(
                f'{self.kind.noun} "{text}" is archived or disabled',
                "bring it back, or refer to another",
            )
        known = sorted(
            {
                *self.declared,
                *(self._names[id_] for id_, wire in self.live.items() if self.kind.wire.usable(wire)),
            }
        )
        close = get_close_matches(text, known, n=2, cutoff=0.6)
        hint = (
            f"did you mean {' or '.join(close)}?"
            if close
            else f"known: {', '.join(known[:_LISTED])}"
            if known
            else None
        )
        if not close and len(known) > _LISTED:
            hint = f"{hint} and {len(known) - _LISTED} more"
        return Unresolved(f'no {self.kind.noun} is called "{text}"', hint or f"there are no {self.kind.plural} yet")


class Names:
    """All directories of a run. An organization that does not exist yet has none: its references stay as written.

    `unchecked` says, by the address that refers to it, what could not be looked up because its list is withheld.
    """

    def __init__(self) -> None:
        self._directories: dict[tuple[str, str], Directory] = {}
        self._resolved: dict[tuple[str, str, str], str | Unresolved] = {}
        self._withheld: set[tuple[str, str]] = set()
        self.unchecked: dict[Address, str] = {}

    def add(self, org: str, directory: Directory) -> None:
        """Know the resources of one kind in one organization."""
        self._directories[org, directory.kind.name] = directory

    def withhold(self, org: str, kind: str) -> None:
        """Know that the platform does not tell what an organization has of a kind."""
        self._withheld.add((org, kind))

    def id_of(self, address: Address) -> str | None:
        """Return the id behind an address whose name came from here."""
        directory = self._directories.get((address.org, address.kind))
        return directory.id_of(address.name) if directory else None

    def wire_of(self, address: Address) -> Mapping[str, Any] | None:
        """Return what is live behind an address whose name came from here."""
        directory = self._directories.get((address.org, address.kind))
        return directory.live.get(directory.id_of(address.name) or "") if directory else None

    def resolve(self, org: str, kind: str, text: str) -> str | Unresolved:
        """Return the one name of what `text` refers to in an organization."""
        key = org, kind, text
        meaning = self._resolved.get(key)
        if meaning is None:
            directory = self._directories.get((org, kind))
            meaning = self._resolved[key] = directory.resolve(text) if directory else text
        return meaning

    def named(self, org: str, kind: Kind, shape: Shape) -> Shape:
        """Return a live shape with names where it has ids."""
        own = dict(shape)
        for path, reference in references(kind):
            directory = self._directories.get((org, reference.kind))
            if directory is None:
                continue
            if len(path) == 1:
                id_ = own.get(str(path[0]))
                if isinstance(id_, str):
                    own[str(path[0])] = directory.name_of(id_)
            elif reach(path, reference.prefix)(own):
                own = replaced(own, path, directory.renaming(reference))
        return own

    def bind(self, desired: Iterable[Desired]) -> tuple[list[Desired], list[Fault]]:
        """Return the desired with each reference under its one name, and a fault for each that has none."""
        faults: list[Fault] = []
        return [self._bound(one, faults) for one in desired], faults

    def _bound(self, one: Desired, faults: list[Fault]) -> Desired:
        spec = one.spec
        for path, reference in () if one.archive else references(one.kind):
            if not reach(path, reference.prefix)(spec):
                continue
            seen: dict[tuple[Any, ...], str] = {}
            for holder, key, where in at(spec, path):
                text = reference.name_in(holder[key])
                if text is None or BY_NAME[reference.kind].listed_below:
                    continue  # versions are told apart in `plan/release.py`, which knows those that are to come
                meaning = self._meant(one, reference, text)
                if isinstance(meaning, Unresolved):
                    faults.append(
                        Fault(meaning.message, one.source, (*one.path, *where), hint=meaning.hint, on_value=True)
                    )
                    continue
                twin = seen.setdefault((where[:-2], meaning), holder[key]) if reference.prefix else holder[key]
                if twin != holder[key]:  # written alike it was refused where the spec was read
                    message = f"{twin} and {holder[key]} are the same {BY_NAME[reference.kind].noun}"
                    place = (*one.path, *where)
                    faults.append(Fault(message, one.source, place, hint="remove one of them", on_value=True))
                elif reference.on_wire(meaning) != holder[key]:
                    spec = _with(spec, where, reference.on_wire(meaning))
        return replace(one, spec=spec) if spec is not one.spec else one

    def _meant(self, one: Desired, reference: References, text: str) -> str | Unresolved:
        """Return what a reference means; where the platform does not tell, only what can be sent as it is written."""
        org, kind = one.address.org, BY_NAME[reference.kind]
        if (org, kind.name) not in self._withheld:
            return self.resolve(org, kind.name, text)
        why = f"the platform lists no {kind.plural} of {org} to this key"
        if reference.prefix:
            self.unchecked[one.address] = f"{reference.on_wire(text)} is sent as it is written: {why}"
        elif not is_long_id(text):
            hint = f"refer to it by its id, or use a key that may list {kind.plural}"
            return Unresolved(f'{why}: nobody can tell what "{text}" is', hint)
        return text


def _with(node: Any, where: tuple[Any, ...], value: str) -> Any:
    if not where:
        return value
    head, rest = where[0], where[1:]
    if isinstance(node, list):
        return [_with(item, rest, value) if index == head else item for index, item in enumerate(node)]
    return {key: _with(item, rest, value) if key == head else item for key, item in node.items()}


def needed(desired: Iterable[Desired]) -> dict[str, set[str]]:
    """Return, by organization, the kinds that must be listed: those declared, their parents, those referred to."""
    kinds: defaultdict[str, set[str]] = defaultdict(set)
    for one in desired:
        wanted, kind = kinds[one.address.org], one.kind
        wanted.add(kind.parent or kind.name)
        for path, reference in () if one.archive else references(kind):
            if reference.kind not in wanted and refers(reference, path, one.spec):
                wanted.add(reference.kind)
    return {org: {name for name in names if _has_a_list(BY_NAME[name])} for org, names in kinds.items()}


def refers(reference: References, path: tuple[Step, ...], shape: Shape) -> bool:
    """Say whether a shape refers to anything at a path."""
    return reach(path, reference.prefix)(shape)


def _has_a_list(kind: Kind) -> bool:
    """Say whether an organization has one list of a kind."""
    return kind.wire.org_scoped and kind.listed_below is None
