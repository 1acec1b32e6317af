"""Which backend keeps the ledger: what was asked for, else the branch of a remote, else a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from reconciler.errors import LedgerError
from reconciler.ledger.backend import Backend, key_of
from reconciler.ledger.checkout import Checkout, checkout_of, root_of
from reconciler.ledger.former import Former, Look, in_file, nowhere, on_branch
from reconciler.plan.owned import Owner

Name = Literal["git", "file"]
FOLDER = Path(".reconciler/ledger")
LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Wish:
    """What flags and reconciler.yaml say of the ledger's place; None is not said.

    `path` is the folder of files, as it can be opened from the working directory.
    """

    backend: Name | None = None
    path: Path | None = None
    branch: str | None = None
    remote: str | None = None
    environment: str | None = None


def choose(manifests: Sequence[str], *, api_url: str, wish: Wish, local: bool = False) -> Backend:
    """Return the ledger's backend for these manifests and this platform.

    A `local` run has a ledger of its own, beside the data of the embedded emulator. Raises LedgerError when the
    choice cannot be made or does not work here.
    """
    checkout = checkout_of(manifests)
    name = "file" if local else wish.backend or ("git" if checkout.remotes else "file")
    remote = checkout.remote(wish.remote) if name == "git" else checkout.origin
    owner = Owner(
        repository=checkout.repository(remote),
        root=root_of(manifests, top=checkout.top),
        environment=LOCAL if local else wish.environment or environment_of(api_url),
    )
    folder = wish.path or checkout.top / FOLDER
    if name == "git":
        return _git(checkout, owner, remote=remote, branch=wish.branch, folder=folder)
    if local:
        return _file(owner, folder=FOLDER, ignored=True)
    before = partial(_seen_branch, checkout, owner, wish)
    return _file(owner, folder=folder, ignored=wish.path is None, before=before)


def environment_of(api_url: str) -> str:
    """Name an environment that nobody named by its platform: host, and port where there is one."""
    return urlsplit(api_url).netloc.rpartition("@")[2].lower() or "default"


def _git(checkout: Checkout, owner: Owner, *, remote: str | None, branch: str | None, folder: Path) -> Backend:
    from reconciler.ledger.git_backend import BRANCH, GitBackend

    if checkout.git is None or remote is None:
        why = "is not in a git repository" if checkout.git is None else "has no remote"
        raise LedgerError(
            f"the ledger cannot be kept on a branch: {checkout.top} {why}",
            hint="add a remote (git remote add origin ...), or write ledger: {backend: file} in reconciler.yaml",
        )
    before = partial(in_file, folder / f"{key_of(owner)}.json", by=owner)
    return GitBackend(checkout.git, owner, remote=remote, branch=branch or BRANCH, before=before)


def _file(owner: Owner, *, folder: Path, ignored: bool, before: Look = nowhere) -> Backend:
    from reconciler.ledger.file_backend import FileBackend

    return FileBackend(folder, owner, ignored=ignored, before=before)


def _seen_branch(checkout: Checkout, owner: Owner, wish: Wish) -> Former | None:
    """Return what the branch of a remote kept when this clone last saw it."""
    from reconciler.ledger.git_backend import BRANCH

    if checkout.git is None or (remote := wish.remote or checkout.origin) is None:
        return None
    ref = f"refs/remotes/{remote}/{wish.branch or BRANCH}"
    return on_branch(checkout.git, ref, f"{key_of(owner)}.json", by=owner)
