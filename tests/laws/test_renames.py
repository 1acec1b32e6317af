"""What holds for every way in which unique names change hands: one apply, in parallel, and nothing is left to do."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.change import Action
from reconciler.plan.file import Origin, dumps, loads

from .profile import law

KINDS = {"Memory": "memories", "Agent": "agents"}
NAMES = ["a", "b", "c", "d", "e", "f", "g", "h"]


@st.composite
def renamings(draw):
    """Make some live names, and for each what becomes of it: a name out of them or a new one, or None for archived.

    New resources come last; they take what is left.
    """
    live = draw(st.lists(st.sampled_from(NAMES[:6]), unique=True, min_size=1, max_size=6))
    wanted = draw(st.permutations(NAMES))[: len(live)]
    goes = draw(st.lists(st.booleans(), min_size=len(live), max_size=len(live)))
    becomes = [None if gone else name for gone, name in zip(goes, wanted, strict=True)]
    free = [name for name in NAMES if name not in becomes]
    new = draw(st.lists(st.sampled_from(free), unique=True, max_size=2))
    return dict(zip(live, becomes, strict=True)), new


def born(world, kind, names):
    """Make live resources that tell by their description what they were called first; return their ids."""
    needs = {"system_prompt": "Help."} if kind == "Agent" else {}
    path = f"/v1/{KINDS[kind]}"
    return {name: world.post(path, name=name, description=f"was {name}", **needs)["id"] for name in names}


def declare(world, kind, ids, becomes, new):
    """Declare what becomes of each, known by its id, and what is new."""
    needs = {"system_prompt": "Help."} if kind == "Agent" else {}
    for number, (old, name) in enumerate(becomes.items()):
        if name is None:
            world.declare(kind, f"gone-{number}", id=ids[old], archive=True, adopt="overwrite")
            if kind == "Memory":
                world.declared[kind, f"gone-{number}"]["spec"] = {"name": old}
        else:
            world.declare(kind, name, {**needs, "description": f"was {old}"}, id=ids[old])
    for name in new:
        world.declare(kind, name, {**needs, "description": "is new"})


def active(world, kind):
    """Return what is live and not archived: descriptions by name."""
    return {item["name"]: item["description"] for item in world.live(KINDS[kind]) if item["status"] == "active"}


def as_wanted(becomes, new):
    """Return what should be live in the end."""
    return {name: f"was {old}" for old, name in becomes.items() if name} | dict.fromkeys(new, "is new")


@pytest.mark.parametrize("kind", KINDS)
@law
@given(renamings())
def test_names_change_hands_in_one_apply(open_world, kind, renaming):
    """Whatever is renamed to what, archived or created, one apply in parallel does it, and each keeps its identity."""
    becomes, new = renaming
    with open_world() as world:
        ids = born(world, kind, becomes)
        declare(world, kind, ids, becomes, new)
        read = loads(dumps(world.plan(), plan_id="1", origin=Origin(api_url="x", manifests=("fleet",))), name="p")
        applied = world.apply(read.plan, parallel=4)
        assert applied.exit_codes == (0,), applied.outcomes
        assert active(world, kind) == as_wanted(becomes, new)
        assert {item["id"] for item in world.live(KINDS[kind])} >= set(ids.values())
        assert world.plan().is_empty


@pytest.mark.parametrize("kind", KINDS)
@law
@given(renamings())
def test_a_detour_only_where_nothing_else_helps(open_world, kind, renaming):
    """Each change is one write; each circle, and each name taken from what is archived, costs one more."""
    becomes, new = renaming
    with open_world() as world:
        declare(world, kind, born(world, kind, becomes), becomes, new)
        plan = world.plan()
        world.forget()
        world.apply(plan)
        taken = {name for name in [*becomes.values(), *new] if name and becomes.get(name, name) is None}
        assert len(world.writes) == len(plan.writes) + circles(becomes) + len(taken)
        assert sum(change.detour is not None for change in plan.writes) == circles(becomes) + len(taken)
        renamed = [change for change in plan.writes if change.action is Action.UPDATE]
        assert len(renamed) == sum(name not in (None, old) for old, name in becomes.items())


def circles(becomes):
    """Count the circles of names, each of which is taken from the next."""
    seen, found = set(), 0
    for start in becomes:
        path, here = [], start
        while becomes.get(here) and here not in seen and becomes[here] != here:
            seen.add(here)
            path.append(here)
            here = becomes[here]
        found += here in path
    return found


@pytest.mark.parametrize("kind", KINDS)
@law
@given(renamings(), st.integers(0, 8), st.booleans())
def test_an_interrupted_renaming_is_finished_by_the_next_run(open_world, kind, renaming, breaks_at, carried_out):
    """Wherever it breaks off, also between the two writes of a detour, the next run ends where one would have."""
    becomes, new = renaming
    with open_world() as world:
        declare(world, kind, born(world, kind, becomes), becomes, new)
        for method in ("POST", "PATCH", "DELETE"):
            world.meddler.cut(
                method, ".*", httpx.ReadError("killed"), carried_out=carried_out, times=None, skip=breaks_at
            )
        world.apply(parallel=1)
        world.meddler.rules.clear()
        applied = world.apply()
        assert applied.exit_codes == (0,), applied.outcomes
        assert active(world, kind) == as_wanted(becomes, new)
        assert world.plan().is_empty


@law
@given(renamings(), st.randoms(use_true_random=False))
def test_the_detour_is_the_same_for_every_order(open_world, renaming, rng):
    """Documents in any order make the same plan, temporary names included."""
    becomes, new = renaming
    with open_world() as world:
        declare(world, "Memory", born(world, "Memory", becomes), becomes, new)
        plan = world.plan()
        documents = list(world.declared.items())
        rng.shuffle(documents)
        world.declared = dict(documents)
        assert world.plan().digest == plan.digest
