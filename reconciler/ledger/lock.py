"""Who holds a ledger, from when, and until when that is believed."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from getpass import getuser
from pathlib import Path
from typing import Any, Final

import orjson

from reconciler.errors import LedgerLocked
from reconciler.plan.owned import shortened

_PIDS: Final = 2**31
_LONGEST: Final = 1_000
LASTS = 3600.0
"""Seconds after which a lock counts as left behind, unless its run said otherwise."""


@dataclass(frozen=True, slots=True)
class Lock:
    """One run's hold on a ledger; `id` tells it from all others, `run` is the address of a CI run.

    Times are as `2026-11-02T10:00:00Z`. `expires_at` is None where the lock ends with its process. `machine` tells one
    boot of one machine, and one container on it, from all others; None where that cannot be told.
    """

    id: str
    who: str
    host: str
    pid: int
    started_at: str
    expires_at: str | None = None
    run: str | None = None
    machine: str | None = None

    def __str__(self) -> str:
        """Say who holds it, for people."""
        run = f", {self.run}" if self.run else ""
        return f"{self.who} on {self.host} (process {self.pid}{run}) since {self.started_at}"

    @property
    def is_stale(self) -> bool:
        """Whether its time is over, or its process, which ran here, is no more."""
        if self.expires_at is not None and self.expires_at < stamp(datetime.now(UTC)):
            return True
        return self.machine is not None and self.machine == _machine() and not _is_alive(self.pid)


def lock_of(env: Mapping[str, str], *, lasts: float | None = LASTS) -> Lock:
    """Make this process's lock, for `lasts` seconds; in CI it is that of who set off the run."""
    start = datetime.now(UTC)
    return Lock(
        id=secrets.token_hex(8),
        who=env.get("GITHUB_ACTOR") or env.get("GITLAB_USER_LOGIN") or _user(),
        host=socket.gethostname() or "an unnamed host",
        pid=os.getpid(),
        started_at=stamp(start),
        expires_at=None if lasts is None else stamp(start + timedelta(seconds=lasts)),
        run=_run(env),
        machine=_machine(),
    )


def stamp(time: datetime) -> str:
    """Spell a time of UTC as the ledger does: to the second, so that texts compare as times do."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def now() -> str:
    """Return the time as the ledger spells it."""
    return stamp(datetime.now(UTC))


def dumps(lock: Lock) -> bytes:
    """Spell a lock as JSON."""
    return orjson.dumps(asdict(lock), option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def loads(data: bytes) -> Lock:
    """Read a lock; what is none, to the last member, is a lock all the same, of somebody unknown and without an end."""
    try:
        raw: Any = orjson.loads(data)
        if 0 <= raw["pid"] < _PIDS and type(raw["pid"]) is int:
            return Lock(
                pid=raw["pid"],
                id=_text(raw["id"]),
                who=_text(raw["who"]),
                host=_text(raw["host"]),
                started_at=_text(raw["started_at"]),
                expires_at=_maybe(raw["expires_at"]),
                run=_maybe(raw["run"]),
                machine=_maybe(raw.get("machine")),
            )
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return Lock(id="", who="somebody", host="an unknown host", pid=0, started_at="an unknown time")


def _text(value: Any) -> str:
    """Return a text of a length that can stand in a message; raises ValueError for anything else."""
    if type(value) is not str or len(value) > _LONGEST:
        raise ValueError("no text that a lock could hold")
    return value


def _maybe(value: Any) -> str | None:
    return None if value is None else _text(value)


def message_of(lock: Lock, *, commit: str | None, changes: int, environment: str) -> str:
    """Say in a commit's message who applied what, and how much of it."""
    what = shortened(commit, 12) if commit else "manifests outside git"
    count = "1 change" if changes == 1 else f"{changes} changes"
    return f"Apply {what} to {environment}: {count}\n\nBy {lock}\n" + (f"Manifests at {commit}\n" if commit else "")


def locked(by: Lock, *, place: str) -> LedgerLocked:
    """Say that a ledger is held by another run, and what can be done about it."""
    hint = "wait for it to end (--lock-timeout), or, if it is known to be dead: reconciler ledger unlock"
    return LedgerLocked(f"the ledger in {place} is locked by {by}; nothing was written", hint=hint)


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"user {os.getuid()}"


def _machine() -> str | None:
    """Tell this boot of this machine, and the container on it, from all others: there a process has one number."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _run(env: Mapping[str, str]) -> str | None:
    if env.get("GITHUB_RUN_ID"):
        return f"{env.get('GITHUB_SERVER_URL')}/{env.get('GITHUB_REPOSITORY')}/actions/runs/{env['GITHUB_RUN_ID']}"
    return env.get("CI_JOB_URL") or None
