"""Fetching one branch, one commit deep, into a repository of its own: nothing of this machine takes part.

The user's git configuration, credentials, hooks and templates are out of reach, no password is ever asked for, and one
protocol alone is spoken. Nothing is checked out, so no hook, filter or submodule of the repository can run.
"""

import re
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.emulator.git_addresses import Remote
from reconciler.emulator.git_process import UNPREPARED, UNREACHABLE, FailedError, Repository, SyncError

if TYPE_CHECKING:
    from git.cmd import Git

SNAPSHOT = "refs/heads/snapshot"
MOST_BYTES = 512 * 1024 * 1024
TOO_LARGE = "repository snapshot exceeds maximum sync size"
# A directory named by the user may belong to somebody else, as it often does in containers. What is fetched is one
# pack, whose length has a limit, and what is too long for a memory anyway is not held in memory to unpack it.
CONFIG = """\
[credential]
	helper =
[core]
	hooksPath = /dev/null
[safe]
	directory = *
[gc]
	auto = 0
[maintenance]
	auto = false
[fetch]
	unpackLimit = 1
[core]
	bigFileThreshold = 16m
"""
REFUSED = re.compile(r"returned error: 40[13]\b|Authentication failed|could not read (Username|Password)")
OVERSIZED = "File too large"
MISSING = re.compile(
    r"couldn't find remote ref|returned error: 404\b|repository '.*' not found|not appear to be a git repository"
)


@contextmanager
def fetched(
    remote: Remote, branch: str, *, is_github: bool, stop: threading.Event, seconds: float, most: int = MOST_BYTES
) -> Iterator[Repository]:
    """Fetch a branch as `SNAPSHOT` and give the repository that holds it, until the block is left or time is up."""
    library = _library()
    with tempfile.TemporaryDirectory(prefix="emulator-sync-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        (home / ".gitconfig").write_text(CONFIG, encoding="utf-8")
        git = library(folder)
        git.update_environment(**_environment(home, remote.protocol))
        repository = Repository(git, stop, time.monotonic() + seconds)
        fetch = ("fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--", remote.url)
        try:
            repository.run("init", "--quiet", "--template=")
        except FailedError as error:
            raise SyncError(UNPREPARED) from error
        try:
            repository.run(*fetch, f"+refs/heads/{branch}:{SNAPSHOT}", most=most)
        except FailedError as error:
            raise SyncError(_explained(str(error), is_github=is_github)) from None
        yield repository


def _library() -> "type[Git]":
    """Load the library; without a git program on this machine there is nothing to load."""
    try:
        from git.cmd import Git  # noqa: PLC0415 - start-up: only a sync pays for git
    except ImportError as error:
        raise SyncError(UNPREPARED) from error
    return Git


def _environment(home: Path, protocol: str) -> Mapping[str, str]:
    """Override whatever git would take from the surroundings, a hook that this runs below included."""
    repository = home / "snapshot.git"
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_PARAMETERS": "",
        "GIT_CONFIG_COUNT": "0",
        "GIT_DIR": str(repository),
        "GIT_COMMON_DIR": str(repository),
        "GIT_WORK_TREE": str(home),
        "GIT_INDEX_FILE": str(repository / "index"),
        "GIT_OBJECT_DIRECTORY": str(repository / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": "",
        "GIT_NAMESPACE": "",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_ALLOW_PROTOCOL": protocol,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "GCM_INTERACTIVE": "never",
    }


def _explained(output: str, *, is_github: bool) -> str:
    """Say why a fetch failed in the server's words, which never repeat an address or what git said."""
    if OVERSIZED in output:
        return TOO_LARGE
    if REFUSED.search(output):
        advice = "Reconnect GitHub and retry" if is_github else "Check repository access and retry"
        return f"Repository authentication failed. {advice}"
    return not_found(is_github=is_github) if MISSING.search(output) else UNREACHABLE


def not_found(*, is_github: bool) -> str:
    """Say that there is no such repository or branch."""
    if is_github:
        return (
            "Repository or branch was not found, or the repository is private. "
            "Check the repository or connect GitHub for private access"
        )
    return "Repository or branch was not found. Check the repository URL and branch"
