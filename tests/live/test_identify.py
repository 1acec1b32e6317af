"""Which live resource an address means."""

import pytest

from reconciler.errors import ManifestError
from reconciler.plan.change import Action, Side

HOOK = {"type": "webhook", "config": {"token": {"env": "HOOK_TOKEN"}, "message": "Go."}}


def cron(name, message="Run.", **more):
    """Declare a schedule channel."""
    return {"name": name, "type": "schedule", "config": {"cron_expression": "0 2 * * *", "message": message}, **more}


def steps(plan):
    """Return what a plan does, by address within the organization."""
    return {change.address.local: change.action.value for change in plan.changes}


def faults(world):
    """Plan, and return the faults it ends in."""
    with pytest.raises(ManifestError) as raised:
        world.plan()
    return raised.value.faults


@pytest.fixture
def app(world):
    """Give the path of a live app without channels."""
    return f"/v1/apps/{world.post('/v1/apps', name='bot', harness_id=world.harness)['id']}"


@pytest.fixture
def add(world, app):
    """Give a function that adds a schedule channel to the app and returns its id."""

    def post(message="Run.", minute=0):
        config = {"cron_expression": f"{minute} 2 * * *", "message": message}
        return world.post(f"{app}/channels", channel_type="schedule", channel_config=config)["id"]

    return post


def test_an_agent_is_its_slug(world):
    """Agents go by their exact name, whatever else they are called."""
    world.post("/v1/agents", name="triage", system_prompt="Help.", display_name="writer")
    world.agent("triage")
    world.agent("writer")
    assert steps(world.plan()) == {"Agent/triage": "adopt", "Agent/writer": "create"}


def test_a_memory_goes_by_any_case(world):
    """Memories are one whatever their case, and are brought to the case that is written."""
    world.post("/v1/memories", name="Design DOCS")
    world.memory("docs", name="Design docs")
    plan = world.plan()
    assert steps(plan) == {"Memory/docs": "update"}
    assert plan.changes[0].body == {"name": "Design docs"}


def test_an_app_goes_by_its_title(world, app):
    """Apps go by their exact display name; another case is another app."""
    world.bot("assistant", name="bot")
    world.bot("shouting", name="BOT")
    assert steps(world.plan()) == {"App/assistant": "adopt", "App/shouting": "create"}


def test_several_apps_of_one_name(world, app):
    """Several live resources of the name are for a person to settle: the fault lists the ids and the way out."""
    other = world.post("/v1/apps", name="bot", harness_id=world.harness)["id"]
    world.bot("bot")
    (fault,) = faults(world)
    assert fault.message.startswith('2 apps on the platform are called "bot": ')
    assert other in fault.message
    assert app.rpartition("/")[2] in fault.message
    assert "metadata.id" in fault.hint
    world.declare("App", "bot", {"harness": "generic"}, id=other)
    (change,) = world.plan().changes
    assert (change.action, change.id) == (Action.ADOPT, other)


def test_archived_apps_do_not_count(world, app):
    """Among several of a name, only what is alive is meant."""
    alive = world.post("/v1/apps", name="bot", harness_id=world.harness)["id"]
    world.api.delete(app)
    world.bot("bot")
    (change,) = world.plan().changes
    assert (change.action, change.id) == (Action.ADOPT, alive)


def test_a_pinned_id_is_insisted_on(world, app):
    """An id that is not there, or claimed twice, is a fault on its line."""
    world.declare("App", "bot", {"harness": "generic"}, id="app_" + "0" * 32)
    (fault,) = faults(world)
    assert fault.message == f"no app has the id app_{'0' * 32} in this organization"
    assert fault.path == ("metadata", "id")
    ident = app.rpartition("/")[2]
    world.declare("App", "bot", {"harness": "generic"}, id=ident)
    world.declare("App", "desk", {"harness": "generic"}, id=ident)
    (fault,) = faults(world)
    assert fault.message == f"{ident} is claimed by two documents"


def test_what_is_pinned_is_not_free_for_others(world, app):
    """A resource claimed by id does not answer to its name any more."""
    world.declare("App", "desk", {"harness": "generic"}, id=app.rpartition("/")[2])
    world.bot("bot")
    assert steps(world.plan()) == {"App/desk": "update", "App/bot": "create"}


def test_a_pinned_archived_agent_is_restored(world):
    """An id may also mean an archived resource."""
    agent = world.post("/v1/agents", name="triage", system_prompt="Help.")["id"]
    world.api.delete(f"/v1/agents/{agent}")
    world.declare("Agent", "triage", {"system_prompt": "Help."}, id=agent)
    plan = world.plan()
    assert steps(plan) == {"Agent/triage": "restore"}
    assert plan.changes[0].id == agent


# --- what is remembered ---


def test_the_id_in_the_ledger_counts_for_more_than_the_name(world):
    """What was renamed on the platform is still ours: it is named back, and no second one is made."""
    world.bot("bot", name="Bot")
    world.converge()
    ours = world.one("apps", "Bot")["id"]
    world.api.patch(f"/v1/apps/{ours}", json={"name": "renamed"})
    (change,) = world.plan().changes
    assert (change.action, change.id, change.body) == (Action.UPDATE, ours, {"name": "Bot"})
    assert change.fields[0].side is Side.DRIFTED


