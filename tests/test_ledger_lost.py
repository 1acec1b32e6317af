"""Lose the ledger: nothing is archived, nothing is made twice, and what agrees is ours again."""

import pytest
from hypothesis import given

from reconciler.errors import ManifestError, PlanRefused
from reconciler.intake import adopt
from reconciler.kinds.channel_config import CONFIGS
from reconciler.plan.change import Action

from .laws.fleets import SECRETS, fleets
from .laws.profile import law
from .laws.steps import declare, settle

SECRET = {"env": "LAW_SECRET_0"}


@pytest.fixture(scope="module", autouse=True)
def _secrets():
    """Give every secret of the fleets a value."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        yield


def least(type_):
    """Give the least config of a type of channel."""
    fields = {name: info for name, info in CONFIGS[type_].model_fields.items() if info.is_required()}
    found = {name: info.examples[0] for name, info in fields.items()}
    return {name: SECRET if isinstance(value, dict) and "env" in value else value for name, value in found.items()}


@pytest.fixture
def fleet(world):
    """Give a world, with the rule that only what agrees is taken over, where a fleet of every kind was applied."""
    world.adopt = "exact"
    world.declare("Organization", "acme", {"name": "Acme", "default_model": "gpt-4o"})
    world.memory("docs", name="Design docs", source={"type": "github", "repository": "acme/docs"})
    mounts = [{"memory": "docs", "path": "/workspace/docs"}]
    headers = {"crm": {"url": "https://crm.example.com/mcp", "headers": {"Authorization": SECRET}}}
    world.agent("triage", capabilities=[{"ref": "memory", "config": {"mounts": mounts}}], mcpServers=headers)
    world.agent("writer", description="Writes.", tags=["b", "a"])
    world.declare("Agent", "safe", {"system_prompt": "Help."}, protect=True)
    channels = [{"name": type_.replace("_", "-"), "type": type_, "config": least(type_)} for type_ in CONFIGS]
    world.bot("bot", *channels, name="Support bot", agent="triage", published=True)
    world.bot("desk")
    applied = world.apply()
    assert applied.exit_codes == (0,), applied
    world.org_id = world.ledger.orgs["acme"]
    world.forget()
    return world


def live(world, plural, name):
    """Give the one resource of a name in the fleet's organization."""
    headers = {"X-Org-Id": world.org_id}
    found = world.api.get(f"/v1/{plural}", params={"include_archived": "true"}, headers=headers).json()["data"]
    (one,) = [item for item in found if item["name"] == name]
    return one


def change_writer(world):
    """Change an agent of the fleet by hand."""
    path = f"/v1/agents/{live(world, 'agents', 'writer')['id']}"
    answer = world.api.patch(path, json={"description": "Changed."}, headers={"X-Org-Id": world.org_id})
    assert answer.status_code == 200


def planned(plan):
    """Give a plan as addresses and actions."""
    return {change.address.local: change.action for change in plan.changes}


def test_every_kind_is_in_the_fleet(fleet):
    """The fleet that these tests lose the ledger of has all there is."""
    kinds = [address.kind for address in fleet.ledger.entries]
    assert {*kinds} == {"Organization", "Memory", "Agent", "App", "Channel"}
    assert kinds.count("Channel") == len(CONFIGS)


def test_what_agrees_is_ours_again(fleet):
    """The next plan only adopts, the apply of it sends nothing, and then everything is known by the ids of before."""
    before = fleet.ledger
    fleet.lose_ledger()
    assert fleet.ledger.entries == {}
    plan = fleet.plan()
    assert {str(change.address) for change in plan.changes} == {str(address) for address in before.entries}
    assert {change.action for change in plan.changes} == {Action.ADOPT}
    assert (plan.writes, plan.refusals) == ((), ())
    assert fleet.apply(plan).exit_codes == (0,)
    assert fleet.writes == []
    after = fleet.ledger
    assert {one: entry.id for one, entry in after.entries.items()} == {
        one: entry.id for one, entry in before.entries.items()
    }
    assert {one for one, entry in after.entries.items() if entry.protect} == {
        one for one, entry in before.entries.items() if entry.protect
    }
    assert all(entry.fields.items() == before.entries[one].fields.items() for one, entry in after.entries.items())
    assert fleet.plan().is_empty


