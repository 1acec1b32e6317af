"""Ids at the edge, growing as things are created."""

import pytest

from reconciler.api_errors import NotFound
from reconciler.live.ids import Ids
from reconciler.plan.plan import OrgRef, Plan
from reconciler.resource import Address


@pytest.fixture
def ids(world):
    """Know one organization that is there and one that is not, and one binding."""
    plan = Plan(
        (),
        {"acme": OrgRef(world.org, "Acme"), "new": OrgRef(None, "New")},
        {Address("acme", "Agent", "triage"): "agent_1"},
    )
    return Ids(plan, world.reader())


def test_what_the_plan_bound(ids, world):
    """What the plan found is known without asking."""
    assert ids.of(Address("acme", "Agent", "triage")) == "agent_1"
    assert ids.org("acme") == world.org
    assert world.sent == []


def test_what_was_created(ids):
    """What is created is known from then on, organizations included."""
    ids.created(Address("acme", "Memory", "docs"), "mem_1")
    assert ids.of(Address("acme", "Memory", "docs")) == "mem_1"
    with pytest.raises(NotFound, match="organization new does not exist"):
        ids.org("new")
    ids.created(Address("new", "Organization", "new"), "org_9")
    assert ids.org("new") == "org_9"
    assert ids.orgs()["new"] == "org_9"


def test_what_is_looked_up_late(ids, world):
    """What a new organization brings along is listed when first needed, once for each kind."""
    made = world.post("/v1/orgs", name="New")["id"]
    ids.created(Address("new", "Organization", "new"), made)
    generic, again, base = (ids.of(Address("new", "Harness", name)) for name in ("generic", "generic", "base"))
    assert generic == again != base
    assert ids.of(Address("new", "Model", "GPT-4o"))
    assert [(sent.path, sent.org) for sent in world.sent] == [("/v1/harnesses", made), ("/v1/models", made)]


def test_what_means_nothing_late(ids, world):
    """A reference into a new organization that means nothing fails with a suggestion."""
    ids.created(Address("new", "Organization", "new"), world.post("/v1/orgs", name="New")["id"])
    with pytest.raises(NotFound) as raised:
        ids.of(Address("new", "Harness", "generik"))
    assert raised.value.message == 'no harness is called "generik"'
    assert raised.value.hint == "did you mean generic?"


def test_filled(ids, desired_shape):
    """A shape gets ids wherever it has names; emptied references stay empty, and the original keeps its names."""
    kind, shape = desired_shape
    ids.created(Address("acme", "Memory", "docs"), "mem_1")
    filled = ids.filled(kind, "acme", shape)
    assert filled["capabilities"][0]["config"]["mounts"][0]["memory"] == "mem_1"
    assert filled["default_model"] is None
    assert shape["capabilities"][0]["config"]["mounts"][0]["memory"] == "docs"


@pytest.fixture
def desired_shape(world):
    """Give the kind and the shape of an agent that mounts a memory."""
    mounts = {"mounts": [{"memory": "docs", "path": "/workspace/docs"}]}
    world.agent("triage", default_model=None, capabilities=[{"ref": "memory", "config": mounts}])
    (one,) = world.wanted().chosen
    return one.kind, one.spec


def test_a_bad_reference_in_a_new_organization_fails_its_step(world):
    """What could not be checked before the organization was there fails where it is used, and only there."""
    world.declare("Organization", "acme", {"name": "Acme"})
    world.agent("good")
    world.agent("bad", default_model="claude-sonet-4-5")
    applied = world.apply()
    failed = [outcome for outcome in applied.outcomes if type(outcome).__name__ == "Failed"]
    assert [outcome.change.address.name for outcome in failed] == ["bad"]
    assert failed[0].error.hint == "did you mean claude-sonnet-4-5 or claude-opus-4-1?"
    assert applied.exit_codes == (6,)
