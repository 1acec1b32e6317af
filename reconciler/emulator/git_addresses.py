"""Where a repository is cloned from: its real address, or its mirror below a base that the user gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

GITHUB = "github.com"
SCHEMES = ("file", "http", "https")


class AddressError(ValueError):
    """A base that cannot be used, or an address that has no place below it."""


@dataclass(frozen=True, slots=True)
class Remote:
    """An address to fetch from, and the one protocol that may be spoken on the way."""

    url: str
    protocol: str


def base_url(told: str) -> str:
    """Check a base: a directory of this machine, or a file, http or https URL."""
    if "://" not in told:
        return _directory(Path(told).expanduser())
    try:
        parts = urlsplit(told)
    except ValueError as error:
        raise AddressError(f"the git base is no URL: {error}") from error
    if parts.scheme not in SCHEMES or parts.query or parts.fragment:
        raise AddressError("the git base must be a directory or a file, http or https URL without query and fragment")
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost"):
            raise AddressError("a git base of the file scheme lies on this machine: file:///path")
        return _directory(Path(unquote(parts.path)))
    if not parts.hostname:
        raise AddressError("the git base names no host")
    return told.rstrip("/")


def remote(source: Mapping[str, Any], base: str | None) -> Remote:
    """Give the address of a source: BASE/owner/repo.git on GitHub, else BASE/host/path.git.

    Raises AddressError when that would lie elsewhere.
    """
    github = source["provider"] == "github"
    url = f"https://{GITHUB}/{source['repository']}.git" if github else str(source["url"])
    if base is None:
        return Remote(url, "https")
    parts = urlsplit(url)
    host = parts.netloc.lower()
    path = _segments(unquote(parts.path).removesuffix("/").removesuffix(".git"))
    place = path if host == GITHUB else [*_segments(host), *path]
    return Remote(f"{base}/{quote('/'.join(place))}.git", urlsplit(base).scheme)


def _segments(path: str) -> list[str]:
    """Divide a path that leads downwards, to something with a name."""
    segments = [segment for segment in path.split("/") if segment]
    if not segments or path.endswith("/") or "\0" in path or {".", ".."}.intersection(segments):
        raise AddressError("the address has no place below the git base")
    return segments


def _directory(path: Path) -> str:
    """Give the URL of a directory; a missing one is a mistake and no empty mirror."""
    if not path.is_dir():
        raise AddressError(f"the git base is no directory: {path}")
    return path.resolve().as_uri()
