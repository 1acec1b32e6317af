"""Where things stand in a text."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.manifest import places
from reconciler.manifest.parse import parse
from reconciler.manifest.places import Place, Wanted, lines_of, open_events, place
from reconciler.manifest.suggest import shown

BOTH_PARSERS = pytest.mark.parametrize("parser", [places._Parser, places._PythonParser], ids=["libyaml", "python"])

TEXT = """\
# a comment
kind: Agent
metadata: {"é😀": name, name: triage}
spec:
  prompt: |
    kind: not a key
  items:
    - ref: a
      config:
        n: 1
    - ref: b
    - - x
      - y
  empty:
  base: &base {p: 1}
  alias: *base
  merged: {<<: *base, q: 2}
---
# empty
---
second: [1, {a: b}]
"""

PLACES = [
    ((), Place(2, 1), Place(2, 1)),
    (("kind",), Place(2, 1), Place(2, 7)),
    (("metadata",), Place(3, 1), Place(3, 11)),
    (("metadata", "é😀"), Place(3, 12), Place(3, 18)),
    (("metadata", "name"), Place(3, 24), Place(3, 30)),
    (("spec",), Place(4, 1), Place(5, 3)),
    (("spec", "prompt"), Place(5, 3), Place(5, 11)),
    (("spec", "items"), Place(7, 3), Place(8, 5)),
    (("spec", "items", 0), Place(8, 7), Place(8, 7)),
    (("spec", "items", 0, "config", "n"), Place(10, 9), Place(10, 12)),
    (("spec", "items", 1), Place(11, 7), Place(11, 7)),
    (("spec", "items", 2, 1), Place(13, 9), Place(13, 9)),
    (("spec", "empty"), Place(14, 3), Place(14, 9)),
    (("spec", "alias"), Place(16, 3), Place(16, 10)),
    (("spec", "merged", "q"), Place(17, 23), Place(17, 26)),
]
MISSING = [
    (("nothing",), Place(2, 1)),
    (("metadata", "org"), Place(3, 1)),
    (("metadata", 0), Place(3, 1)),
    (("metadata", "name", "first"), Place(3, 24)),
    (("spec", "items", 3), Place(7, 3)),
    (("spec", "items", -1), Place(7, 3)),
    (("spec", "items", "ref"), Place(7, 3)),
    (("spec", "items", 1, "config", "n"), Place(11, 7)),
    (("spec", "alias", "p"), Place(16, 3)),
    (("spec", "merged", "p"), Place(17, 3)),
]


@BOTH_PARSERS
@pytest.mark.parametrize(("path", "of_key", "of_value"), PLACES)
def test_a_path_leads_to_its_key_or_value(path, of_key, of_value, parser, monkeypatch):
    """A path leads to the key, or on request to the value; a list item is its own key."""
    monkeypatch.setattr(places, "_Parser", parser)
    assert place(TEXT, index=0, path=path) == of_key
    assert place(TEXT, index=0, path=path, key=False) == of_value


@pytest.mark.parametrize("key", [True, False])
@pytest.mark.parametrize(("path", "nearest"), MISSING)
def test_a_path_that_ends_early_leads_to_the_nearest_key(path, nearest, key):
    """What is missing, or came through an alias or a merge, is at its deepest ancestor that is written."""
    assert place(TEXT, index=0, path=path, key=key) == nearest


def test_documents_are_numbered_as_the_reader_numbers_them():
    """The number of a document counts the empty ones, as it does for `parse`."""
    documents, _ = parse(TEXT)
    assert [one.index for one in documents] == [0, 2]
    assert place(TEXT, index=2, path=("second", 1, "a"), key=False) == Place(21, 17)
    assert place(TEXT, index=1, path=("second",)).line == 20
    assert place(TEXT, index=3, path=("second",)) == Place(1, 1)
    assert place(TEXT, index=3, path=(), key=False) == Place(1, 1)


@BOTH_PARSERS
@pytest.mark.parametrize("text", ["[" * 200_000, "a: [", "\0", "\ud800", '"\\UFFFFFFFF"', ""])
def test_a_broken_text_has_places_too(text, parser, monkeypatch):
    """A text that cannot be read gives the place that was reached, not an exception."""
    monkeypatch.setattr(places, "_Parser", parser)
    assert place(text, index=0, path=("a", 0, "b"), key=False).line == 1


def test_a_byte_order_mark_takes_no_column():
    """A byte order mark is not counted, neither in places nor in lines."""
    assert place("\ufeffa: 1", index=0, path=("a",), key=False) == Place(1, 4)
    assert lines_of("\ufeffa: 1") == ["a: 1"]


def test_lines_end_where_yaml_ends_them():
    """Lines are counted as the parser counts them."""
    assert lines_of("a\r\nb\x0c\n\rc\u2028d") == ["a", "b\x0c", "", "c", "d"]


def test_many_places_are_one_reading():
    """However much is wanted of a text, its events are read once, and the answers are those of one at a time."""
    opened = []
    wanted = [
        *(Wanted(0, path, key=key) for path, _, _ in PLACES for key in (True, False)),
        *(Wanted(0, path) for path, *_ in MISSING),
        Wanted(2, ("second", 1, "a")),
        Wanted(9, ("nowhere",)),
    ]
    alone = {one: place(TEXT, index=one.document, path=one.path, key=one.key) for one in wanted}

    def counting(text):
        opened.append(text)
        return open_events(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "open_events", counting)
        assert places.places(TEXT, wanted) == alone
    assert opened == [TEXT]


@pytest.mark.parametrize(
    ("text", "seen"),
    [("é 😀", "é 😀"), ("a\nb\x1b[0m", "a\\nb\\x1b[0m"), ("x" * 61, "x" * 57 + "..."), ("", "")],
)
def test_a_message_repeats_only_what_is_short_and_harmless(text, seen):
    """What a message repeats of a manifest is short, on one line, and moves no cursor."""
    assert shown(text) == seen


VALUES = st.recursive(
    st.none() | st.integers() | st.text("aé😀 \n", max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcé😀", max_size=3), inner, max_size=4),
    max_leaves=12,
)


def marks(node, path=(), key=None):
    """Yield each path below a composed node, with the marks of its key and value."""
    yield path, (key or node).start_mark, node.start_mark
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            yield from marks(value, (*path, name.value), name)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from marks(value, (*path, number))


@settings(deadline=None)
@given(value=VALUES, flow=st.sampled_from([True, False, None]))
def test_places_agree_with_the_composer(value, flow):
    """Every path of every document leads where pyyaml's own composer says its key and value are."""
    text = "---\nx: 1\n" + yaml.safe_dump(value, default_flow_style=flow, explicit_start=True, allow_unicode=True)
    *_, root = yaml.compose_all(text, Loader=yaml.SafeLoader)
    for path, key, item in marks(root):
        assert place(text, index=1, path=path) == Place(key.line + 1, key.column + 1)
        assert place(text, index=1, path=path, key=False) == Place(item.line + 1, item.column + 1)
