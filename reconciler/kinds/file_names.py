"""Which paths of files on the platform can be paths of files beside manifests, on any disk; pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

MANIFESTS: Final = (".yaml", ".yml")
"""Files with these endings are manifests wherever they lie below the root."""
_LONGEST: Final = 255
_LONGEST_PATH: Final = 800
"""In bytes; the shortest limit in use is 1,024 for a whole path (macOS), of which the folder it goes into is a part."""
_NEVER: Final = frozenset('<>:"|?*\\')


def misfits(paths: Iterable[str]) -> Mapping[str, str]:
    """Return the paths that cannot be those of files here, with the reason; of two that a disk may mix up the later."""
    found: dict[str, str] = {}
    seen: dict[str, str] = {}
    for path in sorted(paths):
        why = _misfit(path) or _twin(path, seen)
        if why:
            found[path] = why
    return found


def _misfit(path: str) -> str | None:
    segments = path.removeprefix("/").split("/")
    if any(one.startswith(".") or not one for one in segments):
        return "hidden files are not read from a folder" if all(segments) else "it is no path of a file"
    if any(one.startswith("_") for one in segments):
        return "the platform keeps names that begin with _ for itself"
    if any(_NEVER & {*one} or not one.isprintable() or one != one.strip() or one.endswith(".") for one in segments):
        return "its name cannot be that of a file on every disk"
    if any(len(one.encode()) > _LONGEST for one in segments):
        return "its name is too long for a file"
    if len(path.encode()) > _LONGEST_PATH:
        return "its path is too long for a file"
    if path.endswith(MANIFESTS):
        return "a file of this name would be read as a manifest"
    return None


def _twin(path: str, seen: dict[str, str]) -> str | None:
    """Say with which path that came before a disk may mix one up: by case, or by how letters are put together."""
    for depth, _ in enumerate(path.split("/")[1:], 2):
        here = "/".join(path.split("/")[:depth])
        folded = unicodedata.normalize("NFC", here).casefold()
        if seen.setdefault(folded, here) != here:
            return f"not every disk can tell it from {seen[folded]}"
    return None
