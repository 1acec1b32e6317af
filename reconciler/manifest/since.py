"""What was touched since a commit: what the manifests declared then, read as they stood, against what they declare now.

Meaning is compared, not text: a document that only moved or was commented is not touched; one is whose prompt changed
in a file beside it, or that another organization took in. Git checks the old files out into a folder that goes again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from reconciler.errors import Fault, UsageError
from reconciler.kinds.fields import SecretRef
from reconciler.manifest.load import STDIN
from reconciler.manifest.mirror import WHOLE, below, mirrored, prepared, real, roots_of
from reconciler.plan.select import Since
from reconciler.resource import Address, Desired

if TYPE_CHECKING:
    from git import Repo

_FETCH: Final = "fetch it whole: fetch-depth: 0 in actions/checkout, git fetch --unshallow elsewhere"

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
        if fault.source is not None and real(fault.source.file.path) in self.changed:
            return False
        return self.said is None or _key(fault, str) in self.faults

    def _marked(self, path: str) -> str:
        """Spell the file of a secret; nobody reads it here, but git says whether it is another."""
        place = real(path)
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
        with Repo(real(paths[0]), search_parent_directories=True) as repo:
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
    try:
        top = prepared(repo, paths)
    except UsageError as error:
        raise UsageError(f"--since {ref}: {error.message}", hint=error.hint) from error
    base = _base(repo, ref)
    changed = frozenset(_changed(repo, base, roots_of(paths, top), [below(real(path), top) for path in paths]))
    if not changed:
        return Before(ref)
    with mirrored(repo, base, paths, top=top) as mirror:
        resolved = mirror.resolved()
        said = {one.address: _said(one, lambda path: real(mirror.spelled(path))) for one in resolved.desired}
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
    differing = repo.git.diff("--name-only", "--no-renames", "--no-ext-diff", "-z", base, "--", *roots, **WHOLE)
    unknown = repo.git.ls_files("--others", "-z", "--", *manifests, **WHOLE)
    for name in [*differing.split("\0"), *unknown.split("\0")]:
        if name:
            yield os.path.realpath(f"{repo.working_tree_dir}/{name}")


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
    file = real(spelled(fault.source.file.path)) if fault.source else None
    return file, fault.path, spelled(fault.message)
