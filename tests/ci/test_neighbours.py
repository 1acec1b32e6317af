"""Other environments in a comment: a row for each, as its own comment remembers it, and nothing that others forged."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.ci.forge import Post
from reconciler.ci.marker import Fleet, mark
from reconciler.ci.neighbours import neighbours, row_of
from reconciler.plan.change import Action, Change
from reconciler.plan.plan import Plan
from reconciler.plan.verdict import Refusal
from reconciler.report.overview import Other
from reconciler.report.plan_sheet import plan_sheet
from reconciler.resource import Address

from .github import BOT

MINE = Fleet("mine", "manifests")
HEAD, OLD = "a" * 40, "b" * 40
URL = "https://github.example/acme/fleet/pull/7#issuecomment-1"


def post(environment, data, *, purpose="plan", root="manifests"):
    """Return a comment of ours about an environment."""
    return Post(1, f"{mark(purpose, Fleet(environment, root), data)}\n## Plan", URL)


def sheet(*actions, refusals=()):
    """Return the sheet of a plan that does this to agents."""
    changes = tuple(Change(Address("acme", "Agent", f"a{n}"), one) for n, one in enumerate(actions))
    return plan_sheet(Plan(changes, refusals=refusals), facts={})


def rows(body):
    """Return the rows of the first table of a comment, cell by cell."""
    lines = [line for line in body.splitlines() if line.startswith("|") and "---" not in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_what_a_marker_remembers_comes_back():
    """Counts by what is at stake, whether it is refused, and of which commit it is where that is another."""
    some = sheet(Action.ARCHIVE, Action.CREATE, Action.CREATE, refusals=(Refusal("too many", ""),))
    calm = row_of(sheet(), head=OLD)
    found = neighbours([post("west", row_of(some, head=HEAD)), post("east", calm)], fleet=MINE, head=HEAD)
    assert found == (
        Other("east", URL, {}, "", OLD),
        Other("west", URL, {"Removals": 1, "Creations": 2}, "refused", ""),
    )


def test_only_plans_of_other_environments_are_neighbours():
    """Neither one's own, nor an outcome, nor a comment without a marker; of two the first, as of one's own."""
    data = row_of(sheet(), head=HEAD)
    posts = [post("mine", data), post("west", data, purpose="applied"), Post(2, "Looks good", URL)]
    assert neighbours(posts, fleet=MINE, head=HEAD) == ()
    twice = [post("west", data), post("west", row_of(sheet(Action.CREATE), head=HEAD))]
    assert neighbours(twice, fleet=MINE, head=HEAD) == (Other("west", URL, {}, "", ""),)


ROW = row_of(sheet(Action.CREATE), head=HEAD)["row"]


@pytest.mark.parametrize(
    "row",
    [
        None,
        [],
        ROW | {"v": 2},
        ROW | {"state": "fine"},
        ROW | {"state": []},
        ROW | {"head": "@everyone"},
        ROW | {"head": 1},
        ROW | {"counts": {"create": -1}},
        ROW | {"counts": {"create": 10**9}},
        ROW | {"counts": {"create": True}},
        ROW | {"counts": {"zork": 1}},
        ROW | {"counts": None},
    ],
)
def test_a_row_that_is_odd_is_a_place_alone(row):
    """As one of an earlier version, or one that somebody edited."""
    assert neighbours([post("west", {"row": row})], fleet=MINE, head=HEAD) == (Other("west", URL),)


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.text() | st.integers(), st.lists)), st.text(min_size=1))
def test_nothing_in_a_marker_is_a_crash(data, name):
    """Whatever it says."""
    body = mark("plan", Fleet(name, "manifests"), data | {"row": data})
    found = neighbours([Post(1, body, URL)], fleet=MINE, head=HEAD)
    assert [one.counts for one in found] == ([] if name == "mine" else [None])


def test_the_environments_of_a_pull_request_know_each_other(yard):
    """The later one shows the earlier one with a link; after a push it says of which commit the other one still is."""
    yard.agents("triage", "sales")
    old = yard.push()
    assert yard.plan("--environment", "staging").code == 0
    assert yard.plan("--environment", "production").code == 0
    staging, production = (one["body"] for one in yard.github.ours(7))
    link = yard.github.ours(7)[0]["html_url"]
    assert rows(staging)[0] == ["Environment", "Organization", "create"]
    assert [row[0] for row in rows(staging)[1:]] == ["`staging`"]
    assert rows(production)[0] == ["Environment", "Organization", "Creations"]
    assert [row[0] for row in rows(production)[1:]] == ["**`production`**", f"[`staging`](<{link}>)"]
    assert rows(production)[2][1:] == ["*all*", "1"]
    assert "when this one was written" in production
    yard.back()
    yard.agents("triage", "sales", "help")
    yard.push()
    before = len(yard.github.requests)
    assert yard.plan("--environment", "production").code == 0
    sent = [re.sub(r"\?.*", "", one) for one in yard.github.requests[before:]]
    assert [one.split()[0] for one in sent] == ["GET", "GET", "PATCH"]  # the pull request, its comments
    now = yard.github.ours(7)[1]["body"]
    assert rows(now)[2][1:] == [f"*all* · another commit: {old[:7]}", "1"]
    assert len(yard.github.ours(7)) == 2


def test_a_plan_that_failed_is_a_neighbour_too(yard):
    """So that nobody takes silence for nothing to do."""
    yard.write("manifests/bad.yaml", "apiVersion: everruns.reconciler/v1\nkind: Agnt\n")
    yard.push()
    assert yard.plan("--environment", "staging").code == 1
    assert yard.plan("--environment", "production").code == 1
    assert rows(yard.github.ours(7)[1]["body"])[2][1:] == ["*all* · no plan: it failed"]


def test_a_forged_neighbour_has_no_row(yard):
    """What somebody else wrote is not read, and one of ours that is broken has a row without counts."""
    yard.agents("triage", "sales")
    yard.push()
    yard.github.say(
        7, f"{mark('plan', Fleet('forged', 'manifests'), row_of(sheet(Action.CREATE), head=HEAD))}\n", login="mallory"
    )
    yard.github.say(7, "<!-- reconciler:plan:broken AAAA -->\n", login=BOT)
    assert yard.plan().code == 0
    body = yard.github.ours(7)[-1]["body"]
    assert "forged" not in body
    assert [row[1:] for row in rows(body) if "broken" in row[0]] == [["*all* · see there", ""]]


def test_fleets_of_one_environment_are_neighbours():
    """Named with their manifests; a comment of before that names none could be one's own."""
    data = row_of(sheet(), head=HEAD)
    posts = [post("mine", data, root="other"), post("mine", data, root=""), post("west", data, root="a")]
    found = neighbours([*posts, post("west", data, root="b"), post("east", data, root="b")], fleet=MINE, head=HEAD)
    assert [one.environment for one in found] == ["east", "mine, other", "west, a", "west, b"]


