"""Manifests as they stood at a commit: git checks their files out into a folder that goes again.

Through an index of their own, and not as an archive: they go through the settings and attributes that what is checked
out now went through, and nothing that lies beside the manifests is read at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from reconciler.errors import UsageError
from reconciler.manifest.load import load
from reconciler.manifest.resolve import Resolved, resolve

if TYPE_CHECKING:
    from git import Repo

_QUIETLY: Final = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1"}
WHOLE: Final = {"strip_newline_in_stdout": False}
"""Has GitPython give a list that ends with a zero as it is."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """The manifests of a repository at `top`, as they are found again below `folder`."""

    top: str
    folder: str
    paths: Sequence[str]

    def of(self, place: str) -> str:
        """Return where a real path is found again; the top where it is not in the repository."""
        return (
            os.path.normpath(f"{self.folder}/{below(place, self.top)}") if _is_inside(place, self.top) else self.folder
        )

    def spelled(self, text: str) -> str:
        """Return a text with the paths in it as they are spelled on the command line."""
        for path in self.paths:
            text = text.replace(self.of(real(path)), path.rstrip("/") or "/")
        return text.replace(self.folder, self.top)

    def resolved(self) -> Resolved:
        """Read the manifests; a text beside a single file is looked for as far up as it is now."""
        places = {self.of(real(path)): path for path in self.paths}
        loaded = load([*places], may_be_empty=True)
        for place, path in places.items():
            if not Path(path).is_dir():
                loaded.roots[str(Path(place).parent)] = self.of(_root_of(path, self.top))
        return resolve(loaded)


def prepared(repo: Repo, paths: Sequence[str]) -> str:
    """Have git ask nobody and take names as they are; return the real top of the work tree.

    Raises UsageError for a repository without one, and for a path that is not in it.
    """
    if repo.working_tree_dir is None:
        raise UsageError("a bare repository has no files to compare", hint="run it in a clone")
    top = real(str(repo.working_tree_dir))
    for path in paths:
        if not _is_inside(real(path), top):
            raise UsageError(f"{path} is not in the repository {top}", hint="plan it by itself")
    repo.git.update_environment(**_QUIETLY)
    repo.git.set_persistent_git_options(git_dir=repo.git_dir, work_tree=top)  # a hook's environment names others
    return top


def roots_of(paths: Sequence[str], top: str) -> list[str]:
    """Return the folders, told from the top, that manifests and their texts lie in."""
    return [below(_root_of(path, top), top) for path in paths]


@contextmanager
def mirrored(repo: Repo, commit: str, paths: Sequence[str], *, top: str) -> Iterator[Mirror]:
    """Give the files of a commit for as long as the block lasts; the repository is one that was prepared.

    Raises GitCommandError for a commit that the clone has not got.
    """
    with TemporaryDirectory(prefix="reconciler-") as folder:
        mirror = Mirror(top, real(folder), paths)
        _check_out(repo, commit, roots_of(paths, top), into=mirror.folder)
        yield mirror


def _check_out(repo: Repo, commit: str, roots: Sequence[str], *, into: str) -> None:
    """Write the files of a commit that lie below some roots."""
    with TemporaryDirectory(prefix="reconciler-") as folder:
        names = Path(folder) / "names"
        with repo.git.custom_environment(GIT_INDEX_FILE=f"{folder}/index"):
            repo.git.read_tree(commit)
            listed = repo.git.ls_files("-z", "--", *roots, **WHOLE)
            names.write_text(listed, encoding="utf-8", errors="surrogateescape")
            with names.open("rb") as stream:
                repo.git.checkout_index("-z", "--stdin", f"--prefix={into}/", istream=stream)


def _root_of(path: str, top: str) -> str:
    """Return the folder that the texts of a path must lie in, as `load` finds it, or the top of the repository."""
    folder = path if Path(path).is_dir() else str(Path(path).parent)
    if not Path(path).is_dir() and not os.path.relpath(folder).startswith(".."):
        folder = "."
    return real(folder) if _is_inside(real(folder), top) else top


def real(path: str) -> str:
    """Return a path without links."""
    return os.path.realpath(path)


def below(place: str, top: str) -> str:
    """Return a real path as it is called from the top."""
    return os.path.relpath(place, top)


def _is_inside(place: str, top: str) -> bool:
    return place == top or place.startswith(f"{top.rstrip('/')}/")
