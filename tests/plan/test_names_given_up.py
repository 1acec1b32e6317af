"""Who waits for whose name, and who makes room."""

import doctest
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds import BY_NAME
from reconciler.plan import names_given_up
from reconciler.plan.change import Action, Change, FieldChange
from reconciler.plan.names_given_up import Holder, aside, givers, new_name, settle_names
from reconciler.resource import Address

AGENT, MEMORY, APP = BY_NAME["Agent"], BY_NAME["Memory"], BY_NAME["App"]


def test_examples_of_the_docstrings():
    """What the docstrings show is so."""
    results = doctest.testmod(names_given_up)
    assert results.attempted
    assert not results.failed


def rename(id_, old, new, *, kind="Memory", action=Action.UPDATE):
    """Make the renaming of a resource, at the address of its id."""
    address = Address("acme", kind, id_.replace("_", "-"))
    return Change(address, action, new, (FieldChange(("name",), old, new),), {"name": new}, id=id_)


def create(name, *, kind="Memory", org="acme"):
    """Make a creation."""
    return Change(Address(org, kind, name.lower()), Action.CREATE, name)


def archive(id_, *, kind="Memory"):
    """Make the end of a resource."""
    return Change(Address("acme", kind, id_.replace("_", "-")), Action.ARCHIVE, "whatever", id=id_)


def settled(changes, *holders):
    """Settle names that are held as told, in any organization."""
    return settle_names(changes, (), lambda _org, _kind: holders)


def waits(found):
    """Return what each step waits for, without the organization."""
    return {
        step.split("/")[-1]: sorted(one.split("/")[-1] for one in steps) for step, steps in found.after.items() if steps
    }


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (create("Notes"), "Notes"),
        (create("bot", kind="App"), None),
        (rename("mem_1", "a", "b"), "b"),
        (rename("mem_1", "a", "A"), None),
        (rename("agent_1", "a", "b", kind="Agent"), "b"),
        (rename("agent_1", "a", "b", kind="Agent", action=Action.RESTORE), "b"),
        (rename("app_1", "a", "b", kind="App"), None),
        (archive("mem_1"), None),
        (Change(Address("acme", "Memory", "x"), Action.UPDATE, "x", (FieldChange(("description",), "a", "b"),)), None),
    ],
)
def test_the_name_that_a_change_takes(change, name):
    """Only unique names are taken, and one in another case is the same."""
    assert new_name(change) == name


def test_whoever_is_renamed_gives_a_name_up():
    """A creation gives nothing up, and neither does what is archived."""
    changes = [create("a"), archive("mem_2"), rename("mem_1", "a", "b"), rename("mem_3", "c", "C")]
    assert set(givers(changes)) == {"mem_1"}


def test_nobody_is_asked_where_no_name_is_had():
    """Holders are listed only for kinds and organizations in which a name is taken."""
    asked = []

    def holders(org, kind):
        asked.append((org, kind))
        return ()

    settle_names([archive("mem_1"), create("bot", kind="App")], (), holders)
    assert asked == []
    settle_names([create("b", org="labs"), create("a"), create("c"), archive("agent_1", kind="Agent")], (), holders)
    assert asked == [("acme", "Memory"), ("labs", "Memory")]


def test_a_chain_waits_in_its_order():
    """Each waits for the one that has its name; none needs a detour."""
    changes = [create("a"), rename("mem_1", "a", "b"), rename("mem_2", "B", "c")]
    found = settled(changes, Holder("mem_1", "a"), Holder("mem_2", "B"))
    assert waits(found) == {"a": ["mem-1"], "mem-1": ["mem-2"]}
    assert found.changes == changes


def test_a_circle_is_opened_once():
    """The first of a circle renames the holder of its name and waits for nobody; the others wait in turn."""
    changes = [rename("mem_1", "a", "b"), rename("mem_2", "b", "c"), rename("mem_3", "c", "a")]
    holders = [Holder(f"mem_{number}", name) for number, name in enumerate("abc", 1)]
    found = settled(changes, *holders)
    assert waits(found) == {"mem-2": ["mem-3"], "mem-3": ["mem-1"]}
    first, *rest = found.changes
    assert (first.frees, first.detour) == ("mem_2", "b (renaming mem2)")
    assert 'it is called "b (renaming mem2)" first' in first.notes[0]
    assert rest == changes[1:]
    assert settled(changes[::-1], *holders[::-1]).changes == found.changes[::-1]


