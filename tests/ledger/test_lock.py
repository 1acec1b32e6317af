"""Whose lock it is: in CI that of who set off the run, elsewhere the user's."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest

from reconciler.ledger import lock as locks
from reconciler.ledger.lock import lock_of, message_of, stamp

GITHUB = {
    "GITHUB_ACTOR": "alice",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/fleet",
    "GITHUB_RUN_ID": "7",
}


@pytest.mark.parametrize(
    ("env", "who", "run"),
    [
        (GITHUB, "alice", "https://github.com/acme/fleet/actions/runs/7"),
        ({"GITLAB_USER_LOGIN": "bob", "CI_JOB_URL": "https://gitlab.com/j/1"}, "bob", "https://gitlab.com/j/1"),
        ({}, "me", None),
    ],
)
def test_who(env, who, run, monkeypatch):
    """A lock names the person and the run, and is read back as it was written."""
    monkeypatch.setattr(locks, "getuser", lambda: "me")
    lock = lock_of(env)
    assert (lock.who, lock.run) == (who, run)
    assert locks.loads(locks.dumps(lock)) == lock
    assert (run or "process") in str(lock)


def test_a_user_without_a_name(monkeypatch):
    """A container's user that has no name is a number."""

    def nobody():
        raise KeyError("getpwuid(): uid not found: 1000")

    monkeypatch.setattr(locks, "getuser", nobody)
    assert lock_of({}).who.startswith("user ")


def test_a_lock_has_its_time():
    """A lock is stale when its time is over, and never when it has none; no two are the same."""
    assert not lock_of({}, lasts=60).is_stale
    assert lock_of({}, lasts=-2).is_stale
    assert not lock_of({}, lasts=None).is_stale
    assert lock_of({}).id != lock_of({}).id


def test_times_are_of_utc():
    """Times compare as texts, wherever they were taken."""
    noon = datetime(2026, 11, 2, 12, tzinfo=UTC)
    assert stamp(noon.astimezone(timezone(timedelta(hours=5)))) == stamp(noon) == "2026-11-02T12:00:00Z"


def test_a_message_without_a_commit():
    """Outside of git the message says so; one change is one change."""
    message = message_of(lock_of(GITHUB), commit=None, changes=1, environment="production")
    assert message.startswith("Apply manifests outside git to production: 1 change\n\nBy alice on ")


def test_the_lock_of_a_process_that_is_no_more_is_stale():
    """A lock that a killed process of this machine left behind holds nobody up; one from elsewhere lasts its time."""
    lock = lock_of({})
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    dead = replace(lock, pid=int(gone.stdout))
    assert not lock.is_stale
    assert dead.is_stale is (dead.machine is not None)
    assert not replace(dead, machine="another").is_stale
    assert not replace(dead, machine=None).is_stale
    assert locks.loads(locks.dumps(dead)) == dead


@pytest.mark.parametrize(
    "odd",
    [
        {"pid": 10**30},
        {"pid": 2**31},
        {"pid": -1},
        {"pid": True},
        {"pid": "7"},
        {"who": {"name": "x"}},
        {"host": "x" * 2_000},
        {"run": ["x"]},
        {"id": None},
    ],
    ids=str,
)
def test_an_odd_lock_is_somebodys(odd):
    """A lock with a member that no run writes is taken, as one that cannot be read: nobody's process is looked up."""
    raw = orjson.loads(locks.dumps(lock_of({})))
    found = locks.loads(json.dumps(raw | odd).encode())
    assert (found.who, found.is_stale) == ("somebody", False)
