"""The smallest changes between two values: few, in order, and they lead there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.manifest.steps import Add, Drop, Put, same, stepped, steps

law = settings(max_examples=300, deadline=None, derandomize=True, database=None)
leaves = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from([0.0, 1.0, 1.5]) | st.sampled_from("ab")
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["name", "ref", "a", "b"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@law
@given(values, values)
def test_steps_lead_from_one_value_to_the_other(old, new):
    """Whoever takes the first step again and again arrives, in no more steps than there are things in both."""
    for _ in range(200):
        step = next(steps(old, new), None)
        if step is None:
            break
        old = stepped(old, step)
    assert same(old, new)


@law
@given(values)
def test_no_step_leads_to_where_one_is(value):
    """A value needs no change to become itself."""
    assert list(steps(value, value)) == []


CASES = [
    ({"a": 1, "b": 2}, {"b": 3, "c": 4}, [Drop(("a",)), Put(("b",), 3), Add(("c",), 4)]),
    ([1, 2, 3], [1, 3], [Drop((1,))]),
    ([1, 3], [1, 2, 3], [Add((1,), 2)]),
    (["a", "b"], ["a", "c"], [Put((1,), "c")]),
    ([{"name": "x", "v": 1}], [{"name": "x", "v": 2}], [Put((0, "v"), 2)]),
    ([{"name": "x", "v": 1}], [{"name": "y", "v": 2}], [Add((1,), {"name": "y", "v": 2}), Drop((0,))]),
    ([{"ref": "x", "v": 1}], [{"ref": "y", "v": 1}], [Put((0, "ref"), "y")]),
    ([{"name": "x"}, {"name": "y", "v": 1}], [{"name": "y", "v": 2}], [Drop((0,)), Put((1, "v"), 2)]),
    ({"a": [1]}, {"a": []}, [Put(("a",), [])]),
    ({"a": {}}, {"a": {"b": 1}}, [Put(("a",), {"b": 1})]),
    ({"a": 1}, {"a": 1.0}, []),
    ({"a": 1}, {"a": True}, [Put(("a",), True)]),
    ({"a": None}, {}, [Put((), {})]),
]


@pytest.mark.parametrize(("old", "new", "expected"), CASES)
def test_as_few_as_a_person_would_make(old, new, expected):
    """Items are paired by what is equal, then by name, then by likeness; true is no number, 1.0 is 1."""
    assert list(steps(old, new)) == expected
