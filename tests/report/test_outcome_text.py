"""What an apply did, with every type of outcome."""

from dataclasses import replace

import pytest

from reconciler.errors import OutOfTime, ReconcilerError
from reconciler.kinds.fields import SecretRef
from reconciler.plan.change import Action, Change, FieldChange
from reconciler.plan.outcome import Applied, Blocked, Conflicted, Done, Failed, NotStarted, Remainder
from reconciler.report.outcome_text import applied_text
from reconciler.report.style import Style
from reconciler.resource import Address

PLAIN = Style(color=False, width=100)
CHANGE = Change(Address("acme", "Agent", "triage"), Action.UPDATE, "triage")


def shown(applied, style=PLAIN):
    """Return the lines as a list."""
    return list(applied_text(applied, style=style))


@pytest.mark.parametrize(
    ("name", "style"),
    [
        ("applied.txt", PLAIN),
        ("applied-color.txt", Style(color=True, width=100)),
        ("applied-40.txt", Style(color=False, width=40)),
    ],
)
def test_an_apply_with_one_of_everything(applied, same_as_golden, name, style):
    """Golden, with and without colour, and narrow."""
    same_as_golden(shown(applied, style), name)


def test_all_went_well():
    """Three lines are enough."""
    assert shown(Applied((Done(CHANGE),) * 12)) == [
        "12 updated",
        "Applied: 12 done.",
        "Proved: what was written is as git wants it (12 changes).",
    ]


def test_what_was_done_is_proved_though_something_failed():
    """The proof is about what was done."""
    lines = shown(Applied((Done(CHANGE), Failed(CHANGE, ReconcilerError("no")))))
    assert lines[-2:] == ["Applied: 1 done, 1 failed.", "Read back: what was written is as git wants it (1 change)."]


def test_secrets_that_were_sent_are_not_proved():
    """Each is counted once; those of what was there already, or failed, were not sent or may not have been."""
    one, two, three = (replace(CHANGE, body={"a": [SecretRef(source="env", name=name)]}) for name in "ABC")
    failed = Failed(three, ReconcilerError("no"))
    proof = "what was written is as git wants it"
    for outcomes, line in (
        ((Done(one), Done(one)), f"Proved: {proof} (2 changes). 1 secret sent, which cannot be read back."),
        ((Done(one), Done(two)), f"Proved: {proof} (2 changes). 2 secrets sent, which cannot be read back."),
        ((Done(one, adopted=True),), f"Proved: {proof} (1 change)."),
        ((Done(one), failed), f"Read back: {proof} (1 change). 1 secret sent, which cannot be read back."),
    ):
        assert shown(Applied(outcomes))[-1] == line


@pytest.mark.parametrize("other", [Conflicted(CHANGE, "no"), Blocked(CHANGE, by="x"), NotStarted(CHANGE)])
def test_a_part_is_read_back_in_plain_style(other):
    """Only the whole is proved."""
    line = shown(Applied((Done(CHANGE), other)), Style(color=True, width=100))[-1]
    assert line == "Read back: what was written is as git wants it (1 change)."


@pytest.mark.parametrize(
    "applied",
    [
        Applied(()),
        Applied((Failed(CHANGE, ReconcilerError("no")),)),
        Applied((Done(CHANGE),), interrupted=True),
        Applied((Done(CHANGE),), remainders=(Remainder(CHANGE.address, (), "gone"),)),
    ],
)
def test_nothing_is_proved_that_was_not(applied):
    """Nothing done, not read back, or read back otherwise."""
    assert not [line for line in shown(applied) if "Proved" in line]


def test_what_stopped_a_run_is_told_with_the_way_on():
    """Why nothing more was sent, what to do, and that nothing was read back; where all was done the proof says why."""
    late = OutOfTime("the time is up", hint="run again")
    lines = shown(Applied((Done(CHANGE), NotStarted(CHANGE)), stopped=late, unproved=late))
    start = lines.index("Stopped: the time is up")
    assert lines[start + 1 : start + 4] == [
        "hint: run again",
        "Applied: 1 done, 1 not started.",
        "Not proved: the run was stopped before it could read back",
    ]
    assert "Not proved: the time is up" in shown(Applied((Done(CHANGE),), unproved=late))


def test_nothing_to_do():
    """There is a closing line all the same."""
    assert shown(Applied(())) == ["Applied: 0 done."]


def test_of_a_crowd_twenty_are_named():
    """The others are counted."""
    lines = shown(Applied((Blocked(CHANGE, by="acme/App/x"),) * 1000 + (NotStarted(CHANGE),) * 21))
    assert lines.count("blocked acme/Agent/triage by acme/App/x") == 20
    assert "blocked: 980 more" in lines
    assert "not started: 1 more" in lines


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (10, 20, "f: you wrote 20, the platform keeps 10"),
        (None, SecretRef(source="env", name="T"), "f: you wrote (env T), the platform keeps unset"),
        (["a", "c"], ["a", "b"], "f: you wrote b, the platform keeps c"),
        (["a", "c"], ["a"], "f: you wrote nothing, the platform keeps c"),
        ({"k": {"a": 1}}, {"k": {"a": 2}}, "f.k.a: you wrote 2, the platform keeps 1"),
    ],
)
def test_what_the_platform_keeps(old, new, line):
    """Both values, of lists and maps only what differs."""
    remainder = Remainder(CHANGE.address, (FieldChange(("f",), old, new),))
    assert f"    {line}" in shown(Applied((Done(CHANGE),), remainders=(remainder,)))


def test_both_sides_are_long_enough_to_be_told_apart():
    """A cut must not make two values look the same."""
    old, new = "x" * 70 + " old", "x" * 70 + " new"
    remainder = Remainder(CHANGE.address, (FieldChange(("display_name",), old, new),))
    lines = shown(Applied((Done(CHANGE),), remainders=(remainder,)), Style(color=False, width=40))
    assert f'    display_name: you wrote "{new}",' in lines
    assert f'      the platform keeps "{old}"' in lines


def test_a_run_that_stopped_by_itself_says_why():
    """What kept a run from going on is told with its way out, instead of an interrupt that nobody asked for."""
    applied = Applied((Done(CHANGE), NotStarted(CHANGE)), stopped=ReconcilerError("the disk is full", hint="make room"))
    lines = shown(applied)
    assert lines[2:4] == ["Stopped: the disk is full", "hint: make room"]
    assert not any("Interrupted" in line for line in lines)
    assert applied.exit_codes == (1, 130)
