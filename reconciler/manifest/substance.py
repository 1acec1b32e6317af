"""What a document means to the platform: its texts read from their files, its secrets untouchable, its sets unordered.

A live value is compared with this, and what comes out is spelled as the document does: `{file: ...}` stays where the
text in it does, a list without order keeps the order it has, `{env: ...}` is what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any, Final, Self

from reconciler.errors import CannotAmend, Source
from reconciler.kinds.fields import SET, SecretRef
from reconciler.kinds.kind import Kind
from reconciler.kinds.markers import Files
from reconciler.kinds.traits import apart, beside, sensitive, sets
from reconciler.kinds.walk import at, replaced
from reconciler.manifest.amend import REMOVED, Edit, edited, spoken
from reconciler.manifest.steps import Path, Put, found, name_of, same, stepped, steps
from reconciler.plan.diff import retagged

_REFERENCES: Final = ({"env"}, {"file"})


class Text(str):
    """A text that stands in a file: `name` as the manifest writes it, `place` where it is."""

    __slots__ = ("name", "place")

    name: str
    place: File

    def __new__(cls, text: str, *, name: str, place: File) -> Self:
        """Make a text that remembers its file."""
        self = super().__new__(cls, text)
        self.name = name
        self.place = place
        return self


@dataclass(frozen=True, slots=True)
class Taken:
    """A live value to be taken in: the document, the path from its root, and the canonical value, or REMOVED.

    `declared` is what the document declares there in canonical form, where that is known: what agrees with it stays
    as it is written, as `https://github.com/acme/docs.git` does, or a default.
    """

    source: Source
    path: Path
    value: Any = field(repr=False)
    declared: Any = field(default=REMOVED, repr=False)


@dataclass(frozen=True, slots=True)
class Changed:
    """A document as it is to be written, and the new texts of the files it names, by their paths in the old one."""

    value: Any
    texts: Mapping[Path, Text]


class Substance:
    """The value of a document of a kind; `read` reads a text by the name that the manifest gives it."""

    def __init__(self, value: Any, *, kind: Kind | None, read: Callable[[str], Text]) -> None:
        self._kind = kind
        for path, _ in beside(kind) if kind else ():
            value = replaced(value, ("spec", *path), lambda one, _: read(one["file"]) if _is_file(one) else one)
        self._now = value

    def changed(self, taken: Iterable[Taken]) -> Changed:
        """Return the document with live values taken in; raises CannotAmend where a secret would be touched."""
        now = target = self._now
        for one in taken:
            self._check_apart(one.path)
            written = _present(target, one.path)
            if one.value != one.declared and isinstance(written, list) and any(map(_is_folder, written)):
                hint = "change the files there, or what is live; or list the files one by one"
                raise CannotAmend(f"{spoken(one.path)} comes from a folder of files", hint=hint)
            declared, live = (
                value if value is REMOVED else _kept(value, written, one.path) for value in (one.declared, one.value)
            )
            target = edited(target, [Edit(one.path, _merged(written, declared, live))])
        target = self._in_order(target)
        self._check(target)
        texts: dict[Path, Text] = {}
        for step in steps(now, target):
            old = found(now, step.path) if isinstance(step, Put) else None
            if isinstance(step, Put) and isinstance(old, Text) and isinstance(step.value, str):
                texts[step.path] = Text(step.value, name=old.name, place=old.place)
        for path, text in texts.items():
            now = stepped(now, Put(path, text))
        while (step_left := next(steps(now, target), None)) is not None:
            now = stepped(now, step_left)
        return Changed(_written(now), texts)

    def _in_order(self, target: Any) -> Any:
        """Return a value whose lists without order are in that of the document, what is new at the end."""
        for path in sets(self._kind) if self._kind else ():

            def settled(new: Any, where: Path) -> Any:
                old = _present(self._now, where)
                return _as_before(old, new) if isinstance(old, list) and isinstance(new, list) else new

            target = replaced(target, ("spec", *path), settled)
        return target

    def _check_apart(self, path: Path) -> None:
        """Refuse to take in files that have none here: the list of a manifest has no key for them."""
        field = apart(self._kind).get(str(path[1])) if self._kind and len(path) > 1 else None
        if field and isinstance(field.form, Files):
            message = f"{spoken(path)} is a file on the platform whose content stands in the manifest"
            raise CannotAmend(message, hint="give it a file of its own, copy it by hand, or apply to write git's again")

    def _check(self, target: Any) -> None:
        """Refuse to touch a secret, and to write one."""
        if self._kind is None:
            return
        marks = [("spec", *path) for path in sensitive(self._kind)]
        secrets = {where for mark in marks for _, _, where in at(self._now, mark)}
        for step in steps(self._now, target):
            emptied = step.path if isinstance(step, Put) else None
            if any(step.path[: len(where)] == where or emptied == where[:-1] for where in secrets):
                raise _untouchable(step.path)
        for mark in marks:
            for holder, key, where in at(target, mark):
                if holder[key] is not None and not _is_reference(holder[key]):
                    raise _untouchable(where)


def files_in(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield every place of a plain value that reads `{file: ...}`, with the name."""
    if _is_file(value):
        yield path, value["file"]
    elif isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from files_in(item, (*path, key))


