"""Harnesses that build upon one another: from any forest to any other in one run, in an order that the server takes."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from reconciler.errors import ManifestError

NAMES = ("a", "b", "c", "d", "e", "f")
law = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.generate],
)


@st.composite
def forests(draw, names=NAMES):
    """Make harnesses by name with what each builds upon, never in a circle."""
    order = draw(st.permutations(names))
    return {name: draw(st.sampled_from(["generic", *order[:place]])) for place, name in enumerate(order)}


def declare(world, forest, gone=frozenset()):
    """Declare a forest; what built upon something that is gone builds upon the trunk."""
    world.declared = {key: one for key, one in world.declared.items() if key[0] != "Harness"}
    for name, parent in forest.items():
        if name not in gone:
            world.declare("Harness", name, {"parent_harness": "generic" if parent in gone else parent})


def lines(world):
    """Give what each live harness builds upon, by name."""
    live = {one["id"]: one for one in world.live("harnesses") if one["status"] == "active"}
    return {one["name"]: live[one["parent_harness_id"]]["name"] for one in live.values() if not one["is_built_in"]}


@law
@given(before=forests(), after=forests(), gone=st.frozensets(st.sampled_from(NAMES), max_size=3))
def test_any_forest_becomes_any_other(open_world, before, after, gone):
    """Whatever moves where, nothing is refused on the way, what leaves git is archived, and nothing is left to do."""
    with open_world() as world:
        declare(world, before)
        world.converge()
        declare(world, after, gone)
        plan = world.plan(allow_archive={"Harness": len(gone)} if gone else {})
        assert world.apply(plan).exit_codes == (0,)
        assert world.plan().is_empty
        declared = {name: one["spec"] for (_, name), one in world.declared.items()}
        assert lines(world) == {name: spec["parent_harness"] for name, spec in declared.items()}


@law
@given(before=forests(), after=forests(), declared=st.frozensets(st.sampled_from(NAMES)))
def test_what_git_leaves_out_stays(open_world, before, after, declared):
    """Where git speaks of some parents only, it ends as git says, or in the fault that it would be a circle."""
    with open_world() as world:
        declare(world, before)
        world.converge()
        for name in NAMES:
            world.declare("Harness", name, {"parent_harness": after[name]} if name in declared else {"tags": ["x"]})
        wanted = {name: after[name] if name in declared else before[name] for name in NAMES}
        if is_circular(wanted):
            with pytest.raises(ManifestError) as raised:
                world.plan()
            assert all("a circle" in fault.message for fault in raised.value.faults)
            return
        assert world.apply().exit_codes == (0,)
        assert lines(world) == wanted


def is_circular(parents):
    """Say whether anything builds upon itself, found by walking as far as there are names."""
    for name in parents:
        here = name
        for _ in parents:
            here = parents.get(here, "generic")
        if here != "generic":
            return True
    return False
