"""Shapes that are made in advance are those that would be made later."""

import pytest

from reconciler.api_errors import ServerFault
from reconciler.kinds import BY_NAME
from reconciler.live.shapes import foresee, forget, objects_of, shape_from

AGENT = BY_NAME["Agent"]


def agent(number: int) -> dict[str, object]:
    """Return a live agent."""
    return {
        "id": f"agent_{number}",
        "name": f"a{number}",
        "tags": ["b", "a"],
        "mcpServers": {"crm": {"env": {"K": "v"}}},
    }


@pytest.fixture(autouse=True)
def _forgotten():
    """Leave nothing to the next test."""
    forget()
    yield
    forget()


def test_a_foreseen_shape_is_the_same_and_given_once():
    """Whoever asks first gets it, and whoever asks next one of their own: a Shape may be changed by who has it."""
    wire = agent(1)
    plain = shape_from(AGENT, wire)
    foresee(AGENT, {"data": [wire]})
    first = shape_from(AGENT, wire)
    second = shape_from(AGENT, wire)
    assert first == second == plain
    assert first is not second


def test_each_object_has_its_own():
    """An object that is equal to a foreseen one is another object."""
    wire, twin = agent(1), agent(1)
    foresee(AGENT, {"data": [wire]})
    wire["name"] = "changed since"
    assert shape_from(AGENT, twin)["name"] == "a1"
    assert shape_from(AGENT, wire)["name"] == "a1"


@pytest.mark.parametrize("damage", [{"data": [agent(1), {"tags": 1, "capabilities": 5}]}, {}, {"data": None}])
def test_an_error_waits_for_who_asks(damage):
    """What makes no sense stops the foreseeing, and is told when its Shape is wanted."""
    with pytest.raises((KeyError, TypeError, AttributeError)):
        foresee(AGENT, damage)
    with pytest.raises(ServerFault, match="make no sense"):
        shape_from(AGENT, {"id": "agent_2", "capabilities": 5})


def test_what_is_nested_too_deep_is_no_answer_of_the_api():
    """JSON is read four times as deep as it can be written again, and walks in between would give up."""
    deep = agent(1)
    for _ in range(240):
        deep = agent(1) | {"capabilities": [deep]}
    assert objects_of(AGENT, [agent(1) | {"capabilities": [[[[1]]]]}], doing="listing agents")
    with pytest.raises(ServerFault, match=r"^listing agents: the answer is nested deeper than"):
        objects_of(AGENT, [deep], doing="listing agents")


@pytest.mark.parametrize("id_", ["", "../orgs/x", "a/b", "a?b=c", "a\x00", "a b", "a\n", "é", "a" * 201, "%2e%2e"])
def test_an_id_that_leads_elsewhere_is_none(id_):
    """What is part of a request's path is letters, digits, - and _, of a length that an id has."""
    with pytest.raises(ServerFault, match="is not a list of agents"):
        objects_of(AGENT, [agent(1) | {"id": id_}], doing="listing agents")


def test_an_object_without_a_name_gets_the_one_its_kind_finds():
    """The address stands in a tag of a session; without exactly one such tag it has no name."""
    kind = BY_NAME["Session"]
    tags = (["reconciler:weekly", "care"], ["care"], [], ["reconciler:a", "reconciler:b"])
    found = objects_of(kind, [{"id": f"session_{n}", "tags": one} for n, one in enumerate(tags)], doing="listing")
    assert [one["name"] for one in found] == ["weekly", "", "", ""]


@pytest.mark.parametrize("tags", [5, {"a": 1}, [1], [None]])
@pytest.mark.parametrize("kind", ["Session", "ChatSession"])
def test_tags_that_make_no_sense_are_the_platforms_fault(kind, tags):
    """Tags that are no texts are told as an answer that makes no sense, wherever they are looked at first."""
    told = BY_NAME[kind]
    wire = {"id": "session_1", "tags": tags, "locale": "en"}
    assert told.wire.holds(wire) is (kind == "Session")
    if kind == "ChatSession":
        assert objects_of(told, [wire], doing="listing")[0]["name"] == ""
    elif tags != {"a": 1}:
        with pytest.raises(ServerFault, match="make no sense"):
            objects_of(told, [wire], doing="listing")