def _untouchable(path: Path) -> CannotAmend:
    return CannotAmend(
        f"{spoken(path)} is a secret, which is never taken from the platform", hint="edit the manifest by hand"
    )


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and set(value) in _REFERENCES and isinstance(next(iter(value.values())), str)


def _is_file(value: Any) -> bool:
    return _is_reference(value) and "file" in value


def _is_folder(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("dir"), str) and "content" not in value


def _present(value: Any, path: Path) -> Any:
    """Return what stands at a path, None where it leads nowhere."""
    for step in path:
        is_item = isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value)
        if not is_item and not (isinstance(value, dict) and step in value):
            return None
        value = value[step]
    return value


def _kept(new: Any, old: Any, path: Path) -> Any:
    """Return a live value with the references of the document in the place of its secrets, which nobody sees."""
    if new is SET or isinstance(new, SecretRef):
        if not _is_reference(old):
            raise _untouchable(path)
        return old
    match new:
        case dict():
            olds = old if isinstance(old, dict) else {}
            return {key: _kept(item, olds.get(key), (*path, key)) for key, item in new.items()}
        case list():
            named = {name_of(item): item for item in old if name_of(item)} if isinstance(old, list) else {}
            return [
                _kept(item, named.get(name_of(item), _present(old, (index,))), (*path, index))
                for index, item in enumerate(new)
            ]
    return new


def _merged(written: Any, declared: Any, live: Any) -> Any:
    """Return the live value in the words of the manifest wherever it says what is declared there.

    A default that is written and not part of what is declared in canonical form stays, too.
    """
    if declared is not REMOVED and same(declared, live):
        return written
    if isinstance(written, dict) and isinstance(declared, dict) and isinstance(live, dict):
        if retagged(declared, live):
            return live
        kept = {key: item for key, item in written.items() if key in live or key not in declared}
        return kept | {
            key: _merged(written[key], declared.get(key, REMOVED), item) if key in written else item
            for key, item in live.items()
        }
    if isinstance(written, list) and isinstance(declared, list) and isinstance(live, list):
        return [_merged(_alike(written, item, None), _alike(declared, item, REMOVED), item) for item in live]
    return live


def _alike(items: list[Any], item: Any, otherwise: Any) -> Any:
    """Return the item of the same name."""
    name = name_of(item)
    return next((one for one in items if name and name_of(one) == name), otherwise)


def _as_before(old: list[Any], new: list[Any]) -> list[Any]:
    """Return the new items in the order of the old ones: those that are equal, else of the same name, then the rest."""
    left = list(new)
    out: list[Any] = []
    for item in old:
        index = next((n for n, one in enumerate(left) if same(one, item)), None)
        if index is None and (name := name_of(item)):
            index = next((n for n, one in enumerate(left) if name_of(one) == name), None)
        if index is not None:
            out.append(left.pop(index))
    return out + left


def _written(value: Any) -> Any:
    """Return a value with its texts as references to their files."""
    match value:
        case Text():
            return {"file": value.name}
        case dict():
            return {key: _written(item) for key, item in value.items()}
        case list():
            return [_written(item) for item in value]
    return value
