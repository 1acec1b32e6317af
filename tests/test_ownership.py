"""Whose a resource is, from manifests to requests: what is not ours is not touched, what is ours is not lost."""

from datetime import UTC, datetime

import pytest

from reconciler.errors import ManifestError, PlanRefused, UsageError
from reconciler.intake import accept, adopt, capture
from reconciler.plan.change import Action, Side
from reconciler.plan.outcome import Done
from reconciler.reconcile import make_plan, plan_afresh
from reconciler.settings import settings
from reconciler.views import find_drift

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
    assert told(plan) == [("default/Memory/handbook", "record")]
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


def begun(world):
    """Announce the creation of an agent that never came to be, by a run whose end is not known."""
    world.agent("a", description="Ours.")
    world.meddler.instead("POST", "/v1/agents", (500, {}), times=None)
    world.apply()
    world.meddler.rules.clear()
    world.forget()
    assert [str(address) for address in world.ledger.begun] == ["default/Agent/a"]


def test_what_a_killed_run_wrote_is_not_told_as_somebody_elses(strict):
    """After an update whose run died, nobody says that the platform moved; the next apply learns what is there."""
    strict.agent("a")
    strict.converge()
    strict.agent("a", description="One.")
    plan = strict.plan()
    with pytest.raises(SystemExit):
        strict.apply(plan, listen=_dies)
    strict.agent("a", description="Two.")
    (change,) = strict.plan().changes
    assert [field.side for field in change.fields] == [None]
    strict.agent("a", description="One.")
    (change,) = strict.plan().changes
    assert change.action is Action.RECORD
    assert "a run that did not end" in change.notes[0]
    strict.converge()
    assert strict.plan().changes == ()
    assert strict.ledger.begun == frozenset()


def _dies(news):
    """End the process as soon as something was done."""
    if isinstance(news, Done):
        raise SystemExit


def test_what_was_announced_and_made_by_somebody_else_is_not_overwritten(strict):
    """An announced creation makes nothing ours that differs in more than what a creation leaves for later."""
    begun(strict)
    strict.post("/v1/agents", name="a", system_prompt="Theirs.")
    assert told(strict.plan()) == [("default/Agent/a", "conflict")]


def test_what_was_announced_and_came_to_be_is_ours(strict):
    """What a run that died has made agrees with git, and is completed where something is missing."""
    begun(strict)
    strict.post("/v1/agents", name="a", system_prompt="Help.")
    strict.apply()
    assert strict.one("agents", "a")["description"] == "Ours."


def test_what_was_announced_is_not_archived_unasked(strict):
    """An announcement is no proof that a thing is ours: it takes an entry, or git's own word, to archive it."""
    begun(strict)
    strict.post("/v1/agents", name="a", system_prompt="Theirs.")
    strict.declare("Agent", "a", archive=True)
    with pytest.raises(ManifestError) as caught:
        strict.plan()
    assert "not ours" in caught.value.faults[0].message


def test_an_archived_one_of_somebody_else_is_not_revived_against_adopt_never(strict):
    """That an address was ours once gives it no right to another resource, archived or not."""
    strict.agent("a")
    strict.converge()
    mine = strict.one("agents", "a")["id"]
    strict.api.patch(f"/v1/agents/{mine}", json={"name": "elsewhere"})
    strict.api.delete(f"/v1/agents/{mine}")
    strict.api.delete(f"/v1/agents/{strict.post('/v1/agents', name='a', system_prompt='Theirs.')['id']}")
    strict.declare("Agent", "a", {"system_prompt": "Help."}, adopt="never")
    with pytest.raises(ManifestError) as caught:
        strict.plan()
    assert "adopt: never" in caught.value.faults[0].message


def test_nothing_foreign_is_archived_by_a_rule_for_all(world):
    """To archive what somebody else made takes adopt: overwrite in that very document, whatever the rule for all."""
    world.post("/v1/memories", name="docs")
    assert world.adopt == "overwrite"
    world.declare("Memory", "docs", {"name": "docs"}, archive=True)
    with pytest.raises(ManifestError) as caught:
        world.plan()
    assert "not ours" in caught.value.faults[0].message
    world.declare("Memory", "docs", {"name": "docs"}, archive=True, adopt="overwrite")
    world.apply()
    assert (world.lines, world.one("memories", "docs")["status"]) == (["DELETE /v1/memories/mem_"], "archived")


