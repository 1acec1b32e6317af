"""What an apply waits for after its last write: content that the platform fetches from elsewhere."""

from threading import Barrier

import httpx
import pytest

from reconciler.plan import file
from reconciler.plan.change import Action
from reconciler.plan.file import Origin

GITHUB = {"type": "github", "repository": "acme/docs"}
ONE = r".*/memories/mem_[^/]*"


@pytest.fixture
def syncs(world):
    """Give a function that lets the server say how the sync stands, each time that it is asked."""

    def tell(*states):
        left = [*states]

        def told(wire):
            return wire | (left.pop(0) if len(left) > 1 else left[0])

        world.meddler.edit("GET", ONE, told, times=None)

    return tell


PENDING = {"sync_status": "pending"}
SYNCED = {"sync_status": "synced", "last_synced_at": "2026-11-02T10:00:00Z"}
FAILED = {"sync_status": "failed", "last_sync_error": "configured root folder does not exist"}


def told_as(world, state):
    """Let the server's list say how every sync stands."""
    world.meddler.edit(
        "GET", r".*/memories", lambda page: page | {"data": [one | state for one in page["data"]]}, times=None
    )


def test_success_of_the_sync_is_success(world, clock, syncs):
    """The apply ends well once the sync has, and asks no sooner than every five seconds."""
    world.memory("docs", source=GITHUB, wait_for_sync="60s")
    syncs(PENDING, PENDING, {"sync_status": "syncing"}, SYNCED)
    (change,) = world.plan().steps
    assert change.notes == ("the apply waits up to 60 s for its sync, and fails with it",)
    assert world.apply().exit_codes == (0,)
    assert clock.waited == 15


@pytest.mark.parametrize(
    ("states", "message", "waited"),
    [
        ([PENDING, FAILED], "it was written, and its sync failed: configured root folder does not exist", 5),
        ([PENDING], "it was written, and its sync has not ended after 60 s", 60),
    ],
)
def test_failure_of_the_sync_is_failure(world, clock, syncs, states, message, waited):
    """A sync that fails or does not end in time is what the apply did not bring about; the write stays ours."""
    world.memory("docs", source=GITHUB, wait_for_sync="60s")
    syncs(*states)
    applied = world.apply()
    assert [one.message for one in applied.remainders] == [message]
    assert applied.exit_codes == (7,)
    assert clock.waited == waited
    assert not world.plan().writes


@pytest.mark.parametrize("is_new", [True, False])
def test_what_a_dead_run_wrote_is_waited_for(world, clock, syncs, is_new):
    """Where a run died while it waited, or before, the next one waits for the sync as that would have."""
    if not is_new:
        world.memory("docs", source=GITHUB | {"branch": "dev"}, wait_for_sync="60s")
        syncs(SYNCED)
        world.converge()
        world.meddler.rules.clear()
    world.memory("docs", source=GITHUB, wait_for_sync="60s")
    plan = world.plan()
    keeper = world.keeper
    with keeper.held(plan):
        keeper.begin(plan)
    if is_new:
        world.post("/v1/memories", name="docs", source=GITHUB)
    else:
        world.api.patch(f"/v1/memories/{world.one('memories', 'docs')['id']}", json={"source": GITHUB})
    world.adopt = "exact"
    syncs(PENDING, FAILED)
    assert world.apply().exit_codes == (7,)
    assert clock.waited == 5


def test_nothing_is_waited_for_without_a_write_of_the_source(world, clock, syncs):
    """Another change of the memory makes the platform fetch nothing, and who does not ask does not wait."""
    world.memory("docs", source=GITHUB)
    syncs(PENDING)
    world.converge()
    world.memory("docs", source=GITHUB, description="New.", wait_for_sync="60s")
    world.meddler.rules.clear()
    told_as(world, SYNCED)
    assert world.apply().exit_codes == (0,)
    assert clock.waited == 0


def test_the_deadline_ends_the_waiting(world, clock, syncs):
    """A run whose time is up while it waits is not proved, and says so."""
    world.timeout = 30
    world.memory("docs", source=GITHUB, wait_for_sync="60s")
    syncs(PENDING)
    applied = world.apply()
    assert applied.unproved is not None
    assert clock.waited <= 30


def test_an_interrupt_ends_the_waiting(world, clock, syncs):
    """An interrupt while it waits is told as one; what was written is ours."""

    def interrupt(_sent, _pass_on):
        raise KeyboardInterrupt

    world.memory("docs", source=GITHUB, wait_for_sync="60s")
    world.meddler.before("GET", ONE, lambda: interrupt(None, None))
    applied = world.apply()
    assert applied.interrupted
    assert "interrupted before its sync" in applied.remainders[0].message
    assert not world.plan().writes


