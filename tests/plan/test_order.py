"""Which step waits for which."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.plan.change import Action, Change
from reconciler.plan.order import ordered, targets
from reconciler.resource import Address

ORG = "acme"


def step(text, action=Action.CREATE, **body):
    """Make a change of `Kind/name`."""
    return Change(Address.parse(f"{ORG}/{text}"), action, body=body)


def mounting(*memories):
    """Make the capabilities of an agent that mounts memories."""
    mounts = [{"memory": name, "path": f"/workspace/{name}"} for name in memories]
    return [{"ref": "memory", "config": {"mounts": mounts}}]


def waits(changes, observed=None):
    """Return, by step within the organization, what it waits for."""
    cut = f"{ORG}/"
    return {
        change.step.removeprefix(cut): [step.removeprefix(cut) for step in change.after]
        for change in ordered(changes, observed or {})
    }


CASES = [
    (
        "creation follows references",
        [
            step("App/bot", harness="generic", agent="triage"),
            step("Agent/triage", capabilities=mounting("docs")),
            step("Memory/docs"),
        ],
        {"Memory/docs": [], "Agent/triage": ["Memory/docs"], "App/bot": ["Agent/triage"]},
    ),
    (
        "an update waits for what it newly refers to, not for what is only changed",
        [
            step("App/bot", Action.UPDATE, agent="new"),
            step("App/desk", Action.UPDATE, agent="old"),
            step("Agent/new"),
            step("Agent/old", Action.UPDATE, tags=[]),
        ],
        {"Agent/new": [], "Agent/old": [], "App/bot": ["Agent/new"], "App/desk": []},
    ),
    (
        "a new parent is in its place first, with all that it builds upon",
        [
            step("Harness/a", Action.UPDATE, parent_harness="b"),
            step("Harness/b", Action.UPDATE, parent_harness="c"),
            step("Harness/c"),
            step("Harness/d", Action.UPDATE, tags=[]),
        ],
        {"Harness/c": [], "Harness/d": [], "Harness/b": ["Harness/c"], "Harness/a": ["Harness/b", "Harness/c"]},
    ),
    (
        "what completes an organization needs no more than that, and all else waits for it",
        [
            step(f"Organization/{ORG}"),
            Change(
                Address.parse(f"{ORG}/Organization/{ORG}"),
                Action.UPDATE,
                body={"default_harness": "desk"},
                completes=True,
            ),
            step("Harness/desk", parent_harness="house"),
            step("Harness/house"),
            step("Agent/triage"),
        ],
        {
            f"Organization/{ORG}": [],
            "Harness/house": [f"Organization/{ORG}"],
            "Harness/desk": ["Harness/house", f"Organization/{ORG}"],
            f"Organization/{ORG} complete": ["Harness/desk", f"Organization/{ORG}"],
            "Agent/triage": [f"Organization/{ORG}", f"Organization/{ORG} complete"],
        },
    ),
    (
        "what is restored counts as new",
        [step("App/bot", agent="triage"), step("Agent/triage", Action.RESTORE)],
        {"Agent/triage": [], "App/bot": ["Agent/triage"]},
    ),
    (
        "children follow a new parent only",
        [
            step("App/bot/Channel/hook", type="webhook"),
            step("App/bot"),
            step("App/desk/Channel/hook", type="webhook"),
            step("App/desk", Action.UPDATE),
        ],
        {"App/bot": [], "App/desk": [], "App/bot/Channel/hook": ["App/bot"], "App/desk/Channel/hook": []},
    ),
    (
        "everything follows a new organization",
        [step("Organization/acme"), step("Memory/docs"), step("App/bot/Channel/hook"), step("App/bot")],
        {
            "Organization/acme": [],
            "Memory/docs": ["Organization/acme"],
            "App/bot": ["Organization/acme"],
            "App/bot/Channel/hook": ["App/bot", "Organization/acme"],
        },
    ),
    (
        "publishing comes last, whatever is done to the channels",
        [
            step("App/bot", Action.PUBLISH),
            step("App/bot", Action.UPDATE),
            step("App/bot/Channel/a"),
            step("App/bot/Channel/b", Action.UPDATE),
            step("App/bot/Channel/c", Action.ARCHIVE),
            step("App/desk/Channel/d"),
        ],
        {
            "App/bot": [],
            "App/bot/Channel/a": [],
            "App/bot/Channel/b": [],
            "App/bot/Channel/c": [],
            "App/desk/Channel/d": [],
            "App/bot publish": ["App/bot", "App/bot/Channel/a", "App/bot/Channel/b", "App/bot/Channel/c"],
        },
    ),
    (
        "unpublishing comes first",
        [
            step("App/bot", Action.UNPUBLISH),
            step("App/bot", Action.UPDATE),
            step("App/bot/Channel/a"),
            step("App/bot/Channel/c", Action.ARCHIVE),
            step("App/desk", Action.UPDATE),
        ],
        {
            "App/bot unpublish": [],
            "App/desk": [],
            "App/bot": ["App/bot unpublish"],
            "App/bot/Channel/a": ["App/bot unpublish"],
            "App/bot/Channel/c": ["App/bot unpublish"],
        },
    ),
]


@pytest.mark.parametrize(("changes", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_what_waits_for_what(changes, expected):
    """A step waits for what it needs and for nothing else."""
    assert waits(changes) == expected


def test_archiving_goes_the_other_way(observed):
    """A resource goes after the live ones that refer to it let go, by being archived or changed."""
    live = [
        observed("App/bot", {"agent": "triage", "harness": "generic"}),
        observed("App/desk", {"agent": "triage", "harness": "generic"}),
        observed("App/other", {"agent": "writer", "harness": "generic"}),
        observed("Agent/triage", {"capabilities": mounting("docs")}),
        observed("Memory/docs", {"name": "docs"}),
    ]
    changes = [
        step("Memory/docs", Action.ARCHIVE),
        step("Agent/triage", Action.ARCHIVE),
        step("App/bot", Action.ARCHIVE),
        step("App/desk", Action.UPDATE, agent="writer"),
        step("App/other", Action.UPDATE, description="x"),
    ]
    assert waits(changes, {one.address: one for one in live}) == {
        "App/bot": [],
        "App/desk": [],
        "App/other": [],
        "Agent/triage": ["App/bot", "App/desk"],
        "Memory/docs": ["Agent/triage"],
    }


def test_children_of_a_type_are_created_in_their_order():
    """Position is all that tells two children of a type apart, so they are made one behind the other."""
    names = ["zulu", "alpha", "mike"]
    children = [step(f"App/bot/Channel/{name}", type="webhook") for name in names]
    children = [replace(child, title="webhook") for child in children]
    other = replace(step("App/bot/Channel/bravo", type="fcp"), title="fcp")
    elsewhere = replace(step("App/desk/Channel/yankee", type="webhook"), title="webhook")
    update = replace(step("App/bot/Channel/first", Action.UPDATE, enabled=True), title="webhook")
    positions = {update.address: 0, other.address: 0, elsewhere.address: 0}
    positions |= {child.address: number + 1 for number, child in enumerate(children)}
    result = ordered([update, other, elsewhere, *children], {}, positions=positions)
    waits_for = {change.address.name: [name.rpartition("/")[2] for name in change.after] for change in result}
    assert waits_for == {
        "first": [],
        "bravo": [],
        "yankee": [],
        "zulu": [],
        "alpha": ["zulu"],
        "mike": ["alpha"],
    }


def test_targets(desired):
    """A shape's references are found wherever they stand, and emptied ones lead nowhere."""
    agent = desired("Agent/triage", {"harness": "generic", "default_model": None, "capabilities": mounting("a", "b")})
    found = sorted(address.local for address in targets(agent.kind, ORG, agent.spec))
    assert found == ["Harness/generic", "Memory/a", "Memory/b"]


