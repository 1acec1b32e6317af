"""What builds upon its own kind, and what an organization refers to that is made inside of it."""

from dataclasses import replace

import pytest

from reconciler.plan.change import Action, Change, Record
from reconciler.plan.circles import circular, completed, entangled
from reconciler.resource import Address

ORG = "acme"


@pytest.fixture
def harness(desired):
    """Give a function that declares a harness upon another."""

    def make(name, parent=None, **more):
        return desired(f"Harness/{name}", {"parent_harness": parent} if parent else {}, **more)

    return make


def told(faults):
    """Give what is said of each circle, and where."""
    return [(fault.message, fault.path) for fault in faults]


LINES = [
    ("nothing declared", [], []),
    ("a line", [("a", "b"), ("b", "c"), ("c", "generic")], []),
    ("a tree", [("a", "c"), ("b", "c"), ("c", None)], []),
    ("itself", [("a", "a")], ["a builds upon a: a circle"]),
    ("two", [("b", "a"), ("a", "b")], ["a builds upon b builds upon a: a circle"]),
    ("a tail that leads into it", [("t", "a"), ("a", "b"), ("b", "a")], ["a builds upon b builds upon a: a circle"]),
    (
        "two circles",
        [("a", "b"), ("b", "a"), ("c", "c")],
        ["a builds upon b builds upon a: a circle", "c builds upon c: a circle"],
    ),
]


@pytest.mark.parametrize(("line", "faults"), [row[1:] for row in LINES], ids=[row[0] for row in LINES])
def test_a_circle_is_told_once(harness, line, faults):
    """Each circle is one fault, at the first of its members by name; what only leads into it has none."""
    found = told(circular([harness(*one) for one in line]))
    assert [message for message, _ in found] == faults
    assert {path for _, path in found} <= {("spec", "parent_harness")}


def test_what_git_leaves_out_is_as_observed(harness, observed):
    """A live parent that git does not speak of closes a circle as well; an archived document closes none."""
    live = {Address(ORG, "Harness", "b"): observed("Harness/b", {"parent_harness": "a"})}
    assert told(circular([harness("a", "b"), harness("b")], live.get)) == [
        ("a builds upon b builds upon a: a circle", ("spec", "parent_harness"))
    ]
    assert not [*circular([harness("a", "b"), harness("b", archive=True)], live.get)]


def test_organizations_do_not_mix(desired):
    """The same names in two organizations are four harnesses."""
    one, other = desired("Harness/a", {"parent_harness": "b"}), desired("Harness/b", {"parent_harness": "a"})
    assert not [*circular([one, replace(other, address=other.address._replace(org="other"))])]


def creation(text, **body):
    """Make the creation of `Kind/name`, with a record of all that it writes."""
    record = Record(fields={f"/{name}": "told" for name in body})
    return Change(Address.parse(f"{ORG}/{text}"), Action.CREATE, body=body, record=record)


def test_an_organization_is_completed():
    """What refers to something made inside of it is written by a step of its own, and learnt from that."""
    org = creation(f"Organization/{ORG}", name="Acme", default_harness="desk", base_harness="base")
    desk = creation("Harness/desk", name="desk")
    first, second, other = completed([org, desk])
    assert other is desk
    assert (first.step, first.body) == (f"{ORG}/Organization/{ORG}", {"name": "Acme", "base_harness": "base"})
    assert (second.step, second.body) == (f"{ORG}/Organization/{ORG} complete", {"default_harness": "desk"})
    assert second.action is Action.UPDATE
    assert second.notes == ("written once Harness/desk is there",)
    assert (set(first.record.fields), first.record.adds) == ({"/name", "/base_harness"}, False)
    assert (set(second.record.fields), second.record.adds) == ({"/default_harness"}, True)


def test_what_needs_no_completion_is_left_as_it_is():
    """An organization that refers to what the platform brings along, or to what is elsewhere, is made in one step."""
    org = creation(f"Organization/{ORG}", name="Acme", default_harness="generic")
    elsewhere = Change(Address("other", "Harness", "generic"), Action.CREATE)
    there = Change(Address(ORG, "Harness", "generic"), Action.UPDATE)
    assert completed([org, elsewhere, there]) == [org, elsewhere, there]


def test_steps_that_wait_for_one_another_are_told(harness):
    """A name that changes hands and a reference to its heir cannot be had in one run: a fault, not a crash."""
    fault = entangled(
        [f"{ORG}/Harness/a", f"{ORG}/Harness/b"],
        [creation("Harness/b"), Change(Address(ORG, "Harness", "a"), Action.UPDATE)],
        [harness("a", "b"), harness("b")],
    )
    assert fault.message.startswith("Harness/a and Harness/b wait for one another")
    assert "two runs" in fault.hint
