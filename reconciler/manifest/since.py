"""What was touched since a commit: what the manifests declared then, read as they stood, against what they declare now.

Meaning is compared, not text: a document that only moved or was commented is not touched; one is whose prompt changed
in a file beside it, or that another organization took in. Git checks the old files out into a folder that goes again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import orjson

from reconciler.errors import Fault, UsageError
from reconciler.kinds.fields import SecretRef
from reconciler.manifest.load import STDIN, load
from reconciler.manifest.resolve import Resolved, resolve
from reconciler.plan.select import Since
from reconciler.resource import Address, Desired

if TYPE_CHECKING:
    from git import Repo

_FETCH: Final = "fetch it whole: fetch-depth: 0 in actions/checkout, git fetch --unshallow elsewhere"
_QUIETLY: Final = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1"}
_WHOLE: Final = {"strip_newline_in_stdout": False}

Spelled = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Before:
    """What was declared at a commit, called `ref`, and which files differ from it, by their real paths.

    `said` is None where no file differs: everything is as it was. `faults` are those that were there already.
    """

    ref: str
    said: Mapping[Address, bytes] | None = None
    faults: frozenset[tuple[object, ...]] = frozenset()
    changed: frozenset[str] = frozenset()

    def touched(self, declared: Sequence[Desired]) -> Since:
        """Compare with what is declared now."""
        if self.said is None:
            return Since(self.ref)
        touched = {one.address for one in declared if self.said.get(one.address) != _said(one, self._marked)}
        removed = self.said.keys() - {one.address for one in declared}
        return Since(self.ref, frozenset(touched | removed))

    def explains(self, fault: Fault) -> bool:
        """Say whether a fault was there already, in a file that nobody touched."""
        if fault.source is not None and _real(fault.source.file.path) in self.changed:
            return False
        return self.said is None or _key(fault, str) in self.faults

    def _marked(self, path: str) -> str:
        """Spell the file of a secret; nobody reads it here, but git says whether it is another."""
        place = _real(path)
        return f"{place} differs" if place in self.changed else place


def before(paths: Sequence[str], ref: str) -> Before:
    """Read what manifests declared where this history left `ref`, or at `ref` itself when that is part of it.

    Raises UsageError where git knows no such commit, the clone does not reach it, or there is no git.
    """
    try:
        from git import Repo
        from git.exc import GitCommandError, InvalidGitRepositoryError, NoSuchPathError
    except ImportError as error:
        raise UsageError(
            "--since needs git, which is not installed", hint="install it, or leave --since out"
        ) from error
    if STDIN in paths:
        raise UsageError("--since cannot tell what stdin held before", hint="name a file or a folder with -f")
    try:
        with Repo(_real(paths[0]), search_parent_directories=True) as repo:
            return _before(repo, paths, ref)
    except NoSuchPathError as error:
        raise UsageError(
            f"cannot read {paths[0]}: there is no such path", hint="-f takes a folder or a file"
        ) from error
    except InvalidGitRepositoryError as error:
        raise UsageError(
            f"--since {ref}: {paths[0]} is in no git repository", hint="leave it out, or run it in a clone"
        ) from error
    except (GitCommandError, ValueError, OSError) as error:
        words = str(getattr(error, "stderr", "") or error).strip().strip("'").removeprefix("stderr: ").strip("' \n")
        raise UsageError(f"--since {ref}: git says {words.splitlines()[0] if words else 'no'}") from error


def _before(repo: Repo, paths: Sequence[str], ref: str) -> Before:
    if repo.working_tree_dir is None:
        raise UsageError(f"--since {ref}: a bare repository has no files to compare", hint="run it in a clone")
    top = os.path.realpath(repo.working_tree_dir)
    for path in paths:
        if not _is_inside(_real(path), top):
            raise UsageError(f"--since {ref}: {path} is not in the repository {top}", hint="plan it by itself")
    repo.git.update_environment(**_QUIETLY)
    repo.git.set_persistent_git_options(git_dir=repo.git_dir, work_tree=top)  # a hook's environment names others
    base = _base(repo, ref)
    roots = [_below(_root_of(path, top), top) for path in paths]
    changed = frozenset(_changed(repo, base, roots, [_below(_real(path), top) for path in paths]))
    if not changed:
        return Before(ref)
    with TemporaryDirectory(prefix="reconciler-") as folder:
        mirror = _Mirror(top, os.path.realpath(folder), paths)
        _check_out(repo, base, roots, into=mirror.folder)
        resolved = mirror.resolved()
        said = {one.address: _said(one, lambda path: _real(mirror.spelled(path))) for one in resolved.desired}
        return Before(ref, said, frozenset(_key(fault, mirror.spelled) for fault in resolved.faults), changed)


def _base(repo: Repo, ref: str) -> str:
    """Return the commit where this history left `ref`. Raises UsageError where it has none."""
    from git.exc import GitCommandError

    is_shallow = (Path(repo.common_dir) / "shallow").exists()
    try:
        commit = "" if ref.startswith("-") else repo.git.rev_parse("--verify", "--quiet", f"{ref}^{{commit}}")
    except GitCommandError:
        commit = ""
    if not commit:
        way_out = (
            _FETCH if is_shallow else "name a branch, a tag or a commit that git log shows; git fetch may bring it"
        )
        known = "this shallow clone has no such commit" if is_shallow else "git knows no such commit"
        raise UsageError(f"--since {ref or '(nothing)'}: {known}", hint=way_out)
    try:
        return str(repo.git.merge_base(commit, "HEAD")).split()[0]
    except (GitCommandError, IndexError) as error:
        if is_shallow:
            raise UsageError(f"--since {ref}: this shallow clone does not reach back to it", hint=_FETCH) from error
        raise UsageError(
            f"--since {ref}: it has no history in common with what is checked out", hint="name another commit"
        ) from error


def _changed(repo: Repo, base: str, roots: Sequence[str], manifests: Sequence[str]) -> Iterator[str]:
    """Yield the files below some roots that differ from a commit, and those manifests that git does not know."""
    differing = repo.git.diff("--name-only", "--no-renames", "--no-ext-diff", "-z", base, "--", *roots, **_WHOLE)
    unknown = repo.git.ls_files("--others", "-z", "--", *manifests, **_WHOLE)
    for name in [*differing.split("\0"), *unknown.split("\0")]:
        if name:
            yield os.path.realpath(f"{repo.working_tree_dir}/{name}")


@dataclass(frozen=True, slots=True)
class _Mirror:
    """The manifests of a repository at `top`, as they are found again below `folder`."""

    top: str
    folder: str
    paths: Sequence[str]
    made: dict[str, str] = field(default_factory=dict)

    def of(self, place: str) -> str:
        """Return where a real path is found again; the top where it is not in the repository."""
        return (
            os.path.normpath(f"{self.folder}/{_below(place, self.top)}") if _is_inside(place, self.top) else self.folder
        )

    def spelled(self, text: str) -> str:
        """Return a text with the paths in it as they are spelled on the command line."""
        for path in self.paths:
            text = text.replace(self.of(_real(path)), path.rstrip("/") or "/")
        return text.replace(self.folder, self.top)

    def resolved(self) -> Resolved:
        """Read the manifests; a text beside a single file is looked for as far up as it is now."""
        places = {self.of(_real(path)): path for path in self.paths}
        loaded = load([*places], may_be_empty=True)
        for place, path in places.items():
            if not Path(path).is_dir():
                loaded.roots[str(Path(place).parent)] = self.of(_root_of(path, self.top))
        return resolve(loaded)


def _root_of(path: str, top: str) -> str:
    """Return the folder that the texts of a path must lie in, as `load` finds it, or the top of the repository."""
    folder = path if Path(path).is_dir() else str(Path(path).parent)
    if not Path(path).is_dir() and not os.path.relpath(folder).startswith(".."):
        folder = "."
    return _real(folder) if _is_inside(_real(folder), top) else top


def _check_out(repo: Repo, base: str, roots: Sequence[str], *, into: str) -> None:
    """Write the files of a commit that lie below some roots, through an index of their own."""
    with TemporaryDirectory(prefix="reconciler-") as folder:
        names = Path(folder) / "names"
        with repo.git.custom_environment(GIT_INDEX_FILE=f"{folder}/index"):
            repo.git.read_tree(base)
            listed = repo.git.ls_files("-z", "--", *roots, **_WHOLE)
            names.write_text(listed, encoding="utf-8", errors="surrogateescape")
            with names.open("rb") as stream:
                repo.git.checkout_index("-z", "--stdin", f"--prefix={into}/", istream=stream)


def _said(one: Desired, spelled: Spelled) -> bytes:
    """Return all that git says of an address, as bytes that are equal when it says the same."""
    said = [
        one.spec,
        one.title,
        one.pinned,
        one.archive,
        one.position,
        one.lists_children,
        one.protect,
        one.adopt,
        one.moved_from,
    ]

    def plain(value: object) -> object:
        if isinstance(value, SecretRef):
            return {value.source: spelled(value.name) if value.source == "file" else value.name}
        return repr(value)

    try:
        return orjson.dumps(said, default=plain, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a whole number beyond 64 bits
        return repr(said).encode()


def _key(fault: Fault, spelled: Spelled) -> tuple[object, ...]:
    """Return what makes a fault the same on both sides; its line may have moved."""
    file = _real(spelled(fault.source.file.path)) if fault.source else None
    return file, fault.path, spelled(fault.message)


def _real(path: str) -> str:
    return os.path.realpath(path)


def _is_inside(place: str, top: str) -> bool:
    return place == top or place.startswith(f"{top.rstrip('/')}/")


def _below(place: str, top: str) -> str:
    return os.path.relpath(place, top)