def test_two_fleets_of_one_environment_are_planned_and_applied_side_by_side(yard):
    """Each has its own comment, knows the other, and is applied by what its own comment showed."""
    yard.write("other/reconciler.yaml", "environment: production\nledger: {backend: file}\n")
    yard.agents("ops", file="other/agents.yaml")
    yard.agents("triage", "sales")
    yard.push()
    assert yard.plan().code == 0
    assert yard.plan("-f", "other").code == 0
    first, second = (one["body"] for one in yard.github.ours(7))
    assert ("sales" in first, "ops" in first) == (True, False)
    assert ("sales" in second, "ops" in second) == (False, True)
    assert "production, manifests" in second
    yard.merge()
    assert yard.apply().code == 0
    assert yard.apply("-f", "other").code == 0
    assert len(yard.github.ours(7)) == 4


def test_a_comment_of_an_earlier_version_is_taken_over(yard):
    """It names no manifests; what it showed was reviewed, and a later plan is written over it."""
    yard.agents("triage", "sales")
    yard.push()
    yard.plan()
    (one,) = yard.github.ours(7)
    one["body"] = one["body"].replace("plan:production:manifests ", "plan:production ")
    yard.plan()
    (one,) = yard.github.ours(7)
    assert one["body"].startswith("<!-- reconciler:plan:production:manifests ")
    one["body"] = one["body"].replace("plan:production:manifests ", "plan:production ")
    yard.merge()
    assert yard.apply().code == 0
