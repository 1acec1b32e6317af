"""What holds however a team goes on: declares, renames, drops, applies on a bad day, is killed, loses the ledger.

Beside it others make, edit and archive things in the UI. After every apply nothing unowned was written and no secret
told; after one without trouble, what is live is what git says and what others have.
"""

import sys

import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.survival.trouble import trouble
from tests.survival.wire import without_waiting

from .actor import TABLES, Actor
from .fleets import apps, fleets, kept, memories, released, sessions
from .profile import IS_LONG, MORE, law
from .steps import say

NAMES = {
    "Memory": ["docs", "notes"],
    "Agent": ["triage", "writer", "editor"],
    "App": ["bot", "desk"],
    "Session": ["weekly", "daily"],
}
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

    @initialize(fleet=fleets(alike=False, below=True))
    def begin(self, fleet):
        """Declare what stays and a fleet beside it, and apply."""
        self.world.agent(ANCHOR)
        for (kind, name), spec in fleet.items():
            say(self.world, kind, name, spec)
        self.actor.apply()

    def teardown(self):
        """End with an apply, whatever came before, and close the world."""
        try:
            if sys.exc_info()[0] is None and self.world.declared:
                self.end()
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

    @rule(data=st.data(), kind=st.sampled_from(sorted(NAMES)), how=st.sampled_from(["declare", "drop", "rename"]))
    def git_changes(self, data, kind, how):
        """A commit declares a thing or edits it, drops one that nothing refers to, or renames one."""
        match how:
            case "declare":
                self.declare(data, kind, data.draw(st.sampled_from(NAMES[kind])))
            case "drop":
                self.drop(data, kind)
            case _:
                self.rename(data, kind)

    def declare(self, data, kind, name):
        """Declare a thing in the place of what was declared; a synced memory stays one, an app keeps some agent."""
        specs = {
            "Memory": lambda: memories | kept,
            "Agent": lambda: released(self.declared("Memory")),
            "Session": lambda: sessions(self.declared("Agent")),
            "App": lambda: apps(self.declared("Agent"), alike=False),
        }
        spec = data.draw(specs[kind]())
        before = self.world.declared.get((kind, name), {}).get("spec", {})
        stays = {key: before[key] for key in ("name", "source", "agent") if key in before and key not in spec}
        if "source" in stays:
            spec = {key: value for key, value in spec.items() if key != "files"}
        say(self.world, kind, name, stays | spec)

    def drop(self, data, kind):
        """Declare a thing no more, when nothing refers to it."""
        texts = [str(document["spec"]) for document in self.world.declared.values()]
        free = [name for name in self.declared(kind) if not any(f"'{name}'" in text for text in texts)]
        if free:
            name = data.draw(st.sampled_from(free))
            title = self.actor.title(kind, name)
            self.world.drop(kind, name)
            self.actor.disown(kind, title)

    def rename(self, data, kind):
        """Give a thing another display name."""
        names = self.declared(kind)
        if not names:
            return
        name = data.draw(st.sampled_from(names))
        title = self.actor.title(kind, name)
        field = {"Agent": "display_name", "Session": "title"}.get(kind, "name")
        self.world.declared[kind, name]["spec"][field] = f"{name} {self.next()}"
        if field == "name":
            self.actor.disown(kind, title)

    # --- the tool ---

    @rule(
        how=st.sampled_from(["well", "in trouble", "killed", "killed in trouble"]),
        seed=st.integers(0, 2**16),
        number=st.integers(1, LAST_REQUEST),
        carried_out=st.booleans(),
    )
    def apply(self, how, seed, number, carried_out):
        """Apply: on a good day, in trouble, up to a request at which the run dies; one clean run is enough after it.

        Killed in trouble, it is left at that for now.
        """
        faults = trouble(seed) if "trouble" in how else ()
        dies_at = number if "killed" in how else None
        if how != "well":
            self.actor.struggle(faults, seed=seed, dies_at=dies_at, carried_out=carried_out)
        if how != "killed in trouble":
            self.end()

    def end(self):
        """Apply without trouble, plan nothing more, apply again and send nothing."""
        event("clear" if self.actor.apply() else "refused: a guess about channels")

    @rule()
    def look(self):
        """Plan and find drift: neither writes."""
        self.actor.look()

    @rule()
    def lose_ledger(self):
        """Lose the ledger: nothing is archived, and what git declares is ours again."""
        self.actor.lose_ledger()

    # --- others ---

    @rule(data=st.data(), how=st.sampled_from(["takes", "edits", "archives"]))
    def somebody_clicks(self, data, how):
        """Somebody else makes a thing of their own, or edits or archives one, ours or theirs."""
        if how == "takes":
            self.actor.takes(data.draw(st.sampled_from(sorted(TABLES))), f"theirs-{self.next()}")
        elif live := self.actor.live():
            kind, ident = data.draw(st.sampled_from(live))
            if how == "edits":
                self.actor.edits(kind, ident, f"clicked {self.next()}")
            else:
                self.actor.archives(kind, ident)


def test_a_team_goes_on(open_world):
    """Whatever a team and others do in whatever order, each apply holds every law."""
    chosen = settings(law, max_examples=QUICK * MORE if IS_LONG else QUICK, stateful_step_count=40 if IS_LONG else 15)
    with pytest.MonkeyPatch.context() as patch:
        without_waiting(patch)
        run_state_machine_as_test(lambda: Team(open_world), settings=chosen)
