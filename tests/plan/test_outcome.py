"""What an apply returns to the shell."""

import pytest

from reconciler.errors import Exit, OutOfTime, ReconcilerError, worst
from reconciler.plan.change import Action, Change
from reconciler.plan.outcome import Applied, Blocked, Conflicted, Done, Failed, NotStarted, Remainder
from reconciler.resource import Address

CHANGE = Change(Address("acme", "Agent", "a"), Action.CREATE)
DONE, FAILED = Done(CHANGE), Failed(CHANGE, ReconcilerError("no"))
BLOCKED, CONFLICTED, LEFT = Blocked(CHANGE, by="x"), Conflicted(CHANGE, "there"), NotStarted(CHANGE)
REMAINDER = Remainder(CHANGE.address, ())

CASES = [
    ("nothing to do", (), {}, (Exit.DONE,)),
    ("all done", (DONE, DONE), {}, (Exit.DONE,)),
    ("some failed", (DONE, FAILED), {}, (Exit.PARTLY_APPLIED,)),
    ("some blocked", (DONE, BLOCKED), {}, (Exit.PARTLY_APPLIED,)),
    ("some conflicted", (DONE, CONFLICTED), {}, (Exit.PARTLY_APPLIED,)),
    ("all failed", (FAILED, BLOCKED), {}, (Exit.ERROR,)),
    ("all conflicted", (CONFLICTED,), {}, (Exit.ERROR,)),
    ("not converged", (DONE,), {"remainders": (REMAINDER,)}, (Exit.NOT_CONVERGED,)),
    (
        "partly, and not converged",
        (DONE, FAILED),
        {"remainders": (REMAINDER,)},
        (Exit.PARTLY_APPLIED, Exit.NOT_CONVERGED),
    ),
    ("interrupted", (DONE, LEFT), {"interrupted": True}, (Exit.INTERRUPTED,)),
    ("interrupted when all was done", (DONE,), {"interrupted": True}, (Exit.INTERRUPTED,)),
    ("interrupted and failed", (DONE, FAILED, LEFT), {"interrupted": True}, (Exit.PARTLY_APPLIED, Exit.INTERRUPTED)),
    ("stopped", (DONE, LEFT), {"stopped": OutOfTime("late")}, (Exit.PARTLY_APPLIED,)),
    ("stopped before anything", (LEFT, FAILED), {"stopped": OutOfTime("late")}, (Exit.ERROR,)),
    (
        "stopped, so not proved",
        (DONE, LEFT),
        {"stopped": OutOfTime("late"), "unproved": OutOfTime("late")},
        (Exit.PARTLY_APPLIED,),
    ),
    (
        "stopped, then interrupted",
        (DONE, LEFT),
        {"stopped": OutOfTime("late"), "interrupted": True},
        (Exit.INTERRUPTED,),
    ),
    ("interrupted before anything", (LEFT,), {"interrupted": True}, (Exit.INTERRUPTED,)),
]


@pytest.mark.parametrize(("outcomes", "more", "codes"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_exit_codes(outcomes, more, codes):
    """Every code that applies is listed, 0 alone; nothing done at all is an error, not a partial success."""
    assert Applied(outcomes, **more).exit_codes == codes


WORST = [
    ([], Exit.DONE),
    ([Exit.DONE, Exit.CHANGES_PENDING], Exit.CHANGES_PENDING),
    ([Exit.PARTLY_APPLIED, Exit.NOT_CONVERGED], Exit.PARTLY_APPLIED),
    ([Exit.ERROR, Exit.PARTLY_APPLIED], Exit.ERROR),
    ([Exit.USAGE, Exit.INTERRUPTED], Exit.INTERRUPTED),
]


@pytest.mark.parametrize(("codes", "winner"), WORST)
def test_the_worst_wins(codes, winner):
    """The most serious code is returned, not the highest number; every code has its rank."""
    assert worst(codes) is winner
    assert all(worst([code]) is code for code in Exit)
