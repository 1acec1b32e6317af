"""One run's hold on its ledger: held, announced, written once, and the right one."""

from contextlib import ExitStack
from dataclasses import replace
from types import SimpleNamespace

import pytest

from reconciler.errors import LedgerLocked, LedgerMoved
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


@pytest.fixture
def waiting(keeper, monkeypatch):
    """Give a keeper that may wait three seconds of a time that passes in sleep, and what happens in each second."""
    seconds = []
    clock = SimpleNamespace(now=0.0)

    def sleep(passes):
        clock.now += passes
        if seconds:
            seconds.pop(0)()

    monkeypatch.setattr("reconciler.ledger.keeper.time", SimpleNamespace(monotonic=lambda: clock.now, sleep=sleep))
    return replace(keeper, wait=3), seconds, clock


def test_it_waits_until_nobody_holds_the_ledger(waiting):
    """What is planned after that is planned with what the other run has written."""
    keeper, seconds, clock = waiting
    with ExitStack() as stack:
        stack.enter_context(keeper.backend.lock(lock_by("bob")))
        seconds += [lambda: None, stack.close]
        keeper.wait_for_others()
        assert (clock.now, keeper.backend.holder()) == (2.0, None)


def test_it_waits_no_longer_than_asked(waiting):
    """When the time is over it is said who holds the ledger; without a time nobody waits, nor where nobody holds it."""
    keeper, _, clock = waiting
    keeper.wait_for_others()
    with keeper.backend.lock(lock_by("bob")):
        replace(keeper, wait=0).wait_for_others()
        assert clock.now == 0
        with pytest.raises(LedgerLocked, match="is locked by bob"):
            keeper.wait_for_others()
    assert clock.now == 3


@pytest.mark.parametrize("serial", [1, -1])
def test_a_ledger_begins_anew(keeper, serial):
    """What stood there is replaced as a whole, whether it could be read or not, and the count of its writes goes on."""
    with keeper.backend.lock(lock_by("bob")):
        keeper.backend.write(known(BOT), message="Apply")
    keeper.restart(known(TRIAGE), serial=serial, changes=1)
    after = keeper.backend.read()
    assert (set(after.entries), after.serial) == ({TRIAGE}, max(serial, 0) + 1)
    assert keeper.backend.holder() is None


def test_what_was_written_meanwhile_is_not_replaced(keeper):
    """A ledger that another run wrote since it was read stays as it is."""
    with keeper.backend.lock(lock_by("bob")):
        keeper.backend.write(known(BOT), message="Apply")
    with pytest.raises(LedgerMoved):
        keeper.restart(known(TRIAGE), serial=0, changes=1)
    assert set(keeper.backend.read().entries) == {BOT}
