"""The lessons of other tools that concern ownership, drift, removal, adoption and import: one test for each."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import yaml

from reconciler.errors import Exit, ManifestError, PlanRefused
from reconciler.intake import adopt, import_live
from reconciler.live.client import ReadClient, WriteClient
from reconciler.manifest.config import Config
from reconciler.plan.change import Action, Side
from reconciler.plan.drift import What
from reconciler.plan.owned import field_digest
from reconciler.reconcile import plan_afresh
from reconciler.report.drift_text import drift_text
from reconciler.report.plan_text import plan_text
from reconciler.report.style import Style
from reconciler.settings import settings
from reconciler.views import find_drift, find_unmanaged, inspect, plan_undo

TOKEN = "sesame-and-the-forty"
HEADERS = {"Authorization": {"env": "CRM_TOKEN"}}
CRM = {"crm": {"url": "https://crm.example.com/mcp", "headers": HEADERS}}
HOOK = {"name": "in", "type": "webhook", "config": {"token": {"env": "CRM_TOKEN"}, "message": "Go."}}


@pytest.fixture(autouse=True)
def _secret(monkeypatch):
    """Give the one secret of these fleets a value."""
    monkeypatch.setenv("CRM_TOKEN", TOKEN)


@pytest.fixture
def exact(world):
    """Give a world with the rule of adoption that users have: only what agrees is taken over."""
    world.adopt = "exact"
    return world


def drift(world, **flags):
    """Say what drifted."""
    chosen = world.wanted(**flags)
    now = datetime.now(UTC)
    return find_drift(chosen, settings(env={}, **flags), client=world.reader(), config=world.config, now=now)


def drifted(world):
    """Give what drifted as addresses and words."""
    return [(one.address.local, one.what) for one in drift(world).drifted]


def planned(plan):
    """Give a plan as addresses and actions."""
    return sorted((change.address.local, change.action) for change in plan.changes)


def words(lines):
    """Put lines together."""
    return "\n".join(lines)


def patch(world, plural, name, **body):
    """Change something on the server by hand."""
    answer = world.api.patch(f"/v1/{plural}/{world.one(plural, name)['id']}", json=body)
    assert answer.status_code == 200, answer.text


def test_lesson_1_what_only_reads_has_no_way_to_write(exact):
    """Every verb that only looks is given a client without any way to write, with every reason to write there is."""
    ways = {name for name in dir(WriteClient) if name not in dir(ReadClient)}
    assert ways
    exact.agent("triage", description="One.")
    exact.agent("old")
    exact.agent("older")
    exact.agent("gone")
    exact.bot("bot", HOOK)
    exact.converge()
    exact.drop("Agent", "old")
    gone = exact.apply()
    assert exact.ledger.runs[gone.run].archived
    exact.forget()
    patch(exact, "agents", "triage", description="Drifted.")
    exact.api.delete(f"/v1/agents/{exact.one('agents', 'gone')['id']}")
    exact.post("/v1/agents", name="foreign", system_prompt="Mine.")
    exact.drop("Agent", "older")
    exact.agent("foreign", system_prompt="Yours.")
    exact.agent("new")
    before = "\n".join(exact.emulator.store._db.iterdump())
    ledger, reader, chosen = exact.ledger, exact.reader(), settings(env={})
    assert not [name for name in ways if hasattr(reader, name)]
    wanted = exact.wanted()
    plan = exact.plan()
    assert {Action.CREATE, Action.UPDATE, Action.ARCHIVE, Action.CONFLICT} <= set(plan.counts)
    seen = drift(exact)
    assert find_unmanaged(wanted, chosen, seen, client=reader).drifted
    assert inspect(wanted, wanted.everything[0].address, chosen, client=reader).rows
    assert plan_undo(ledger, gone.run, chosen, client=reader).writes
    into = str(exact.folder.parent / "imported")
    assert import_live(chosen, client=reader, ledger=ledger, into=into, words=()).is_new
    assert adopt(plan, client=reader, keeper=exact.keeper, chosen=lambda _one: True, also_differing=True)
    assert {one.method for one in exact.sent} == {"GET"}
    assert "\n".join(exact.emulator.store._db.iterdump()) == before


def test_lesson_2_what_is_live_and_wanted_is_clean_whatever_the_ledger_says(exact):
    """A ledger that remembers other values makes no change, no drift and no write; nor do two hands that agree."""
    exact.memory("docs", description="All of it.")
    exact.agent("triage", description="One.", tags=["a"], mcpServers=CRM)
    exact.bot("bot", HOOK, agent="triage", published=True)
    exact.converge()
    known = exact.ledger
    wrong = {
        address: replace(entry, fields=dict.fromkeys(entry.fields, field_digest("something else")))
        for address, entry in known.entries.items()
    }
    backend = exact.backend
    with backend.lock(exact.keeper.lock):
        backend.write(known.with_applied(wrong), message="Spoil")
    assert all(set(one.fields.values()) == {field_digest("something else")} for one in exact.ledger.entries.values())
    assert exact.plan().changes == ()
    assert drifted(exact) == []
    patch(exact, "agents", "triage", description="Two.")
    exact.agent("triage", description="Two.", tags=["a"], mcpServers=CRM)
    assert exact.plan().changes == ()
    assert drifted(exact) == []
    exact.forget()
    assert exact.apply().outcomes == ()
    assert exact.writes == []


def test_lesson_3_a_masked_secret_is_never_written_back(exact):
    """What the platform hides is never sent as it shows it, and nothing is hidden for its text alone."""
    exact.agent("triage", mcpServers=CRM)
    exact.agent("bare")
    exact.bot("bot", HOOK)
    exact.converge()
    (channel,) = exact.one("apps", "bot")["channels"]
    assert TOKEN not in json.dumps(channel)  # so that nothing read could be sent
    exact.agent("triage", mcpServers=CRM, tools=[], description=TOKEN)
    text = words(plan_text(exact.plan(), style=Style(color=False, width=100)))
    assert TOKEN in text  # as a description it is what git says for all to read
    exact.converge()
    exact.agent("triage", mcpServers={"crm": CRM["crm"] | {"url": "https://crm.example.com/v2"}}, description=None)
    exact.apply()
    sent = [one.body["mcpServers"]["crm"]["headers"] for one in exact.writes if "mcpServers" in (one.body or {})]
    assert sent
    assert all(one == {"Authorization": TOKEN} for one in sent)
    assert exact.plan().changes == ()
    patch(
        exact,
        "agents",
        "bare",
        mcpServers={"erp": {"type": "http", "url": "https://e.example.com", "headers": {"X": "theirs"}}},
    )
    exact.forget()
    exact.agent("bare", description="New.")
    exact.converge()
    exact.agent("bare", max_iterations=None, parallel_tool_calls=None)
    patch(exact, "agents", "bare", parallel_tool_calls=True)
    with pytest.raises(ManifestError) as refused:
        exact.plan()
    assert "holds secrets not declared here" in refused.value.faults[0].message


def test_lesson_4_protection_and_ownership_survive_deletion_of_the_text(exact):
    """What was protected stays protected when its document is gone; what was ours is known by its id, not its name."""
    exact.agent("safe")
    exact.declare("Agent", "safe", {"system_prompt": "Help."}, protect=True)
    exact.agent("ours")
    exact.agent("stays")
    exact.converge()
    exact.drop("Agent", "safe")
    plan = exact.plan()
    assert planned(plan) == [("Agent/safe", Action.KEEP)]
    assert "default/Agent/safe is protected" in plan.refusals[0].message
    with pytest.raises(PlanRefused):
        exact.apply(plan)
    exact.declare("Agent", "safe", {"system_prompt": "Help."}, archive=True)
    with pytest.raises(ManifestError) as refused:
        exact.plan()
    assert "the ledger remembers protect: true" in refused.value.faults[0].message
    exact.agent("safe")  # no word of protection is no word against it
    assert exact.plan().changes == ()
    exact.drop("Agent", "ours")
    ours = exact.one("agents", "ours")["id"]
    exact.api.delete(f"/v1/agents/{ours}")
    theirs = exact.post("/v1/memories", name="ours")
    exact.post("/v1/agents", name="stranger", system_prompt="Mine.")
    assert planned(exact.plan()) == [("Agent/ours", Action.FORGET)]
    exact.converge()
    assert exact.one("memories", "ours")["status"] == theirs["status"]
    assert exact.one("agents", "stranger")["status"] == "active"
    exact.declare("Agent", "safe", {"system_prompt": "Help."}, protect=False)
    exact.converge()
    exact.drop("Agent", "safe")
    assert planned(exact.plan()) == [("Agent/safe", Action.ARCHIVE)]


def test_lesson_4_what_took_the_name_of_ours_is_not_archived(exact):
    """When ours is gone and somebody made another of its name, the removal of its document does not touch that one."""
    exact.memory("docs")
    exact.bot("bot", HOOK)
    exact.converge()
    ours = exact.one("apps", "bot")["id"]
    exact.api.delete(f"/v1/apps/{ours}")
    theirs = exact.post("/v1/apps", name="bot", harness_id=exact.harness)["id"]
    exact.drop("App", "bot")
    exact.forget()
    assert exact.apply().exit_codes == (0,)
    assert exact.writes == []
    assert set(exact.ledger.entries) == {address for address in exact.ledger.entries if address.kind == "Memory"}
    assert {one["id"]: one["status"] for one in exact.live("apps")}[theirs] == "draft"


def test_lesson_5_empty_omitted_and_excluded_are_different(exact):
    """Empty clears, left out is left alone or reset where it was ours, excluded is untouched; an empty folder stops."""
    for name in "abcdefg":
        exact.agent(name, tags=["x"], description="Said.")
    exact.converge()
    exact.agent("a", tags=[], description="Said.")
    exact.agent("b", description="Said.")
    patch(exact, "agents", "c", max_iterations=7)
    exact.drop("Agent", "d")
    plan = exact.plan()
    assert planned(plan) == [("Agent/a", Action.UPDATE), ("Agent/b", Action.UPDATE), ("Agent/d", Action.ARCHIVE)]
    assert planned(exact.plan(exclude=("Agent/d", "Agent/b"))) == [("Agent/a", Action.UPDATE)]
    assert planned(exact.plan(target=("Agent/b",))) == [("Agent/b", Action.UPDATE)]
    assert planned(exact.plan(prune=False))[-1] == ("Agent/d", Action.KEEP)
    exact.converge()
    assert (exact.one("agents", "a").get("tags", []), exact.one("agents", "b").get("tags", [])) == ([], [])
    assert exact.one("agents", "c")["max_iterations"] == 7
    exact.memory("only")
    exact.converge()
    declared = dict(exact.declared)
    exact.drop("Memory", "only")
    (refusal,) = exact.plan().refusals
    assert "every one that is ours in default would be archived (1 in all)" in refusal.message
    exact.declared.clear()
    with pytest.raises(PlanRefused, match=r"no manifests found .* 7 resources are ours: nothing is archived"):
        exact.plan()
    exact.declared.update(declared)
    assert exact.plan().changes == ()


def test_lesson_5_a_whole_kind_or_too_much_of_it_does_not_go_by_accident(exact):
    """More than 30 percent, with 5 always allowed, or every one of a kind, stops the run until the number is named."""
    for number in range(20):
        exact.agent(f"a-{number}")
    exact.converge()
    for number in range(7):
        exact.drop("Agent", f"a-{number}")
    plan = exact.plan()
    assert plan.counts == {Action.ARCHIVE: 7}
    with pytest.raises(PlanRefused, match="7 of 20 would be archived"):
        exact.apply(plan)
    assert exact.writes == []
    assert exact.plan(allow_archive={"Agent": 6}).refusals
    assert exact.plan(allow_archive={"Agent": 8}).refusals
    exact.agent("a-0")
    assert exact.plan().refusals == ()  # 6 of 20 is 30 percent
    assert exact.plan(allow_archive={"Agent": 7}).refusals


def test_lesson_6_import_ends_in_an_empty_plan(exact):
    """What was written and recorded by an import is ours, agrees, and leaves nothing to do at all."""
    exact.post("/v1/memories", name="Design docs", source={"type": "github", "repository": "acme/docs"})
    agent = exact.post("/v1/agents", name="triage", system_prompt="Sort.\nThen answer.", tags=["b", "a"])
    bot = exact.post("/v1/apps", name="Support", harness_id=exact.harness, agent_id=agent["id"])
    config = {"token": "t0k3n", "message": "Go."}
    exact.post(f"/v1/apps/{bot['id']}/channels", channel_type="webhook", channel_config=config, enabled=True)
    into = str(exact.folder.parent / "imported")
    chosen = settings(env={}, manifests=(into,))
    result = import_live(chosen, client=exact.reader(), ledger=exact.ledger, into=into, words=())

    def plan():
        return plan_afresh(chosen, client=exact.reader(), read_ledger=exact.backend.read, config=Config())

    assert {change.action for change in plan().changes} == {Action.ADOPT}
    taken = adopt(plan(), client=exact.reader(), keeper=exact.keeper, chosen=result.is_about)
    assert len(taken) == 5
    assert plan().changes == ()
    assert plan().in_sync == 5


def test_lesson_7_success_is_proved_by_reading_back(exact):
    """A server that says yes and keeps nothing is told with a code of its own, and the next plan asks for it again."""
    exact.agent("triage", description="One.")
    exact.agent("other")
    exact.converge()
    exact.agent("triage", description="Two.")
    answer = exact.one("agents", "triage") | {"description": "Two."}
    exact.meddler.instead("PATCH", r"/v1/agents/.*", (200, answer))
    applied = exact.apply()
    assert [int(code) for code in applied.exit_codes] == [Exit.NOT_CONVERGED]
    assert [one.address.local for one in applied.remainders] == ["Agent/triage"]
    (change,) = exact.plan().changes
    assert [one.name for one in change.fields] == ["description"]
    exact.converge()
    exact.drop("Agent", "other")
    exact.meddler.instead("DELETE", r"/v1/agents/.*", (204, b""))
    assert exact.apply().exit_codes != (0,)  # an archival that was only promised
    assert exact.one("agents", "other")["status"] == "active"


def test_lesson_8_drift_and_pending_change_have_different_verbs_codes_and_words(exact):
    """What git wants is no drift, what moved there is; a plan says of each field which it is; the codes differ."""
    assert len({Exit.DONE, Exit.CHANGES_PENDING, Exit.DRIFT_FOUND, Exit.REFUSED}) == 4
    exact.agent("triage", description="One.", tags=["a"], max_iterations=3)
    exact.agent("calm", description="One.")
    exact.converge()
    exact.agent("triage", description="Two.", tags=["a"], max_iterations=4)
    exact.agent("calm", description="Two.")
    exact.agent("new")
    assert drifted(exact) == []
    patch(exact, "agents", "triage", tags=["b"], max_iterations=5)
    assert drifted(exact) == [("Agent/triage", What.CHANGED)]
    (one,) = drift(exact).drifted
    assert sorted(field.name for field in one.fields) == ["max_iterations", "tags"]
    sides = {
        (change.address.name, field.name): field.side for change in exact.plan().changes for field in change.fields
    }
    assert sides["triage", "description"] is sides["calm", "description"] is Side.PENDING
    assert sides["triage", "tags"] is Side.DRIFTED
    assert sides["triage", "max_iterations"] is Side.BOTH
    style = Style(color=False, width=120)
    plan, seen = words(plan_text(exact.plan(), style=style)), words(drift_text(drift(exact), style=style, flags=""))
    assert "you changed since" in plan
    assert "changed on the platform since" in plan
    assert "changed both here and on the platform since" in plan
    assert "you changed" not in seen
    assert "Agent/calm" not in seen
    assert "Agent/new" not in seen


def test_lesson_9_what_fails_keeps_back_only_what_stands_on_it(exact):
    """An archival that fails keeps back what goes after it, not the rest, and the ledger knows what went."""
    exact.agent("triage")
    exact.agent("other")
    exact.agent("stays")
    exact.memory("stays")
    exact.bot("bot", HOOK, agent="triage")
    exact.bot("stays", HOOK)
    exact.converge()
    for kind, name in (("Agent", "triage"), ("Agent", "other"), ("App", "bot")):
        exact.drop(kind, name)
    exact.meddler.instead("DELETE", r"/v1/apps/app_[0-9a-f]*", (500, {"title": "No"}), times=None)
    applied = exact.apply()
    assert Exit.PARTLY_APPLIED in applied.exit_codes or Exit.ERROR in applied.exit_codes
    known = {address.local for address in exact.ledger.entries}
    assert {"App/bot", "Agent/triage"} <= known
    assert "Agent/other" not in known
    assert exact.one("agents", "triage")["status"] == "active"
    assert exact.one("agents", "other")["status"] == "archived"
    lists = [one.path for one in exact.sent if one.method == "GET" and "_" not in one.path]
    assert max(map(lists.count, lists)) <= 4  # lists are read once a phase, whatever happens
    exact.meddler.rules.clear()
    exact.converge()
    assert exact.plan().changes == ()


def test_lesson_6_the_manifests_of_an_import_hold_no_value_of_a_secret(exact):
    """A secret comes out of an import as the name of a variable, listed as needed."""
    bot = exact.post("/v1/apps", name="Support", harness_id=exact.harness)
    config = {"token": TOKEN, "message": "Go."}
    exact.post(f"/v1/apps/{bot['id']}/channels", channel_type="webhook", channel_config=config, enabled=True)
    into = exact.folder.parent / "imported"
    chosen = settings(env={}, manifests=(str(into),))
    result = import_live(chosen, client=exact.reader(), ledger=exact.ledger, into=str(into), words=("App",))
    (path,) = into.rglob("apps/*.yaml")
    (channel,) = yaml.safe_load(path.read_text())["spec"]["channels"]
    assert channel["config"]["token"] == {"env": result.needed[0].variable}
    assert TOKEN not in "".join(one.read_text() for one in into.rglob("*.*"))