def test_what_left_git_meanwhile_is_nobodys(fleet):
    """What was removed from git while the ledger was lost is not archived, then or ever; git never says it was ours."""
    fleet.lose_ledger()
    for kind, name in (("App", "desk"), ("Agent", "writer"), ("Agent", "safe")):
        fleet.drop(kind, name)
    plan = fleet.plan()
    assert {*planned(plan).values()} == {Action.ADOPT}
    fleet.apply(plan)
    assert fleet.plan().is_empty
    assert fleet.writes == []
    assert live(fleet, "apps", "desk")["status"] != "archived"
    assert live(fleet, "agents", "writer")["status"] == "active"


def test_what_differs_is_a_conflict(fleet):
    """What was changed meanwhile is not written to and stops the run, until somebody says whose it is."""
    fleet.lose_ledger()
    change_writer(fleet)
    plan = fleet.plan()
    assert planned(plan).pop("Agent/writer") is Action.CONFLICT
    assert set(planned(plan).values()) == {Action.ADOPT, Action.CONFLICT}
    (refusal,) = plan.refusals
    assert refusal.message == "acme/Agent/writer: there already, not ours, and different"
    with pytest.raises(PlanRefused) as refused:
        fleet.apply(plan)
    assert refused.value.exit_code == 4
    assert (fleet.writes, fleet.ledger.entries) == ([], {})


def test_a_conflict_is_solved_by_adopting(fleet):
    """Taken over by hand it is ours, as git has it from the next apply on."""
    test_what_differs_is_a_conflict(fleet)
    taken = adopt(
        fleet.plan(), client=fleet.reader(), keeper=fleet.keeper, chosen=lambda _one: True, also_differing=True
    )
    assert len(taken) == 7 + len(CONFIGS)
    assert fleet.writes == []
    assert planned(fleet.plan()) == {"Agent/writer": Action.UPDATE}
    fleet.converge()
    assert live(fleet, "agents", "writer")["description"] == "Writes."
    assert fleet.plan().is_empty


def test_a_conflict_is_solved_by_overwriting(fleet):
    """Where the document says so it is taken over and written, that one alone."""
    test_what_differs_is_a_conflict(fleet)
    spec = fleet.declared["Agent", "writer"]["spec"]
    fleet.declare("Agent", "writer", spec, adopt="overwrite")
    assert fleet.apply().exit_codes == (0,)
    assert fleet.lines == ["PATCH /v1/agents/agent_"]
    assert fleet.plan().is_empty


def test_a_conflict_is_solved_by_agreeing(fleet):
    """Where git says what is live, it is adopted."""
    test_what_differs_is_a_conflict(fleet)
    fleet.agent("writer", description="Changed.", tags=["a", "b"])
    assert planned(fleet.plan())["Agent/writer"] is Action.ADOPT
    fleet.converge()
    assert fleet.plan().is_empty


def test_what_may_never_be_taken_over(fleet):
    """With adopt: never a lost ledger is a fault at its place, and still nothing is made twice."""
    fleet.lose_ledger()
    fleet.adopt = "never"
    with pytest.raises(ManifestError) as refused:
        fleet.plan()
    assert all("adopt: never forbids" in fault.message for fault in refused.value.faults)
    assert fleet.writes == []


@law
@given(fleets())
def test_the_ledger_of_any_fleet_can_be_lost(open_world, fleet):
    """Whatever was applied: without the ledger it is adopted to the last channel, nothing sent, and then in sync."""
    with open_world() as world:
        world.adopt = "exact"
        declare(world, fleet)
        settle(world)
        before = {address: entry.id for address, entry in world.ledger.entries.items()}
        world.lose_ledger()
        world.forget()
        plan = world.plan()
        assert [change for change in plan.changes if change.action is not Action.ADOPT] == []
        settle(world)
        assert world.writes == []
        assert {address: entry.id for address, entry in world.ledger.entries.items()} == before
        assert world.plan().is_empty
