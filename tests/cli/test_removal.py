"""What left git: what is archived, in which order, and all that keeps it from being archived by accident."""

from dataclasses import replace

import pytest

from reconciler.errors import ManifestError, PlanRefused, UsageError
from reconciler.plan.change import Action
from reconciler.plan.verdict import Limit, Policy

HOOK = {"name": "in", "type": "webhook", "config": {"token": {"env": "T"}, "message": "Go."}}


@pytest.fixture
def team(world, monkeypatch):
    """Give a world where nine agents, a memory that one of them reads, and two apps were applied."""
    monkeypatch.setenv("T", "sesame")
    mounts = [{"memory": "docs", "path": "/workspace/docs"}]
    world.adopt = "exact"
    world.memory("docs")
    world.memory("notes")
    world.agent("reader", capabilities=[{"ref": "memory", "config": {"mounts": mounts}}])
    for number in range(8):
        world.agent(f"a-{number}")
    world.bot("bot", HOOK, agent="reader", published=True)
    world.bot("desk")
    world.converge()
    return world


def planned(plan):
    """Give a plan as addresses and actions."""
    return {change.address.local: change.action for change in plan.changes}


def refusals(plan):
    """Give the verdict in words."""
    return [one.message for one in plan.refusals]


def test_in_reverse_order_of_references(team):
    """What refers to something goes before it: the app, its agent, the memory; nothing else is sent."""
    team.drop("Memory", "docs")
    team.drop("Agent", "reader")
    team.drop("App", "bot")
    applied = team.apply()
    assert applied.exit_codes == (0,)
    assert team.lines == ["DELETE /v1/apps/app_", "DELETE /v1/agents/agent_", "DELETE /v1/memories/mem_"]
    assert {address.local for address in team.ledger.entries} == {
        "App/desk",
        "Memory/notes",
        *(f"Agent/a-{number}" for number in range(8)),
    }
    assert team.plan().is_empty


def test_a_channel_is_deleted_for_good_and_that_is_said(team):
    """A channel that left its app is deleted, with a word of warning, and the app stays."""
    team.bot("bot", agent="reader", published=False)
    (switch, gone) = sorted(team.plan().changes, key=lambda change: change.action is Action.ARCHIVE)
    assert (switch.action, gone.action) == (Action.UNPUBLISH, Action.ARCHIVE)
    assert "deleted for good: the API cannot archive it" in gone.notes
    refused = refusals(team.plan())
    assert refused == ["Channel: every one that is ours in default would be archived (1 in all)"]
    team.apply(team.plan(allow_archive={"Channel": 1}))
    assert team.lines[-1] == "DELETE /v1/apps/app_/channels/appchan_"
    assert team.one("apps", "bot")["channels"] == []


def test_the_limit_is_thirty_percent_and_never_below_five(team):
    """Five may always go; six of nine may not, until that very number is named; nothing is sent before."""
    for number in range(5):
        team.drop("Agent", f"a-{number}")
    assert refusals(team.plan()) == []
    team.drop("Agent", "a-5")
    message = "Agent: 6 of 9 would be archived, more than 30 percent and more than 5"
    assert refusals(team.plan()) == [message]
    with pytest.raises(PlanRefused) as refused:
        team.apply()
    assert refused.value.exit_code == 4
    assert "--allow-archive Agent=6" in refused.value.hint
    for count in (5, 7, 0):
        plan = team.plan(allow_archive={"Agent": count})
        assert refusals(plan) == [f"--allow-archive Agent={count}: this plan archives 6"]
        with pytest.raises(PlanRefused):
            team.apply(plan)
    assert team.writes == []
    assert team.apply(team.plan(allow_archive={"Agent": 6})).exit_codes == (0,)
    assert team.lines == ["DELETE /v1/agents/agent_"] * 6


def test_an_allowance_that_is_not_used_is_refused(team):
    """A number that stands in a script from another day does not lift anything unnoticed."""
    assert refusals(team.plan(allow_archive={"Agent": 1})) == ["--allow-archive Agent=1: this plan archives no Agent"]
    team.drop("Agent", "a-0")
    assert refusals(team.plan(allow_archive={"App": 1})) == ["--allow-archive App=1: this plan archives no App"]


