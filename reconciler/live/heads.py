"""HEADS: when the branches that content comes from last moved, asked of their repositories where they can be asked."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from subprocess import DEVNULL, PIPE, Popen
from typing import Final

from reconciler.git_environment import of_its_own
from reconciler.kinds.kind import Origin
from reconciler.kinds.secrecy import has_userinfo
from reconciler.live.readers import readers
from reconciler.plan.freshness import Head

SECONDS: Final = 10.0
"""So long a repository may take to answer."""
TOGETHER: Final = 30.0
"""So long all of them may take."""
_POLL: Final = 0.02
_SHORT: Final = 4096
_ALONE: Final = {"GIT_ASKPASS": "true", "SSH_ASKPASS": "true", "GCM_INTERACTIVE": "never"}
"""Nobody is there to be asked for a password; a session without a terminal sees to the rest."""
_SETTINGS: Final = ("core.hooksPath=/dev/null", "gc.auto=0", "maintenance.auto=false", "protocol.ext.allow=never")
_WITHOUT_LOGIN: Final = ("credential.helper=", "http.extraHeader=", "http.followRedirects=false")
"""The platform reads only public repositories by their address: no host that a manifest names is given a login."""
_WITH_LOGIN: Final = "https://github.com/"


def no_heads(_origins: Collection[Origin]) -> Mapping[Origin, Head]:
    """Ask for none: what the embedded emulator syncs comes from wherever it was told."""
    return {}


def heads(
    origins: Collection[Origin], *, parallelism: int, seconds: float = SECONDS, together: float = TOGETHER
) -> Mapping[Origin, Head]:
    """Return the head of each branch that could be asked for; one that could not is simply not in it.

    Each may take so many seconds, and all so many together.
    """
    asked = [one for one in dict.fromkeys(origins) if one.url.startswith("https://") and not has_userinfo(one.url)]
    if not asked:
        return {}
    asking = _Asking(seconds, time.monotonic() + together)
    try:
        with readers(parallelism) as pool:
            found = list(pool.map(partial(_head, asking=asking), asked))
    finally:
        asking.over.set()  # an interrupt ends what is still asked
    return {origin: head for origin, head in zip(asked, found, strict=True) if head is not None}


def heads_so_far(origins: Collection[Origin], *, parallelism: int) -> Mapping[Origin, Head]:
    """Return the heads as `heads` does, less those dated ahead: no sync is ever younger."""
    now = datetime.now(UTC)
    return {origin: head for origin, head in heads(origins, parallelism=parallelism).items() if head.at <= now}


@dataclass(frozen=True, slots=True)
class _Asking:
    """How long may be asked: seconds for each, until a monotonic time for all, and not when it is over."""

    seconds: float
    until: float
    over: threading.Event = field(default_factory=threading.Event)


def _head(origin: Origin, *, asking: _Asking) -> Head | None:
    """Fetch the commit of a branch and nothing that it holds: its time is what ls-remote does not tell."""
    deadline = min(time.monotonic() + asking.seconds, asking.until)
    run = partial(_run, deadline=deadline, over=asking.over)
    settings = _SETTINGS if origin.url.startswith(_WITH_LOGIN) else (*_SETTINGS, *_WITHOUT_LOGIN)
    fetch = ("fetch", "--quiet", "--no-tags", "--depth=1", "--filter=tree:0", "--")
    try:
        with tempfile.TemporaryDirectory(prefix="reconciler-heads-", ignore_cleanup_errors=True) as folder:
            git = ("git", f"--git-dir={folder}", *(word for one in settings for word in ("-c", one)))
            run([*git, "init", "--quiet", "--bare", "--template="])
            run([*git, *fetch, origin.url, f"refs/heads/{origin.branch}"])
            return _read(run([*git, "rev-list", "--max-count=1", "--timestamp", "FETCH_HEAD"]))
    except (OSError, OverflowError, ValueError):  # no git on this machine, an address that is no argument, no such time
        return None


def _read(line: bytes) -> Head:
    """Read a time and a commit; whoever may push chose the time, which datetime may refuse with one of many errors."""
    when, _, commit = line.decode("ascii").strip().partition(" ")
    return Head(commit, datetime.fromtimestamp(int(when), UTC))


def _run(command: Sequence[str], *, deadline: float, over: threading.Event) -> bytes:
    """Return the few bytes that git says; raises OSError where it fails, or has not ended by the deadline.

    It has a session of its own, without a terminal that could be asked on, and ends together with all it started.
    """
    with Popen(  # noqa: S603 - a list of words, no shell
        command, env=of_its_own(**_ALONE), stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, start_new_session=True
    ) as git:
        is_late = False
        try:
            while git.poll() is None and not is_late:
                is_late = time.monotonic() >= deadline or over.wait(_POLL)
        finally:
            if git.returncode is None:
                _end(git)
        if git.returncode != 0 or git.stdout is None:
            raise ChildProcessError
        os.set_blocking(git.stdout.fileno(), False)  # a child that got away may still hold the pipe
        return git.stdout.read(_SHORT) or b""


def _end(git: Popen[bytes]) -> None:
    """Kill git with all it started."""
    with suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(git.pid, signal.SIGKILL)
        else:
            git.kill()
