"""YAML for people: whatever is written is read back equal, and looks as somebody would have written it."""

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.manifest.parse import parse
from reconciler.manifest.quick import quick
from reconciler.manifest.write import Inline, scalar_of, yaml_of

law = settings(max_examples=300, deadline=None, derandomize=True, database=None)
characters = st.characters(exclude_categories=["Cs"])
odd = st.text("abn019:#-?!&*%@`'\"{}[],|>~=<. \t\n\r\x00\x07\x1b\x7f\x85\xa0\ufeff\u2028\ufffe😀e+_x\\é", max_size=12)
texts = st.text(characters, max_size=20) | odd
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    texts | numbers | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def read(text):
    """Read one document that must be without fault."""
    (document,), faults = parse(text)
    assert faults == []
    return document.value


@law
@given(st.dictionaries(texts, values, max_size=4))
@example({"a": [[["x\n y\n"]]]})
@example({"k" * 200: "v", "a\nb": {"c": "d"}})
def test_what_is_written_is_read_back_equal(value):
    """Any texts, numbers, lists and maps come back as they were, types included."""
    assert repr(read(yaml_of(value))) == repr(value)


@law
@given(texts)
def test_every_reader_finds_the_same_text(text):
    """A text is a text to YAML 1.1 as well, and to the quick reader when it answers at all."""
    written = yaml_of({"text": text})
    assert yaml.safe_load(written) == {"text": text}
    answer = quick(written)
    assert answer is None or answer[0].value == {"text": text}


@law
@given(st.dictionaries(texts, texts, max_size=3))
def test_a_map_on_one_line_is_read_back_equal(value):
    """The same where a map is written on one line, whose rules are stricter."""
    assert read(yaml_of({"secret": Inline(value)})) == {"secret": value}


QUOTED = ["no", "on", "Yes", "null", "~", "true", "1", "012", "0o17", "0x1F", "1e3", ".5", "1_000", "12:30:45", "-"]
QUOTED += ["2026-01-01", ".inf", "<<", "=", "", " x", "x ", "a: b", "a #b", "#x", "[x", "{x", "*x", "&x", "!x", "@x"]


@pytest.mark.parametrize("text", QUOTED)
def test_quoted_where_needed(text):
    """What a reader could take for something else stands in quotes."""
    assert yaml_of({"a": text}) == f"a: '{text}'\n"


@pytest.mark.parametrize(
    "text", ["x", "a b", "Support bot", "https://x.example/a#b", "a:b", "e3", "é 😀", "it's", "x-1"]
)
def test_plain_where_possible(text):
    """What can only be text stands without quotes."""
    assert yaml_of({"a": text}) == f"a: {text}\n"


LAYOUTS = [
    ({"a": "x\ny\n"}, "a: |\n  x\n  y\n"),
    ({"a": "x\n\n  y"}, "a: |-\n  x\n\n    y\n"),
    ({"a": ["x\ny"]}, "a:\n  - |-\n    x\n    y\n"),
    ({"a": {"b": ["x", {"c": 1, "d": None}]}}, "a:\n  b:\n    - x\n    - c: 1\n      d: null\n"),
    ({"a": Inline(env="X"), "b": [], "c": {}}, "a: {env: X}\nb: []\nc: {}\n"),
    ({"a": "x\r\ny"}, 'a: "x\\r\\ny"\n'),
    ({"a": " x\ny"}, 'a: " x\\ny"\n'),
    ({"a": "x \ny"}, 'a: "x \\ny"\n'),
    ({"a": "x\ny\n\n"}, 'a: "x\\ny\\n\\n"\n'),
    ({"a": "long " * 60}, f"a: '{'long ' * 60}'\n"),
    ({"a": True, "b": 1.5, "c": -7}, "a: true\nb: 1.5\nc: -7\n"),
]


@pytest.mark.parametrize(("value", "text"), LAYOUTS)
def test_layout(value, text):
    """Blocks, lists indented below their key, texts of several lines as they are where that is safe, no folding."""
    assert yaml_of(value) == text


@pytest.mark.parametrize("value", [{"a": "\ud800"}, {"\udfff": 1}, {"a": {1, 2}}, {"a": b"x"}])
def test_what_yaml_cannot_hold(value):
    """Half of a surrogate pair and what is no plain value are refused, not bent."""
    with pytest.raises(ValueError, match=r"surrogates not allowed|no word for a"):
        yaml_of(value)


@law
@given(texts | numbers, st.sampled_from([None, "'", '"']), st.booleans())
def test_a_scalar_on_one_line_is_read_back_equal(value, style, in_flow):
    """Whatever quotes are asked for, in a list or map on one line or not: one line, and the same value."""
    written = scalar_of(value, style=style, in_flow=in_flow)
    assert "\n" not in written
    assert repr(read(f"a: [{written}, x]" if in_flow else f"a: {written} # c")) == repr(
        {"a": [value, "x"] if in_flow else value}
    )


@pytest.mark.parametrize(
    ("value", "style", "written"),
    [("x", "'", "'x'"), ("x", '"', '"x"'), ("x", None, "x"), ("\a", "'", '"\\a"'), (5, '"', "5")],
)
def test_quotes_are_kept_where_they_can_be(value, style, written):
    """A text gets the quotes asked for unless they cannot hold it; what is no text gets none."""
    assert scalar_of(value, style=style) == written