def test_a_namesake_is_not_ours(world):
    """Somebody else's app of the same name leaves the one that is ours unmistakable."""
    world.bot("bot")
    world.converge()
    world.post("/v1/apps", name="bot", harness_id=world.harness)
    assert world.plan().changes == ()


def test_an_id_in_git_counts_for_more_than_the_ledger(world):
    """metadata.id settles what an address means, whatever was remembered of it."""
    world.bot("bot")
    world.converge()
    other = world.post("/v1/apps", name="other", harness_id=world.harness)["id"]
    world.declare("App", "bot", {"harness": "generic"}, id=other)
    plan = world.plan()
    assert [(change.action, change.id) for change in plan.writes] == [(Action.UPDATE, other)]
    assert "was not ours" in plan.writes[0].notes[0]


def test_what_is_remembered_and_gone_goes_by_its_name(world):
    """An id that is not live any more says nothing: the name counts, and without one a new one is made."""
    world.bot("bot")
    world.converge()
    world.api.delete(f"/v1/apps/{world.one('apps', 'bot')['id']}")
    assert steps(world.plan()) == {"App/bot": "create"}
    world.post("/v1/apps", name="bot", harness_id=world.harness)
    assert steps(world.plan()) == {"App/bot": "adopt"}


# --- children ---


def test_children_are_the_equal_ones_first(world, add):
    """Order in git does not matter where a live child agrees in everything declared."""
    first, second = add("one"), add("two")
    world.bot("bot", cron("b", "two"), cron("a", "one"))
    plan = world.plan()
    assert steps(plan) == {"App/bot": "adopt", "App/bot/Channel/a": "adopt", "App/bot/Channel/b": "adopt"}
    assert {change.address.name: change.id for change in plan.changes if change.address.parent} == {
        "a": first,
        "b": second,
    }


def test_children_are_then_taken_by_position(world, add):
    """What is left is paired in order, type by type."""
    add("one")
    second = add("two")
    world.bot("bot", cron("a", "one"), cron("b", "changed"), {"name": "api", "type": "api_endpoint"})
    plan = world.plan()
    assert steps(plan) == {
        "App/bot": "adopt",
        "App/bot/Channel/a": "adopt",
        "App/bot/Channel/b": "update",
        "App/bot/Channel/api": "create",
    }
    assert next(change.id for change in plan.changes if change.address.name == "b") == second


def test_more_children_declared_than_live(world, add):
    """What has no live counterpart is created, and nothing else is touched."""
    add("one")
    world.bot("bot", cron("a", "one"), cron("b", "two"), cron("c", "three"))
    assert steps(world.plan()) == {
        "App/bot": "adopt",
        "App/bot/Channel/a": "adopt",
        "App/bot/Channel/b": "create",
        "App/bot/Channel/c": "create",
    }


def test_fewer_children_declared_than_live(world, add):
    """Which of several is meant is not guessed: the fault lists the ids and the way out."""
    first, second = add("one"), add("two")
    world.bot("bot", cron("a", "changed"))
    (fault,) = faults(world)
    assert fault.message == f"cannot tell which live schedule channel this is: {first}, {second}"
    assert fault.path == ("spec", "channels", 0, "name")
    assert "with id" in fault.hint
    world.bot("bot", cron("a", "changed", id=second))
    plan = world.plan()
    assert steps(plan) == {
        "App/bot": "adopt",
        "App/bot/Channel/a": "update",
        f"App/bot/Channel/{first}": "report",
    }
    assert next(change.id for change in plan.changes if change.address.name == "a") == second


def test_fewer_children_declared_but_equal(world, add):
    """One that agrees is no guess; the others are reported and left alone."""
    first, second = add("one"), add("two")
    world.bot("bot", cron("a", "two"))
    plan = world.plan()
    assert not plan.writes
    (report,) = [change for change in plan.changes if not change.action.is_step]
    assert (report.action.value, report.address.name) == ("report", first)
    assert first in report.notes[0]
    assert second not in report.notes[0]


def test_children_nobody_listed_are_not_reported(world, add):
    """An app that says nothing of channels says nothing of the live ones either."""
    add("one")
    world.declare("App", "bot", {"harness": "generic"})
    assert steps(world.plan()) == {"App/bot": "adopt"}
    world.converge()
    assert world.plan().changes == ()
    world.bot("bot")
    assert [change.action.value for change in world.plan().changes] == ["report"]


def test_a_child_pinned_to_nothing(world, add):
    """A channel id that the app does not have is a fault on the channel."""
    add("one")
    world.bot("bot", cron("a", "one", id="appchan_" + "0" * 32))
    (fault,) = faults(world)
    assert fault.path == ("spec", "channels", 0, "id")


