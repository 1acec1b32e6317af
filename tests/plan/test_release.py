"""The step that publishes: when there is one, what it says, and what a reference to a version means."""

import pytest

from reconciler.errors import Fault, Source, SourceFile
from reconciler.kinds.release import Edition, Released
from reconciler.plan.change import Action, Change
from reconciler.plan.release import pinned, pins, released, warned
from reconciler.resource import Address, Desired, Observed

TRIAGE, BOT = Address("acme", "Agent", "triage"), Address("acme", "App", "bot")
EDIT = Change(TRIAGE, Action.UPDATE, "triage")
OLD, NEW = Edition("agentver_1", "0.1.0", is_current=False), Edition("agentver_2", "0.1.1", is_current=True)
BEHIND = Edition("agentver_2", "0.1.1", is_current=False)


@pytest.fixture
def source():
    """Give the place of every document."""
    return Source(SourceFile("fleet.yaml", ""), 0, 1)


def wants(source, **version):
    """Give the agent as git wants it."""
    spec = {"system_prompt": "Help."} | ({"version": version} if version else {})
    return Desired(TRIAGE, spec, source, "triage")


def seen(*editions, chosen=None):
    """Give the agent as it is live, with versions, newest first."""
    known = Released(editions, chosen.id if chosen else None)
    return Observed(TRIAGE, "agent_1", {}, {}, released=known, has_default=chosen is not None)


# What git says, whether it is edited in the same plan, what is live: each field of the step with both numbers.
ON, LEFT = {"publish": "on-change"}, {"publish": "on-change", "default": False}
MANUAL, QUIET = {"publish": "manual"}, {"publish": "manual", "default": False}
STEPS = [
    (ON, [], seen(NEW, chosen=NEW), []),
    (ON, [], seen(NEW, OLD, chosen=OLD), ["default 0.1.0 0.1.1 drifted"]),
    (ON, [], seen(BEHIND, chosen=BEHIND), ["publish 0.1.1 0.1.2 drifted", "default 0.1.1 0.1.2 pending"]),
    (ON, [EDIT], seen(NEW, chosen=NEW), ["publish 0.1.1 0.1.2 pending", "default 0.1.1 0.1.2 pending"]),
    (ON, [], None, ["publish None 0.1.0 pending", "default None 0.1.0 pending"]),
    (ON | {"kind": "major"}, [EDIT], seen(NEW), ["publish 0.1.1 1.0.0 pending", "default None 1.0.0 pending"]),
    (LEFT, [EDIT], seen(NEW, chosen=NEW), ["publish 0.1.1 0.1.2 pending"]),
    (LEFT, [], seen(NEW, OLD, chosen=OLD), []),
    (MANUAL, [EDIT], seen(NEW, chosen=NEW), []),
    (MANUAL, [], seen(NEW, OLD, chosen=OLD), ["default 0.1.0 0.1.1 drifted"]),
    (MANUAL, [], None, []),
    (QUIET, [EDIT], seen(NEW, OLD, chosen=OLD), []),
    ({}, [EDIT], seen(NEW, chosen=NEW), []),
]


@pytest.mark.parametrize(("version", "main", "live", "fields"), STEPS)
def test_when_there_is_a_step(source, version, main, live, fields):
    """It publishes what will not be in the newest version, and makes the newest the default, as far as git says so."""
    steps = released(wants(source, **version), main, live, where="")
    told = [f"{one.path[1]} {one.old} {one.new} {one.side.value}" for step in steps for one in step.fields]
    assert told == fields
    assert all(step.action is Action.RELEASE for step in steps)


def test_the_first_version_is_the_default_anyway(source):
    """Who does not want that is told."""
    (step,) = released(wants(source, **LEFT), [], None, where="")
    assert step.notes == ("the first version becomes the default by itself, whatever git says",)


WARNINGS = [
    ({}, [EDIT], seen(chosen=OLD), "version: {publish: on-change} would release it"),
    (MANUAL, [EDIT], seen(OLD, chosen=OLD), "the default version 0.1.0 runs what it was; publish one"),
    (MANUAL, [], seen(OLD, chosen=OLD), "it was edited since its default version 0.1.0, which still runs the old text"),
    (LEFT, [], seen(NEW, OLD, chosen=OLD), "make the newest the default"),
    (MANUAL, [], seen(NEW, chosen=NEW), None),
    (MANUAL, [EDIT], seen(), None),
]


@pytest.mark.parametrize(("version", "main", "live", "note"), WARNINGS)
def test_an_old_text_that_still_runs_is_told(source, version, main, live, note):
    """Where a default version runs something older than what is there, the plan says so."""
    notes = [text for step in warned(wants(source, **version), main, live) for text in step.notes]
    assert len(notes) == (note is not None)
    assert note is None or note in notes[0]


def test_a_release_needs_no_warning(source):
    """What this plan makes the default is no old text."""
    wanted, live = wants(source, **ON), seen(NEW, chosen=NEW)
    steps = [EDIT, *released(wanted, [EDIT], live, where="")]
    assert warned(wanted, steps, live) == steps


EDITIONS = {TRIAGE: Released((NEW, OLD))}
MADE = (Address("acme", "AgentVersion", "triage@0.2.0"), Address("acme", "AgentVersion", "triage-eu@9.0.0"))
MEANINGS = [
    ("latest-published", (), "triage@0.1.1"),
    ("latest-published", MADE, "triage@0.2.0"),
    ("0.1.0", (), "triage@0.1.0"),
    ("0.2.0", MADE, "triage@0.2.0"),
]


def bot(source, text, **spec):
    """Give an app that is pinned."""
    return Desired(BOT, {"agent": "triage", "agent_version": text} | spec, source, "bot")


@pytest.mark.parametrize(("text", "made", "meant"), MEANINGS)
def test_what_a_number_means(source, text, made, meant):
    """A number is that of a version there is, or that this plan publishes; the newest counts both."""
    assert pinned(bot(source, text), None, EDITIONS, made).spec["agent_version"] == meant


MISSES = [
    (
        "0.1.2",
        {},
        "agent triage has no published version 0.1.2",
        "there are 0.2.0, 0.1.1, 0.1.0; latest-published is the newest",
    ),
    ("9.0.0", {}, "agent triage has no published version 9.0.0", "there are 0.2.0, 0.1.1"),
    ("latest-published", {"agent": "triage-us"}, "agent triage-us has no published version", "publish one first"),
    ("0.1.0", {"agent": None}, "agent_version needs agent", "declare agent"),
]


@pytest.mark.parametrize(("text", "spec", "message", "hint"), MISSES)
def test_a_number_of_nothing(source, text, spec, message, hint):
    """What nobody published is a fault with what there is."""
    fault = pinned(bot(source, text, **spec), None, EDITIONS, MADE)
    assert isinstance(fault, Fault)
    assert fault.message == message
    assert hint in fault.hint


def test_the_agent_that_is_live_is_meant(source):
    """Where git leaves the agent alone its versions are those of the live one."""
    live = Observed(BOT, "app_1", {"agent": "triage"}, {})
    assert pinned(bot(source, "0.1.0", agent=None), live, EDITIONS, ()).spec["agent_version"] == "triage@0.1.0"


@pytest.mark.parametrize(("text", "is_one"), [("1.0.0", True), (f"agentver_{'0' * 32}", False), (None, False)])
def test_what_has_to_be_looked_up(source, text, is_one):
    """An id means itself, and costs no request."""
    assert pins(bot(source, text)) is is_one
