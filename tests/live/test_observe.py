"""What is read for a plan, and which organization it is read from."""

from pathlib import Path

import pytest

from reconciler.api_errors import ApiError, NotFound
from reconciler.errors import ManifestError, UsageError
from reconciler.reconcile import make_plan, read_manifests, want
from reconciler.settings import settings

FLEET = Path(__file__).parents[2] / "manifests"
CRON = {"name": "n", "type": "schedule", "config": {"cron_expression": "0 2 * * *", "message": "Run."}}


def test_the_example_fleet_is_planned_by_a_client_that_cannot_write(world):
    """Validate and plan of the whole example fleet go through a transport that lets nothing but GET pass."""
    chosen = settings(env={}, manifests=(str(FLEET),))
    wanted = want(read_manifests(chosen.manifests), chosen, ledger=world.ledger, config=world.config)
    plan = make_plan(wanted, chosen, client=world.reader())
    assert len(plan.writes) >= len(wanted.chosen) > 30
    assert {sent.method for sent in world.sent} == {"GET"}


def test_the_example_fleet_converges(world, monkeypatch):
    """The whole example fleet is applied, proved, and then in sync, over and over."""
    for line in (FLEET / "demo.env").read_text().splitlines():
        if line and not line.startswith("#"):
            monkeypatch.setenv(*line.split("=", 1))
    monkeypatch.chdir(FLEET.parent)
    chosen = settings(env={}, manifests=(str(FLEET),))
    declared = read_manifests(chosen.manifests)
    wanted = want(declared, chosen, ledger=world.ledger, config=world.config)
    applied = world.apply(make_plan(wanted, chosen, client=world.reader()), parallel=8)
    assert applied.exit_codes == (0,)
    world.forget()
    wanted = want(declared, chosen, ledger=world.ledger, config=world.config)
    again = make_plan(wanted, chosen, client=world.reader())
    assert again.changes == ()
    assert world.ledger.entries.keys() == {one.address for one in declared}
    assert world.writes == []


def test_one_list_for_each_kind(world):
    """A plan reads a list for each kind and organization it needs, never a resource."""
    for name in "abcdef":
        world.agent(name, harness="generic")
        world.bot(name, CRON, agent=name)
    world.plan()
    assert sorted(sent.path for sent in world.sent) == ["/v1/agents", "/v1/apps", "/v1/harnesses", "/v1/orgs"]


# --- organizations ---


def org_of(plan, name):
    """Return the id of an organization of a plan."""
    return plan.orgs[name].id


def test_the_only_organization(world):
    """Documents that name no organization belong to the only one the key has."""
    world.agent("triage")
    assert org_of(world.plan(), "default") == world.org


def test_several_organizations(world):
    """With several, the manifests or the environment must say: the error lists them."""
    other = world.post("/v1/orgs", name="Other")["id"]
    world.agent("triage")
    with pytest.raises(UsageError) as raised:
        world.plan()
    assert other in raised.value.hint
    assert world.org in raised.value.hint
    chosen = settings(env={"EVERRUNS_ORG_ID": other})
    assert org_of(make_plan(world.wanted(), chosen, client=world.reader()), "default") == other


def test_an_organization_of_somebody_else(world):
    """An organization the key does not belong to is an error that lists those it does."""
    world.agent("triage")
    stranger = "org_" + "9" * 32
    with pytest.raises(NotFound) as raised:
        make_plan(world.wanted(), settings(env={"EVERRUNS_ORG_ID": stranger}), client=world.reader())
    assert stranger in raised.value.message
    assert "Default" in raised.value.hint


def test_an_organization_by_id(world):
    """A document may name its organization by id."""
    world.declare("Agent", "triage", {"system_prompt": "x"}, org=world.org)
    assert org_of(world.plan(), world.org) == world.org


def test_a_declared_organization(world):
    """An organization is found by its name, created when there is none, bound by id or by the environment."""
    world.agent("triage")
    world.declare("Organization", "acme", {"name": "Default"})
    assert org_of(world.plan(), "acme") == world.org
    world.declare("Organization", "acme", {"name": "Acme"})
    plan = world.plan()
    assert org_of(plan, "acme") is None
    assert [change.action.value for change in plan.changes] == ["create", "create"]
    with pytest.raises(UsageError) as raised:
        make_plan(world.wanted(), settings(env={"EVERRUNS_ORG_ID": world.org}), client=world.reader())
    assert 'EVERRUNS_ORG_ID is the organization "Default"' in raised.value.message
    world.declare("Organization", "acme", {"name": "Acme"}, id=world.org)
    bound = world.plan()
    assert [change.action.value for change in bound.changes] == ["update", "create"]
    assert bound.changes[0].id == world.org


def test_two_organizations_of_one_name(world):
    """Names of organizations are not unique: which is meant must be said."""
    world.post("/v1/orgs", name="Default")
    world.declare("Organization", "acme", {"name": "Default"})
    with pytest.raises(ManifestError) as raised:
        world.plan()
    assert "2 organizations on the platform are called" in raised.value.faults[0].message


