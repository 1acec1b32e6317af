"""The quick reader answers only what `parse` would answer."""

import json
from itertools import product
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.manifest import quick as module
from reconciler.manifest.parse import parse
from reconciler.manifest.quick import MAX_CHARS, quick

from .ordinary_yaml import Writer

ROOT = Path(__file__).parents[2]
BITS = st.sampled_from(
    [
        *"a b: c - --- ... # ' \" \\ | > |- >+ ? & * ! % @ ` { } [ ] , : ~ null true no yes 1 01 0x1F 0o7 1_0".split(),
        *"1e9 1e999 -0 -01 .5 1. .inf .nan 12:30 2024-01-01 << = é 😀 ''' \"\" key value \u2028 \x85 \t \\n".split(" "),
        *(
            " ",
            "  ",
            "\n",
            "\n  ",
            "\n    ",
            "\n- ",
            ": ",
            "- ",
            "\r\n",
            "\n\n",
            ": |\n  ",
            ": >\n  ",
            ' "',
            '" ',
            " #",
        ),
    ]
)
LINES = st.lists(
    st.tuples(
        st.sampled_from(["", "  ", "    ", "- ", "  - "]),
        st.sampled_from(["a", "b", "c", '"a"', "'b'", "1", "true", "~", "a b", "é"]),
        st.sampled_from([":", ": ", ": |", ": >-", ": [", ": {", ": &x ", ": *x", ": !t "]),
        st.sampled_from(
            [
                "",
                "x",
                "1",
                "01",
                "'it''s'",
                '"q\\n"',
                "1.10",
                "a: b",
                "# c",
                "[1, b]",
                "{k: v}",
                "x # y",
                "no",
                "-1",
                "+1",
            ]
        ),
    ),
    max_size=8,
).map(lambda rows: "\n".join("".join(row) for row in rows) + "\n")
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def agrees(text):
    """Say whether the quick reader keeps to its promise for a text."""
    answer = quick(text)
    return answer is None or (answer, []) == parse(text)


@given(st.lists(BITS, max_size=24).map("".join) | LINES | st.text(max_size=60))
@settings(max_examples=1500, deadline=None, derandomize=True)
def test_any_text_is_read_as_parse_reads_it_or_left_to_it(text):
    """Whatever the text, the quick reader never says anything that `parse` does not say."""
    assert agrees(text)


@given(VALUES, st.booleans())
@settings(max_examples=400, deadline=None, derandomize=True)
def test_dumped_values_are_read_as_parse_reads_them_or_left_to_it(value, as_json):
    """A value dumped by others, as YAML or JSON, is read the same way by both."""
    assert agrees(json.dumps(value) if as_json else yaml.safe_dump({"value": value}, allow_unicode=True))


@given(st.integers(0, 2**32))
@settings(max_examples=1500, deadline=None, derandomize=True)
def test_ordinary_documents_are_read_as_parse_reads_them_or_left_to_it(seed):
    """Every style of ordinary YAML that the quick reader takes, it reads as `parse` does."""
    assert agrees(Writer(seed).document())


SIGNS = "_1.eE+-:|[]{}, a\n"
FORMS = ("a: {}\n", "a: [{}]\n", "- {}\n", "{}: a\n", "{{a: {}}}\n", "{}\na: 1\n")


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_every_short_scalar_agrees(form):
    """Of up to three signs that make numbers and collections, in every place, nothing is read differently."""
    texts = (form.format("".join(signs)) for length in (1, 2, 3) for signs in product(SIGNS, repeat=length))
    assert not [text for text in texts if not agrees(text)]


@pytest.mark.parametrize(
    "text",
    [
        "{a: [b, {c: d}]}: a\n",
        "a: [|\n  b]\n",
        "{b: |\n  a}\n",
        "{x\n  y: a}\n",
        "{a: {b: c}, d\n  e: f}\n",
        "[a, b\n  c: d]\n",
        "...\na: 1\n",
        "--- # c\na: 1\n",
        "a: {b: {c: {d: {e: f}}}}\n",
    ],
    ids=repr,
)
def test_what_parsers_disagree_on(text):
    """What `parse` refuses or reads in its own way is left to it."""
    assert agrees(text)


def test_some_ordinary_documents_are_taken():
    """The law above is not empty."""
    assert sum(quick(Writer(seed).document()) is not None for seed in range(300)) > 20


def test_the_example_fleet_agrees():
    """Every manifest of the fleet that the quick reader takes is read as `parse` reads it, and it takes most."""
    texts = [path.read_text() for path in sorted((ROOT / "manifests").rglob("*.yaml"))]
    assert all(agrees(text) for text in texts)
    assert sum(quick(text) is not None for text in texts) > len(texts) // 2


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2\n",
        "a: 012\n",
        "a: 1_000\n",
        "a: &x 1\nb: *x\n",
        "a: !t 1\n",
        "<<: {a: 1}\n",
        "a: 1\n---\nb: 2\n",
        "1: a\n",
        "a: .inf\n",
        "a:\tb\n",
        "a: [1\n",
        "a: " + "[" * 70 + "]" * 70 + "\n",
        "a: |\n  x\x07\n",
        "# nothing\n",
        "",
        "text",
        "a: b\n" + "# c\n" * MAX_CHARS,
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_parse(text):
    """Faults, odd numbers, anchors, tags, several documents, and what is too long or too deep are not answered."""
    assert quick(text) is None


def test_without_the_extra_everything_is_left_to_parse(monkeypatch):
    """When the reader in Rust is not installed, the quick way is never taken."""
    monkeypatch.setattr(module, "_read", None)
    assert quick("a: 1\n") is None


def test_the_line_is_that_of_the_content():
    """Comments, blank lines and a leading document mark are not content."""
    assert [one.line for text in ("a: 1\n", "# c\n\na: 1\n", "---\n# c\na: 1\n") for one in quick(text)] == [1, 3, 3]