def test_what_somebody_else_archived_is_not_revived_unasked(strict):
    """An archived agent of the name that was never ours stops the run; with adopt: overwrite it is brought back."""
    theirs = strict.post("/v1/agents", name="a", system_prompt="Theirs.")["id"]
    strict.api.delete(f"/v1/agents/{theirs}")
    strict.agent("a")
    plan = strict.plan()
    assert told(plan) == [("default/Agent/a", "conflict")]
    with pytest.raises(PlanRefused):
        strict.apply(plan)
    assert adopt(plan, client=strict.reader(), keeper=strict.keeper, chosen=lambda _: True, also_differing=True) == []
    assert (strict.writes, strict.ledger.entries) == ([], {})
    strict.declare("Agent", "a", {"system_prompt": "Help."}, adopt="overwrite")
    assert told(strict.plan()) == [("default/Agent/a", "restore")]
    strict.converge()
    assert (strict.one("agents", "a")["id"], strict.one("agents", "a")["status"]) == (theirs, "active")


def test_what_a_run_of_ours_archived_is_revived(strict):
    """What left git, was archived by a run and is declared again was ours: it comes back without a word."""
    strict.agent("a")
    strict.agent("stays")
    strict.converge()
    strict.drop("Agent", "a")
    strict.converge()
    strict.agent("a")
    assert told(strict.plan()) == [("default/Agent/a", "restore")]
    strict.lose_ledger()
    assert told(strict.plan()) == [("default/Agent/a", "conflict"), ("default/Agent/stays", "adopt")]


@pytest.mark.parametrize(
    ("kind", "name", "spec", "comes_back"),
    [("Agent", "a", {"system_prompt": "Help."}, True), ("Memory", "m", {}, False), ("App", "b", {}, False)],
)
def test_what_cannot_be_brought_back_is_said_before(strict, kind, name, spec, comes_back):
    """The plan says of apps and memories that archiving them is for good; of agents it does not."""
    for one in (name, "stays"):
        strict.declare(kind, one, spec | ({"harness": "generic"} if kind == "App" else {}))
    strict.converge()
    strict.drop(kind, name)
    (change,) = strict.plan().changes
    note = "the platform cannot bring it back: declared again, it is made anew"
    assert (note in change.notes) is not comes_back


def test_a_move_onto_what_is_ours_is_a_fault(strict):
    """Two resources of ours cannot have one address: neither is dropped for the other."""
    strict.agent("old")
    strict.agent("new")
    strict.converge()
    there = strict.one("agents", "new")["id"]
    strict.drop("Agent", "old")
    strict.declare("Agent", "new", {"system_prompt": "Help."}, moved_from="old")
    with pytest.raises(ManifestError) as caught:
        strict.plan()
    (fault,) = caught.value.faults
    assert fault.message == f"Agent/old cannot move here: another one that is ours has this address ({there})"
    assert fault.path == ("metadata", "moved_from")
    assert strict.writes == []


def test_a_channel_does_not_move_onto_another(strict):
    """The same holds beside the name of a channel."""
    strict.bot("bot", DAILY, WEEKLY)
    strict.converge()
    strict.bot("bot", {**WEEKLY, "moved_from": "daily"})
    with pytest.raises(ManifestError) as caught:
        strict.plan()
    (fault,) = caught.value.faults
    assert "App/bot/Channel/daily cannot move here" in fault.message
    assert fault.path[-1] == "moved_from"


def test_a_move_that_was_done_is_no_fault(strict):
    """A line that stays in git after its move was applied does no harm."""
    strict.agent("old")
    strict.converge()
    strict.drop("Agent", "old")
    strict.declare("Agent", "new", {"system_prompt": "Help."}, moved_from="old")
    strict.converge()
    assert strict.plan().is_empty


def test_an_id_in_an_organization_that_is_not_there_yet_is_a_fault(strict):
    """Nothing can have an id where nothing is: the line is found before the organization is made."""
    strict.declare("Organization", "acme", {"name": "Acme Inc"})
    strict.declare("Agent", "a", {"system_prompt": "Help."}, org="acme", id="agent_" + "0" * 32)
    with pytest.raises(ManifestError) as caught:
        strict.plan()
    (fault,) = caught.value.faults
    assert "its organization does not exist yet" in fault.message
    assert (fault.path, fault.hint) == (("metadata", "id"), "remove the line")
    assert strict.writes == []


def test_a_channel_leaves_while_its_app_moves(world):
    """What left git below a parent that moved is archived at the parent's new address."""
    world.bot("one", DAILY, WEEKLY)
    world.converge()
    world.drop("App", "one")
    world.declare("App", "two", {"harness": "generic", "channels": [DAILY]}, moved_from="one")
    world.converge()
    assert {str(address) for address in world.ledger.entries} == {"default/App/two", "default/App/two/Channel/daily"}
    assert world.plan().is_empty


