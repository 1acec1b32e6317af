"""Versions under trouble: published once whatever is lost, never over what others published, and proved by reading."""

from datetime import UTC, datetime

import httpx
import pytest

from reconciler.errors import Exit, StalePlan
from reconciler.intake import capture
from reconciler.plan.change import Action, Side
from reconciler.plan.drift import What
from reconciler.plan.file import Origin, dumps, loads
from reconciler.plan.outcome import Blocked, Conflicted, Done, Failed
from reconciler.plan.owned import field_digest
from reconciler.report.drift_text import remedies
from reconciler.resource import Address
from reconciler.settings import settings
from reconciler.views import find_drift
from tests.conftest import Rule

TRIAGE = Address("default", "Agent", "triage")
VERSIONS = "/v1/agents/[^/]*/versions"
LOST = {
    "reset": lambda m, *at: m.cut(*at, httpx.ReadError("reset"), carried_out=True),
    "timeout": lambda m, *at: m.cut(*at, httpx.ReadTimeout("slow"), carried_out=True),
    "500": lambda m, *at: m.after(*at, (500, {"detail": "oops"})),
    "504": lambda m, *at: m.after(*at, (504, b"<html>")),
    "truncated": lambda m, *at: m.after(*at, (200, b'{"id": "ag')),
}
NEVER = {
    "500": lambda m, *at: m.instead(*at, (500, {"detail": "oops"})),
}
LATE = {
    "reset": lambda m, *at: m.cut(*at, httpx.ReadError("reset")),
    "timeout": lambda m, *at: m.cut(*at, httpx.ReadTimeout("slow")),
    "504": lambda m, *at: m.instead(*at, (504, b"<html>")),
}


def declare(world, prompt="Help.", **version):
    """Declare the agent, to be published."""
    world.agent("triage", system_prompt=prompt, version={"publish": "on-change", **version})


def numbers(world, name="triage"):
    """Give the numbers of what is published, oldest first, and that of the default."""
    agent = world.one("agents", name)
    found = world.api.get(f"/v1/agents/{agent['id']}/versions").json()
    published = [one for one in reversed(found) if one["is_published"]]
    default = [one["version"] for one in published if one["id"] == agent.get("default_version_id")]
    return [one["version"] for one in published], default


def release_of(applied):
    """Give what became of the release."""
    (outcome,) = [one for one in applied.outcomes if one.change.action is Action.RELEASE]
    return outcome


@pytest.fixture
def edited(world, clock):
    """Give a world whose agent was published, and is edited in git."""
    declare(world)
    world.converge()
    declare(world, "Help more.")
    return world


@pytest.mark.parametrize("how", LOST)
def test_a_version_whose_answer_is_lost_is_published_once(edited, how):
    """What was published and not heard of is found by its hash; the second half of the step is still done."""
    LOST[how](edited.meddler, "POST", VERSIONS)
    applied = edited.apply(edited.plan())
    assert applied.exit_codes == (Exit.DONE,)
    assert numbers(edited) == (["0.1.0", "0.1.1"], ["0.1.1"])
    assert edited.plan().is_empty


@pytest.mark.parametrize("how", NEVER)
def test_a_version_that_was_not_published_is_published_then(edited, how):
    """What reading shows was never carried out is sent again."""
    NEVER[how](edited.meddler, "POST", VERSIONS)
    assert edited.apply(edited.plan()).exit_codes == (Exit.DONE,)
    assert numbers(edited) == (["0.1.0", "0.1.1"], ["0.1.1"])


@pytest.mark.parametrize("how", LATE)
def test_a_version_that_may_still_come_is_not_published_again(edited, how):
    """What may be under way is left to the next run, which looks first."""
    LATE[how](edited.meddler, "POST", VERSIONS)
    outcome = release_of(edited.apply(edited.plan()))
    assert isinstance(outcome, Failed)
    assert outcome.in_doubt
    assert numbers(edited) == (["0.1.0"], ["0.1.0"])
    edited.converge()
    assert numbers(edited) == (["0.1.0", "0.1.1"], ["0.1.1"])


@pytest.mark.parametrize("how", [*LOST, *NEVER])
def test_a_lost_choice_of_the_default_is_made(edited, how):
    """Choosing the default may be sent again; nothing is published for it."""
    (LOST | NEVER)[how](edited.meddler, "POST", f"{VERSIONS}/default")
    assert edited.apply(edited.plan()).exit_codes == (Exit.DONE,)
    assert numbers(edited) == (["0.1.0", "0.1.1"], ["0.1.1"])