def test_two_circles_are_opened_each():
    """Circles do not know of one another."""
    changes = [
        rename(f"mem_{a}", old, new) for a, old, new in [(1, "a", "b"), (2, "b", "a"), (3, "c", "d"), (4, "d", "c")]
    ]
    found = settled(changes, *(Holder(change.id, change.fields[0].old) for change in changes))
    assert [change.frees for change in found.changes] == ["mem_2", None, "mem_4", None]


def test_what_is_archived_makes_room_before_it_goes():
    """An archived one keeps its name: the taker renames it, and it is archived after that."""
    found = settled([archive("agent_1", kind="Agent"), create("a", kind="Agent")], Holder("agent_1", "a"))
    assert waits(found) == {"agent-1": ["a"]}
    assert (found.changes[1].frees, found.changes[1].detour) == ("agent_1", "a-archived-agent1")
    assert found.changes[0].detour is None


def test_an_archived_memory_is_renamed_out_of_the_way():
    """Where the API renames what is archived, its name can be had."""
    found = settled([rename("mem_1", "a", "b")], Holder("mem_1", "a"), Holder("mem_2", "B", archived=True))
    assert (found.changes[0].frees, found.changes[0].detour, found.faults) == ("mem_2", None, [])


@pytest.mark.parametrize(
    ("changes", "holders", "message"),
    [
        ([rename("mem_1", "a", "b")], [Holder("mem_2", "B")], 'mem_2 holds the name "B"'),
        ([create("b")], [Holder("mem_2", "b")], 'mem_2 holds the name "b"'),
        (
            [rename("agent_1", "a", "b", kind="Agent")],
            [Holder("agent_2", "b", archived=True)],
            'an archived agent holds the name "b" (agent_2), and the API cannot take it away',
        ),
        (
            [
                rename("agent_1", "a", "b", kind="Agent", action=Action.RESTORE),
                rename("agent_2", "b", "a", kind="Agent", action=Action.RESTORE),
            ],
            [Holder("agent_1", "a", archived=True), Holder("agent_2", "b", archived=True)],
            'an archived agent holds the name "b" (agent_2), and the API cannot take it away',
        ),
    ],
)
def test_a_name_that_cannot_be_had_is_a_fault(changes, holders, message):
    """What keeps its name is said before anything is written."""
    (fault,) = settled(changes, *holders).faults
    assert fault.message == message
    assert fault.hint


def test_a_circle_with_an_archived_one_is_opened_elsewhere():
    """What is archived cannot be renamed on its own: another one of the circle makes room."""
    changes = [
        rename("agent_1", "a", "b", kind="Agent"),
        rename("agent_2", "b", "a", kind="Agent", action=Action.RESTORE),
    ]
    found = settled(changes, Holder("agent_1", "a"), Holder("agent_2", "b", archived=True))
    assert [change.frees for change in found.changes] == [None, "agent_1"]
    assert waits(found) == {"agent-1": ["agent-2"]}


def test_a_conflict_is_told_once():
    """Who takes the name of something that the verdict is about says nothing more."""
    conflict = Change(Address("acme", "Memory", "x"), Action.CONFLICT, "x", id="mem_1")
    found = settled([conflict, create("a")], Holder("mem_1", "a"))
    assert (found.faults, waits(found)) == ([], {})


def test_what_decide_freed_stays_freed():
    """The archived twin of a creation is dealt with already."""
    change = Change(Address("acme", "Memory", "a"), Action.CREATE, "a", frees="mem_1")
    found = settled([change], Holder("mem_1", "a", archived=True))
    assert (found.changes, found.faults, waits(found)) == ([change], [], {})


slugs = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True).map(lambda text: text[:64].strip("-"))
hexes = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(slugs, hexes, st.sampled_from(["renaming", "archived"]))
def test_a_temporary_name_of_an_agent_is_a_slug(name, ident, word):
    """It is legal, says whose it was, and gives way where it is taken."""
    holder = Holder(f"agent_{ident}", name)
    first = aside(AGENT, holder, word=word, taken=())
    second = aside(AGENT, holder, word=word, taken={first})
    for made in (first, second):
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", made)
        assert len(made) <= 64
        assert made.startswith(name[:20])
    assert second == aside(AGENT, holder, word=word, taken={first}) != first


@given(st.text(min_size=1, max_size=255).filter(str.strip).map(str.strip), hexes)
def test_a_temporary_name_of_a_memory_is_short_enough(name, ident):
    """It has 255 characters at most, and another case is another name only if the platform thinks so."""
    holder = Holder(f"mem_{ident}", name)
    first = aside(MEMORY, holder, word="renaming", taken=())
    assert len(first) <= 255
    assert first.strip() == first
    assert aside(MEMORY, holder, word="renaming", taken={first.lower()}).lower() != first.lower()
