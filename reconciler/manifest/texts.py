"""Texts beside the manifests: `{file: path}` read from inside the manifest root, and from nowhere else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from pydantic_core import PydanticCustomError

from reconciler.kinds.contents import LARGEST, text_of
from reconciler.kinds.secrecy import holds_secret
from reconciler.manifest.suggest import shown

MAX_TEXT = LARGEST
_RELATIVE = "the path counts from the folder of this manifest"


def reader(*, folder: str, root: Path) -> Callable[[str], str]:
    """Return a function that reads a text named relative to `folder`, confined to `root`."""
    data_of = bytes_reader(folder=folder, root=root)

    def read(name: str) -> str:
        text = text_of(data_of(name))
        if text is None:
            raise PydanticCustomError("text_file", "{name} is not UTF-8 text", {"name": _named(name)})
        return text

    return read


def bytes_reader(*, folder: str, root: Path) -> Callable[[str], bytes]:
    """Return a function that reads a file named relative to `folder`, confined to `root`."""

    def read(name: str) -> bytes:
        path = confined(name, folder=folder, root=root)
        if any(part.startswith(".") for part in path.relative_to(root.resolve()).parts):
            raise PydanticCustomError(
                "text_file", "{name} is hidden: hidden files and folders are not read", {"name": _named(name)}
            )
        try:
            mode = path.stat().st_mode
            if not (S_ISREG(mode) or S_ISDIR(mode)):  # to open a pipe would wait for a writer
                raise _odd(name)
            with path.open("rb") as stream:
                data = stream.read(MAX_TEXT + 1)
        except IsADirectoryError:
            raise PydanticCustomError("text_file", "{name} is a folder, not a file", {"name": _named(name)}) from None
        except OSError as error:
            raise _unreadable(name, error) from None
        if len(data) > MAX_TEXT:
            raise PydanticCustomError("text_file", "{name} is larger than 16 MiB", {"name": _named(name)})
        return data

    return read


def folder_reader(*, folder: str, root: Path) -> Callable[[str, int, int], dict[str, bytes]]:
    """Return a function that reads all files of a folder named relative to `folder`, by their paths in it.

    Hidden files and folders are left out, a link that leads out of `root` or to a folder is refused. The function
    takes how many files and bytes there may be at most.
    """
    data_of = bytes_reader(folder=folder, root=root)

    def read(name: str, most: int, most_bytes: int) -> dict[str, bytes]:
        top = confined(name, folder=folder, root=root)
        if not top.is_dir():
            raise PydanticCustomError("text_folder", "{name} is no folder", {"name": _named(name), "hint": _RELATIVE})
        try:
            paths = [*_files_in(top, "")]
        except OSError as error:
            raise _unreadable(name, error) from None
        if odd := next((path for path in paths if not _is_utf8(path)), None):
            spelt = _named(os.fsencode(odd).decode(errors="backslashreplace"))
            context = {"name": _named(name), "path": spelt}
            raise PydanticCustomError("text_folder", "{name} holds {path}, a name that is not UTF-8", context)
        if len(paths) > most:
            told = {"name": _named(name), "count": len(paths), "most": most}
            raise PydanticCustomError("text_folder", "{name} holds {count} files, and {most} are the most", told)
        found: dict[str, bytes] = {}
        size = 0
        for path in paths:
            found[path] = data_of(f"{name}/{path}")
            size += len(found[path])
            if size > most_bytes:
                told = {"name": _named(name), "mebibytes": most_bytes >> 20}
                raise PydanticCustomError("text_folder", "{name} holds more than {mebibytes} MiB", told)
        return found

    return read


def _files_in(place: Path, above: str) -> Iterator[str]:
    """Yield the paths of the files below a folder, in order, but for hidden ones. Raises OSError."""
    for entry in sorted(os.scandir(place), key=lambda entry: entry.name):
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files_in(Path(entry.path), f"{above}{entry.name}/")
        else:
            yield above + entry.name


def _odd(name: str) -> PydanticCustomError:
    return PydanticCustomError("text_file", "{name} is no file of a disk", {"name": _named(name)})


def _is_utf8(path: str) -> bool:
    """Say whether the platform can be told a path of this disk: bytes that are no UTF-8 stand as surrogates in it."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unreadable(name: str, error: OSError) -> PydanticCustomError:
    why = error.strerror or "unreadable"
    return PydanticCustomError(
        "text_file", "{name} cannot be read: {why}", {"name": _named(name), "why": why, "hint": _RELATIVE}
    )


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