def test_a_version_of_somebody_else_is_not_passed_over(world, clock):
    """Who publishes something else after the plan was made is told of as a conflict."""
    declare(world)
    world.converge()
    ident = world.one("agents", "triage")["id"]
    world.api.patch(f"/v1/agents/{ident}", json={"description": "Sorts mail."})
    plan = world.plan()
    assert [change.action for change in plan.steps] == [Action.RELEASE]
    world.post(f"/v1/agents/{ident}/versions")
    world.api.patch(f"/v1/agents/{ident}", json={"description": "Sorts bills."})
    outcome = release_of(world.apply(plan))
    assert isinstance(outcome, Conflicted)
    assert outcome.message == "version 0.1.1 was published on the platform meanwhile"
    assert numbers(world)[0] == ["0.1.0", "0.1.1"]


def test_a_release_alone_is_held_to_what_git_says(world, clock):
    """A plan that only publishes is stale once somebody edited a field that git declares."""
    world.agent("triage")
    world.converge()
    declare(world)
    plan = world.plan()
    assert [change.action for change in plan.steps] == [Action.RELEASE]
    world.api.patch(f"/v1/agents/{world.one('agents', 'triage')['id']}", json={"system_prompt": "Theirs."})
    with pytest.raises(StalePlan):
        world.apply(plan)
    assert numbers(world) == ([], [])


@pytest.mark.parametrize("on_conflict", ["fail", "overwrite"])
@pytest.mark.parametrize("is_new", [True, False])
def test_what_is_edited_between_write_and_release_is_not_released(world, clock, is_new, on_conflict):
    """Who edits a declared field after it was written gets no version of it, and no flag gives one."""
    if not is_new:
        declare(world)
        world.converge()
    declare(world, "Help more.")
    plan, before = world.plan(), [] if is_new else ["0.1.0"]

    def edit_after(_sent, pass_on):
        answer = pass_on()
        world.api.patch(f"/v1/agents/{world.one('agents', 'triage')['id']}", json={"system_prompt": "Theirs."})
        return answer

    world.meddler.rules.append(Rule("POST" if is_new else "PATCH", "/v1/agents(/[^/]*)?", edit_after))
    outcome = release_of(world.apply(plan, on_conflict=on_conflict))
    assert isinstance(outcome, Conflicted)
    assert [one.name for one in outcome.fields] == ["system_prompt"]
    assert numbers(world) == (before, before)
    declare(world, "Help more.")
    world.converge()
    assert world.plan().is_empty


def test_what_is_edited_while_it_is_released_is_no_success(edited):
    """An edit that slips in after the last look is published, and told as what was not brought about."""
    edited.converge()
    edited.agent("triage", system_prompt="Help more.", version={"publish": "on-change", "kind": "minor"})
    ident = edited.one("agents", "triage")["id"]
    edited.api.patch(f"/v1/agents/{ident}", json={"description": "Theirs."})
    plan = edited.plan()
    assert [change.action for change in plan.steps] == [Action.RELEASE]
    theirs = {"system_prompt": "Theirs."}
    edited.meddler.before("POST", VERSIONS, lambda: edited.api.patch(f"/v1/agents/{ident}", json=theirs))
    applied = edited.apply(plan)
    assert applied.exit_codes == (Exit.NOT_CONVERGED,)
    assert [one.name for one in applied.remainders[0].fields] == ["system_prompt"]


def test_what_somebody_else_released_meanwhile_is_done(world, clock):
    """Who publishes the very same and chooses it has done the step."""
    declare(world)
    world.converge()
    ident = world.one("agents", "triage")["id"]
    world.api.patch(f"/v1/agents/{ident}", json={"description": "Sorts mail."})
    plan = world.plan()
    made = world.post(f"/v1/agents/{ident}/versions")
    world.post(f"/v1/agents/{ident}/versions/default", version_id=made["id"])
    world.forget()
    outcome = release_of(world.apply(plan))
    assert isinstance(outcome, Done)
    assert outcome.adopted
    assert not world.writes


def test_a_release_that_the_platform_drops_is_no_success(edited):
    """The proof reads the versions: a default that did not move is a remainder."""
    edited.meddler.instead("POST", f"{VERSIONS}/default", (200, {}), times=None)
    applied = edited.apply(edited.plan())
    assert [one.address for one in applied.remainders] == [TRIAGE]
    assert applied.exit_codes == (Exit.NOT_CONVERGED,)