def test_channels_of_an_app_that_was_archived_on_the_platform_are_forgotten(world):
    """What only the ledger is to forget makes no plan stale."""
    world.bot("one", DAILY)
    world.agent("a")
    world.converge()
    world.api.delete(f"/v1/apps/{world.one('apps', 'one')['id']}")
    world.drop("App", "one")
    assert world.apply(recheck=True).exit_codes == (0,)
    assert [str(address) for address in world.ledger.entries] == ["default/Agent/a"]


def test_what_is_pending_beside_a_captured_field_stays_pending(world):
    """The ledger takes for last written what was captured, and not what git wants beside it."""

    def seen():
        wanted = world.wanted()
        return wanted, find_drift(wanted, here, client=world.reader(), config=world.config, now=datetime.now(UTC))

    world.agent("a", description="Old.")
    world.converge()
    world.api.patch(f"/v1/agents/{world.one('agents', 'a')['id']}", json={"system_prompt": "Live."})
    world.agent("a", description="New.")
    here = settings(env={}, manifests=(str(world.folder),))
    wanted, drift = seen()
    captured = capture(wanted, here, drift)
    world.agent("a", description="New.", system_prompt="Live.")
    wanted = world.wanted()
    accept(captured, wanted, make_plan(wanted, here, client=world.reader()), client=world.reader(), keeper=world.keeper)
    assert seen()[1].drifted == ()


def test_another_organization_under_the_same_name_is_refused(strict):
    """Where EVERRUNS_ORG_ID names another organization than before, nothing is made a second time there."""
    strict.agent("a")
    strict.converge()
    other = strict.post("/v1/orgs", name="Other")["id"]
    here = settings(env={"EVERRUNS_ORG_ID": other}, manifests=(str(strict.folder),))
    with pytest.raises(UsageError, match=other):
        plan_afresh(here, client=strict.reader(), read_ledger=strict.backend.read, config=strict.config)


def test_a_channel_of_another_type_keeps_no_secret_of_the_old_one(world, monkeypatch):
    """The ledger keeps a channel the same one when its type changes; what was secret must not be shown by the new."""
    monkeypatch.setenv("SIGNING", "sesame-1")
    monkeypatch.setenv("TOKEN", "sesame-2")
    config = {"signing_secret": {"env": "SIGNING"}, "bot_token": {"env": "TOKEN"}, "channel_id": "C1"}
    world.bot("one", {"name": "c", "type": "slack", "config": config})
    world.converge()
    world.bot("one", {"name": "c", "type": "ag_ui"})
    plan = world.plan()
    assert [(change.action.value, change.body, change.notes) for change in plan.changes] == [
        ("update", {"type": "ag_ui", "config": {}}, ())
    ]
    assert world.apply(plan).exit_codes == (0,)
    assert world.one("apps", "one")["channels"][0]["channel_config"] == {}
    assert world.plan().is_empty


def test_what_the_server_adds_to_a_list_is_not_taken_for_a_change_on_the_platform(world):
    """A pending change is told as one where the server spells what was written in more words."""
    world.agent("a", capabilities=[{"ref": "web_fetch"}])
    world.converge()
    world.agent("a", capabilities=[{"ref": "web_fetch"}, {"ref": "session_file_system"}])
    (change,) = world.plan().changes
    assert [(field.name, field.side) for field in change.fields] == [("capabilities", Side.PENDING)]


def test_what_the_server_adds_beside_files_is_not_taken_for_a_change_on_the_platform(world):
    """A pending change is told as one where the server put a capability of its own into the list."""
    files = [{"path": "rules.md", "content": "Be brief."}]
    world.agent("a", capabilities=[{"ref": "web_fetch"}], initial_files=files)
    world.converge()
    world.agent("a", capabilities=[{"ref": "current_time"}], initial_files=files)
    (change,) = world.plan().changes
    assert [(field.name, field.side) for field in change.fields] == [("capabilities", Side.PENDING)]


def test_an_announcement_that_nobody_declares_any_more_is_told(strict):
    """What a dead run may have made is not forgotten with its document: the plan says where to look."""
    begun(strict)
    strict.drop("Agent", "a")
    strict.agent("b")
    (report,) = [change for change in strict.plan().changes if change.action is Action.REPORT]
    assert str(report.address) == "default/Agent/a"
    assert "reconciler ledger forget default/Agent/a" in report.notes[0]
