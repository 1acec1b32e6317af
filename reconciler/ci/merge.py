"""What a pull request's plan is made for: the merge result, and which base that stands on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from git import Repo

    from reconciler.ci.environment import PullRequest

_SHORT = 12


@dataclass(frozen=True, slots=True)
class Result:
    """What is checked out: the commit `base` that a merge stands on, or the branch alone, where `is_merge` is false."""

    base: str
    is_merge: bool


def result_of(pull_request: PullRequest, *, folder: Path) -> Result:
    """Say what is checked out. Raises UsageError outside of a repository."""
    with repository(folder) as repo:
        parents = [one.hexsha for one in repo.head.commit.parents]
    if len(parents) > 1 and pull_request.head_sha in parents[1:]:
        return Result(parents[0], is_merge=True)
    return Result(pull_request.base_sha, is_merge=False)


def base_in_words(pull_request: PullRequest, result: Result) -> str:
    """Say which base a plan was made for."""
    base = f"{pull_request.base_ref} at {result.base[:_SHORT]}"
    head = pull_request.head_sha[:_SHORT]
    return f"{head} merged into {base}" if result.is_merge else f"{head} alone, not merged into {base}"


@contextmanager
def repository(folder: Path) -> Iterator[Repo]:
    """Give the repository that a folder lies in. Raises UsageError outside of one, and where nothing is checked out."""
    from git import Repo
    from git.exc import InvalidGitRepositoryError, NoSuchPathError

    try:
        repo = Repo(folder, search_parent_directories=True)
    except (InvalidGitRepositoryError, NoSuchPathError) as error:
        raise UsageError(f"{folder} is in no git repository", hint="check it out first: actions/checkout") from error
    with repo:
        if not repo.head.is_valid():
            raise UsageError(f"{folder} has no commit checked out", hint="check it out first: actions/checkout")
        yield repo
