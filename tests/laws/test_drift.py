"""What holds for drift wherever a run was killed: no hand edit of what is ours goes untold, and nothing else is."""

import httpx
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import ReconcilerError
from reconciler.plan.drift import What
from reconciler.plan.heal import healing
from reconciler.reconcile import make_plan
from reconciler.settings import settings
from tests.survival.trouble import Death

from .actor import Actor
from .profile import law

NAMES = [f"a{number}" for number in range(5)]
LAST_REQUEST = 25
texts = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["One.", "Two."]), min_size=1)


def looked(actor):
    """Return what drift says of which agent."""
    return {(one.address.name, one.what) for one in actor._drift().drifted}


@law
@given(texts, texts, st.sets(st.sampled_from(NAMES)), st.integers(1, LAST_REQUEST), st.booleans())
def test_every_hand_edit_is_told_after_a_killed_run(open_world, first, then, edited, at, carried_out):
    """Before an edit nothing is told as changed, after it just what is ours and was edited; a heal never lies.

    What the run may have made is there and cannot be told, whoever edits it.
    """
    with open_world() as world:
        actor = Actor(world)
        for name, text in first.items():
            world.agent(name, description=text)
        world.converge()
        for name, text in then.items():
            world.agent(name, description=text, system_prompt="New.")
        death = Death(world.meddler.app, at, carried_out, actor.ledger)
        alive, world.meddler.app = world.meddler.app, death
        try:
            world.apply(recheck=False)
        except (ReconcilerError, httpx.TransportError):
            pass
        finally:
            world.meddler.app = alive
            death.bury()
        ours = {address.name for address in world.ledger.entries}
        made = {(address.name, What.UNSETTLED) for address in world.ledger.begun if address.name not in ours}
        assert looked(actor) <= made
        live = {item["name"] for item in world.live("agents")}
        for name in edited & live:
            world.api.patch(f"/v1/agents/{world.one('agents', name)['id']}", json={"description": f"Hacked {name}."})
        told = looked(actor)
        assert told == {(name, What.CHANGED) for name in edited & live & ours} | {
            (name, what) for name, what in made if name in live
        }
        wanted = world.wanted()
        plan = healing(make_plan(wanted, settings(env={}), client=world.reader()), wanted.rules)
        if plan.steps:
            world.apply(plan, recheck=False)
        healed = {change.address.name for change in plan.steps}
        assert looked(actor) == {(name, what) for name, what in told if name not in healed}
