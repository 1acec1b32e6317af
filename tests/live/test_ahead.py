"""Reading ahead changes when requests are sent, never which, and never what is said."""

from collections import Counter

import httpx
import pytest

from reconciler.errors import ManifestError, Unreachable
from reconciler.reconcile import make_plan, plan_afresh
from reconciler.settings import settings

CRON = {"name": "n", "type": "schedule", "config": {"cron_expression": "0 2 * * *", "message": "Run."}}


def asked(world):
    """Count the requests by path, query and organization, and forget them."""
    found = Counter((sent.method, sent.path, sent.query, sent.headers.get("x-org-id")) for sent in world.sent)
    world.forget()
    return found


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
    ahead = plan_afresh(chosen, client=world.reader())
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
    world.agent("triage")
    client = world.reader()
    chosen = settings(env={}, manifests=(str(world.folder),))
    world.wanted()
    plan_afresh(chosen, client=client)
    client.begin("/v1/orgs", doing="listing organizations")
    plan_afresh(chosen, client=client)
    world.forget()
    client.get("/v1/orgs", doing="listing organizations")
    assert [sent.path for sent in world.sent] == ["/v1/orgs"]


def test_a_selection_is_not_guessed(world):
    """With a selection only the lists that it needs are read, and those once it is known."""
    world.agent("triage")
    world.memory("notes", description="Kept by hand.")
    world.plan(target=("Memory/notes",))
    assert sorted(sent.path.rpartition("/")[2] for sent in world.sent) == ["memories", "orgs"]
