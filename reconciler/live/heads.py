"""HEADS: when the branches that content comes from last moved, asked of their repositories where they can be asked."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final

from reconciler.kinds.kind import Origin
from reconciler.kinds.secrecy import has_userinfo
from reconciler.live.readers import readers
from reconciler.plan.freshness import Head

SECONDS: Final = 10.0
"""So long a repository may take to answer."""
_ALONE: Final = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS": "true",
    "GCM_INTERACTIVE": "never",
    "LC_ALL": "C",
}
"""Nobody is there to be asked for a password."""


def no_heads(_origins: Collection[Origin]) -> Mapping[Origin, Head]:
    """Ask for none: what the embedded emulator syncs comes from wherever it was told."""
    return {}


def heads(origins: Collection[Origin], *, parallelism: int, seconds: float = SECONDS) -> Mapping[Origin, Head]:
    """Return the head of each branch that could be asked for; one that could not is simply not in it."""
    asked = [one for one in dict.fromkeys(origins) if one.url.startswith("https://") and not has_userinfo(one.url)]
    if not asked:
        return {}
    with readers(parallelism) as pool:
        found = list(pool.map(partial(_head, seconds=seconds), asked))
    return {origin: head for origin, head in zip(asked, found, strict=True) if head is not None}


def heads_so_far(origins: Collection[Origin], *, parallelism: int) -> Mapping[Origin, Head]:
    """Return the heads as `heads` does, less those dated ahead: no sync is ever younger."""
    now = datetime.now(UTC)
    return {origin: head for origin, head in heads(origins, parallelism=parallelism).items() if head.at <= now}


def _head(origin: Origin, *, seconds: float) -> Head | None:
    """Fetch the commit of a branch and nothing that it holds: its time is what ls-remote does not tell."""
    try:
        from git import Repo
        from git.exc import GitError
    except ImportError:  # no git on this machine
        return None
    with tempfile.TemporaryDirectory(prefix="reconciler-heads-") as folder:
        try:
            with Repo.init(folder, bare=True) as repo, repo.git.custom_environment(**_ALONE):
                repo.git.execute(
                    [
                        *("git", "-c", "protocol.ext.allow=never", "fetch", "--quiet", "--no-tags", "--depth=1"),
                        *("--filter=tree:0", "--", origin.url, f"refs/heads/{origin.branch}"),
                    ],
                    kill_after_timeout=seconds if os.name == "posix" else None,
                )
                commit = repo.commit("FETCH_HEAD")
                return Head(commit.hexsha, commit.committed_datetime.astimezone(UTC))
        except (GitError, OSError, ValueError):
            return None
