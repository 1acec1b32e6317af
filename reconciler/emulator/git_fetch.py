"""Fetching one branch, one commit deep, into a repository of its own: nothing of this machine takes part.

The user's git configuration, credentials, hooks and templates are out of reach, no password is ever asked for, and one
protocol alone is spoken. Nothing is checked out, so no hook, filter or submodule of the repository can run.
"""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.emulator.git_addresses import Remote

if TYPE_CHECKING:
    from git.cmd import Git

SNAPSHOT = "refs/heads/snapshot"
POLL = 0.05
UNPREPARED = "failed to prepare repository checkout"
UNREACHABLE = "Could not reach the repository. Check the network and retry"
# A directory named by the user may belong to somebody else, as it often does in containers.
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
"""
REFUSED = re.compile(r"returned error: 40[13]\b|Authentication failed|could not read (Username|Password)")
MISSING = re.compile(
    r"couldn't find remote ref|returned error: 404\b|repository '.*' not found|not appear to be a git repository"
)


class SyncError(Exception):
    """A sync that failed, in the words of `last_sync_error` (everruns-api/agents-memories-sessions.md, 4.5)."""


class StoppedError(Exception):
    """The server is shutting down; the sync is abandoned."""


@contextmanager
def fetched(remote: Remote, branch: str, *, is_github: bool, stop: threading.Event, seconds: float) -> "Iterator[Git]":
    """Fetch a branch as `SNAPSHOT` and give git over the repository that holds it, until the block is left."""
    library = _library()
    with tempfile.TemporaryDirectory(prefix="emulator-sync-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        (home / ".gitconfig").write_text(CONFIG, encoding="utf-8")
        git = library(folder)
        git.update_environment(**_environment(home, remote.protocol))
        deadline = time.monotonic() + seconds
        init = ["init", "--quiet", "--template="]
        fetch = ["fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--", remote.url]
        code, _ = _run(git, init, stop=stop, deadline=deadline)
        if code:
            raise SyncError(UNPREPARED)
        code, output = _run(git, [*fetch, f"+refs/heads/{branch}:{SNAPSHOT}"], stop=stop, deadline=deadline)
        if code:
            raise SyncError(_explained(output, is_github=is_github))
        try:
            yield git
        finally:
            git.clear_cache()


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
        "GIT_ALLOW_PROTOCOL": protocol,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "GCM_INTERACTIVE": "never",
    }


def _run(git: "Git", arguments: list[str], *, stop: threading.Event, deadline: float) -> tuple[int, str]:
    """Run git to its end, the deadline or the shutdown; gives its exit code and what it said."""
    from git.exc import GitCommandNotFound  # noqa: PLC0415

    try:
        process = git.execute(["git", *arguments], as_process=True, start_new_session=True)
    except GitCommandNotFound as error:
        raise SyncError(UNPREPARED) from error
    while True:
        try:
            _, said = process.communicate(timeout=POLL)
        except subprocess.TimeoutExpired:
            if not stop.is_set() and time.monotonic() < deadline:
                continue
            _kill(process.pid)
            process.communicate()
            if stop.is_set():
                raise StoppedError from None
            raise SyncError(UNREACHABLE) from None
        return process.returncode, said.decode(errors="replace")


def _kill(pid: int) -> None:
    """Kill git and the transport it started, which share a process group of their own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _explained(output: str, *, is_github: bool) -> str:
    """Say why a fetch failed in the server's words, which never repeat an address or what git said."""
    if REFUSED.search(output):
        advice = "Reconnect GitHub and retry" if is_github else "Check repository access and retry"
        return f"Repository authentication failed. {advice}"
    if not MISSING.search(output):
        return UNREACHABLE
    if is_github:
        return (
            "Repository or branch was not found, or the repository is private. "
            "Check the repository or connect GitHub for private access"
        )
    return "Repository or branch was not found. Check the repository URL and branch"
