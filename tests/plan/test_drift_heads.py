"""Content behind its source: a branch that moved on after the last sync, once the next one by schedule is overdue."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.kinds.kind import Origin, Sync
from reconciler.plan.drift import drift_of
from reconciler.plan.found import Found
from reconciler.plan.freshness import Head, origins_due, time_of
from reconciler.plan.owned import Ledger
from reconciler.plan.plan import Plan
from reconciler.plan.rules import Rules
from reconciler.views import find_drift

from .conftest import OWNER, written

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOURCE = {"type": "github", "repository": "acme/docs"}


@pytest.mark.parametrize(
    ("moved", "every", "message"),
    [
        (timedelta(hours=5), None, "its branch moved on after its last sync, to abcdef0 5 hours ago"),
        (timedelta(hours=5), 3600, "its branch moved on after its last sync, to abcdef0 5 hours ago"),
        (timedelta(minutes=30), 3600, None),
        (timedelta(days=3), None, None),
        (timedelta(hours=-1), None, None),
        (None, None, None),
    ],
)
def test_branch_that_moved_on(desired, observed, moved, every, message):
    """It is told when the head is younger than the last sync and older than the schedule; unknown is no trouble."""
    one = desired("Memory/docs", {"source": SOURCE})
    sync = Sync(at="2026-11-21T12:00:00Z", every=every)
    live = observed("Memory/docs", {"source": SOURCE | {"branch": "main"}}, sync=sync)
    asked = []

    def heads(origins):
        asked.extend(origins)
        return {} if moved is None else {origin: Head("abcdef0123", NOW - moved) for origin in origins}

    drift = drift_of(
        Plan((), {}, {}, {}),
        [one],
        {one.address: Found(live)},
        Rules(Ledger(OWNER, entries={one.address: written(one)})),
        everything=[one],
        now=NOW,
        max_sync_age=None,
        heads=heads,
    )
    assert asked == [Origin("https://github.com/acme/docs.git", "main")]
    assert [told.message for told in drift.drifted] == ([message] if message else [])


EVIL = {"type": "git", "url": "https://evil.example.com/x.git", "branch": "main"}


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        (EVIL, []),
        ({"type": "github", "repository": "evil/docs", "branch": "main"}, []),
        (SOURCE | {"branch": "dev"}, [Origin("https://github.com/acme/docs.git", "dev")]),
    ],
)
def test_only_repositories_that_git_declares_are_asked(desired, observed, there, asked):
    """Who can set an address on the platform cannot have us ask it; a branch that nobody declares is the live one."""
    one = desired("Memory/docs", {"source": SOURCE}, resyncs=True)
    found = {one.address: Found(observed("Memory/docs", {"source": there}, sync=Sync(at="2026-11-21T12:00:00Z")))}
    told = []
    drift_of(
        Plan((), {}, {}, {}),
        [one],
        found,
        Rules(Ledger(OWNER, entries={one.address: written(one)})),
        everything=[one],
        now=NOW,
        max_sync_age=None,
        heads=lambda origins: told.extend(origins) or {},
    )
    assert [*origins_due([one], found)] == told == asked


@pytest.mark.parametrize("told", [7, None, ["a"], {}, "", "x", "9999-99-99", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_is_none(told):
    """What the platform gives for a time and is none, or lies beyond the calendar, is as good as not told."""
    assert time_of(told) is None


@pytest.mark.parametrize(
    "odd",
    [
        {"last_synced_at": 7},
        {"last_synced_at": ["a"]},
        {"source": {"sync_interval_secs": "x"}},
        {"source": {"sync_interval_secs": 10**30}},
        {"sync_status": "failed", "last_sync_error": ["x"]},
        {"sync_status": "syncing", "updated_at": 7},
    ],
)
def test_odd_members_of_a_sync(world, odd):
    """Members of another type than the API has end neither plan nor drift."""
    world.memory("docs", source=SOURCE, sync="on-apply")
    world.converge()
    base = {"sync_status": "synced", "last_synced_at": "2021-06-01T00:00:00Z"}

    def edited(listed):
        wires = [one | base | odd | {"source": one["source"] | odd.get("source", {})} for one in listed["data"]]
        return listed | {"data": wires}

    world.meddler.edit("GET", "/v1/memories", edited, times=None)
    world.plan()
    find_drift(
        world.wanted(),
        world._written(),
        client=world.reader(),
        config=world.config,
        now=NOW,
        heads=lambda origins: {origin: Head("a" * 40, NOW) for origin in origins},
    )
