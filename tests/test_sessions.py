"""Sessions from the first apply to the last: found again, replaced in two calls that may be cut apart, never taken."""

import httpx
import pytest

from reconciler.errors import ManifestError, StalePlan
from reconciler.intake import adopt, import_live
from reconciler.plan.change import Action
from reconciler.plan.outcome import Done, Failed
from reconciler.settings import settings


@pytest.fixture
def weekly(world):
    """Give a world with a session that was applied."""
    world.declare("Session", "weekly", {"title": "Weekly", "tags": ["care"], "max_iterations": 3})
    world.converge()
    return world


def sessions(world):
    """Give every live session by its title, the chat among them."""
    return {one.get("title", ""): one for one in world.live("sessions")}


def replaced(world):
    """Declare what takes another session, with leave for it."""
    world.declare("Session", "weekly", {"title": "Weekly", "tags": ["care"], "max_iterations": 5}, replace=True)


def test_a_lost_ledger_finds_it_by_its_tag(weekly):
    """Without the ledger the same session is taken over: nothing is sent, and nothing is made twice."""
    before = weekly.ledger.entries
    weekly.lose_ledger()
    weekly.adopt = "exact"
    assert [change.action for change in weekly.plan().changes] == [Action.ADOPT]
    weekly.converge()
    assert [entry.id for entry in weekly.ledger.entries.values()] == [entry.id for entry in before.values()]
    assert len(weekly.live("sessions")) == 1


def test_its_tag_is_not_one_of_its_tags(weekly):
    """The tag with the address stands on the platform, and neither in a plan nor in the way of one."""
    assert weekly.live("sessions")[0]["tags"] == ["care", "reconciler:weekly"]
    weekly.declare("Session", "weekly", {"tags": []})
    (change,) = weekly.plan().steps
    assert [(field.name, field.old, field.new) for field in change.fields] == [("tags", ["care"], [])]
    weekly.converge()
    assert weekly.live("sessions")[0]["tags"] == ["reconciler:weekly"]


def test_a_tag_that_came_meanwhile_makes_the_plan_stale(weekly):
    """Tags that are sent back with ours are those that the plan saw: one that came since is not written over."""
    weekly.declare("Session", "monthly", {"title": "Weekly"}, moved_from="weekly")
    weekly.drop("Session", "weekly")
    plan = weekly.plan()
    weekly.api.patch(f"/v1/sessions/{weekly.live('sessions')[0]['id']}", json={"tags": ["late", "reconciler:weekly"]})
    with pytest.raises(StalePlan):
        weekly.apply(plan)


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("method", ["DELETE", "POST"])
def test_a_replacement_that_was_cut_apart_converges(weekly, method, carried_out):
    """Wherever the line breaks between the two calls of a replacement, the next run ends with one new session."""
    old = weekly.live("sessions")[0]["id"]
    replaced(weekly)
    weekly.meddler.cut(method, "/v1/sessions.*", httpx.ReadError("cut"), carried_out=carried_out, times=1)
    weekly.apply()
    weekly.meddler.rules.clear()
    weekly.converge()
    (new,) = weekly.live("sessions")
    assert new["id"] != old
    assert new["max_iterations"] == 5
    assert weekly.plan().is_empty


def test_an_agent_that_comes_back_is_the_one_that_it_had(world):
    """A session whose agent was archived by hand keeps it, and all that it holds: the agent comes back as it was."""
    world.agent("triage")
    world.declare("Session", "weekly", {"title": "Weekly", "agent": "triage"}, replace=True)
    world.converge()
    world.api.delete(f"/v1/agents/{world.one('agents', 'triage')['id']}")
    assert [(change.address.kind, change.action) for change in world.plan().steps] == [("Agent", Action.RESTORE)]
    before = world.live("sessions")
    world.converge()
    assert world.live("sessions") == before
    assert world.plan().is_empty


