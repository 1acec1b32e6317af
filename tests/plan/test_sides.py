"""Which side moved: what git says, what was last written, what is live."""

from dataclasses import replace

import pytest

from reconciler.kinds import BY_NAME
from reconciler.kinds.fields import SET
from reconciler.plan.change import FieldChange, Side
from reconciler.plan.owned import Entry, field_digest
from reconciler.plan.sides import knows, sided, was_written

from .conftest import TIME, token

AGENT, CHANNEL = BY_NAME["Agent"], BY_NAME["Channel"]


def entry(**fields):
    """Give an entry that remembers these top-level fields."""
    return Entry("x_1", TIME, fields={f"/{name}": field_digest(value) for name, value in fields.items()})


@pytest.mark.parametrize(
    ("live", "wanted", "side"),
    [
        ("written", "new", Side.PENDING),
        ("by hand", "written", Side.DRIFTED),
        ("by hand", "new", Side.BOTH),
        (None, "written", Side.DRIFTED),
        ("written", None, Side.PENDING),
    ],
)
def test_three_values(live, wanted, side):
    """Where the live value is what was written git moved; where git's is, the platform did; else both."""
    (one,) = sided(AGENT, entry(display_name="written"), [FieldChange(("display_name",), live, wanted)])
    assert one.side is side


def test_what_was_never_written_is_news_of_git():
    """A field that the ledger does not know, of a resource it knows others of, is pending, whatever is live."""
    (one,) = sided(AGENT, entry(description="written"), [FieldChange(("display_name",), "x", "y")])
    assert one.side is Side.PENDING


def test_of_what_was_taken_over_as_it_is_nothing_is_known():
    """Without a single field that was written, nobody can say who moved."""
    (one,) = sided(AGENT, entry(), [FieldChange(("display_name",), "x", "y")])
    assert one.side is None


@pytest.mark.parametrize("sent", [{}, {"/config/token": "of TOKEN"}])
def test_nobody_knows_who_changed_a_secret(sent):
    """A secret that is there shows no value, so that nobody is said to have moved, sent from here or not."""
    known = replace(entry(name="hook"), secrets=sent)
    (one,) = sided(CHANNEL, known, [FieldChange(("config", "token"), SET, token())])
    assert one.side is None


def test_a_secret_that_vanished_was_taken_away_there():
    """A secret that was sent and is not there any more is drift; one that was never sent is not."""
    change = FieldChange(("config", "token"), None, token())
    known = replace(entry(name="hook"), secrets={"/config/token": "of TOKEN"})
    assert [one.side for one in sided(CHANNEL, known, [change])] == [Side.DRIFTED]
    assert [one.side for one in sided(CHANNEL, entry(name="hook"), [change])] == [None]


def test_a_map_was_written_if_all_of_it_was():
    """A map agrees when every field remembered below it does; what others added to it does not count."""
    known = Entry("x_1", TIME, fields={"/config/a": field_digest(1), "/config/b": field_digest([2])})
    assert knows(known, ("config",))
    assert knows(known, ("config", "a"))
    assert not knows(known, ("config", "c"))
    assert not knows(known, ("conf",))
    assert was_written(CHANNEL, known, ("config",), {"a": 1, "b": [2], "c": 3})
    assert not was_written(CHANNEL, known, ("config",), {"a": 1, "b": [3]})
    assert not was_written(CHANNEL, known, ("config",), {"a": 1})
    assert not was_written(CHANNEL, known, ("config",), None)