def test_the_same_channel_twice(world, add, monkeypatch):
    """Two live channels that are alike stand for two declared ones, one each."""
    monkeypatch.setenv("HOOK_TOKEN", "sesame")
    twins = {add("same"), add("same")}
    world.bot("bot", cron("a", "same"), cron("b", "same"), cron("c", "same"))
    plan = world.plan()
    assert steps(plan) == {
        "App/bot": "adopt",
        "App/bot/Channel/a": "adopt",
        "App/bot/Channel/b": "adopt",
        "App/bot/Channel/c": "create",
    }
    assert {change.id for change in plan.changes if change.address.name in ("a", "b")} == twins
    world.converge()
    assert world.plan().is_empty


def test_more_specific_children_are_served_first(world):
    """One that agrees with everything does not take the only one that another agrees with."""
    world.bot("bot", {"name": "b", "type": "fcp"}, {"name": "a", "type": "fcp", "config": {"handshake": "hi"}})
    world.converge()
    assert world.plan().is_empty
    loose = [{"name": f"loose-{n}", "type": "fcp"} for n in range(3)]
    exact = [{"name": f"exact-{n}", "type": "fcp", "config": {"handshake": f"hi {n}"}} for n in range(3)]
    world.bot("desk", *loose, *exact)
    world.converge()
    assert world.plan().is_empty


@pytest.mark.parametrize("parallel", [1, 4])
def test_children_of_a_type_are_made_in_the_order_of_git(world, monkeypatch, parallel):
    """Position means the same on both sides: all changed at once, each keeps its id and with it its secret."""
    names = ["zulu", "alpha", "mike", "bravo"]
    for name in names:
        monkeypatch.setenv(f"{name.upper()}_TOKEN", f"secret of {name}")

    def hooks(word):
        return [
            {
                "name": name,
                "type": "webhook",
                "config": {"token": {"env": f"{name.upper()}_TOKEN"}, "message": f"{word} {name}"},
            }
            for name in names
        ]

    world.bot("bot", *hooks("Old"), {"name": "f", "type": "fcp"})
    assert world.apply(parallel=parallel).exit_codes == (0,)
    world.bot("bot", *hooks("New"), {"name": "f", "type": "fcp"})
    assert world.apply(parallel=parallel).exit_codes == (0,)
    live = [channel["id"] for channel in world.one("apps", "bot")["channels"] if channel["channel_type"] == "webhook"]
    stored = [world.emulator.store.get(world.org, "channels", id_).body()["channel_config"] for id_ in live]
    assert {(one["token"], one["message"]) for one in stored} == {(f"secret of {n}", f"New {n}") for n in names}


def test_what_the_platform_brings_along_is_not_ours(world):
    """A built-in that only the platform knows of is refused when planning, with what to do instead."""
    world.declare("Harness", "house-special", {"tags": ["a"]})
    built_in = {"id": "harness_" + "0" * 32, "name": "house-special", "is_built_in": True, "status": "active"}
    world.meddler.edit("GET", "/v1/harnesses", lambda answer: {"data": [*answer["data"], built_in]})
    world.meddler.contract.but("GET /v1/harnesses")
    (fault,) = faults(world)
    assert fault.message == '"house-special" is built in, and the platform lets nobody change it'
    assert "parent_harness: house-special" in fault.hint
    assert fault.path == ("metadata", "name")


def test_of_several_archived_ones_it_is_ours(world):
    """Of several archived identities of one name the one that was ours is brought back, however old it is."""
    world.declare("AgentIdentity", "stays")
    world.declare("AgentIdentity", "desk", {"name": "Desk"})
    world.converge()
    ours = world.one("agent-identities", "Desk")["id"]
    world.drop("AgentIdentity", "desk")
    world.converge()
    other = world.post("/v1/agent-identities", name="Desk")["id"]
    world.api.delete(f"/v1/agent-identities/{other}")
    world.declare("AgentIdentity", "desk", {"name": "Desk"})
    (change,) = world.plan().changes
    assert (change.action, change.id) == (Action.RESTORE, ours)


def test_what_was_archived_and_is_not_ours_stays_archived(world):
    """With the ledger lost, an archived identity is a stranger's: a new one is made, and it is left alone."""
    world.declare("AgentIdentity", "desk", {"name": "Desk"})
    world.converge()
    old = world.one("agent-identities", "Desk")["id"]
    world.api.delete(f"/v1/agent-identities/{old}")
    world.lose_ledger()
    assert [change.action for change in world.plan().changes] == [Action.CREATE]


def test_an_archived_one_that_git_names_by_id(world):
    """An archived identity named by its id is brought back where git says to take it over, else told as a conflict."""
    old = world.post("/v1/agent-identities", name="Desk")["id"]
    world.api.delete(f"/v1/agent-identities/{old}")
    world.adopt = "exact"
    world.declare("AgentIdentity", "desk", {"name": "Desk"}, id=old)
    assert [change.action for change in world.plan().changes] == [Action.CONFLICT]
    world.declare("AgentIdentity", "desk", {"name": "Desk"}, id=old, adopt="overwrite")
    assert [change.action for change in world.plan().changes] == [Action.RESTORE]
    world.converge()
    assert world.one("agent-identities", "Desk")["status"] == "active"