def test_it_is_made_after_the_version_that_it_will_keep(world):
    """A session keeps the version that is the default when it is made: what this plan publishes comes first."""
    world.agent("triage", version={"publish": "on-change"})
    world.converge()
    world.agent("triage", description="Sorts.", version={"publish": "on-change"})
    world.declare("Session", "weekly", {"title": "Weekly", "agent": "triage"})
    steps = {change.step: change.after for change in world.plan().steps}
    assert "default/Agent/triage release" in steps["default/Session/weekly"]
    world.converge()
    agent = world.one("agents", "triage")
    (session,) = world.live("sessions")
    assert session["agent_version_id"] == agent["default_version_id"]


def test_a_new_one_is_not_made_while_the_old_one_is_there(weekly):
    """Where the old session cannot be deleted the new one is not made, and the old one stays ours."""
    before = weekly.ledger.entries
    replaced(weekly)
    weekly.meddler.instead("DELETE", "/v1/sessions/.*", (403, {"title": "Forbidden", "status": 403}))
    outcomes = weekly.apply().outcomes
    assert [type(one).__name__ for one in outcomes] == ["Failed", "Blocked"]
    assert len(weekly.live("sessions")) == 1
    assert weekly.ledger.entries == before
    assert not weekly.ledger.begun
    weekly.adopt = "exact"
    weekly.converge()
    assert [one["max_iterations"] for one in weekly.live("sessions")] == [5]


def test_a_replacement_is_planned_for_what_it_saw(weekly):
    """A session that was changed after the plan was made is not deleted by it."""
    replaced(weekly)
    plan = weekly.plan()
    weekly.api.patch(f"/v1/sessions/{weekly.live('sessions')[0]['id']}", json={"title": "Kept by hand"})
    with pytest.raises(StalePlan):
        weekly.apply(plan)
    assert "Kept by hand" in sessions(weekly)


@pytest.mark.parametrize("rule", ["exact", "never"])
def test_a_chat_that_was_there_is_left_as_git_says(world, rule):
    """A get-or-create that finds another chat than git wants changes nothing without leave, and says the way out."""
    world.adopt = "exact"
    chat = world.post("/v1/sessions/chat", locale="en")
    world.declare("ChatSession", "chat", {"locale": "de-DE"}, adopt=rule)
    (failed,) = world.apply().outcomes
    assert isinstance(failed, Failed)
    assert chat["id"] in failed.error.message
    assert "adopt: overwrite" in failed.error.hint
    assert sessions(world)["Platform Chat"]["locale"] == "en"
    assert not world.ledger.entries


def test_a_chat_that_was_there_is_never_taken_over_where_git_forbids_it(world):
    """What agrees is not taken over either where git says never."""
    world.post("/v1/sessions/chat", locale="en")
    world.declare("ChatSession", "chat", {"locale": "en"}, adopt="never")
    (failed,) = world.apply().outcomes
    assert isinstance(failed, Failed)
    assert "adopt: never" in failed.error.message
    world.declare("ChatSession", "chat", {"locale": "en"}, adopt="exact")
    world.converge()
    assert world.plan().is_empty


def test_a_lost_answer_of_the_chat_makes_no_second_one(world):
    """Get-or-create is sent again when its answer is lost: there is one chat, and it is ours."""
    world.declare("ChatSession", "chat", {"locale": "en"})
    world.meddler.cut("POST", "/v1/sessions/chat", httpx.ReadError("cut"), carried_out=True, times=1)
    (done,) = world.apply().outcomes
    assert isinstance(done, Done)
    assert len(world.live("sessions")) == 1
    assert world.plan().is_empty


def test_a_switched_off_chat_says_so(world):
    """Without the feature the chat is not there to be had, and the platform's word for it is told."""
    world.api.patch(f"/v1/orgs/{world.org}/feature-flags", json={"flags": {"global_chat": False}})
    world.declare("ChatSession", "chat", {})
    (failed,) = world.apply().outcomes
    assert isinstance(failed, Failed)
    assert "global_chat" in failed.error.message


def test_the_chat_of_another_user_is_not_taken(open_world):
    """Each user has a chat: the one of somebody else is left alone, and the key's own is made."""
    with open_world() as world:
        ours = world.post("/v1/sessions/chat", locale="en")
        tags = ["global-chat", "user:00000000-0000-4000-8000-000000000001"]
        world.api.patch(f"/v1/sessions/{ours['id']}", json={"tags": tags})
        world.declare("ChatSession", "chat", {"locale": "de-DE"})
        world.converge()
        assert sorted(one["locale"] for one in world.live("sessions")) == ["de-DE", "en"]


