"""Drift of what a run began and did not confirm: every hand edit is told, or that it cannot be told; never silence."""

from datetime import UTC, datetime

import httpx
import pytest

from reconciler.plan.change import Side
from reconciler.plan.drift import What
from reconciler.plan.heal import healing
from reconciler.plan.outcome import Done
from reconciler.reconcile import make_plan
from reconciler.settings import settings
from reconciler.views import find_drift

from .test_ownership import DAILY


@pytest.fixture
def breaks(world):
    """Give a function that applies until a write of a method breaks off, or until a first step was carried out."""

    def apply(method, *, carried_out):
        if carried_out:
            with pytest.raises(SystemExit):
                world.apply(listen=_dies)
        else:
            world.meddler.cut(method, ".*", httpx.ReadError("killed"), times=None)
            world.apply()
            world.meddler.rules.clear()
        world.forget()

    return apply


def _dies(news):
    """End the process as soon as something was done."""
    if isinstance(news, Done):
        raise SystemExit


def found(world):
    """Look for drift."""
    chosen = settings(env={})
    return find_drift(world.wanted(), chosen, client=world.reader(), config=world.config, now=datetime.now(UTC))


def told(drift):
    """Spell a drift as what it says of which address, with the fields."""
    return [(one.address.local, one.what, [(each.name, each.side) for each in one.fields]) for one in drift.drifted]


def edit(world, plural, name, **body):
    """Change something by hand."""
    assert world.api.patch(f"/v1/{plural}/{world.one(plural, name)['id']}", json=body).is_success


def heal(world):
    """Heal what can be, and return the lines that were sent."""
    wanted = world.wanted()
    world.forget()
    plan = healing(make_plan(wanted, settings(env={}), client=world.reader()), wanted.rules)
    if plan.steps:
        world.apply(plan, recheck=False)
    return world.lines


@pytest.mark.parametrize("carried_out", [False, True])
def test_a_begun_update_that_nobody_touched_is_no_drift(world, breaks, carried_out):
    """Live is what was confirmed, or what git says: equal to either is clean, and is watched."""
    world.agent("a", description="One.")
    world.converge()
    world.agent("a", description="Two.")
    breaks("PATCH", carried_out=carried_out)
    drift = found(world)
    assert world.ledger.begun
    assert (told(drift), drift.watched, drift.unsettled) == ([], 1, 0)


@pytest.mark.parametrize("carried_out", [False, True])
def test_a_hand_edit_of_a_begun_update_is_told(world, breaks, carried_out):
    """It is neither, on both sides of the field; that a dead run of another commit may be to blame is said."""
    world.agent("a", description="One.")
    world.converge()
    world.agent("a", description="Two.")
    breaks("PATCH", carried_out=carried_out)
    edit(world, "agents", "a", description="Hacked.")
    drift = found(world)
    assert told(drift) == [("Agent/a", What.CHANGED, [("description", Side.BOTH)])]
    assert drift.drifted[0].message == "changed on the platform (perhaps by a run that did not end)"


@pytest.mark.parametrize("carried_out", [False, True])
def test_what_a_heal_began_is_still_drift_and_healed_by_the_next(world, breaks, carried_out):
    """What met no answer is healed again, and what was carried out is clean; other begun writes stay pending."""
    world.agent("a", description="One.", system_prompt="Help.")
    world.agent("b")
    world.converge()
    world.agent("a", description="Two.", system_prompt="Help.")
    breaks("PATCH", carried_out=carried_out)
    edit(world, "agents", "a", system_prompt="Moved.")
    assert told(found(world)) == [("Agent/a", What.CHANGED, [("system_prompt", Side.DRIFTED)])]
    assert heal(world) == ["PATCH /v1/agents/agent_"]
    (write,) = world.writes
    assert write.body == {"system_prompt": "Help."}
    assert told(found(world)) == []
    world.agent("a", description="Three.", system_prompt="Help.")
    assert told(found(world)) == [], "what the dead run wrote is what was last written"
    edit(world, "agents", "a", description="Hacked.")
    assert told(found(world)) == [("Agent/a", What.CHANGED, [("description", Side.BOTH)])]


