"""REWRITE: live values taken into the files that declare them, each whole or not at all.

First every new text is made, then all are written: where one value cannot be taken in, no file is touched. A text that
stands in a file of its own is changed there, a secret nowhere.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path as File
from typing import Any, Final

from pydantic_core import PydanticCustomError

from reconciler.errors import CannotAmend, Source
from reconciler.kinds import BY_NAME
from reconciler.kinds.kind import Kind
from reconciler.kinds.starter_files import stored
from reconciler.manifest.amend import Edit, amend, spoken
from reconciler.manifest.crew import folder_of
from reconciler.manifest.kept import file_of, is_kept, refuse_manifest, rewritten
from reconciler.manifest.parse import parse
from reconciler.manifest.steps import Path
from reconciler.manifest.substance import Substance, Taken, Text, files_in
from reconciler.manifest.texts import bytes_reader, confined

STDIN: Final = "<stdin>"
_BOM: Final = "\ufeff"


@dataclass(frozen=True, slots=True)
class Draft:
    """A file with what is in it and what is to be."""

    path: str
    before: bytes = field(repr=False)
    after: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _User:
    """A place that reads a text from a file."""

    manifest: str
    document: int
    path: Path


def drafts(taken: Iterable[Taken], *, sources: Iterable[Source], roots: Mapping[str, str]) -> list[Draft]:
    """Return the files that change, texts before manifests; nothing is written.

    `sources` are those of all documents that were read, which may use the same text files; `roots` are `Loaded.roots`.
    Raises CannotAmend, naming file and place, for what cannot be taken in.
    """
    by_file: dict[str, dict[int, list[Taken]]] = defaultdict(lambda: defaultdict(list))
    known_sources, kept = [*sources], list[Draft]()
    for one in taken:
        if (name := file_of(one)) is not None:
            kept.append(_kept(one, name, known_sources, roots))
            continue
        by_file[one.source.file.path][one.source.index].append(one)
    texts: dict[File, dict[_User, str]] = defaultdict(dict)
    manifests = [_manifest(name, documents, roots, texts) for name, documents in by_file.items()]
    known = {(one.file.path, one.index): one for one in known_sources} if texts else {}
    beside = [_text(place, wanted, list(known.values())) for place, wanted in texts.items()]
    return [draft for draft in (*kept, *beside, *manifests) if draft.before != draft.after]


def why_left(one: Taken, *, sources: Sequence[Source], roots: Mapping[str, str]) -> str | None:
    """Say why a file of a resource cannot be taken in, None where it can, and for every other value."""
    if not is_kept(one):
        return None
    name = file_of(one)
    if name is None:
        return f"{spoken(one.path[1:])} is a file on the platform whose content stands in the manifest: copy it by hand"
    try:
        _kept(one, name, sources, roots)
    except CannotAmend as error:
        return error.message
    return None


def _kept(one: Taken, name: str, sources: Sequence[Source], roots: Mapping[str, str]) -> Draft:
    """Return a file that is one of a resource's, byte for byte as it is live."""
    manifest = one.source.file.path
    place = _place(name, folder_of(manifest), roots)
    try:
        before, after = rewritten(one, place, name, sources)
    except CannotAmend as error:
        raise CannotAmend(f"{manifest}: {error.message}", hint=error.hint) from error
    return Draft(os.path.relpath(place), before, after)


def _manifest(
    name: str, documents: Mapping[int, list[Taken]], roots: Mapping[str, str], texts: dict[File, dict[_User, str]]
) -> Draft:
    """Return a manifest with its documents amended; what belongs into text files is noted in `texts`."""
    if name == STDIN:
        raise CannotAmend("a manifest that was piped in cannot be amended", hint="name its file with -f")
    before = after = next(iter(documents.values()))[0].source.file.text
    values = {one.index: one.value for one in parse(before)[0]}
    try:
        for index, wanted in documents.items():
            substance = Substance(values.get(index), kind=_kind(values.get(index)), read=_reader(name, roots))
            changed = substance.changed(wanted)
            after = amend(after, document=index, edits=[Edit((), changed.value)])
            for path, text in changed.texts.items():
                texts[text.place][_User(name, index, path)] = str(text)
    except CannotAmend as error:
        raise CannotAmend(f"{name}: {error.message}", hint=error.hint) from error
    return Draft(name, before.encode(), after.encode())


def _kind(value: Any) -> Kind | None:
    return BY_NAME.get(str(value.get("kind"))) if isinstance(value, dict) else None


def _reader(name: str, roots: Mapping[str, str]) -> Any:
    """Return what reads a text that is named in a manifest."""
    folder = folder_of(name)

    def read(file: str) -> Text:
        place = _place(file, folder, roots)
        try:
            data = bytes_reader(folder=folder, root=File(roots.get(folder, folder)))(file)
            return Text(stored(file, data).content, name=file, place=place)
        except PydanticCustomError as error:
            raise CannotAmend(f"{place} cannot be read", hint="see reconciler validate") from error

    return read