def test_an_import_takes_what_has_our_tag_alone(weekly):
    """What somebody opened and the chats of users are no configuration: an import and a drift leave them out."""
    weekly.post("/v1/sessions", title="Retro")
    weekly.post("/v1/sessions/chat")
    weekly.lose_ledger()
    into = str(weekly.folder / "imported")
    result = import_live(settings(env={}), client=weekly.reader(), ledger=weekly.ledger, into=into, words=[])
    (saved,) = [one for one in result.saved if "session" in str(one.path)]
    assert str(saved.path).endswith("sessions/weekly.yaml")
    assert "reconciler:" not in (weekly.folder / "imported" / saved.path).read_text()


def test_a_session_is_adopted_without_a_write(weekly):
    """`ledger adopt` takes a session over by its tag as it takes anything else."""
    weekly.lose_ledger()
    weekly.adopt = "exact"
    taken = adopt(weekly.plan(), client=weekly.reader(), keeper=weekly.keeper, chosen=lambda _address: True)
    assert [change.address.name for change in taken] == ["weekly"]
    assert weekly.plan().is_empty


def test_a_session_can_be_pinned_by_its_id_alone(weekly):
    """An id that no session has is a fault, whatever tags there are."""
    weekly.declare("Session", "weekly", {}, id="session_" + "0" * 32)
    with pytest.raises(ManifestError):
        weekly.plan()


def test_sessions_and_the_chat_share_a_list(weekly):
    """Both kinds read one collection: neither takes the other for its own, and a plan of both is empty."""
    weekly.declare("ChatSession", "chat", {"locale": "en"})
    weekly.converge()
    assert weekly.plan().is_empty
    kinds = {address.kind: entry.id for address, entry in weekly.ledger.entries.items()}
    assert kinds == {
        "Session": sessions(weekly)["Weekly"]["id"],
        "ChatSession": sessions(weekly)["Platform Chat"]["id"],
    }


def test_a_chat_is_ours_again_after_the_ledger_was_lost(world):
    """Without the ledger the chat is got again by the call that creates it, and nothing else is sent."""
    world.declare("ChatSession", "chat", {"locale": "en"})
    world.converge()
    before = world.ledger.entries
    world.lose_ledger()
    applied = world.apply()
    assert applied.exit_codes == (0,)
    assert world.ledger.entries.keys() == before.keys()
    assert [entry.id for entry in world.ledger.entries.values()] == [entry.id for entry in before.values()]


def test_a_new_secret_takes_a_new_session(world, monkeypatch):
    """A secret is said once like what it stands in: another value is a replacement, refused without leave."""
    monkeypatch.setenv("CRM_TOKEN", "one value of it")
    servers = {"crm": {"url": "https://crm.example.com/mcp", "headers": {"Authorization": {"env": "CRM_TOKEN"}}}}
    world.declare("Session", "weekly", {"mcpServers": servers})
    world.converge()
    assert world.plan().is_empty
    monkeypatch.setenv("CRM_TOKEN", "another value of it")
    plan = world.plan()
    assert [change.action for change in plan.steps] == [Action.ARCHIVE, Action.CREATE]
    assert "mcpServers" in plan.refusals[0].message
    assert "value of it" not in repr(plan)
    world.declare("Session", "weekly", {"mcpServers": servers}, replace=True)
    world.converge()
    assert world.plan().is_empty


def test_a_session_mounts_memories_by_name(world):
    """What stands deeper in a session is a reference too: the memory is made first, and named in the plan."""
    world.memory("docs")
    mounts = [{"memory": "docs", "path": "/workspace/docs"}]
    world.declare("Session", "weekly", {"capabilities": [{"ref": "memory", "config": {"mounts": mounts}}]})
    world.converge()
    assert world.plan().is_empty
    (session,) = world.live("sessions")
    assert session["capabilities"][0]["config"]["mounts"][0]["memory"] == world.one("memories", "docs")["id"]
