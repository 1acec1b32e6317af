"""Offsets in a text: each node is cut out exactly."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.manifest import places
from reconciler.manifest.parse import parse
from reconciler.manifest.tree import Form, starts_of, tree_of

from .ordinary_yaml import Writer

TEXT = """\
a: &x  # c
  b: 1 # d

"c" : [1, {d: , e},  ]
f: |+ # g
  text

h: >
  folded

# foot
? i
: - &y !!str j
  -
  - *y
k: two
  lines
"""
CUTS = ["b: 1", "1", "[1, {d: , e},  ]", "1", "{d: , e}", "", "", "|+ # g\n  text\n", ">\n  folded"]
CUTS += ["- &y !!str j\n  -\n  - *y", "j", "", "*y", "two\n  lines"]
BOTH_PARSERS = pytest.mark.parametrize("parser", [places._Parser, places._PythonParser], ids=["libyaml", "python"])


def values(node):
    """Yield every value below a node, in the order of the text."""
    for entry in node.entries:
        yield entry.value
        yield from values(entry.value)


@BOTH_PARSERS
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_a_node_is_cut_out_exactly(parser, line_break, monkeypatch):
    """From its content's first character to its last: no anchor, no comment behind, no blank line that is nobody's."""
    monkeypatch.setattr(places, "_Parser", parser)
    text = TEXT.replace("\n", line_break)
    cuts = [text[node.body : node.end].replace("\r\n", "\n") for node in values(tree_of(text, document=0))]
    assert cuts == CUTS


@pytest.mark.parametrize(
    ("text", "starts"), [("", []), ("# c\na: 1\n", [4]), ("a: 1\n---\n---\nb: 2\n--- [", [0, 5, 9, 18])]
)
def test_documents_start_where_they_are_marked(text, starts):
    """Each document is known by its offset, up to a syntax error."""
    assert starts_of(text) == starts


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**32))
def test_a_flow_node_or_quoted_text_stands_for_itself(seed):
    """What is cut out of ordinary YAML, where no indentation matters, reads as it does in its place."""
    text = Writer(seed).document()
    documents, faults = parse(text)
    assume(documents and not faults)
    checked = [
        node
        for node in tree_of(text, document=0).inside()
        if node.is_flow or (node.form is Form.SCALAR and node.style in ("'", '"'))
    ]
    for node in checked:
        (found,), _ = parse(f"- {text[node.body : node.end]}")
        assert found.value[0] == node.text or node.is_flow
