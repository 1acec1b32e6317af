"""APART: fields that stand below their resource, read and written in calls of their own."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, assert_never
from urllib.parse import quote

from reconciler.api_errors import NotFound, Refused, ServerFault
from reconciler.kinds.contents import TEXT, content_of, spelled
from reconciler.kinds.kind import Kind, Shape
from reconciler.kinds.markers import Apart, Files, Flags
from reconciler.kinds.traits import apart, joined_as
from reconciler.live.client import ReadClient, WriteClient
from reconciler.live.readers import SERIAL
from reconciler.live.shapes import Wire
from reconciler.plan.change import Change, members_of

Wanted = Mapping[str, Collection[str]]
"""Of each field to be read, the members that somebody asks for; a form that is read whole gives all it has."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource stands: its path, the id of the organization that is asked in, and whose it is in words."""

    path: str
    org: str | None
    called: str


InTheWay = Callable[[str, str], None]
"""Is told of a member that is wanted and cannot be there, and of what stands in its way: itself, or one above it."""


def _no_matter(_path: str, _obstacle: str) -> None:
    """Leave it to who writes."""


def joined(
    kind: Kind,
    wire: Wire,
    wanted: Wanted,
    *,
    at: Place,
    client: ReadClient,
    pool: Executor = SERIAL,
    in_the_way: InTheWay = _no_matter,
) -> Wire:
    """Return an API object with what stands apart of it, as far as it is wanted. Raises ApiError."""
    more = {
        joined_as(name): _read(field, wanted[name], at=at, client=client, pool=pool, in_the_way=in_the_way)
        for name, field in apart(kind).items()
        if name in wanted
    }
    return {**wire, **more} if more else wire


def joined_for(change: Change, wire: Wire, *, org: str | None, client: ReadClient, pool: Executor = SERIAL) -> Wire:
    """Return the API object of a change with what stands apart of it and the change is about. Raises ApiError."""
    wanted = members_of(change.kind, change.fields)
    if not wanted:
        return wire
    return joined(
        change.kind,
        wire,
        wanted,
        at=place_of(change.kind, wire, org=org, called=str(change.address)),
        client=client,
        pool=pool,
    )


def place_of(kind: Kind, wire: Wire, *, org: str | None, called: str) -> Place:
    """Return where an API object of a kind without a parent stands."""
    return Place(f"{kind.wire.collection}/{wire['id']}", org, called)


def _read(
    field: Apart, members: Collection[str], *, at: Place, client: ReadClient, pool: Executor, in_the_way: InTheWay
) -> Shape:
    match field.form:
        case Flags():
            return flags(field, at=at, client=client)
        case Files():
            return _files(field, members, at=at, client=client, pool=pool, in_the_way=in_the_way)
        case _:
            assert_never(field.form)


def flags(field: Apart, *, at: Place, client: ReadClient) -> dict[str, bool]:
    """Read all flags that the platform knows, as they are in force. Raises ApiError."""
    doing = f"reading the {field.path} of {at.called}"
    found = client.get(f"{at.path}/{field.path}", doing=doing, org=at.org)
    if not isinstance(found, dict) or not all(isinstance(value, bool) for value in found.values()):
        raise ServerFault(f"{doing}: the answer is not a map to true or false")
    return found


def _files(
    field: Apart, members: Collection[str], *, at: Place, client: ReadClient, pool: Executor, in_the_way: InTheWay
) -> Shape:
    """Read the files that are wanted and there: folder by folder, then each (agents-memories-sessions.md, 4.6)."""
    there = sorted(_there(field, members, at=at, client=client, pool=pool, in_the_way=in_the_way))
    return contents(field, there, at=at, client=client, pool=pool)


def contents(field: Apart, paths: Sequence[str], *, at: Place, client: ReadClient, pool: Executor) -> dict[str, str]:
    """Read files by their paths, several at once; one that is gone by now is left out. Raises ApiError."""

    def content(path: str) -> str | None:
        doing = f"reading {path} of {at.called}"
        try:
            return _decoded(client.get(_below(at, field, path), doing=doing, org=at.org), doing=doing)
        except NotFound:  # it went between the list and now
            return None

    found = zip(paths, pool.map(content, paths), strict=True)
    return {path: text for path, text in found if text is not None}


