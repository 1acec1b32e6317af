"""What holds however a team goes on: declares, renames, drops, applies on a bad day, is killed, loses the ledger.

Beside it others make, edit and archive things in the UI. After every apply nothing unowned was written and no secret
told; after one without trouble, what is live is what git says and what others have.
"""

import sys

import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.survival.trouble import trouble
from tests.survival.wire import without_waiting

from .actor import TABLES, Actor
from .fleets import agents, apps, memories
from .profile import IS_LONG, MORE, law

TEAM = ["triage", "writer", "editor"]
STORES = ["docs", "notes"]
DESKS = ["bot", "desk"]
ANCHOR = "anchor"
"""An agent that is always declared: a repository without manifests is a mistake, and refused as one."""
LAST_REQUEST = 40
QUICK = 25
"""How many teams the quick profile follows."""


class Team(RuleBasedStateMachine):
    """A team with manifests, and others with a UI."""

    def __init__(self, open_world):
        super().__init__()
        self.context = open_world()
        self.actor = Actor(self.context.__enter__())
        self.world = self.actor.world
        self.number = 0

    @initialize()
    def begin(self):
        """Declare what stays."""
        self.world.agent(ANCHOR)

    def teardown(self):
        """End with an apply, whatever came before, and close the world."""
        try:
            if sys.exc_info()[0] is None and self.world.declared:
                self.apply()
        finally:
            self.context.__exit__(None, None, None)

    def declared(self, kind):
        """Name what is declared of a kind, but for what always is."""
        return sorted(name for of, name in self.world.declared if of == kind and name != ANCHOR)

    def next(self):
        """Count, for names that nobody had."""
        self.number += 1
        return self.number

    # --- git ---

    @rule(data=st.data(), name=st.sampled_from(STORES))
    def declare_memory(self, data, name):
        """Declare a memory, or edit it."""
        self.declare("Memory", name, data.draw(memories))

    @rule(data=st.data(), name=st.sampled_from(TEAM))
    def declare_agent(self, data, name):
        """Declare an agent that may mount memories, or edit it."""
        self.declare("Agent", name, data.draw(agents(self.declared("Memory"))))

    @rule(data=st.data(), name=st.sampled_from(DESKS))
    def declare_app(self, data, name):
        """Declare an app that may run an agent, or edit it."""
        self.declare("App", name, data.draw(apps(self.declared("Agent"), alike=False)))

    def declare(self, kind, name, spec):
        """Declare a thing in the place of what was declared; a synced memory stays one, an app keeps some agent."""
        before = self.world.declared.get((kind, name), {}).get("spec", {})
        kept = {key: before[key] for key in ("name", "source", "agent") if key in before and key not in spec}
        self.world.declare(kind, name, kept | spec)

    @rule(data=st.data())
    def drop(self, data):
        """Declare a thing no more, when nothing refers to it."""
        texts = [str(document["spec"]) for document in self.world.declared.values()]
        free = [
            (kind, name)
            for kind, name in sorted(self.world.declared)
            if name != ANCHOR and not any(f"'{name}'" in text for text in texts)
        ]
        if free:
            self.world.drop(*data.draw(st.sampled_from(free)))

    @rule(data=st.data(), kind=st.sampled_from(["Memory", "App"]))
    def rename(self, data, kind):
        """Give a thing another display name."""
        if names := self.declared(kind):
            name = data.draw(st.sampled_from(names))
            self.world.declared[kind, name]["spec"]["name"] = f"{name} {self.next()}"

    # --- the tool ---

    @rule()
    def apply(self):
        """Apply, plan nothing more, apply again and send nothing."""
        event("clear" if self.actor.apply() else "refused: a guess about channels")

    @rule(seed=st.integers(0, 2**16))
    def apply_in_trouble(self, seed):
        """Apply while the network and the server are in trouble; one clean run is enough afterwards."""
        self.actor.struggle(trouble(seed), seed=seed)
        self.actor.apply()

    @rule(number=st.integers(1, LAST_REQUEST), carried_out=st.booleans())
    def be_killed(self, number, carried_out):
        """Be killed at a request; one clean run is enough afterwards."""
        self.actor.struggle(dies_at=number, carried_out=carried_out)
        self.actor.apply()

    @rule(seed=st.integers(0, 2**16), number=st.integers(1, LAST_REQUEST), carried_out=st.booleans())
    def be_killed_in_trouble(self, seed, number, carried_out):
        """Be killed during trouble, and leave it at that for now."""
        self.actor.struggle(trouble(seed), seed=seed, dies_at=number, carried_out=carried_out)

    @rule()
    def look(self):
        """Plan and find drift: neither writes."""
        self.actor.look()

    @rule()
    def lose_ledger(self):
        """Lose the ledger: nothing is archived, and what git declares is ours again."""
        self.actor.lose_ledger()

    # --- others ---

    @rule(kind=st.sampled_from(sorted(TABLES)))
    def somebody_takes(self, kind):
        """Somebody else makes a thing of their own."""
        self.actor.takes(kind, f"theirs-{self.next()}")

    @precondition(lambda self: self.actor.live())
    @rule(data=st.data())
    def somebody_edits(self, data):
        """Somebody edits a thing in the UI, ours or theirs."""
        self.actor.edits(*data.draw(st.sampled_from(self.actor.live())), f"clicked {self.next()}")

    @precondition(lambda self: self.actor.live())
    @rule(data=st.data())
    def somebody_archives(self, data):
        """Somebody archives a thing in the UI, ours or theirs."""
        self.actor.archives(*data.draw(st.sampled_from(self.actor.live())))


def test_a_team_goes_on(open_world):
    """Whatever a team and others do in whatever order, each apply holds every law."""
    chosen = settings(law, max_examples=QUICK * MORE if IS_LONG else QUICK, stateful_step_count=40 if IS_LONG else 15)
    with pytest.MonkeyPatch.context() as patch:
        without_waiting(patch)
        run_state_machine_as_test(lambda: Team(open_world), settings=chosen)