def test_a_kind_that_goes_to_zero(team):
    """The last ones of a kind do not go unless named, however few; one that comes in their place says it is meant."""
    team.drop("App", "desk")
    assert refusals(team.plan()) == []
    team.drop("App", "bot")
    assert refusals(team.plan()) == ["App: every one that is ours in default would be archived (2 in all)"]
    team.bot("other")
    assert refusals(team.plan()) == []


@pytest.mark.parametrize(
    ("limit", "kinds", "goes"),
    [((50, 0), {}, 4), ((0, 0), {}, 0), ((0, 2), {}, 2), ((100, 0), {"Agent": Limit(20, 0)}, 1)],
    ids=["half", "none", "floor", "by-kind"],
)
def test_limits_of_the_rules(limit, kinds, goes):
    """Percent and floor are those of reconciler.yaml, those of a kind before those of all; of nine."""
    policy = Policy(Limit(*limit), kinds)
    assert policy.limit_of("Agent").of(9) == goes


def test_no_documents_are_no_wish(team):
    """An empty folder is refused while something is ours, whatever is allowed; it is no plan to archive it all."""
    team.declared.clear()
    for run in (team.plan, lambda: team.plan(allow_archive={"Agent": 9, "App": 2, "Memory": 2})):
        with pytest.raises(
            PlanRefused, match=r"no manifests found .* 14 resources are ours: nothing is archived"
        ) as caught:
            run()
        assert caught.value.exit_code == 4
        assert "reconciler ledger forget --all" in caught.value.hint
    assert team.writes == []
    team.lose_ledger()
    with pytest.raises(UsageError, match="no manifests found") as wrong:
        team.plan()
    assert wrong.value.exit_code == 64


def test_no_prune(team):
    """With the flag everything stays, stays ours, and is told as kept; the next run without it archives."""
    team.drop("Agent", "a-0")
    team.drop("App", "desk")
    plan = team.plan(prune=False)
    assert planned(plan) == {"Agent/a-0": Action.KEEP, "App/desk": Action.KEEP}
    assert plan.is_empty
    team.agent("new")
    team.apply(team.plan(prune=False))
    assert team.lines == ["POST /v1/agents"]
    assert planned(team.plan()) == {"Agent/a-0": Action.ARCHIVE, "App/desk": Action.ARCHIVE}


def test_protected_in_git_and_in_the_ledger(team):
    """What was applied as protected is refused when its document is gone, and others in the same plan with it."""
    team.declare("Agent", "a-0", {"system_prompt": "Help."}, protect=True)
    plan = team.plan()
    assert planned(plan) == {"Agent/a-0": Action.RECORD}
    assert plan.writes == ()
    team.converge()
    team.drop("Agent", "a-0")
    team.drop("Agent", "a-1")
    assert refusals(team.plan()) == ["default/Agent/a-0 is protected, and is no longer in git"]
    with pytest.raises(PlanRefused):
        team.apply()
    assert refusals(team.plan(allow_archive={"Agent": 1})) == [
        "default/Agent/a-0 is protected, and is no longer in git"
    ]
    assert refusals(team.plan(prune=False)) == []
    assert team.writes == []
    team.declare("Agent", "a-0", {"system_prompt": "Help."}, protect=False)
    team.converge()
    team.drop("Agent", "a-0")
    assert team.apply().exit_codes == (0,)
    assert team.one("agents", "a-0")["status"] == "archived"


def test_protected_and_gone_is_forgotten(team):
    """Protection of something that is gone from the platform keeps nothing and stops nobody."""
    team.declare("Agent", "a-0", {"system_prompt": "Help."}, protect=True)
    team.converge()
    team.drop("Agent", "a-0")
    team.api.delete(f"/v1/agents/{team.one('agents', 'a-0')['id']}")
    assert planned(team.plan()) == {"Agent/a-0": Action.FORGET}
    team.converge()
    assert team.plan().is_empty


def test_what_still_needs_it_is_a_fault(team):
    """What git still refers to is not archived: the reference is told at its place."""
    team.drop("Agent", "reader")
    with pytest.raises(ManifestError) as refused:
        team.plan()
    assert "refers to Agent/reader, which is ours and no longer in git" in refused.value.faults[0].message
    assert team.writes == []


