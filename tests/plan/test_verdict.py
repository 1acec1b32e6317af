"""VERDICT: how much one run may take away, and what else is refused."""

import pytest

from reconciler.plan.change import Action, Change
from reconciler.plan.owned import Entry
from reconciler.plan.verdict import Limit, Policy, judge
from reconciler.resource import Address

from .conftest import NOBODYS, TIME

ENTRY = Entry("id_1", TIME)


def agents(count, kind="Agent"):
    """Give addresses of a kind."""
    return [Address("acme", kind, f"a-{number:03}") for number in range(count)]


def verdict(*, owned, going, new=0, policy=None, protected=(), is_leaving=True):
    """Judge a run that archives so many of so many agents and creates some."""
    addresses = agents(owned)
    ledger = NOBODYS.with_applied(dict.fromkeys(addresses, ENTRY))
    changes = [Change(address, Action.ARCHIVE) for address in addresses[:going]]
    changes += [Change(Address("acme", "Agent", f"new-{number}"), Action.CREATE) for number in range(new)]
    leaving = addresses[:going] if is_leaving else []
    found = judge(changes, ledger, policy or Policy(), leaving=leaving, protected=protected)
    return [one.message for one in found]


@pytest.mark.parametrize(
    ("owned", "going", "allowed"),
    [(100, 30, True), (100, 31, False), (10, 5, True), (10, 6, False), (6, 5, True), (17, 5, True), (20, 6, True)],
)
def test_the_limit(owned, going, allowed):
    """Thirty percent of what is ours of a kind may go, or five in any case."""
    assert bool(verdict(owned=owned, going=going)) is not allowed


def test_never_all_of_a_kind():
    """That nothing of a kind stays is refused however few they are, unless new ones come."""
    assert verdict(owned=2, going=2) == ["Agent: every one that is ours in acme would be archived (2 in all)"]
    assert verdict(owned=2, going=2, new=1) == []
    assert verdict(owned=10, going=10, new=1) == [
        "Agent: 10 of 10 would be archived, more than 30 percent and more than 5"
    ]


def test_never_all_of_a_kind_in_an_organization():
    """That another organization keeps its own does not excuse it, nor do new ones that come there."""
    labs = Address("labs", "Agent", "x")
    going = agents(2)
    ledger = NOBODYS.with_applied(dict.fromkeys([*going, labs, labs._replace(name="y")], ENTRY))

    def judged(changes, *leaving):
        changes = [*changes, *(Change(address, Action.ARCHIVE) for address in leaving)]
        return [one.message for one in judge(changes, ledger, Policy(), leaving=leaving, protected=())]

    emptied = ["Agent: every one that is ours in acme would be archived (2 in all)"]
    assert judged([], *going) == emptied
    assert judged([], going[0], labs) == []
    assert judged([Change(labs._replace(name="new"), Action.CREATE)], *going) == emptied
    assert judged([Change(going[0]._replace(name="new"), Action.CREATE)], *going) == []
    assert judged([], *going, labs) == ["Agent: every one that is ours in acme would be archived (3 in all)"]


def test_what_was_allowed_by_its_number():
    """--allow-archive is for exactly the number that was reviewed, and for a kind of which something goes."""
    assert verdict(owned=10, going=10, policy=Policy(allowed={"Agent": 10})) == []
    (message,) = verdict(owned=10, going=9, policy=Policy(allowed={"Agent": 10}))
    assert message == "--allow-archive Agent=10: this plan archives 9"
    (message,) = verdict(owned=10, going=0, policy=Policy(allowed={"App": 1}))
    assert message == "--allow-archive App=1: this plan archives no App"


def test_limits_of_a_kind():
    """A kind may have limits of its own; zero percent and a floor of zero let nothing go."""
    strict = Policy(limits={"Agent": Limit(0, 0)})
    assert verdict(owned=100, going=1, policy=strict)
    assert verdict(owned=100, going=1, policy=Policy(limits={"App": Limit(0, 0)})) == []


def test_what_git_says_is_to_be_archived_was_said():
    """Budgets are about what is left out, not about `archive: true`."""
    assert verdict(owned=10, going=10, is_leaving=False) == []


def test_what_is_protected():
    """What leaves git though it is protected is refused by name, with the way to do it."""
    (refusal,) = judge([], NOBODYS, Policy(), leaving=[], protected=agents(1))
    assert refusal.message == "acme/Agent/a-000 is protected, and is no longer in git"
    assert "protect: false" in refusal.hint


def test_conflicts_are_one_refusal():
    """What is there and not ours is named, three at most, with every way out."""
    changes = [Change(address, Action.CONFLICT) for address in agents(5)]
    (refusal,) = judge(changes, NOBODYS, Policy(), leaving=[], protected=[])
    assert refusal.message.startswith("acme/Agent/a-000, acme/Agent/a-001, acme/Agent/a-002 and 2 more: ")
    assert "adopt: overwrite" in refusal.hint


def test_nothing_against_it():
    """A plan that adopts, creates and keeps is not refused."""
    changes = [
        Change(address, action)
        for address, action in zip(agents(3), (Action.ADOPT, Action.CREATE, Action.KEEP), strict=True)
    ]
    assert judge(changes, NOBODYS, Policy(), leaving=[], protected=[]) == ()
