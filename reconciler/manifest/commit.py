"""The commit that manifests stand at, in words fit for the platform's change history."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from reconciler.kinds.secrecy import is_marked_secret

WITHHELD = "(its subject looks like a credential)"
"""What stands in the place of a subject that the platform would refuse."""
_LIMIT = 200
_SPOKEN = re.compile(r"-----BEGIN|\b(?:ASIA[0-9A-Z]{16}|Bearer\s+\S{8})", re.IGNORECASE)
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


def stand_of(paths: Sequence[str]) -> str | None:
    """Return the commit that manifests stand at, with a `+` where their files are not as it holds them.

    Of what git does not know, documents count alone: a plan or a report may lie beside them. None outside git.
    """
    commit = commit_of(paths[0])
    return f"{commit}+" if commit and any(_is_dirty(path) for path in paths) else commit


def _is_dirty(path: str) -> bool:
    """Say whether manifests differ from the commit they stand at; what stdin brings is in none."""
    from git import Repo
    from git.exc import GitError

    if path == "-":
        return True
    place = Path(path).resolve()
    try:
        with Repo(place, search_parent_directories=True) as repo:
            told = repo.git.status("--porcelain", "-z", "--untracked-files=all", "--", str(place))
    except (GitError, OSError, ValueError):
        return False
    return any(_counts(line) for line in told.split("\0"))


def _counts(line: str) -> bool:
    """Say whether a line of git's status is about a manifest."""
    return line.lower().endswith((".yaml", ".yml")) if line.startswith("??") else bool(line)


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
            sha, subject = commit.hexsha[:12], str(commit.summary)
    except (GitError, OSError, ValueError):
        return None
    return f"{sha} {harmless(subject)}" + (" (with uncommitted changes)" if path != "-" and _is_dirty(path) else "")


def subject_of(path: str) -> str | None:
    """Return the subject of the commit that manifests stand at, fit for the platform's history; None outside git."""
    told = commit_in_words(path)
    return told.partition(" ")[2] if told else None


def harmless(subject: str) -> str:
    """Return a subject that the platform takes for no credential: as it is, without odd words, or not at all.

    >>> harmless("Use sk-0123456789abcdefgh"), harmless("Ask twice")
    ('(its subject looks like a credential)', 'Ask twice')
    """
    words = _CREDENTIAL.sub("[...]", "".join(c for c in subject if c.isprintable()))[:_LIMIT]
    if is_marked_secret(words) or _SPOKEN.search(words):
        return WITHHELD
    return words
