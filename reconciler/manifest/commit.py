"""The commit that manifests stand at, in words fit for the platform's change history."""

from __future__ import annotations

import re
from pathlib import Path

_LIMIT = 200
_CREDENTIAL = re.compile(r"(?=\S*\d)(?=\S*[A-Za-z])[A-Za-z0-9_\-./+=]{20,}")


def commit_of(path: str) -> str | None:
    """Return the full name of the commit that manifests stand at; None outside git."""
    try:
        from git import Repo
        from git.exc import GitError
    except ImportError:
        return None
    try:
        with Repo(Path(path if path != "-" else ".").resolve(), search_parent_directories=True) as repo:
            return repo.head.commit.hexsha if repo.head.is_valid() else None
    except (GitError, OSError, ValueError):
        return None


def commit_in_words(path: str) -> str | None:
    """Return `a1b2c3d Subject of the commit`, with a note when files differ from it; None outside git.

    A word that looks like a credential is left out: the platform refuses such reasons
    (everruns-api/orgs-apps-errors.md, 6).
    """
    try:
        from git import Repo
        from git.exc import GitError
    except ImportError:
        return None
    try:
        with Repo(Path(path if path != "-" else ".").resolve(), search_parent_directories=True) as repo:
            if not repo.head.is_valid():
                return None
            commit = repo.head.commit
            dirty = repo.is_dirty(untracked_files=False)
            sha, subject = commit.hexsha[:12], str(commit.summary)
    except (GitError, OSError, ValueError):
        return None
    words = _CREDENTIAL.sub("[...]", "".join(c for c in subject if c.isprintable()))[:_LIMIT]
    return f"{sha} {words}" + (" (with uncommitted changes)" if dirty else "")
