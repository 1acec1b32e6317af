"""One run's hold on its ledger: held, announced, written once, and the right one."""

from dataclasses import replace

import pytest

from reconciler.errors import LedgerMoved
from reconciler.ledger.file_backend import FileBackend
from reconciler.ledger.keeper import Keeper
from reconciler.plan.change import Action, Change
from reconciler.plan.owned import Ledger
from reconciler.plan.plan import Plan

from .conftest import BOT, OWNER, TRIAGE, known, lock_by

CREATE = Change(TRIAGE, Action.CREATE)
PLAN = Plan((CREATE,), owner=OWNER)


@pytest.fixture
def keeper(tmp_path):
    """Give a keeper of a ledger that was never written."""
    return Keeper(FileBackend(tmp_path / "ledger", OWNER), lock_by("alice"), commit="c" * 40)


def test_creations_are_announced_before_anything_is_sent(keeper):
    """What a run that dies may leave behind is in the ledger, which is held still."""
    with keeper.held(PLAN):
        before = keeper.begin(PLAN)
        assert (before.begun, before.serial) == ({TRIAGE}, 1)
        assert keeper.backend.read() == before
        assert keeper.backend.holder().who == "alice"
    assert keeper.backend.holder() is None


def test_nothing_to_announce_writes_nothing(keeper):
    """A plan without creations leaves the ledger alone until its end, and one that taught nothing altogether."""
    plan = Plan((Change(BOT, Action.UPDATE, id="app_1"),), owner=OWNER)
    with keeper.held(plan):
        before = keeper.begin(plan)
        assert before == Ledger(OWNER)
        keeper.end(before, before, changes=1)
    assert keeper.backend.read().serial == 0


def test_what_was_learnt_is_written_once(keeper):
    """The end of a run is one write, and the lock goes with it."""
    with keeper.held(PLAN):
        before = keeper.begin(PLAN)
        keeper.end(before, before.with_applied(known(TRIAGE).entries), changes=1)
    after = keeper.backend.read()
    assert (after.serial, set(after.entries), after.begun) == (2, {TRIAGE}, frozenset())
    assert keeper.backend.holder() is None


def test_a_plan_of_another_serial_is_stale(keeper):
    """What was planned with another state of the ledger is refused before the block begins."""
    with pytest.raises(LedgerMoved), keeper.held(replace(PLAN, serial=7)):
        pytest.fail("held")


@pytest.mark.parametrize("owner", [None, OWNER._replace(environment="staging")])
def test_a_plan_of_another_owner_is_refused(keeper, owner):
    """A plan made for another environment is not applied here, and nothing is announced."""
    plan = replace(PLAN, owner=owner)
    with keeper.held(plan), pytest.raises(LedgerMoved, match="the plan was made for"):
        keeper.begin(plan)
    assert keeper.backend.read() == Ledger(OWNER)
