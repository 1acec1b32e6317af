"""Content behind its source: a branch that moved on after the last sync, once the next one by schedule is overdue."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.kinds.kind import Origin, Sync
from reconciler.plan.drift import drift_of
from reconciler.plan.found import Found
from reconciler.plan.freshness import Head
from reconciler.plan.owned import Ledger
from reconciler.plan.plan import Plan
from reconciler.plan.rules import Rules

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
