"""Secrets that are sent again: because their value is another one by now, or because somebody asks."""

import json
from datetime import UTC, datetime

import pytest

from reconciler.errors import UsageError
from reconciler.plan.change import Action
from reconciler.plan.secrecy import SecretState
from reconciler.report.plan_text import plan_text
from reconciler.report.style import Style
from reconciler.settings import settings
from reconciler.views import find_drift

HEAD = "apiVersion: everruns.reconciler/v1\n"
FIRST, SECOND = "sesame-number-one", "sesame-number-two"
HOOK = {"name": "in", "type": "webhook", "config": {"token": {"env": "HOOK_TOKEN"}, "message": "Go."}}
CRM = {"crm": {"url": "https://crm.example.com/mcp", "headers": {"Authorization": {"env": "CRM_TOKEN"}}}}


@pytest.fixture
def team(world, monkeypatch):
    """Give a world with a secret of an agent and one of a channel, both sent."""
    monkeypatch.setenv("HOOK_TOKEN", FIRST)
    monkeypatch.setenv("CRM_TOKEN", FIRST)
    world.adopt = "exact"
    world.agent("triage", mcpServers=CRM)
    world.bot("bot", HOOK)
    world.converge()
    return world


def planned(plan):
    """Give a plan as addresses and actions."""
    return {change.address.local: change.action for change in plan.changes}


def states(plan):
    """Count the secrets of a plan by what is known of them."""
    return {state: count for state, count in plan.secrets.items() if count}


def test_the_same_value_is_unchanged(team):
    """A secret whose value is the one that was sent is not sent again, and known to be the same."""
    plan = team.plan()
    assert plan.is_empty
    assert states(plan) == {SecretState.UNCHANGED: 2}


@pytest.mark.parametrize(
    ("name", "address", "line"),
    [
        ("CRM_TOKEN", "Agent/triage", "PATCH /v1/agents/agent_"),
        ("HOOK_TOKEN", "App/bot/Channel/in", "PATCH /v1/apps/app_/channels/appchan_"),
    ],
    ids=["header", "channel"],
)
def test_another_value_is_sent(team, monkeypatch, name, address, line):
    """A secret that has another value by now is told as to be rotated, sent once, and then known as it is."""
    monkeypatch.setenv(name, SECOND)
    plan = team.plan()
    assert planned(plan) == {address: Action.UPDATE}
    assert states(plan) == {SecretState.UNCHANGED: 1, SecretState.ROTATE: 1}
    text = "\n".join(plan_text(plan, style=Style(color=False, width=100)))
    assert f"will be sent again (env {name})" in text
    assert ("you changed since" in text) is (name == "CRM_TOKEN")  # of a secret alone nobody knows who moved
    assert "changed on the platform" not in text
    assert f"1 secret will be read and sent: env {name}" in text
    assert team.apply(plan).exit_codes == (0,)
    assert team.lines == [line]
    assert SECOND in json.dumps(team.writes[0].body)
    assert team.plan().is_empty
    assert states(team.plan()) == {SecretState.UNCHANGED: 2}


def test_another_value_is_no_drift(team, monkeypatch):
    """A new value is our own doing: drift tells nothing of it, though the agent that holds it moved nowhere else."""
    monkeypatch.setenv("CRM_TOKEN", SECOND)
    monkeypatch.setenv("HOOK_TOKEN", SECOND)
    now = datetime.now(UTC)
    found = find_drift(team.wanted(), settings(env={}), client=team.reader(), config=team.config, now=now)
    assert found.drifted == ()


def test_no_value_here_is_unknown_and_nothing_is_sent(team, monkeypatch):
    """Who has no values, as a reviewer has none, sees what cannot be known, and no change of it."""
    monkeypatch.delenv("CRM_TOKEN")
    monkeypatch.delenv("HOOK_TOKEN")
    plan = team.plan()
    assert plan.is_empty
    assert states(plan) == {SecretState.UNKNOWN: 2}
    text = "\n".join(plan_text(plan, style=Style(color=False, width=100)))
    assert "2 secrets not compared: no value here, or not sent since the ledger began (--rotate sends them)." in text
    team.apply(plan)
    assert team.writes == []


