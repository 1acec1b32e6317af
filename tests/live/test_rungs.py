"""Each rung of the ladder recovers what it is for, and its test fails when the rung is broken."""

from dataclasses import replace

import httpx
import pytest

from reconciler.api_errors import Throttled, Unreachable
from reconciler.kinds.release import Released
from reconciler.live import beforehand, doubt, holder, ladder, perform, rungs, standing
from reconciler.live.ladder import LADDER
from reconciler.plan.outcome import Conflicted, Done, Failed

TAKEN = {"title": "Conflict", "status": 409, "detail": "taken"}
SCHEDULE = {"name": "s", "type": "schedule", "config": {"cron_expression": "0 2 * * *", "message": "Run."}}


def only(applied):
    """Return the one outcome of an apply."""
    (outcome,) = applied.outcomes
    return outcome


def changed(world):
    """Let an agent be ours and then wanted otherwise; give its path and the plan."""
    world.agent("triage")
    world.converge()
    world.agent("triage", tags=["a"])
    return f"/v1/agents/{world.one('agents', 'triage')['id']}", world.plan()


def told_to_come_later(world):
    """A server that asks for more time than we give is asked nothing more for this change."""
    path, plan = changed(world)
    world.meddler.instead("PATCH", path, (429, {"retry_after_seconds": 3600}), times=None)
    world.forget()
    outcome = only(world.apply(plan, recheck=False))
    assert isinstance(outcome, Failed)
    assert type(outcome.error) is Throttled
    assert outcome.error.message.startswith("updating ")
    after = [sent.method for sent in world.sent]
    assert after[after.index("PATCH") :] == ["PATCH"]


def in_doubt(world):
    """A create that was carried out and whose answer was lost is found, not repeated."""
    world.bot("bot")
    world.meddler.cut("POST", "/v1/apps", httpx.ReadError("reset"), carried_out=True)
    assert isinstance(only(world.apply()), Done)
    assert world.lines == ["POST /v1/apps"]


def not_heard(world):
    """A write that was never heard is reported as that, and nothing else is asked."""
    path, plan = changed(world)
    world.meddler.cut("PATCH", path, httpx.ConnectError("refused"), times=None)
    world.forget()
    outcome = only(world.apply(plan, recheck=False))
    assert isinstance(outcome, Failed)
    assert type(outcome.error) is Unreachable
    after = [sent.method for sent in world.sent]
    assert set(after[after.index("PATCH") :]) == {"PATCH"}


def retry_later(world):
    """What is to be tried later is tried when its time has come."""
    world.agent("triage")
    answer = TAKEN | {"allowed_actions": [{"rel": "retry-later"}], "retry_after_seconds": 30}
    world.meddler.instead("POST", "/v1/agents", (409, answer))
    assert isinstance(only(world.apply()), Done)


def retry(world):
    """What the server wants replayed is replayed."""
    world.agent("triage")
    world.meddler.instead("POST", "/v1/agents", (422, TAKEN | {"allowed_actions": [{"rel": "retry"}]}))
    assert isinstance(only(world.apply()), Done)


def no_role(world):
    """A key without the role is told which one is needed."""
    world.bot("bot", SCHEDULE)
    world.converge()
    world.declare("App", "bot", {"harness": "generic"}, archive=True)
    world.meddler.instead("DELETE", "/v1/apps/.*", (403, {"detail": "Access denied: policy 'x' requires 'y'"}))
    outcome = only(world.apply())
    assert isinstance(outcome, Failed)
    assert "the owner role" in outcome.error.hint


def feature_off(world):
    """A feature that is switched off is not taken for a missing resource."""
    world.memory("docs")
    answer = {"detail": "Feature 'memory' is not enabled", "code": "feature_not_enabled"}
    world.meddler.instead("POST", "/v1/memories", (404, answer))
    outcome = only(world.apply())
    assert isinstance(outcome, Failed)
    assert "switch it on: feature_flags of Organization default" in outcome.error.hint