def test_the_environment_cannot_name_several(world):
    """EVERRUNS_ORG_ID cannot stand for two organizations at once."""
    world.declare("Organization", "acme", {"name": "Default"})
    world.declare("Organization", "beta", {"name": "Beta"})
    with pytest.raises(UsageError, match="EVERRUNS_ORG_ID names one organization, but this run is about 2: acme, beta"):
        make_plan(world.wanted(), settings(env={"EVERRUNS_ORG_ID": world.org}), client=world.reader())


def test_two_organizations_side_by_side(world):
    """The same names in two organizations are two resources, each read and written in its own."""
    world.declare("Organization", "acme", {"name": "Default"})
    world.declare("Organization", "beta", {"name": "Beta"})
    one, two = world.folder / "one", world.folder / "two"
    for folder in (one, two):
        folder.mkdir()
    prompt = "kind: Agent\napiVersion: everruns.reconciler/v1\n"
    prompt += "metadata: {name: triage, org: %s}\nspec: {system_prompt: %s}\n"
    (one / "a.yaml").write_text(prompt % ("acme", "One."))
    (two / "a.yaml").write_text(prompt % ("beta", "Two."))
    world.converge()
    assert world.one("agents", "triage")["system_prompt"] == "One."
    beta = world.one("orgs", "Beta")["id"]
    (agent,) = world.api.get("/v1/agents", headers={"X-Org-Id": beta}).json()["data"]
    assert agent["system_prompt"] == "Two."
    assert world.plan().is_empty


# --- what is left out ---


def test_a_run_of_a_part_needs_what_it_stands_on(world):
    """What refers to something that is left out and does not exist yet is a fault, not a broken reference."""
    world.agent("triage")
    world.bot("bot", agent="triage")
    with pytest.raises(ManifestError) as raised:
        world.plan(exclude=("Agent/*",))
    (fault,) = raised.value.faults
    assert "refers to Agent/triage, which does not exist yet and is left out" in fault.message
    assert fault.path == ("spec", "agent")
    world.post("/v1/agents", name="triage", system_prompt="x")
    plan = world.plan(exclude=("Agent/*",))
    assert [change.address.local for change in plan.changes] == ["App/bot"]
    assert plan.partial


def test_what_is_left_out_still_gives_its_name(world):
    """Everything declared names what is live, chosen or not."""
    world.post("/v1/memories", name="Design docs")
    world.memory("docs", name="Design docs")
    mounts = {"mounts": [{"memory": "docs", "path": "/workspace/docs"}]}
    world.agent("triage", capabilities=[{"ref": "memory", "config": mounts}])
    world.converge()
    assert world.plan(exclude=("Memory/*",)).is_empty


def test_all_faults_come_at_once(world):
    """References that mean nothing and children that cannot be told apart are reported together."""
    world.agent("triage", default_model="nope", harness="nope")
    world.bot("bot", published=True)
    with pytest.raises(ManifestError) as raised:
        world.plan()
    assert len(raised.value.faults) == 3


def test_limits_of_organizations_are_told_before_they_are_met(world):
    """Where more organizations come to be than a user may usually create, the plan says so of each; never before."""
    for number in range(4):
        world.declare("Organization", f"org-{number}")
    assert not [change.notes for change in world.plan().steps if change.notes]
    world.declare("Organization", "org-4")
    told = [change.notes for change in world.plan().steps]
    note = "usually a user can create 5 organizations, 10 in an hour; this key has 1, and this plan creates 5"
    assert told == [(f"the platform may refuse it: {note}",)] * 5


GARBAGE = [
    ("channels that are no list", "apps", {"channels": 7}),
    ("channels that are none", "apps", {"channels": [{}]}),
    ("a channel of no type", "apps", {"channels": [{"id": "appchan_1", "channel_config": {}}]}),
    ("no name", "agents", {"name": None}),
]


@pytest.mark.parametrize(("plural", "edit"), [row[1:] for row in GARBAGE], ids=[row[0] for row in GARBAGE])
def test_objects_that_are_none(world, plural, edit):
    """A live object without the members every one has is an answer that makes no sense, and is said to be."""
    world.agent("triage")
    world.bot("bot", CRON)
    world.converge()

    def break_(page):
        for item in page["data"]:
            item.update(edit)
            if edit.get("name", "") is None:
                del item["name"]
        return page

    world.meddler.edit("GET", f"/v1/{plural}", break_, times=None)
    with pytest.raises(ApiError):
        world.plan()


def test_a_name_that_this_plan_takes_away_is_referred_to_no_more(world):
    """Who still goes by the old name is told at once: the next plan would find nothing under it."""
    world.agent("triage")
    world.declare("Session", "desk", {"agent": "triage", "title": "Desk"})
    world.converge()
    world.drop("Agent", "triage")
    world.declare("Agent", "sorter", {"system_prompt": "Help."}, moved_from="triage")
    with pytest.raises(ManifestError) as caught:
        world.plan()
    (fault,) = caught.value.faults
    assert (fault.message, fault.hint) == ('git calls the agent "triage" sorter now', "refer to it as sorter")
    world.declare("Session", "desk", {"agent": "sorter", "title": "Desk"})
    world.converge()
    assert world.plan().is_empty
