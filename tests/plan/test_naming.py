"""Names made of titles: always an address, never given twice."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.kinds.channel import SLUG
from reconciler.plan.naming import LONGEST, Taken, is_slug, slug, variable

law = settings(max_examples=200, deadline=None, derandomize=True, database=None)
SLUGS = [("Support bot", "support-bot"), ("  A--B  ", "a-b"), ("Café", "cafe"), ("ag_ui", "ag-ui"), ("日本", "other")]
SLUGS += [("x" * 70, "x" * 64), ("x" * 63 + " y", "x" * 63), ("ﬁne ½", "fine-12")]


@pytest.mark.parametrize(("text", "expected"), SLUGS)
def test_slug(text, expected):
    """Letters lose their marks, the rest becomes single hyphens, and what is left of nothing is said otherwise."""
    assert slug(text, otherwise="other") == expected


@law
@given(st.lists(st.text(max_size=80), max_size=8))
def test_addresses_are_addresses(texts):
    """Whatever the titles, each gets an address of its own that a manifest may have."""
    taken = Taken()
    names = [taken.slug(slug(text, otherwise="x")) for text in texts]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(SLUG, name) and len(name) <= LONGEST for name in names)


@law
@given(st.text("ab-0A_ é", max_size=70))
def test_is_slug(text):
    """A text is an address exactly when manifests say so."""
    assert is_slug(text) == bool(re.fullmatch(SLUG, text) and len(text) <= LONGEST)


@law
@given(st.lists(st.text(max_size=8), min_size=1, max_size=4))
def test_variables_are_variables(parts):
    """What is made of an organization's address and any keys can be the name of an environment variable."""
    assert re.fullmatch("[A-Z_][A-Z0-9_]*", variable("3m", *parts))


def test_taken():
    """The second of a name is numbered, and room is made for the number."""
    taken = Taken({"a"})
    assert [taken.slug("a"), taken.slug("a"), taken.slug("b")] == ["a-2", "a-3", "b"]
    assert [taken.slug("x" * 64), taken.slug("x" * 64)] == ["x" * 64, "x" * 62 + "-2"]
    assert [taken.variable("A"), taken.variable("A")] == ["A", "A_2"]
