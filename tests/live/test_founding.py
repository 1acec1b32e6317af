"""An organization that does not exist yet: what is wrong with it is told before it is made for good."""

import pytest

from reconciler.errors import Exit, ManifestError
from reconciler.plan.outcome import Failed
from reconciler.report.proof import applied_verdict
from reconciler.resource import Address

ACME = Address("acme", "Organization", "acme")


def acme(world, **spec):
    """Declare the organization."""
    world.declare("Organization", "acme", {"name": "Acme", **spec})


def faults(world):
    """Give what the plan finds wrong."""
    with pytest.raises(ManifestError) as caught:
        world.plan()
    return [(fault.message, fault.hint) for fault in caught.value.faults]


def test_a_flag_that_no_organization_has_is_a_fault(world):
    """Another organization of the key tells which flags there are."""
    acme(world, feature_flags={"memry": True, "memory": True})
    ((message, hint),) = faults(world)
    assert message == 'the platform knows no "memry" here'
    assert "memory" in hint


def test_flags_that_nobody_can_tell_are_noted(open_world):
    """Without another organization the plan says what it could not check."""
    with open_world(default_org=False) as world:
        acme(world, feature_flags={"memory": True})
        (change,) = world.plan().changes
        note = "whether the platform knows these feature_flags can only be told once it exists"
        assert any(note in one for one in change.notes)


def test_flags_that_are_withheld_are_noted(world):
    """So it does where the other one does not tell."""
    acme(world, feature_flags={"memory": True})
    world.meddler.instead("GET", "/v1/orgs/[^/]*/feature-flags", (403, {"detail": "no"}), times=None)
    (change,) = world.plan().changes
    assert any("can only be told once it exists" in one for one in change.notes)


@pytest.mark.parametrize("field", ["default_harness", "base_harness"])
def test_a_harness_that_is_not_to_be_is_a_fault(world, field):
    """What is neither declared nor built in is not there when the organization is made."""
    acme(world, **{field: "nosuch"})
    assert [message for message, _ in faults(world)] == ['no harness is called "nosuch"']


def test_the_harness_of_an_agent_is_checked_too(world):
    """Whatever refers to it."""
    acme(world)
    world.agent("triage", harness="generik")
    assert faults(world) == [('no harness is called "generik"', "did you mean generic?")]


def test_a_harness_that_is_declared_or_built_in_is_fine(world):
    """Both are there by the time that the organization is completed."""
    acme(world, default_harness="field", base_harness="base")
    world.declare("Harness", "field", {"display_name": "Field"})
    world.converge()
    assert world.plan().is_empty


def test_a_harness_that_only_the_platform_knows_to_be_built_in_is_fine(world):
    """What it brought along to another organization it brings along to this one."""
    acme(world, default_harness="newest")

    def renamed(answer):
        items = [item | {"name": "newest"} if item["name"] == "generic" else item for item in answer["data"]]
        return answer | {"data": items}

    world.meddler.edit("GET", "/v1/harnesses", renamed, times=None)
    assert not world.plan().is_empty


def test_what_was_created_and_not_completed_is_counted_and_remembered(world, clock):
    """It cannot be taken away: the next run knows it by its id, even under another name."""
    acme(world, base_harness="base")
    world.meddler.instead("PATCH", "/v1/orgs/[^/]*", (400, {"title": "Bad Request", "status": 400, "detail": "no"}))
    applied = world.apply()
    (outcome,) = applied.outcomes
    assert isinstance(outcome, Failed)
    assert outcome.error.message.startswith("created, but not completed: ")
    assert applied_verdict(applied) == "0 done, 1 failed (1 of them created, and not completed)."
    assert applied.exit_codes == (Exit.ERROR,)
    assert ACME in world.ledger.entries
    acme(world, name="Acme Two", base_harness="base")
    world.forget()
    world.converge()
    assert world.plan().is_empty
    assert min(one["name"] for one in world.api.get("/v1/orgs").json()["data"]) == "Acme Two"