def versions_off(world):
    """A release where there are no versions names the feature flag."""
    world.agent("triage", version={"publish": "on-change"})
    answer = {"detail": "Agent versions not found", "code": "not_found"}
    world.meddler.instead("POST", "/v1/agents/[^/]*/versions", (404, answer), times=None)
    _, outcome = world.apply().outcomes
    assert isinstance(outcome, Failed)
    assert "the feature flag agent_versions is off in default" in outcome.error.message


def frozen(world):
    """A server that froze apps between the check and the write says so in our words."""
    world.bot("bot")
    world.meddler.instead("POST", "/v1/apps", (405, b""))
    outcome = only(world.apply())
    assert isinstance(outcome, Failed)
    assert "frozen apps" in outcome.error.message


def unarchive(world):
    """Where unarchiving is offered it is done by the offered link, then the rest is written."""
    world.adopt = "overwrite"
    world.memory("docs", description="new")
    plan = world.plan()
    memory = world.post("/v1/memories", name="docs", description="old")
    world.api.delete(f"/v1/memories/{memory['id']}")
    link = f"/v1/memories/{memory['id']}/unarchive"

    def revive(_sent, _pass_on):
        record = world.emulator.store.get(world.org, "memories", memory["id"])
        body = {key: value for key, value in record.body().items() if key != "archived_at"} | {"status": "active"}
        world.emulator.store.save(record.with_body(body))
        return "200 OK", [], b"{}"

    world.meddler.contract.but("POST .*/unarchive is in the file neither")
    answer = TAKEN | {"allowed_actions": [{"rel": "unarchive", "href": link}]}
    world.meddler.instead("POST", "/v1/memories", (409, answer))
    world.meddler.instead("POST", link, (200, {}))
    world.meddler.rules[-1].do = revive
    world.forget()
    assert isinstance(only(world.apply(plan, recheck=False)), Done)
    assert world.one("memories", "docs")["description"] == "new"


def get_existing(world):
    """Where several have the name, only the server's link says which one is meant."""
    world.bot("bot")
    plan = world.plan()
    first = world.post("/v1/apps", name="bot", harness_id=world.harness)["id"]
    world.post("/v1/apps", name="bot", harness_id=world.harness)
    action = {"rel": "get-existing", "href": f"/v1/apps/{first}"}
    world.meddler.instead("POST", "/v1/apps", (409, TAKEN | {"allowed_actions": [action]}))
    outcome = only(world.apply(plan, recheck=False))
    assert isinstance(outcome, Done)
    assert first in outcome.note


def name_taken(world):
    """The common 409 says nothing: what has the name is found by listing, and agrees."""
    world.agent("triage")
    plan = world.plan()
    world.post("/v1/agents", name="triage", system_prompt="Help.")
    outcome = only(world.apply(plan, recheck=False))
    assert isinstance(outcome, Done)
    assert outcome.adopted


def new_name_taken(world):
    """Who holds the name that another was to get is named."""
    world.memory("docs")
    world.converge()
    one = world.one("memories", "docs")["id"]
    world.drop("Memory", "docs")
    world.declare("Memory", "docs", {"name": "guides"}, id=one)
    plan = world.plan()
    other = world.post("/v1/memories", name="Guides")["id"]
    outcome = only(world.apply(plan, recheck=False))
    assert isinstance(outcome, Conflicted)
    assert outcome.message == f'{other} has the name "guides" by now'


def limit_reached(world):
    """A user who made as many organizations as the platform allows is told what the limit is."""
    problem = {"title": "Conflict", "status": 409, "detail": "Organization limit reached (max 5)"}
    world.meddler.instead("POST", "/v1/orgs", (409, problem))
    world.declare("Organization", "acme", {})
    outcome = only(world.apply())
    assert isinstance(outcome, Failed)
    assert outcome.error.hint.startswith("by default a user may create 5 organizations")