def test_in_a_new_organization_the_flag_is_named(world, clock):
    """Where nothing could be asked beforehand the refusal of the release names the feature flag."""
    world.declare("Organization", "acme", {"name": "Acme"})
    world.agent("triage", version={"publish": "on-change"})
    world.meddler.instead(
        "GET", VERSIONS, (404, {"title": "Not Found", "status": 404, "detail": "Agent versions not found"}), times=None
    )
    outcome = release_of(world.apply(world.plan()))
    assert isinstance(outcome, Failed)
    assert "the feature flag agent_versions is off in acme" in outcome.error.message


PIN = {"agent_version_policy": "pinned", "agent_version": "latest-published"}


@pytest.fixture
def pinned_app(world, clock):
    """Give a world with a published agent and an app that runs the newest version; the agent is edited by hand."""
    declare(world)
    world.declare("App", "bot", {"harness": "generic", "agent": "triage", **PIN})
    world.converge()
    ident = world.one("agents", "triage")["id"]
    world.api.patch(f"/v1/agents/{ident}", json={"system_prompt": "Hack."})
    return world


def test_taking_back_a_hand_edit_promises_no_version(pinned_app):
    """What git wants is what the newest version holds: none is published, and what is pinned stays as it is."""
    plan = pinned_app.plan()
    (step,) = plan.steps
    assert (step.address, step.action) == (TRIAGE, Action.UPDATE)
    assert "it becomes what version 0.1.0 holds again: no version comes of it" in step.notes
    assert pinned_app.apply(plan).exit_codes == (Exit.DONE,)
    assert numbers(pinned_app) == (["0.1.0"], ["0.1.0"])
    assert pinned_app.plan().is_empty


def test_a_version_that_turns_out_to_be_needless_fails_nothing(pinned_app):
    """Where the plan could not know what the newest version holds, what is pinned to the promised one gets that."""
    versions = f"/v1/agents/{pinned_app.one('agents', 'triage')['id']}/versions"
    pinned_app.meddler.edit(
        "GET", versions, lambda found: [{k: v for k, v in one.items() if k != "authored_config"} for one in found]
    )
    plan = pinned_app.plan()
    assert [change.address.kind for change in plan.steps] == ["Agent", "Agent", "App"]
    assert pinned_app.apply(plan).exit_codes == (Exit.DONE,)
    assert numbers(pinned_app) == (["0.1.0"], ["0.1.0"])
    assert pinned_app.plan().is_empty


def test_a_new_organization_gets_versions_too(world, clock):
    """An organization, its agent, the version and the app that is pinned to it are made in one run."""
    world.declare("Organization", "acme", {"name": "Acme"})
    declare(world)
    world.declare("App", "bot", {"harness": "generic", "agent": "triage", **PIN})
    applied = world.apply(world.plan())
    assert applied.exit_codes == (Exit.DONE,)
    assert world.plan().is_empty


def test_a_saved_plan_publishes_what_it_showed(edited):
    """A release and a pin to what it makes come back from a file as they were, and are applied once."""
    edited.declare("App", "bot", {"harness": "generic", "agent": "triage", **PIN})
    plan = edited.plan()
    data = dumps(plan, plan_id="1", origin=Origin("https://x.test", ("manifests",), None, None))
    read = loads(data, name="a.plan").plan
    assert read == plan
    assert edited.apply(read).exit_codes == (Exit.DONE,)
    assert numbers(edited) == (["0.1.0", "0.1.1"], ["0.1.1"])
    assert edited.plan().is_empty


def test_an_agent_left_half_done_is_completed(world, clock):
    """An agent that a run announced and made before it died is ours, and is published by the next one."""
    declare(world)
    plan = world.plan()
    keeper = world.keeper
    with keeper.held(plan):
        keeper.begin(plan)
    world.post("/v1/agents", name="triage", system_prompt="Help.")
    world.adopt = "exact"
    assert [change.action for change in world.plan().steps] == [Action.RELEASE]
    world.converge()
    assert numbers(world) == (["0.1.0"], ["0.1.0"])
    assert TRIAGE in world.ledger.entries


def test_an_app_waits_for_the_version_that_it_is_pinned_to(edited):
    """Where the version was not published, the app that needs it is not written."""
    edited.declare("App", "bot", {"harness": "generic", "agent": "triage", **PIN})
    edited.meddler.instead("POST", VERSIONS, (403, {"detail": "no"}), times=None)
    applied = edited.apply(edited.plan())
    (app,) = [one for one in applied.outcomes if one.change.address.kind == "App"]
    assert isinstance(app, Blocked)


def test_the_ledger_remembers_what_git_says_of_versions(world):
    """What is asked for is remembered beside the other fields, from whichever step came last."""
    declare(world, kind="minor")
    world.converge()
    fields = world.ledger.entries[TRIAGE].fields
    assert fields["/version"] == field_digest({"publish": "on-change", "kind": "minor"})
    assert "/system_prompt" in fields


