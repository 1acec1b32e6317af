"""What a pull request's plan is made for: the merge result, and which base that stands on."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
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
    with _repository(folder) as repo:
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
def checked_out(commit: str, *, folder: Path) -> Iterator[Path | None]:
    """Give a folder with the files of a commit for as long as the block lasts, None where the clone has not got it.

    A link that leads out of the repository is left out, and so is whatever else strangers must not make here.
    """
    from git.exc import GitError

    with TemporaryDirectory(prefix="reconciler-base-") as name:
        data = io.BytesIO()
        try:
            with _repository(folder) as repo:
                repo.archive(data, treeish=commit, format="tar")
        except (GitError, ValueError):
            yield None
            return
        data.seek(0)
        with tarfile.open(fileobj=data) as files:
            for member in files:
                with suppress(tarfile.FilterError):
                    files.extract(member, name, filter="data")
        yield Path(name)


def top_of(folder: Path) -> Path:
    """Return the top folder of the repository. Raises UsageError outside of one."""
    with _repository(folder) as repo:
        return Path(repo.working_tree_dir or folder)


@contextmanager
def _repository(folder: Path) -> Iterator[Repo]:
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