def still_used(world):
    """Who still uses what is to be archived is named."""
    world.agent("triage")
    world.converge()
    agent = world.one("agents", "triage")["id"]
    app = world.post("/v1/apps", name="foreign", harness_id=world.harness, agent_id=agent)["id"]
    world.declare("Agent", "triage", archive=True)
    outcome = only(world.apply())
    assert isinstance(outcome, Conflicted)
    assert outcome.message == f'it is still used by app "foreign" ({app})'


def not_as_it_was(world):
    """Publishing what somebody published a moment ago is refused, and is done all the same."""
    world.bot("bot", SCHEDULE, published=False)
    world.converge()
    world.bot("bot", SCHEDULE, published=True)
    path = f"/v1/apps/{world.one('apps', 'bot')['id']}/publish"
    world.meddler.before("POST", path, lambda: world.api.post(path))
    outcome = only(world.apply())
    assert isinstance(outcome, Done)
    assert outcome.note == "it was so already"


RUNGS = {
    "told to come later than we wait": told_to_come_later,
    "its fate is unknown": in_doubt,
    "not heard": not_heard,
    "retry-later": retry_later,
    "retry": retry,
    "no role for it": no_role,
    "feature switched off": feature_off,
    "versions switched off": versions_off,
    "apps are frozen": frozen,
    "unarchive": unarchive,
    "get-existing": get_existing,
    "limit reached": limit_reached,
    "name taken": name_taken,
    "new name taken": new_name_taken,
    "still used": still_used,
    "not as it was": not_as_it_was,
}


def test_every_rung_has_its_test():
    """A rung without a test of its own, or a test without its rung, is a defect."""
    assert list(RUNGS) == [rung.name for rung in LADDER]


@pytest.mark.parametrize("name", RUNGS)
def test_rung(world, clock, name):
    """The rung settles what it is for."""
    RUNGS[name](world)


@pytest.mark.parametrize("name", RUNGS)
def test_rung_broken(world, clock, monkeypatch, name):
    """Without the rung its test fails: no other rung does its work."""
    monkeypatch.setattr(ladder, "LADDER", tuple(rung for rung in LADDER if rung.name != name))
    with pytest.raises(AssertionError):
        RUNGS[name](world)


# --- what goes before and beside the ladder ---


def edited_meanwhile(world):
    """What others changed between plan and write is not written over."""
    path, plan = changed(world)
    world.api.patch(path, json={"tags": ["theirs"]})
    assert isinstance(only(world.apply(plan, recheck=False)), Conflicted)
    assert world.one("agents", "triage")["tags"] == ["theirs"]


def file_edited_meanwhile(world):
    """A file that others wrote between plan and write is not written over; one that git does not say is no matter."""
    world.memory("docs", files=[{"path": "/a.md", "content": "A"}])
    world.converge()
    world.memory("docs", files=[{"path": "/a.md", "content": "B"}])
    plan = world.plan()
    files = f"/v1/memories/{world.one('memories', 'docs')['id']}/fs"
    world.post(f"{files}/theirs.md", content="Theirs.")
    world.api.put(f"{files}/a.md", json={"content": "By hand."})
    assert isinstance(only(world.apply(plan, recheck=False)), Conflicted)
    assert world.api.get(f"{files}/a.md").json()["content"] == "By hand."


def file_to_remove_edited_meanwhile(world):
    """A file that leaves git and that others wrote between plan and write stays as they wrote it."""
    world.memory("docs", files=[{"path": "/a.md", "content": "A"}, {"path": "/b.md", "content": "B"}])
    world.converge()
    world.memory("docs", files=[{"path": "/b.md", "content": "B"}])
    plan = world.plan()
    memory = f"/v1/memories/{world.one('memories', 'docs')['id']}"
    by_hand = {"content": "By hand."}
    world.meddler.before("GET", memory, lambda: world.api.put(f"{memory}/fs/a.md", json=by_hand))
    assert isinstance(only(world.apply(plan)), Conflicted)
    assert world.api.get(f"{memory}/fs/a.md").json()["content"] == "By hand."