def test_an_error_while_waiting_is_told(world, clock, syncs):
    """When the platform cannot be asked, the apply is not proved."""
    world.memory("docs", source=GITHUB, wait_for_sync="60s")
    world.meddler.cut("GET", ONE, httpx.ConnectError("refused"), times=None)
    assert world.apply().unproved is not None


def test_time_that_reading_takes_counts(world, clock, syncs):
    """The wait is as long as it says by the clock, however long the platform takes to answer."""
    world.memory("docs", source=GITHUB, wait_for_sync="60s")
    world.apply()
    world.memory("docs", source=GITHUB | {"branch": "dev"}, wait_for_sync="60s")
    plan = world.plan()
    syncs(PENDING)
    asked = []

    def slowly(wire):
        asked.append(clock.now)
        clock.now += 10
        return wire

    world.meddler.rules.clear()
    world.meddler.edit("GET", ONE, lambda wire: slowly(wire | PENDING), times=None)
    applied = world.apply(plan)
    assert [one.message for one in applied.remainders] == ["it was written, and its sync has not ended after 60 s"]
    assert clock.now - asked[0] < 90


def test_syncs_are_read_beside_each_other(world, clock, syncs):
    """One memory that is slow to be read does not hold up what is asked of the others."""
    meeting = Barrier(2, timeout=5)
    for name in "ab":
        world.memory(name, source=GITHUB, wait_for_sync="60s")
    world.meddler.before("GET", ONE, meeting.wait, times=2)
    world.meddler.edit("GET", ONE, lambda wire: wire | SYNCED, times=None)
    assert world.apply(parallel=2).exit_codes == (0,)
    assert not meeting.broken


@pytest.fixture
def listed(world, clock, syncs):
    """Give a function that lets the server say how the sync stands wherever it is asked, and own a memory of it."""
    world.memory("docs", source=GITHUB, wait_for_sync="60s")
    syncs(SYNCED)
    world.converge()

    def stands(seen, *later):
        world.meddler.rules.clear()
        told_as(world, seen)
        syncs(*(later or (seen,)))

    return stands


@pytest.mark.parametrize(
    ("seen", "note"),
    [
        (PENDING, "its sync is under way"),
        (SYNCED | {"sync_status": "syncing"}, "its sync is under way"),
        (FAILED, "its last sync failed (configured root folder does not exist): the apply fails until another one"),
        ({"sync_status": "idle", "last_synced_at": None}, "it was never synced"),
    ],
)
def test_a_sync_that_is_not_there_is_not_forgotten(world, clock, listed, seen, note):
    """After the run that wrote, the next plan says how the sync stands; its apply waits, and fails with it."""
    listed(seen)
    (step,) = world.plan().changes
    assert (step.action, step.patience) == (Action.AWAIT, 60)
    assert step.notes[0].startswith(note)
    world.forget()
    applied = world.apply()
    assert applied.exit_codes == (7,)
    assert applied.remainders[0].message.startswith("its sync ")
    assert world.lines == []
    listed(seen, SYNCED)
    assert world.apply().exit_codes == (0,)
    listed(SYNCED)
    assert world.plan().changes == ()


def test_another_change_waits_as_well(world, clock, listed):
    """A step that is there anyway does the waiting; a plan file says the same."""
    listed(PENDING)
    world.memory("docs", source=GITHUB, wait_for_sync="60s", description="New.")
    plan = world.plan()
    (step,) = plan.changes
    assert (step.action, step.patience) == (Action.UPDATE, 60)
    world.memory("docs", source=GITHUB, wait_for_sync="60s")
    plan = world.plan()
    read = file.loads(file.dumps(plan, plan_id="p", origin=Origin("https://x.example", ("f",))), name="p").plan
    assert read.changes == plan.changes


def test_whoever_watches_is_told_once_that_it_waits(world, clock, syncs, monkeypatch):
    """Where nothing moves for a while, it is said why, once."""
    told = []
    monkeypatch.setattr("reconciler.live.client.WriteClient.tell", lambda _self, *words: told.append(words))
    world.memory("docs", source=GITHUB, wait_for_sync="60s")
    syncs(PENDING, PENDING, PENDING, SYNCED)
    world.apply()
    assert told == [(60, "at most, for the sync of default/Memory/docs")]