names = st.sampled_from("abcd")
memories = st.builds(lambda n, a: step(f"Memory/{n}", a), names, st.sampled_from([Action.CREATE, Action.ARCHIVE]))
agents = st.builds(
    lambda n, a, m: step(f"Agent/{n}", a, capabilities=mounting(*m)),
    names,
    st.sampled_from([Action.CREATE, Action.UPDATE, Action.RESTORE]),
    st.lists(names, max_size=2, unique=True),
)
apps = st.builds(
    lambda n, a, g: step(f"App/{n}", a, agent=g), names, st.sampled_from([Action.CREATE, Action.UPDATE]), names
)
switched = st.builds(lambda n, a: step(f"App/{n}", a), names, st.sampled_from([Action.PUBLISH, Action.UNPUBLISH]))
channels = st.builds(
    lambda p, n, a: step(f"App/{p}/Channel/{n}", a, type="webhook"),
    names,
    names,
    st.sampled_from([Action.CREATE, Action.UPDATE, Action.ARCHIVE]),
)
organization = st.builds(step, st.just("Organization/acme"))
plans = st.lists(
    st.one_of(memories, agents, apps, switched, channels, organization),
    unique_by=(lambda change: change.step, lambda change: (change.address, change.step == str(change.address))),
    max_size=14,
)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(plans, st.randoms(use_true_random=False))
def test_input_order_does_not_matter(changes, rng: random.Random):
    """Any order of the same changes gives the same plan, in which every step stands behind what it waits for."""
    result = ordered(changes, {})
    shuffled = list(changes)
    rng.shuffle(shuffled)
    assert ordered(shuffled, {}) == result
    assert sorted(change.step for change in result) == sorted(change.step for change in changes)
    seen = set()
    for change in result:
        assert set(change.after) <= seen
        seen.add(change.step)
