"""Reading ahead changes when requests are sent, never which, and never what is said."""

import json
from collections import Counter
from threading import Event

import httpx
import pytest

from reconciler.api_errors import ServerFault, Unreachable
from reconciler.errors import ManifestError
from reconciler.manifest import load as load_module
from reconciler.reconcile import make_plan, plan_afresh, read_manifests, want
from reconciler.settings import settings

AGENT = {"apiVersion": "everruns.reconciler/v1", "kind": "Agent", "spec": {"system_prompt": "Help."}}
CRON = {"name": "n", "type": "schedule", "config": {"cron_expression": "0 2 * * *", "message": "Run."}}


def asked(world):
    """Count the requests by path, query and organization, and forget them."""
    found = Counter((sent.method, sent.path, sent.query, sent.headers.get("x-org-id")) for sent in world.sent)
    world.forget()
    return found


def afresh(world, chosen):
    """Plan while the manifests are read."""
    return plan_afresh(chosen, client=world.reader(), read_ledger=world.backend.read, config=world.config)


def several_pages(world):
    """Declare and apply more agents than a page holds."""
    for number in range(230):
        world.agent(f"agent-{number}", harness="generic")
    world.converge()


FLEETS = {
    "several pages": several_pages,
    "an app and its agent": lambda world: (world.agent("triage"), world.bot("bot", CRON, agent="triage")),
    "a new organization": lambda world: (world.declare("Organization", "acme"), world.agent("triage")),
    "another's organization": lambda world: (
        world.post("/v1/orgs", name="Other"),
        world.declare("Agent", "a", {"system_prompt": "a"}, org=world.org),
    ),
    "two organizations": lambda world: (
        world.declare("Organization", "acme"),
        world.declare("Organization", "labs"),
        world.declare("Agent", "a", {"system_prompt": "a"}, org="acme"),
        world.declare("Agent", "b", {"system_prompt": "b"}, org="labs"),
    ),
}


@pytest.mark.parametrize("name", FLEETS)
def test_the_requests_are_the_same(world, name):
    """A plan that reads ahead sends what one that does not sends, each once, and is the same plan."""
    FLEETS[name](world)
    chosen = settings(env={}, manifests=(str(world.folder),))
    wanted = world.wanted()
    world.forget()
    plain = make_plan(wanted, chosen, client=world.reader())
    expected = asked(world)
    ahead = afresh(world, chosen)
    assert asked(world) == expected
    assert ahead == plain


def test_faults_of_manifests_come_first(world):
    """With nobody at the other end, what is wrong with the manifests is told all the same."""
    world.agent("triage", sytem_prompt="typo")
    world.meddler.cut("GET", ".*", httpx.ConnectError("refused"), times=None)
    with pytest.raises(ManifestError):
        world.plan()


def test_what_goes_wrong_ahead_is_told(world, clock):
    """A read that failed ahead fails the plan, with the words of any other read."""
    world.agent("triage")
    world.meddler.cut("GET", ".*/agents", httpx.ReadError("reset"), times=None)
    with pytest.raises(Unreachable, match="listing agents of default"):
        world.plan()
    assert clock.waited > 0


def test_what_was_begun_is_not_kept(world):
    """Whatever is read after the plan is asked for again: an answer from before would prove nothing."""
    client = world.reader()
    arrived, may_go_on = Event(), Event()

    def hold():
        arrived.set()
        assert may_go_on.wait(20)

    world.meddler.before("GET", ".*/agents", hold)
    late, tried = [], Event()

    def begin_more(_page):
        try:
            client.begin("/v1/orgs", doing="more", then=late.append)
        finally:
            tried.set()

    client.begin("/v1/agents", doing="listing", then=begin_more)
    assert arrived.wait(20)
    client.end_ahead()  # one answer is still on its way, and would begin another read
    may_go_on.set()
    assert tried.wait(20)
    assert client.get("/v1/orgs", doing="listing organizations")["data"]
    assert late == []


def test_lists_arrive_while_manifests_are_read(world, monkeypatch):
    """The list of a kind is asked for before the last manifest was read."""
    for folder in ("a", "b", "c"):
        (world.folder / folder).mkdir()
        document = {**AGENT, "metadata": {"name": f"agent-{folder}"}}
        (world.folder / folder / "agent.yaml").write_text(json.dumps(document))
    listed = Event()
    world.meddler.before("GET", ".*/agents", listed.set)
    real = load_module.folder_of

    def waiting(name):
        assert not name.endswith("c/agent.yaml") or listed.wait(20), "nobody asked"
        return real(name)

    monkeypatch.setattr(load_module, "folder_of", waiting)
    chosen = settings(env={}, manifests=(str(world.folder),))
    plan = afresh(world, chosen)
    assert len(plan.writes) == 3


@pytest.mark.parametrize("place", ["flat", "below"])
@pytest.mark.parametrize("exists", [True, False])
def test_an_organization_that_is_read_late(world, place, exists):
    """Wherever the Organization document stands among its agents, nothing is asked of another organization."""
    world.post("/v1/orgs", name="Acme" if exists else "Other")
    home = world.folder if place == "flat" else world.folder / "sub"
    home.mkdir(exist_ok=True)
    for number in range(120):
        document = {**AGENT, "metadata": {"name": f"agent-{number}"}}
        (home / f"agent-{number}.yaml").write_text(json.dumps(document))
    organization = {"kind": "Organization", "metadata": {"name": "acme"}, "spec": {"name": "Acme"}}
    (home / "organization.yaml").write_text(json.dumps(AGENT | organization))
    chosen = settings(env={}, manifests=(str(world.folder),))
    wanted = want(read_manifests(chosen.manifests), chosen, ledger=world.ledger, config=world.config)
    make_plan(wanted, chosen, client=world.reader())
    expected = asked(world)
    afresh(world, chosen)
    assert asked(world) == expected


ANSWERS = [{"data": 5}, {"data": True}, {"data": None}, [], {"data": [{"id": ["x"]}]}, {"data": [[]]}, {"data": [{}]}]


@pytest.mark.parametrize("answer", ANSWERS, ids=repr)
def test_an_answer_that_makes_no_sense(world, answer):
    """What the platform answers is judged where it is wanted, in words."""
    world.agent("triage")
    world.meddler.instead("GET", ".*/orgs", (200, answer), times=None)
    with pytest.raises(ServerFault, match="not a list of organizations"):
        world.plan()


@pytest.mark.parametrize("metadata", [{"org": ["x"]}, {"org": {}}, ["x"], "x", {"name": ["x"], "org": None}], ids=repr)
def test_manifests_that_make_no_sense(world, metadata):
    """What is wrong with a manifest is told with its place, whoever looked at it before."""
    world.agent("triage")
    world.declared["Agent", "odd"] = AGENT | {"metadata": metadata}
    with pytest.raises(ManifestError):
        world.plan()


def test_a_selection_is_not_guessed(world):
    """With a selection only the lists that it needs are read, and those once it is known."""
    world.agent("triage")
    world.memory("notes", description="Kept by hand.")
    world.plan(target=("Memory/notes",))
    assert sorted(sent.path.rpartition("/")[2] for sent in world.sent) == ["memories", "orgs"]
