"""REPLACEMENT: what cannot be changed is taken away and made anew, and only where git says so."""

import pytest

from reconciler.plan.change import Action, FieldChange
from reconciler.plan.decide import decide
from reconciler.plan.found import Found
from reconciler.plan.plan import OrgRef, Situation, build
from reconciler.plan.replacement import replaced
from reconciler.plan.rules import Rules

from .conftest import NOBODYS, ledger_of, written

BEFORE = {"title": "Weekly", "agent": "triage", "max_iterations": 3}
AFTER = BEFORE | {"agent": "writer"}


@pytest.fixture
def planned(desired, observed):
    """Give a function that plans another agent for a session that is ours."""

    def plan(*, protected=False, **more):
        one = desired("Session/weekly", AFTER, **more)
        live = observed("Session/weekly", BEFORE, id_="session_1")
        entry = written(desired("Session/weekly", BEFORE), id_="session_1", protect=protected)
        found = {one.address: Found(live)}
        situation = Situation(found, {"acme": OrgRef("org_1", "Acme")}, lambda _address: None)
        return build([one], situation, Rules(ledger_of({"Session/weekly": entry})))

    return plan


def test_both_steps_are_shown_and_the_new_one_waits(planned):
    """A replacement is a removal and a creation at one address, in that order."""
    plan = planned(replace=True)
    gone, made = plan.changes
    assert (gone.action, gone.id, gone.replaces) == (Action.ARCHIVE, "session_1", True)
    assert (made.action, made.after) == (Action.CREATE, (gone.step,))
    assert gone.step != made.step
    assert made.body == {"name": "weekly", **AFTER}
    assert not plan.refusals


def test_it_is_refused_without_leave(planned):
    """The refusal names the field with its live value, and the way out."""
    (refusal,) = planned().refusals
    assert "agent (triage): cannot be changed on a session" in refusal.message
    assert "replace: true" in refusal.hint


@pytest.mark.parametrize(
    ("said", "remembered", "is_refused"),
    [(True, False, True), (None, True, True), (False, True, False), (None, False, False)],
)
def test_protection_forbids_it(planned, said, remembered, is_refused):
    """What git or the ledger protects is not replaced, unless git lifts the protection beside the leave."""
    refusals = planned(replace=True, protect=said, protected=remembered).refusals
    assert bool(refusals) is is_refused
    assert all("is protected" in one.message and "protect: false" in one.hint for one in refusals)


def test_what_can_be_changed_is_not_replaced(desired, observed):
    """A title beside an agent that agrees is an update."""
    live = observed("Session/weekly", BEFORE, id_="session_1")
    (change,) = decide(desired("Session/weekly", BEFORE | {"title": "Daily"}), Found(live))
    assert (change.action, change.body) == (Action.UPDATE, {"title": "Daily"})


def test_only_a_word_is_told(desired, observed):
    """The note tells short values that are words; a prompt, a list or nothing is named alone."""
    live = observed("Session/weekly", BEFORE, id_="session_1")
    (gone, _) = decide(desired("Session/weekly", AFTER), Found(live))
    fields = [
        FieldChange(("agent",), "triage", "writer"),
        FieldChange(("model",), None, "gpt-4o"),
        FieldChange(("system_prompt",), "x" * 41, "y"),
        FieldChange(("harness",), "a\nb", "y"),
        FieldChange(("network_access", "allowed"), ["a"], ["b"]),
        FieldChange(("title",), "Weekly", "Daily"),
    ]
    note = replaced(gone, fields).notes[0]
    assert note.startswith("agent (triage), model, system_prompt, harness, network_access: cannot")


def test_a_foreign_one_is_a_conflict_of_the_fields_that_differ(desired, observed):
    """What is not ours is not replaced: the conflict shows what differs, not a creation."""
    one = desired("Session/weekly", AFTER, replace=True)
    live = observed("Session/weekly", BEFORE, id_="session_1")
    situation = Situation({one.address: Found(live)}, {"acme": OrgRef("org_1", "Acme")}, lambda _address: None)
    (change,) = build([one], situation, Rules(NOBODYS)).changes
    assert change.action is Action.CONFLICT
    assert [(field.name, field.old, field.new) for field in change.fields] == [("agent", "triage", "writer")]
