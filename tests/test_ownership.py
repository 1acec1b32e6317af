"""Whose a resource is, from the manifests to the requests: what is not ours is not touched, what is ours is not lost."""

import pytest

DAILY = {"name": "daily", "type": "schedule", "config": {"cron_expression": "0 9 * * *", "message": "Go."}}
WEEKLY = {"name": "weekly", "type": "schedule", "config": {"cron_expression": "0 9 * * 1", "message": "Rest."}}


def told(plan):
    """Spell a plan as addresses and words, in its order."""
    return [(str(change.address), change.action.value) for change in plan.changes]


@pytest.fixture
def strict(world):
    """Give a world where what somebody made by hand is taken over only if it agrees."""
    world.adopt = "exact"
    return world


def test_a_document_that_gets_another_name_does_not_archive_what_it_means(strict):
    """A new address that means the resource of an old one keeps it: no run both takes over and archives one thing."""
    strict.memory("docs", name="Docs")
    strict.converge()
    strict.drop("Memory", "docs")
    strict.memory("handbook", name="Docs")
    plan = strict.plan()
    assert told(plan) == [("default/Memory/docs", "forget"), ("default/Memory/handbook", "adopt")]
    strict.apply(plan)
    assert (strict.one("memories", "Docs")["status"], strict.lines) == ("active", [])
    assert [str(address) for address in strict.ledger.entries] == ["default/Memory/handbook"]


def test_what_was_renamed_on_the_platform_and_then_in_git_is_not_archived(strict):
    """The id of the ledger, not the name, says what would be archived."""
    strict.agent("a")
    strict.converge()
    strict.api.patch(f"/v1/agents/{strict.one('agents', 'a')['id']}", json={"name": "b"})
    strict.drop("Agent", "a")
    strict.agent("b")
    strict.apply()
    assert (strict.one("agents", "b")["status"], strict.lines) == ("active", [])


def test_an_organization_under_another_name_does_not_archive_what_is_in_it(strict):
    """Renaming the document of an organization gives everything in it a new address, and takes nothing away."""
    for name in ("acme", "corp"):
        strict.declared.clear()
        strict.declare("Organization", name, {"name": "Acme Inc"})
        strict.declare("Agent", "x", {"system_prompt": "Help."}, org=name)
        strict.forget()
        assert strict.apply().exit_codes == (0,)
    assert strict.lines == []
    assert {str(address) for address in strict.ledger.entries} == {"corp/Organization/corp", "corp/Agent/x"}
