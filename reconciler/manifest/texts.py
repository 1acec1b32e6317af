"""Texts beside the manifests: `{file: path}` read from inside the manifest root, and from nowhere else."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

from pydantic_core import PydanticCustomError

from reconciler.kinds.secrecy import holds_secret
from reconciler.kinds.starter_files import MOST, Stored
from reconciler.manifest.suggest import shown

MAX_TEXT = 16 * 2**20
_RELATIVE = "the path counts from the folder of this manifest"


def reader(*, folder: str, root: Path) -> Callable[[str], str]:
    """Return a function that reads a text named relative to `folder`, confined to `root`."""

    def read(name: str) -> str:
        text = _decoded(_bytes(name, folder=folder, root=root))
        if text is None:
            raise PydanticCustomError("text_file", "{name} is not UTF-8 text", {"name": _named(name)})
        return text

    return read


def encoder(*, folder: str, root: Path) -> Callable[[str], str | None]:
    """Return a function that gives a file's bytes in base64, None for a file of UTF-8 text."""

    def encode(name: str) -> str | None:
        data = _bytes(name, folder=folder, root=root)
        stored = _stored(name, data)
        return stored.content if stored.encoding == "base64" else None

    return encode


def lister(*, folder: str, root: Path) -> Callable[[str], list[Stored]]:
    """Return a function that reads every file of a folder that is not hidden, in the order of their paths."""

    def files(name: str) -> list[Stored]:
        top = confined(name, folder=folder, root=root)
        if not top.is_dir():
            raise PydanticCustomError("text_folder", "{name} is no folder", {"name": _named(name), "hint": _RELATIVE})
        inside = [path.relative_to(top) for path in sorted(top.rglob("*")) if not path.is_dir()]
        shown = [path.as_posix() for path in inside if not any(part.startswith(".") for part in path.parts)]
        if not shown or len(shown) > MOST:
            why = f"holds {len(shown)} files, and {MOST} are the most" if shown else "holds no file"
            raise PydanticCustomError("text_folder", "{name} {why}", {"name": _named(name), "why": why})
        return [_stored(path, _bytes(f"{name.rstrip('/')}/{path}", folder=folder, root=root)) for path in shown]

    return files


def _stored(path: str, data: bytes) -> Stored:
    text = None if b"\0" in data else _decoded(data)  # no text that the platform could keep
    return Stored(path, b64encode(data).decode("ascii"), "base64") if text is None else Stored(path, text, "text")


def _bytes(name: str, *, folder: str, root: Path) -> bytes:
    """Read a file that a manifest names, within bounds."""
    path = confined(name, folder=folder, root=root)
    if any(part.startswith(".") for part in path.relative_to(root.resolve()).parts):
        raise PydanticCustomError(
            "text_file", "{name} is hidden: hidden files and folders are not read", {"name": _named(name)}
        )
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_TEXT + 1)
    except IsADirectoryError:
        raise PydanticCustomError("text_file", "{name} is a folder, not a file", {"name": _named(name)}) from None
    except OSError as error:
        raise PydanticCustomError(
            "text_file",
            "{name} cannot be read: {why}",
            {"name": _named(name), "why": error.strerror or "unreadable", "hint": _RELATIVE},
        ) from None
    if len(data) > MAX_TEXT:
        raise PydanticCustomError("text_file", "{name} is larger than 16 MiB", {"name": _named(name)})
    return data


def _decoded(data: bytes) -> str | None:
    """Return bytes as text, None for what is no UTF-8."""
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None


def locator(*, folder: str, root: Path) -> Callable[[str], str]:
    """Return a function that checks a secret's file name and gives its path below the root, without reading it."""

    def locate(name: str) -> str:
        confined(name, folder=folder, root=root)
        return (Path(folder) / name).as_posix()

    return locate


def confined(name: str, *, folder: str, root: Path) -> Path:
    """Return the real path of `name`; anything that leads out of `root` is refused, symbolic links included."""
    if Path(name).is_absolute() or "\0" in name:
        raise PydanticCustomError(
            "text_file", "{name} must be a path relative to this manifest", {"name": _named(name)}
        )
    path = Path(os.path.realpath(Path(folder) / name))  # unlike resolve(), it takes a loop of links for a plain file
    home = root.resolve()
    if not path.is_relative_to(home):
        raise PydanticCustomError(
            "text_file",
            "{name} leads out of the manifest root {root}",
            {
                "name": _named(name),
                "root": _named(str(root)),
                "hint": "move the file inside, or point -f at a folder above both",
            },
        )
    return path


def _named(path: str) -> str:
    """Repeat a path in a message, unless a part of it has the form of a secret."""
    return "what stands here" if _is_secret(path) else f'"{shown(path)}"'


def _is_secret(path: str) -> bool:
    """Judge a path folder by folder, as a long one is no secret, and an address whole."""
    return any(map(holds_secret, [path] if "://" in path else path.split("/")))