def test_what_was_adopted_is_unknown(team):
    """A secret that was there before and was never sent from here may be anything: it is not sent unless asked for."""
    team.lose_ledger()
    team.converge()
    assert team.writes == []
    plan = team.plan()
    assert (plan.is_empty, states(plan)) == (True, {SecretState.UNKNOWN: 2})
    plan = team.plan(rotate=("Agent/*",))
    assert planned(plan) == {"Agent/triage": Action.UPDATE}
    team.apply(plan)
    assert states(team.plan()) == {SecretState.UNCHANGED: 1, SecretState.UNKNOWN: 1}


def test_rotate_sends_what_is_the_same(team):
    """Asked for, a secret is sent again though its value is the same; only where it was asked for."""
    plan = team.plan(rotate=("App/bot/*",))
    assert planned(plan) == {"App/bot/Channel/in": Action.UPDATE}
    assert team.apply(plan).exit_codes == (0,)
    assert team.lines == ["PATCH /v1/apps/app_/channels/appchan_"]
    team.forget()
    assert planned(team.plan(rotate=("*",))) == {
        "App/bot/Channel/in": Action.UPDATE,
        "Agent/triage": Action.UPDATE,
    }
    assert team.plan().is_empty


@pytest.mark.parametrize("pattern", ["Agent/nobody", "Memory/*", "App/bot"])
def test_rotate_of_nothing(team, pattern):
    """A pattern that means no secret is an error: a rotation that did not happen must not look like one."""
    with pytest.raises(UsageError, match="matches nothing that declares a secret"):
        team.plan(rotate=(pattern,))


def test_a_rotation_without_a_value_is_an_error(team, monkeypatch):
    """What is to be sent needs a value, before anything is written."""
    monkeypatch.delenv("CRM_TOKEN")
    team.agent("new")
    with pytest.raises(Exception, match="CRM_TOKEN is not set"):
        team.apply(team.plan(rotate=("Agent/*",)))
    assert team.writes == []


def test_a_secret_that_came_back_changed_beside_a_field(team, monkeypatch):
    """A new value and a changed field go in one write."""
    monkeypatch.setenv("HOOK_TOKEN", SECOND)
    team.bot("bot", HOOK | {"config": HOOK["config"] | {"message": "Run."}})
    team.converge()
    assert team.plan().is_empty
    assert states(team.plan()) == {SecretState.UNCHANGED: 2}


def test_no_output_holds_a_value_or_a_fingerprint(site):
    """Plan, apply, drift, show and the ledger's verbs tell of the rotation, never of a value or its fingerprint."""
    site.env |= {"HOOK_TOKEN": FIRST}
    site.write(
        "manifests/bot.yaml",
        f"{HEAD}kind: App\nmetadata: {{name: bot}}\nspec:\n  harness: generic\n  channels:\n"
        "    - {name: in, type: webhook, config: {token: {env: HOOK_TOKEN}, message: Go.}}\n",
    )
    site.converge()
    site.env["HOOK_TOKEN"] = SECOND
    plan = site.run("plan")
    assert "will be sent again (env HOOK_TOKEN)" in plan.out
    told = [plan.text]
    told += [site.run("plan", "--json", "--out", "a.plan").text, (site.folder / "a.plan").read_text()]
    told += [site.run("show", "App/bot/Channel/in", *flags).text for flags in ((), ("--json",))]
    assert "rotate" in told[-1]
    told += [site.run("drift", "--json").text]
    applied = site.run("apply", "--auto-approve", "--rotate", "App/*/*", "--json")
    assert applied.code == 0, applied.text
    assert site.lines == ["PATCH /v1/apps/app_/channels/appchan_"]
    told += [applied.text, site.run("ledger", "show").text, site.run("ledger", "show", "--json").text]
    (ledger,) = (site.folder / ".reconciler/ledger").glob("*.json")
    kept = ledger.read_text()
    assert "scrypt" in kept
    fingerprint = kept.partition("scrypt$")[2].partition('"')[0]
    everything = "\n".join(told)
    for hidden in (FIRST, SECOND, "scrypt$", fingerprint[-20:]):
        assert hidden not in everything
    assert not [value for value in (FIRST, SECOND) if value in kept]
