"""The reference graph: what is in it, how it folds, and where its nodes stand."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.change import Action, Change, FieldChange
from reconciler.report.graph import MOST_NODES, graph_of
from reconciler.report.layout import layout
from reconciler.resource import Address

from .fleets import large_plan


def agent(name, model="opus", action=Action.CREATE, **about):
    """Make a change of an agent that refers to a model."""
    body = {"default_model": model} if action is Action.CREATE else {}
    return Change(Address("acme", "Agent", name), action, body=body, **about)


def told(graph):
    """Spell the edges of a graph by what stands at their ends."""
    name = [f"{node.verb} {node.kind} {len(node.addresses)}".strip() for node in graph.nodes]
    return sorted((name[start], name[end], count) for (start, end), count in graph.edges.items())


def test_an_arrow_leads_to_what_is_referred_to():
    """From a channel to its app, from that to its agent, from that to a model which stays as it is."""
    app = Change(Address("acme", "App", "bot"), Action.CREATE, body={"agent": "a", "harness": "generic"})
    channel = Change(Address("acme", "Channel", "web", "bot"), Action.CREATE, body={"type": "ag_ui"})
    assert told(graph_of([agent("a"), app, channel])) == [
        ("create Agent 1", "Model 1", 1),
        ("create App 1", "Harness 1", 1),
        ("create App 1", "create Agent 1", 1),
        ("create Channel 1", "create App 1", 1),
    ]


def test_a_version_that_the_plan_releases_is_done_something_to():
    """It is made by the release of its agent, and its node leads there."""
    fields = (FieldChange(("version", "publish"), "0.1.0", "0.2.0"),)
    release = Change(Address("acme", "Agent", "a"), Action.RELEASE, fields=fields)
    app = Change(Address("acme", "App", "bot"), Action.UPDATE, body={"agent_version": "a@0.2.0"})
    graph = graph_of([release, app])
    assert told(graph) == [("update App 1", "release AgentVersion 1", 1)]
    assert next(node.step for node in graph.nodes if node.kind == "AgentVersion") == release.step


def test_what_is_made_anew_is_replaced():
    """A change that takes it away and one that makes it are told as one, apart from what only goes."""
    session = Address("acme", "Session", "s")
    gone = Change(session, Action.ARCHIVE, replaces=True)
    made = Change(session, Action.CREATE, body={"agent": "a"})
    assert told(graph_of([gone, made])) == [("replace Session 1", "Agent 1", 1)]


def test_who_lets_go_of_what_is_archived_refers_to_it():
    """Its own body says nothing of it any more."""
    gone = agent("a", action=Action.ARCHIVE, after=("acme/App/bot",))
    app = Change(Address("acme", "App", "bot"), Action.UPDATE)
    assert told(graph_of([app, gone])) == [("update App 1", "archive Agent 1", 1)]


def test_many_of_the_same_are_one_node():
    """Fifty new agents of one model are two nodes; what is joined to nothing is none."""
    assert told(graph_of([agent(f"a{n}") for n in range(50)])) == [("create Agent 50", "Model 1", 50)]
    assert not graph_of([Change(Address("acme", "Agent", "x"), Action.UPDATE)]).nodes


def test_five_thousand_changes_are_a_picture_one_can_look_at():
    """Nothing is lost in it but names."""
    graph = graph_of(large_plan(5000).changes)
    assert 0 < len(graph.nodes) <= MOST_NODES
    assert sum(len(node.addresses) for node in graph.nodes if node.action) == 4500


EDGES = st.integers(1, 12).flatmap(
    lambda n: st.tuples(st.just(n), st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=20))
)


@given(EDGES)
def test_every_node_stands_somewhere_once_and_bends_lie_between(drawn):
    """Even where references go in a circle; an edge passes one column after the other."""
    count, edges = drawn
    edges = {(a, b) for a, b in edges if a != b}
    made = layout(count, edges)
    placed = [at for column in made.columns for at in column]
    assert sorted(placed) == list(range(len(placed)))
    column = {at: number for number, column in enumerate(made.columns) for at in column}
    assert set(made.routes) == edges
    for (start, end), route in made.routes.items():
        assert (route[0], route[-1]) == (start, end)
        if column[start] < column[end]:
            assert [column[at] for at in route] == list(range(column[start], column[end] + 1))


@given(st.integers(2, 10))
def test_without_a_circle_every_edge_goes_forward(count):
    """A chain takes a column for each of its links."""
    made = layout(count, [(n, n + 1) for n in range(count - 1)])
    assert made.columns == tuple((n,) for n in range(count))
