"""`reconciler undo`: what one run archived comes back where the platform can bring it back, and nothing else does."""

import pytest

from reconciler.errors import LedgerMoved
from reconciler.plan.change import Action
from reconciler.settings import settings
from reconciler.views import plan_undo

HOOK = {"name": "in", "type": "webhook", "config": {"token": {"env": "T"}, "message": "Go."}}
CRM = {"crm": {"url": "https://crm.example.com/mcp", "headers": {"Authorization": {"env": "T"}}}}


@pytest.fixture
def team(world, monkeypatch):
    """Give a world where agents, a memory and an app were applied."""
    monkeypatch.setenv("T", "sesame")
    world.adopt = "exact"
    for name in ("stays", "one", "two"):
        world.agent(name, description=f"I am {name}.", tags=["x"])
    world.agent("secretive", mcpServers=CRM)
    world.memory("docs")
    world.memory("stays")
    world.bot("bot", HOOK)
    world.bot("stays")
    world.converge()
    return world


def removed(world, *gone):
    """Take documents away and apply; give the name of the run."""
    for kind, name in gone:
        world.drop(kind, name)
    applied = world.apply()
    assert applied.exit_codes == (0,), applied
    world.forget()
    return applied.run


def undo(world, run):
    """Plan to undo a run."""
    return plan_undo(world.ledger, run, settings(env={}), client=world.reader())


def planned(plan):
    """Give a plan as addresses and actions."""
    return {change.address.local: change.action for change in plan.changes}


def test_what_a_run_archived_comes_back_as_it_was(team):
    """Agents come back with every field, and that run alone is undone; they are nobody's until git declares them."""
    before = {
        key: value for key, value in team.one("agents", "one").items() if key not in ("updated_at", "archived_at")
    }
    first = removed(team, ("Agent", "one"))
    second = removed(team, ("Agent", "two"))
    plan = undo(team, first)
    assert planned(plan) == {"Agent/one": Action.RESTORE}
    assert team.writes == []
    assert team.apply(plan).exit_codes == (0,)
    after = {key: value for key, value in team.one("agents", "one").items() if key not in ("updated_at", "archived_at")}
    assert after == before
    assert team.one("agents", "two")["status"] == "archived"
    assert team.plan().is_empty  # not ours, so nothing takes it away again
    assert not [address for address in team.ledger.entries if address.name == "one"]
    team.agent("one", description="I am one.", tags=["x"])
    assert planned(team.plan()) == {"Agent/one": Action.ADOPT}
    assert planned(undo(team, second)) == {"Agent/two": Action.RESTORE}


def test_what_cannot_come_back_is_said(team):
    """What the platform cannot restore, and what is gone or live already, is told with the reason, and nothing sent."""
    run = removed(team, ("App", "bot"), ("Memory", "docs"), ("Agent", "one"))
    team.agent("one")
    team.converge()
    plan = undo(team, run)
    assert {*planned(plan).values()} == {Action.REPORT}
    notes = {change.address.local: change.notes[0] for change in plan.changes}
    assert notes["Agent/one"] == "it is live already"
    assert "cannot bring apps back: declare it again" in notes["App/bot"]
    assert "cannot bring memories back: declare it again" in notes["Memory/docs"]
    assert plan.is_empty


def test_a_secret_that_is_not_known_is_not_lost(team):
    """What holds a secret that only git can name is not written back without it: it has to be declared again."""
    run = removed(team, ("Agent", "secretive"))
    plan = undo(team, run)
    assert planned(plan) == {"Agent/secretive": Action.REPORT}
    assert "declare it again" in plan.changes[0].notes[0]
    team.agent("secretive", mcpServers=CRM)
    assert planned(team.plan()) == {"Agent/secretive": Action.RESTORE}


def test_an_undo_is_made_for_one_ledger(team):
    """An undo goes with the ledger it was planned with; after another run it is refused before its first write."""
    run = removed(team, ("Agent", "one"))
    plan = undo(team, run)
    team.agent("new")
    team.converge()
    with pytest.raises(LedgerMoved, match="another run wrote the ledger"):
        team.apply(plan)
    assert team.writes == []


def test_undo_at_the_command_line(site):
    """The end of an apply names the run; undo shows what it would do, and does it when told; others are unknown."""
    site.agents("one", "two", "three")
    site.converge()
    site.agents("one")
    ran = site.run("apply", "--auto-approve", "--allow-archive", "Agent=2")
    assert ran.code == 0
    (line,) = [one.strip() for one in ran.out.splitlines() if "reconciler undo" in one]
    run = line.rpartition("reconciler undo ")[2].split()[0]
    site.world.forget()
    assert site.run("undo", run).code == 64  # it asks, and nobody can answer
    ran = site.run("undo", "nonsense", "--auto-approve")
    assert ran.code == 64
    assert "no run nonsense that archived something is remembered" in ran.err
    assert run in ran.err
    assert site.lines == []
    ran = site.run("undo", run, "--auto-approve")
    assert ran.code == 0, ran.text
    assert "restore: brought back from the archive" in ran.out
    assert sorted(one["status"] for one in site.world.live("agents")) == ["active"] * 3
    site.world.forget()
    ran = site.run("undo", run, "--auto-approve", "--json")
    assert (ran.code, site.lines) == (1, [])
    assert {one["notes"][0] for one in ran.of("change")} == {"it is live already"}
    ran = site.run("undo", run, "--auto-approve")
    assert (ran.code, ran.out.splitlines()[-1]) == (1, "Nothing of it can be brought back.")


def test_what_comes_back_and_what_does_not(world):
    """An identity comes back by its status; a harness cannot, and keeps its name."""
    for name in ("stays", "desk"):
        world.declare("Harness", name)
        world.declare("AgentIdentity", name)
    world.converge()
    run = removed(world, ("Harness", "desk"), ("AgentIdentity", "desk"))
    plan = undo(world, run)
    assert planned(plan) == {"Harness/desk": Action.REPORT, "AgentIdentity/desk": Action.RESTORE}
    (note,) = next(change for change in plan.changes if change.action is Action.REPORT).notes
    assert "under another name, as it keeps its own" in note
    assert world.apply(plan).exit_codes == (0,)
    assert world.one("agent-identities", "desk")["status"] == "active"
    assert world.lines == ["PATCH /v1/agent-identities/identity_"]