def test_a_field_that_was_never_confirmed_cannot_be_told(world, breaks):
    """Git says it anew, a run began to write it, and something else is there: it is counted apart and not healed."""
    world.agent("a")
    world.agent("b")
    world.converge()
    world.agent("a", description="Two.", tags=["x"])
    breaks("PATCH", carried_out=True)
    edit(world, "agents", "a", description="Hacked.", system_prompt="Hacked.")
    drift = found(world)
    assert told(drift) == [
        ("Agent/a", What.CHANGED, [("system_prompt", Side.DRIFTED)]),
        ("Agent/a", What.UNSETTLED, [("description", None)]),
    ]
    assert (drift.watched, drift.unsettled, drift.unowned) == (1, 1, 0)
    assert heal(world) == []
    world.converge()
    assert told(found(world)) == []


def test_a_field_that_a_begun_update_did_not_come_to_write_is_pending(world, breaks):
    """Nothing was confirmed and nothing is there."""
    world.agent("a")
    world.converge()
    world.agent("a", description="Two.")
    breaks("PATCH", carried_out=False)
    assert told(found(world)) == []


def test_a_begun_creation_cannot_be_told(world, breaks):
    """Whether it is there as it was made or somebody changed it; where nothing is there, nothing drifted."""
    world.agent("a", description="One.")
    breaks("POST", carried_out=False)
    assert told(found(world)) == []
    breaks("POST", carried_out=True)
    drift = found(world)
    assert told(drift) == [("Agent/a", What.UNSETTLED, [])]
    assert (drift.watched, drift.unsettled, drift.unowned) == (0, 1, 0)
    edit(world, "agents", "a", description="Hacked.")
    assert told(found(world)) == [("Agent/a", What.UNSETTLED, [("description", None)])]
    assert heal(world) == []


@pytest.mark.parametrize(("carried_out", "what"), [(False, []), (True, [("Agent/b", What.ARCHIVED, [])])])
def test_a_begun_removal_that_git_takes_back(world, breaks, carried_out, what):
    """While git wants it gone, gone is clean; declared again, it is told as archived."""
    world.agent("a")
    world.agent("b", description="One.")
    world.converge()
    world.declare("Agent", "b", archive=True)
    breaks("DELETE", carried_out=carried_out)
    assert told(found(world)) == []
    world.agent("b", description="One.")
    assert told(found(world)) == what


def test_what_was_archived_after_a_begun_update_is_told(world, breaks):
    """An update takes nothing away."""
    world.agent("a", description="One.")
    world.converge()
    world.agent("a", description="Two.")
    breaks("PATCH", carried_out=True)
    world.api.delete(f"/v1/agents/{world.one('agents', 'a')['id']}")
    assert told(found(world)) == [("Agent/a", What.ARCHIVED, [])]


@pytest.mark.parametrize("carried_out", [False, True])
def test_a_begun_unpublish(world, breaks, carried_out):
    """What git wants taken down and still stands is pending; what was published by hand is drift, and is healed."""
    world.bot("one", DAILY, published=True)
    world.converge()
    world.bot("one", DAILY, published=False)
    breaks("POST", carried_out=carried_out)
    assert told(found(world)) == []
    world.converge()
    app = world.one("apps", "one")["id"]
    assert world.api.post(f"/v1/apps/{app}/publish").is_success
    drifted = [("App/one", What.CHANGED, [("published", Side.DRIFTED)])]
    assert told(found(world)) == drifted
    world.meddler.cut("POST", ".*", httpx.ReadError("killed"), carried_out=carried_out, times=None)
    heal(world)
    world.meddler.rules.clear()
    assert told(found(world)) == ([] if carried_out else drifted)
    heal(world)
    assert told(found(world)) == []
    assert world.one("apps", "one")["status"] == "draft"


def test_a_secret_that_a_begun_run_was_to_send_cannot_be_told(world, breaks, monkeypatch):
    """Nobody can read which of the two values is there."""
    hook = {"name": "in", "type": "webhook", "config": {"token": {"env": "T"}, "message": "Go."}}
    monkeypatch.setenv("T", "sesame-1")
    world.bot("one", hook)
    world.converge()
    monkeypatch.setenv("T", "sesame-2")
    assert told(found(world)) == []
    breaks("PATCH", carried_out=True)
    ((address, what, fields),) = told(found(world))
    assert (address, what, [side for _, side in fields]) == ("App/one/Channel/in", What.UNSETTLED, [None])
    world.converge()
    assert told(found(world)) == []