def emptied_list_edited_meanwhile(world):
    """What a second call is to empty is not emptied once others wrote it, though the first call has nothing to do."""
    world.agent("triage", description="Sorts.", capabilities=[{"ref": "web_fetch"}])
    world.converge()
    world.agent("triage", description=None, capabilities=[])
    plan = world.plan()
    path = f"/v1/agents/{world.one('agents', 'triage')['id']}"
    theirs = {"name": "triage", "system_prompt": "Help.", "capabilities": [{"ref": "current_time"}]}
    assert world.api.put(path, json=theirs).status_code == 200
    assert isinstance(only(world.apply(plan, recheck=False)), Conflicted)
    assert [one["ref"] for one in world.one("agents", "triage")["capabilities"]] == ["current_time"]


def flag_turned_meanwhile(world):
    """A flag that others turned to what git wants is left alone, as are those that git does not say."""
    world.declare("Organization", "acme", {"feature_flags": {"voice": True}})
    world.converge()
    world.declare("Organization", "acme", {"feature_flags": {"voice": False}})
    plan = world.plan()
    org = next(one["id"] for one in world.live("orgs") if one["name"] == "acme")
    theirs = {"voice": False, "evals": False}
    world.api.patch(f"/v1/orgs/{org}/feature-flags", json={"flags": theirs})
    world.forget()
    outcome = only(world.apply(plan, recheck=False))
    assert isinstance(outcome, Done)
    assert outcome.adopted
    assert world.writes == []


def released_meanwhile(world):
    """A version that others published between plan and write is not published again."""
    world.agent("triage", version={"publish": "on-change"})
    world.converge()
    path = f"/v1/agents/{world.one('agents', 'triage')['id']}"
    world.api.patch(path, json={"description": "Sorts."})
    plan = world.plan()
    made = world.post(f"{path}/versions")
    world.post(f"{path}/versions/default", version_id=made["id"])
    world.forget()
    assert isinstance(only(world.apply(plan, recheck=False)), Done)
    assert world.writes == []


def lost_version(world):
    """A version whose answer is lost is looked for before another one is published."""
    world.agent("triage")
    world.converge()
    world.agent("triage", version={"publish": "on-change", "default": False})
    world.meddler.cut("POST", "/v1/agents/[^/]*/versions", httpx.ReadTimeout("slow"), carried_out=True)
    assert isinstance(only(world.apply()), Done)
    versions = world.api.get(f"/v1/agents/{world.one('agents', 'triage')['id']}/versions").json()
    assert [one["version"] for one in versions if one["is_published"]] == ["0.1.0"]


def being_synced(world):
    """A memory that is being synced is written when that is over: a write would discard the sync."""
    source = {"type": "github", "repository": "acme/docs"}
    world.memory("docs", source=source)
    world.converge()
    world.memory("docs", source=source, description="new")
    path = f"/v1/memories/{world.one('memories', 'docs')['id']}"
    world.meddler.edit("GET", path, lambda wire: wire | {"sync_status": "syncing"}, times=2)
    assert isinstance(only(world.apply()), Done)
    reads = [sent.method for sent in world.sent if sent.path == path]
    assert reads[-4:] == ["GET", "GET", "GET", "PATCH"]


def synced_for_ever(world):
    """A sync that does not end is nothing that others wrote: no flag writes over it."""
    source = {"type": "github", "repository": "acme/docs"}
    world.memory("docs", source=source)
    world.converge()
    world.memory("docs", source=source, description="new")
    plan = world.plan()
    path = f"/v1/memories/{world.one('memories', 'docs')['id']}"
    world.meddler.edit("GET", path, lambda wire: wire | {"sync_status": "syncing"}, times=None)
    outcome = only(world.apply(plan, recheck=False, on_conflict="overwrite"))
    assert isinstance(outcome, Conflicted)
    assert "still being fetched after 300 s" in outcome.message
    assert world.writes == []


def foreign_link(world):
    """A link to another origin is not followed."""
    world.agent("triage")
    action = {"rel": "get-existing", "href": "https://evil.example.com/v1/agents/x"}
    world.meddler.instead("POST", "/v1/agents", (409, TAKEN | {"allowed_actions": [action]}))
    outcome = only(world.apply())
    assert isinstance(outcome, Conflicted)
    assert "not followed" in outcome.message