def _place(file: str, folder: str, roots: Mapping[str, str]) -> File:
    try:
        return confined(file, folder=folder, root=File(roots.get(folder, folder)))
    except PydanticCustomError as error:
        raise CannotAmend(error.message(), hint="see reconciler validate") from error


# --- texts in files of their own ---


def _text(place: File, wanted: Mapping[_User, str], sources: Sequence[Source]) -> Draft:
    """Return a text file with its new text; all who read it must want the same."""
    shown = os.path.relpath(place)
    new = next(iter(wanted.values()))
    refuse_manifest(place, next(iter(wanted)).path, sources)
    for user in _users(place, sources):
        if wanted.get(user) != new:
            changed = next(iter(wanted))
            raise CannotAmend(
                f"{changed.manifest}: {spoken(changed.path)} cannot be changed alone: {shown} is the text of "
                f"{spoken(user.path)} in {user.manifest} as well",
                hint="give one of the two a file of its own, then run again",
            )
    try:
        before = place.read_bytes()
        after = _rewritten(before, new)
    except (OSError, UnicodeError) as error:
        raise CannotAmend(f"{shown} cannot hold this text", hint="change the text on the platform") from error
    if _decoded(after) != new:
        message = (
            f"{shown} cannot hold this text: it would be read with other line ends, or without its first character"
        )
        raise CannotAmend(message, hint="write it into the manifest, or change it on the platform")
    return Draft(shown, before, after)


def _users(place: File, sources: Sequence[Source]) -> Iterator[_User]:
    """Yield every place of the manifests that reads a file; most texts do not even hold its name."""
    texts: dict[str, set[int]] = defaultdict(set)
    files = {one.file.path: one.file for one in sources if place.name in one.file.text or "\\" in one.file.text}
    for one in sources:
        texts[one.file.path].add(one.index)
    for name, file in files.items():
        for document in parse(file.text)[0]:
            for path, written in files_in(document.value) if document.index in texts[name] else ():
                if File(os.path.realpath(File(folder_of(name)) / written)) == place:
                    yield _User(name, document.index, path)


def _decoded(data: bytes) -> str:
    """Read a text as `texts.py` does."""
    return data.decode("utf-8-sig").replace("\r\n", "\n")


def _rewritten(before: bytes, new: str) -> bytes:
    """Return a text with the byte order mark and line ends of the one it replaces; equal lines stay as they are."""
    old = before.decode()
    mark, old = (_BOM, old[1:]) if old.startswith(_BOM) else ("", old)
    lines = _lines(old)
    line_break = "\r\n" if old.count("\r\n") * 2 > old.count("\n") else "\n"
    bare, wanted = [line.replace("\r\n", "\n") for line in lines], _lines(new)
    out: list[str] = []
    for tag, first, last, begin, end in SequenceMatcher(None, bare, wanted, autojunk=False).get_opcodes():
        if tag == "equal":
            out += lines[first:last]
        else:
            out += [line.removesuffix("\n") + line_break * line.endswith("\n") for line in wanted[begin:end]]
    return (mark + "".join(out)).encode()


def _lines(text: str) -> list[str]:
    """Split a text behind each line feed."""
    return [line + "\n" for line in text.split("\n")[:-1]] + [text.rpartition("\n")[2]] * (not text.endswith("\n"))


# --- onto the disk ---


def save(changed: Sequence[Draft]) -> None:
    """Write the files, each in one step; raises CannotAmend and writes none where one changed since it was read.

    All are on the disk under other names before the first gets its own, so that little is left that can fail between
    two of them.
    """
    parts: list[tuple[File, File]] = []
    try:
        parts.extend(map(_part, changed))  # one after the other, so that those made are known when one fails
        for draft in changed:
            _check(draft)
        for part, place in parts:
            part.replace(place)
    except OSError as error:
        where = error.filename2 or error.filename or "a manifest"
        raise CannotAmend(
            f"cannot write {where}: {error.strerror}", hint="give write access, then run again"
        ) from error
    finally:
        for part, _ in parts:
            part.unlink(missing_ok=True)


def _part(draft: Draft) -> tuple[File, File]:
    """Write a text beside its file, with the rights of that; a link is followed, not replaced."""
    place = File(os.path.realpath(draft.path))
    part = place.parent / f".{place.name}.{os.getpid()}.part"
    mode = place.stat().st_mode & 0o7777
    try:
        with part.open("xb") as stream:
            stream.write(draft.after)
            stream.flush()
            os.fsync(stream.fileno())
        part.chmod(mode)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    return part, place


def _check(draft: Draft) -> None:
    if File(draft.path).read_bytes() != draft.before:
        raise CannotAmend(f"{draft.path} changed since it was read", hint="nothing was written: run again")