def test_targets_of_what_was_removed(team):
    """What left git can be chosen and left out like anything else; only what was chosen goes."""
    team.drop("Agent", "a-0")
    team.drop("App", "desk")
    assert planned(team.plan(target=("Agent/a-0",))) == {"Agent/a-0": Action.ARCHIVE}
    assert planned(team.plan(exclude=("Agent/*",))) == {"App/desk": Action.ARCHIVE}
    assert planned(team.plan(exclude=("*/a-0", "App/desk"))) == {}
    team.apply(team.plan(target=("App/desk",)))
    assert team.lines == ["DELETE /v1/apps/app_"]
    assert planned(team.plan()) == {"Agent/a-0": Action.ARCHIVE}


def test_what_was_left_out_does_not_count(team):
    """The limit is about what this run would archive, not about what --exclude keeps from it."""
    for number in range(7):
        team.drop("Agent", f"a-{number}")
    assert refusals(team.plan())
    assert refusals(team.plan(exclude=("Agent/a-*",))) == []


def test_foreign_is_never_archived(team):
    """What nobody declared is not ours, whatever its name, and is left alone whatever leaves."""
    strangers = [team.post("/v1/agents", name=f"b-{number}", system_prompt="Mine.")["id"] for number in range(2)]
    for number in range(3):
        team.drop("Agent", f"a-{number}")
    team.converge()
    alive = {one["id"] for one in team.live("agents") if one["status"] == "active"}
    assert {*strangers} <= alive


def test_when_an_organization_is_out_of_reach(team):
    """What stands in an organization that the key does not see is kept, and known, and said."""
    backend = team.backend
    known = backend.read()
    with backend.lock(team.keeper.lock):
        elsewhere = {address._replace(org="lost"): entry for address, entry in known.entries.items()}
        backend.write(replace(known, entries={**known.entries, **elsewhere}), message="Add")
    plan = team.plan()
    assert {change.action for change in plan.changes} == {Action.KEEP}
    assert plan.is_empty
    assert all("is not one of this key's" in change.notes[0] for change in plan.changes)


def test_a_removal_at_the_command_line(site):
    """The verdict stands in the plan with the way out, ends with 4 in plan and apply, and the number lifts it."""
    site.agents(*(f"a-{number}" for number in range(7)))
    site.converge()
    site.agents("a-0")
    ran = site.run("plan", "--detailed-exitcode")
    assert ran.code == 4
    assert "Refused: Agent: 6 of 7 would be archived, more than 30 percent and more than 5\n" in ran.out
    assert "--allow-archive Agent=6" in ran.out
    ran = site.run("apply", "--auto-approve")
    assert (ran.code, ran.err) == (4, "")
    assert ran.out.count("Refused: Agent: 6 of 7 would be archived") == 1
    assert ran.out.endswith("\nNothing was written.\n")
    ran = site.run("apply", "--auto-approve", "--json")
    (error,) = ran.of("error")
    assert (ran.code, error["error"], error["exit_code"]) == (4, "PlanRefused", 4)
    assert "6 of 7 would be archived" in error["message"]
    assert site.run("apply", "--auto-approve", "--allow-archive", "Agent=5").code == 4
    assert site.run("apply", "--auto-approve", "--allow-archive", "Agents=6").code == 64
    ran = site.run("plan", "--json")
    assert ran.of("plan")[0]["refusals"][0]["hint"].startswith("if it is meant: --allow-archive Agent=6")
    assert site.lines == []
    (site.folder / "manifests/agents.yaml").write_text("")
    ran = site.run("apply", "--auto-approve", "--allow-archive", "Agent=7")
    assert (ran.code, "no manifests found" in ran.err, "7 resources are ours" in ran.err) == (4, True, True)
    site.agents("a-0")
    assert site.run("apply", "--auto-approve", "--allow-archive", "Agent=6").code == 0
    assert site.lines == ["DELETE /v1/agents/agent_"] * 6


def test_a_saved_plan_keeps_its_verdict(site):
    """A plan that was refused when it was made is refused when it is applied, too."""
    site.agents("one", "two")
    site.converge()
    site.agents("three")
    site.write("manifests/reconciler.yaml", "removal: {percent: 0, floor: 1}\n")
    assert site.run("plan", "--out", "a.plan").code == 4
    ran = site.run("apply", "a.plan", "--json")
    assert ran.code == 4
    assert "2 of 2 would be archived, more than 0 percent and more than 1" in str(ran.of("error"))
    assert site.lines == []