def test_a_default_that_somebody_moved_is_drift(edited):
    """What was chosen by us and is another by now is told with both numbers, and cannot be taken into git."""
    edited.converge()
    ident = edited.one("agents", "triage")["id"]
    first = edited.api.get(f"/v1/agents/{ident}/versions").json()[-1]
    edited.post(f"/v1/agents/{ident}/versions/default", version_id=first["id"])
    wanted, told = edited.wanted(), settings(env={})
    drift = find_drift(wanted, told, client=edited.reader(), config=edited.config, now=datetime.now(UTC))
    (drifted,) = drift.drifted
    assert [(one.name, one.old, one.new) for one in drifted.fields] == [("version.default", "0.1.0", "0.1.1")]
    captured = capture(wanted, told, drift)
    assert not captured.taken
    assert "the next apply publishes or chooses one" in captured.left[0][1]
    edited.converge()
    assert numbers(edited) == (["0.1.0", "0.1.1"], ["0.1.1"])


def drift_of(world):
    """Give what drifted."""
    return find_drift(
        world.wanted(), settings(env={}), client=world.reader(), config=world.config, now=datetime.now(UTC)
    ).drifted


def moved(plan):
    """Give which side each field of a plan moved on, by its name."""
    return {one.name: one.side for change in plan.steps for one in change.fields}


def test_nobody_moved_what_follows_from_an_edit(pinned_app):
    """The version that comes of an edit, and what is pinned to the newest one, are no change of anybody."""
    declare(pinned_app, "Help more.")
    told = moved(pinned_app.plan())
    assert told == {"system_prompt": Side.BOTH, "version.publish": None, "version.default": None, "agent_version": None}


def test_a_pin_that_follows_a_renamed_agent_was_changed_by_nobody(world, clock):
    """A version has another name once its agent has: that is no change on the platform, in this run or later."""
    declare(world)
    world.declare("App", "bot", {"harness": "generic", "agent": "triage", **PIN})
    world.converge()
    world.drop("Agent", "triage")
    version = {"publish": "on-change"}
    world.declare("Agent", "sorter", {"system_prompt": "Help.", "version": version}, moved_from="triage")
    world.declare("App", "bot", {"harness": "generic", "agent": "sorter", **PIN})
    assert moved(world.plan())["agent_version"] is None
    world.converge()
    world.declare("App", "bot", {"harness": "generic", "agent": "sorter", **PIN | {"agent_version": "0.1.0"}})
    assert moved(world.plan())["agent_version"] is Side.PENDING


def test_an_edit_of_what_git_leaves_alone_is_drift_without_numbers(world, clock):
    """A version that would be published never was the old value of anything, and nothing of it can be captured."""
    declare(world)
    world.converge()
    world.api.patch(f"/v1/agents/{world.one('agents', 'triage')['id']}", json={"description": "Sorts mail."})
    (drifted,) = drift_of(world)
    assert (drifted.what, drifted.fields) == (What.CHANGED, ())
    assert drifted.message == "the next apply publishes version 0.1.1, as it was edited on the platform"
    assert remedies(drifted, flags="") == ("reconciler apply --target default/Agent/triage", None)


def test_what_is_gone_did_not_change_besides(world, clock):
    """A published app that vanished is told once."""
    world.bot("bot", {"type": "schedule", "name": "x", "config": {"cron_expression": "0 9 * * *", "message": "Go."}})
    world.declared["App", "bot"]["spec"]["published"] = True
    world.converge()
    world.api.delete(f"/v1/apps/{world.one('apps', 'bot')['id']}")
    assert [one.what for one in drift_of(world) if one.address.kind == "App"] == [What.ARCHIVED]


def test_nothing_is_asked_where_git_says_nothing_of_versions(world):
    """A fleet without versions costs no request more."""
    world.agent("triage")
    world.converge()
    world.forget()
    assert world.plan().is_empty
    assert not [sent for sent in world.sent if "versions" in sent.path or "feature-flags" in sent.path]


def test_what_was_edited_while_the_feature_was_off_is_published(world):
    """Where an edit left no draft, the hash of the newest snapshot is that of the version: the text tells."""
    declare(world)
    world.converge()
    flags = f"/v1/orgs/{world.org}/feature-flags"
    world.api.patch(flags, json={"flags": {"agent_versions": False}})
    world.agent("triage", system_prompt="Help more.")
    world.converge()
    world.api.patch(flags, json={"flags": {"agent_versions": True}})
    declare(world, "Help more.")
    world.converge()
    assert numbers(world) == (["0.1.0", "0.1.1"], ["0.1.1"])