def adopt_never(world):
    """What somebody else made meanwhile is not taken over where that is forbidden."""
    world.adopt = "never"
    world.agent("triage")
    plan = world.plan()
    world.post("/v1/agents", name="triage", system_prompt="Help.")
    outcome = only(world.apply(plan, recheck=False))
    assert isinstance(outcome, Conflicted)
    assert "adopt: never" in outcome.message


def not_sent_twice(world):
    """A create that may still arrive is not sent again where two of a name are possible."""
    world.bot("bot")
    world.meddler.cut("POST", "/v1/apps", httpx.ReadTimeout("slow"))
    outcome = only(world.apply())
    assert isinstance(outcome, Failed)
    assert world.lines == ["POST /v1/apps"]


BESIDE = {
    "edited meanwhile": (edited_meanwhile, ladder, "beforehand", lambda _climb: None),
    "file edited meanwhile": (file_edited_meanwhile, standing, "joined_for", lambda _change, wire, **_how: wire),
    "file to remove edited meanwhile": (
        file_to_remove_edited_meanwhile,
        standing,
        "joined_for",
        lambda _change, wire, **_how: wire,
    ),
    "emptied list edited meanwhile": (
        emptied_list_edited_meanwhile,
        standing,
        "_is_untouched",
        lambda change, left, _ids: left.path[0] in change.then,
    ),
    "flag turned meanwhile": (flag_turned_meanwhile, ladder, "beforehand", lambda _climb: None),
    "released meanwhile": (released_meanwhile, perform, "read_released", lambda *_args, **_how: Released()),
    "lost version": (lost_version, perform, "read_released", lambda *_args, **_how: Released()),
    "being synced": (being_synced, beforehand, "SYNC_PATIENCE", -1.0),
    "synced for ever": (synced_for_ever, beforehand, "_when_at_rest", lambda _climb: None),
    "foreign link": (foreign_link, holder, "own_path", lambda _href, **_base: "/v1/agents"),
    "adopt never": (adopt_never, holder, "_adopted", lambda wire, climb, _problem: Done(climb.change, adopted=True)),
    "not sent twice": (not_sent_twice, doubt, "_not_made", lambda _climb, _error: doubt.Again()),
}


@pytest.mark.parametrize("name", BESIDE)
def test_beside(world, clock, name):
    """What goes before the ladder, or guards a rung, does its work."""
    BESIDE[name][0](world)


@pytest.mark.parametrize("name", BESIDE)
def test_beside_broken(world, clock, monkeypatch, name):
    """Its test fails when it is broken on purpose."""
    case, module, member, broken = BESIDE[name]
    monkeypatch.setattr(module, member, broken)
    with pytest.raises(AssertionError):
        case(world)


def test_overwriting_is_asked_for(world):
    """With --on-conflict overwrite git wins, whatever happened meanwhile."""
    _, plan = changed(world)
    world.api.patch(f"/v1/agents/{world.one('agents', 'triage')['id']}", json={"tags": ["theirs"]})
    applied = world.apply(plan, recheck=False, on_conflict="overwrite")
    assert isinstance(only(applied), Done)
    assert world.one("agents", "triage")["tags"] == ["a"]


def test_a_rung_that_asks_again_at_the_last_attempt_has_failed(world, clock):
    """The ladder ends: what stands in the way for ever is reported as it was."""
    world.agent("triage")
    world.meddler.instead("POST", "/v1/agents", (500, {"detail": "oops"}), times=None)
    outcome = only(world.apply())
    assert isinstance(outcome, Failed)
    assert "500" in outcome.error.message
    assert world.lines == ["POST /v1/agents"] * ladder.TRIES


def test_the_ladder_is_made_of_rungs():
    """A rung is data: it can be taken out, replaced and named."""
    assert replace(LADDER[0], name="other").climb is rungs.give_up
