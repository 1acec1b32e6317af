"""Where manifests stand: their repository and its remote, found without reading any of its files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import LedgerError
from reconciler.ledger.git import Git, without_login


@dataclass(frozen=True, slots=True)
class Checkout:
    """What manifests stand in: the top folder of their repository, or the working directory outside of git.

    `remotes` are the names of the repository's remotes, `git` speaks to it; there is none outside of git.
    """

    top: Path
    git: Git | None = None
    remotes: tuple[str, ...] = ()

    @property
    def origin(self) -> str | None:
        """The remote of that name, if there is one: what names the repository where no remote is needed."""
        return "origin" if "origin" in self.remotes else None

    def remote(self, wanted: str | None = None) -> str | None:
        """Return the remote to use: the wanted one, or `origin`, or the only one; None where there is none.

        Raises LedgerError when the choice is not clear or the wanted one does not exist.
        """
        if wanted is not None and wanted not in self.remotes:
            known = ", ".join(self.remotes) or "none"
            raise LedgerError(f"{self.top} has no remote {wanted}", hint=f"its remotes: {known}")
        if wanted is not None or not self.remotes:
            return wanted
        if "origin" in self.remotes or len(self.remotes) == 1:
            return "origin" if "origin" in self.remotes else self.remotes[0]
        raise LedgerError(
            f"{self.top} has several remotes and none is called origin: {', '.join(self.remotes)}",
            hint="name the one for the ledger in reconciler.yaml: ledger: {remote: ...}",
        )

    def repository(self, remote: str | None) -> str:
        """Name the repository so that every clone of it has the same name."""
        if remote is None or self.git is None:
            return self.top.name or "root"
        return spelled(self.git.ask("config", "--get", f"remote.{remote}.url"))


def checkout_of(manifests: Sequence[str]) -> Checkout:
    """Find the repository of manifests; raises LedgerError when they stand in several."""
    found = {_top(path) for path in manifests}
    if len(found) > 1:
        raise LedgerError(
            "the manifests stand in different repositories, so no ledger can be theirs",
            hint="run once for each of them",
        )
    top = next(iter(found), None)
    if top is None:
        return Checkout(Path.cwd())
    git = Git(top)
    return Checkout(top, git, tuple(git.ask("remote").split()))


def root_of(manifests: Sequence[str], *, top: Path) -> str:
    """Name a set of manifests by their paths from a folder, whatever the working directory is.

    >>> root_of(["/srv/fleet/b", "/srv/fleet/a/"], top=Path("/srv/fleet"))
    'a,b'
    """
    places = (path if path == "-" else os.path.relpath(os.path.realpath(path), top.resolve()) for path in manifests)
    return ",".join(sorted(set(places)))


def spelled(url: str) -> str:
    """Name a repository by its address: without scheme, login, `.git`, and case in the host.

    >>> spelled("git@GitHub.com:acme/fleet.git"), spelled("https://x:token@github.com/acme/fleet")
    ('github.com/acme/fleet', 'github.com/acme/fleet')
    """
    bare = without_login(url.strip()).rstrip("/").removesuffix(".git")
    if "://" in bare:
        scheme, _, bare = bare.partition("://")
        if scheme == "file":
            return bare
    elif ":" in bare.partition("/")[0]:  # the short form of ssh: user@host:path
        bare = bare.rpartition("@")[2].replace(":", "/", 1)
    else:
        return bare
    host, slash, path = bare.partition("/")
    return f"{host.lower()}{slash}{path.lstrip('/')}"


def _top(path: str) -> Path | None:
    """Return the top folder of the repository that a path stands in, None outside of git."""
    place = Path.cwd() if path == "-" else Path(os.path.realpath(path))
    folder = place if place.is_dir() else place.parent
    if not any((above / ".git").exists() for above in (folder, *folder.parents)):
        return None  # without asking: git may not even be installed
    ran = Git(folder).run("rev-parse", "--show-toplevel")
    if ran.code:
        if "not a git repository" in ran.err or "must be run in a work tree" in ran.err:
            return None
        hint = "if it is yours: git config --global --add safe.directory FOLDER" if "dubious" in ran.err else None
        raise LedgerError(f"cannot use the repository of {path}: {ran.why}", hint=hint)
    return Path(ran.out.decode().rstrip("\n"))
