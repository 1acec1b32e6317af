"""Whether what is checked out is older than what was applied or merged, as when an old job runs again.

To apply it then would undo what came after it, and its review says nothing of that.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from git import Repo
from git.exc import GitCommandError, GitError

from reconciler.errors import Behind, UsageError

if TYPE_CHECKING:
    from reconciler.ci.forge import Forge
    from reconciler.plan.owned import Ledger

_SHORT = 12
_MOST_FILES = 300
"""So many files GitHub names at most of what was touched between two commits."""
_NOTHING_SHARED = 1
"""How `git merge-base` ends for commits of which neither stands on the other, nor both on a third."""
_HINT = "nothing was written; run the newest commit, revert in git, or give --even-if-behind to go back on purpose"


def ensure_not_behind(
    forge: Forge, ledger: Ledger, *, commit: str, branch: str, manifests: Sequence[str], top: Path
) -> None:
    """Refuse a commit that what was applied last stands on, or on which manifests of the branch moved on.

    `top` is the checkout's, from which GitHub names files. Raises Behind and ForgeError.
    """
    last = last_applied(ledger)
    if last and last != commit and _stands_on(forge, last, commit, top=top):
        raise Behind(f"{commit[:_SHORT]} is older than {last[:_SHORT]}, which was applied last", hint=_HINT)
    touched = forge.touched_since(commit, by=branch) if branch else None
    if touched is not None and _are_among(touched, manifests, top=top):
        raise Behind(f"{commit[:_SHORT]} is behind {branch}, where manifests were changed since", hint=_HINT)


def last_applied(ledger: Ledger) -> str | None:
    """Return the commit of what was applied last, None where nothing says so."""
    told = ((entry.applied_at, entry.commit) for entry in ledger.entries.values() if entry.commit)
    return max(told, default=("", None))[1]


def _stands_on(forge: Forge, later: str, commit: str, *, top: Path) -> bool:
    """Say whether a commit has another among its ancestors; GitHub knows it where the clone has not got it."""
    try:
        with Repo(top, search_parent_directories=True) as repo:
            return str(repo.git.merge_base("--end-of-options", commit, later)) == commit
    except GitError as error:
        if isinstance(error, GitCommandError) and error.status == _NOTHING_SHARED:
            return False
        return forge.touched_since(commit, by=later) is not None


def _are_among(touched: Sequence[str], manifests: Sequence[str], *, top: Path) -> bool:
    """Say whether a file was touched that is a manifest or lies beside one; of too many files nobody can say."""
    if len(touched) >= _MOST_FILES:
        return True
    if "-" in manifests:
        return True
    places = [PurePosixPath(os.path.relpath(Path(one).resolve(), top.resolve())) for one in manifests]
    return any(PurePosixPath(file).is_relative_to(place) for file in touched for place in places)


def ensure_on_branch(ref: str, *, found: str, wanted: str) -> None:
    """Refuse to apply what is on another branch than the wanted one, or on none. Raises UsageError."""
    if wanted and found != wanted:
        raise UsageError(
            f"ci apply is for what was merged into {wanted}, and this job is about {ref or 'no branch'}",
            hint="on: {push: {branches: [" + wanted + "]}}, or name another branch: --branch NAME",
        )