def _there(
    field: Apart,
    members: Collection[str],
    *,
    at: Place,
    client: ReadClient,
    pool: Executor = SERIAL,
    in_the_way: InTheWay = _no_matter,
) -> set[str]:
    """Return which files of those are there; no folder is listed that could hold none of them."""
    folders = {folder for path in members for folder in _above(path)}
    found: set[str] = set()
    level = {""} if members else set[str]()
    while level:
        below: set[str] = set()
        asked = sorted(level)
        read = partial(listing, field, at=at, client=client)
        for folder, entries in zip(asked, pool.map(read, asked), strict=True):
            inside = {entry["path"]: entry["is_directory"] for entry in entries if is_in(folder, entry["path"])}
            below |= {path for path, is_directory in inside.items() if is_directory and path in folders}
            found |= {path for path, is_directory in inside.items() if not is_directory and path in members}
            for path, is_directory in inside.items():
                if is_directory and path in members:
                    in_the_way(path, path)
                elif not is_directory and path in folders and path not in members:
                    for member in (one for one in members if one.startswith(f"{path}/")):
                        in_the_way(member, path)
        level = below
    return found


def is_in(folder: str, path: str) -> bool:
    """Say whether a path can be that of something right in a folder: a listing may say what it likes."""
    above, _, name = path.rpartition("/")
    return path.startswith("/") and above == folder and bool(name)


def listing(field: Apart, folder: str, *, at: Place, client: ReadClient) -> list[dict[str, Any]]:
    """Read what lies in a folder, "" for the root: at least path and is_directory of each. Raises ApiError."""
    doing = f"reading the files of {at.called}"
    return _entries(client.get(_below(at, field, folder), doing=doing, org=at.org), doing=doing)


def _above(path: str) -> Iterable[str]:
    """Yield the folders that a file stands in, but for the root."""
    parts = path.split("/")
    return ("/".join(parts[:depth]) for depth in range(2, len(parts)))


def _entries(answer: Any, *, doing: str) -> list[dict[str, Any]]:
    entries = answer.get("data") if isinstance(answer, dict) else None
    if isinstance(entries, list) and all(
        isinstance(one, dict) and isinstance(one.get("path"), str) and isinstance(one.get("is_directory"), bool)
        for one in entries
    ):
        return entries
    raise ServerFault(f"{doing}: the answer is not a list of files")


def _decoded(answer: Any, *, doing: str) -> str:
    """Return a file's bytes as a member says them; the server chooses the encoding by what they are (4.6)."""
    match answer:
        case {"content": str(content), "encoding": "text"}:
            return spelled(content.encode())
        case {"content": str(content), "encoding": "base64"}:
            try:
                return spelled(base64.b64decode(content, validate=True))
            except ValueError:  # binascii.Error, or a character beyond ASCII
                pass
    raise ServerFault(f"{doing}: the answer is not a file")


def _below(at: Place, field: Apart, path: str) -> str:
    return f"{at.path}/{field.path}{quote(path)}"


def write_apart(kind: Kind, parts: Shape, *, at: Place, client: WriteClient) -> None:
    """Write members of fields that stand apart, None for what is to go. Raises ApiError.

    What was written already by an attempt before is written again, which changes nothing.
    """
    for name, members in parts.items():
        field = apart(kind)[name]
        match field.form:
            case Flags(member):
                _set_flags(field, {member: members}, at=at, client=client)
            case Files():
                _set_files(field, members, at=at, client=client)
            case _:
                assert_never(field.form)


def _set_flags(field: Apart, body: Shape, *, at: Place, client: WriteClient) -> None:
    doing = f"writing the {field.path} of {at.called}"
    try:
        client.send("PATCH", f"{at.path}/{field.path}", doing=doing, org=at.org, body=body)
    except Refused as error:
        known = sorted(flags(field, at=at, client=client))
        if unknown := sorted({*next(iter(body.values()))} - {*known}):
            message = f"{doing}: the platform does not know {', '.join(unknown)}"
            raise Refused(message, hint=f"it knows {', '.join(known)}", problem=error.problem) from error
        raise


def _set_files(field: Apart, members: Shape, *, at: Place, client: WriteClient) -> None:
    """Take away, then write: a folder may come to stand where a file was."""
    there = _there(field, members.keys(), at=at, client=client)
    for path in sorted(path for path, text in members.items() if text is None and path in there):
        client.send("DELETE", _below(at, field, path), doing=f"removing {path} of {at.called}", org=at.org)
    for path, text in sorted(members.items()):
        if text is None:
            continue
        content, encoding = content_of(text)
        body = {"content": content} if encoding == TEXT else {"content": content, "encoding": encoding}
        method, doing = ("PUT", "rewriting") if path in there else ("POST", "writing")
        client.send(method, _below(at, field, path), doing=f"{doing} {path} of {at.called}", org=at.org, body=body)
