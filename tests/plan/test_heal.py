"""HEAL: of a plan, what takes back drift on the platform and nothing else."""

import pytest

from reconciler.plan.change import Action, Change, FieldChange, Record, Side
from reconciler.plan.heal import healing
from reconciler.plan.owned import Entry, Ledger, Owner
from reconciler.plan.plan import Plan
from reconciler.plan.rules import Rules
from reconciler.resource import Address

TRIAGE = Address("acme", "Agent", "triage")
ENTRY = Entry(id="agent_1", applied_at="2026-11-22T00:00:00Z", commit=None, protect=True, fields={}, secrets={})
RULES = Rules(Ledger(Owner("r", "m", "e"), entries={TRIAGE: ENTRY}))


def field(name, side):
    """Make a field that differs."""
    return FieldChange(tuple(name.split(".")), "old", "new", side)


def update(*fields, action=Action.UPDATE, **members):
    """Make a step with a body for each of its fields, and a record of these and another one."""
    body = {one.path[0]: "new" for one in fields}
    record = Record(fields={**{"/" + "/".join(one.path): "d" for one in fields}, "/other": "d"}, protect=False)
    told = {"id": "agent_1", "body": body, "record": record} | members
    return Change(TRIAGE, action, "triage", fields, **told)


def healed(*changes, rules=RULES):
    """Return what heals."""
    return healing(Plan(changes), rules).changes


def test_a_drifted_field_is_taken_back_without_the_pending_ones():
    """The ledger learns of that field alone, beside what it knows."""
    (one,) = healed(update(field("a", Side.DRIFTED), field("b", Side.PENDING), after=("acme/Agent/x",)))
    assert [each.name for each in one.fields] == ["a"]
    assert (one.body, one.after) == ({"a": "new"}, ())
    assert one.record == Record(fields={"/a": "d"}, adds=True)


@pytest.mark.parametrize(
    "change",
    [
        update(field("a", Side.PENDING)),
        update(field("a", Side.BOTH)),
        update(field("a", None)),
        update(field("c.x", Side.DRIFTED), field("c.y", Side.PENDING)),
        update(field("a", Side.DRIFTED), field("b", Side.PENDING), replace=True),
        update(field("a", Side.DRIFTED), id="agent_2"),
        update(field("a", Side.DRIFTED), action=Action.CREATE),
        update(field("a", Side.DRIFTED), action=Action.RESTORE),
        update(field("published", Side.DRIFTED), action=Action.PUBLISH),
        update(field("published", Side.PENDING), action=Action.UNPUBLISH),
        update(field("a", Side.DRIFTED), action=Action.ARCHIVE),
    ],
)
def test_what_is_left_alone(change):
    """Whatever would write what git alone wants, another resource, or what somebody may have stopped for good."""
    assert healed(change) == ()


def test_what_only_a_put_takes_back_is_taken_back_where_nothing_is_pending():
    """And what was published on the platform is unpublished."""
    whole = update(field("a", Side.DRIFTED), replace=True)
    off = update(field("published", Side.DRIFTED), action=Action.UNPUBLISH)
    assert [one.action for one in healed(whole, off)] == [Action.UPDATE, Action.UNPUBLISH]


def test_what_is_not_ours_is_not_healed():
    """The ledger does not know it."""
    assert healed(update(field("a", Side.DRIFTED)), rules=Rules(Ledger(Owner("r", "m", "e")))) == ()
