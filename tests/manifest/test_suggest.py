"""Ways out of a fault: words that were meant, and values as YAML spells them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.kinds.fields import Spec
from reconciler.kinds.secrecy import looks_secret
from reconciler.manifest.document import Metadata
from reconciler.manifest.parse import parse
from reconciler.manifest.suggest import flow, meant, quoted, suggest

KNOWN = ["system_prompt", "display_name", "description", "tags"]
MANY = [f"field_{number:02}" for number in range(20)]


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("sytem_prompt", KNOWN, "did you mean system_prompt?"),
        ("systemPrompt", KNOWN, "did you mean system_prompt?"),
        ("TAGS", KNOWN, "did you mean tags?"),
        ("agents", ["Agent", "App"], "did you mean Agent?"),
        ("gitub", ["git", "github"], "did you mean github or git?"),
        ("zzz", KNOWN, "known: description, display_name, system_prompt, tags"),
        ("zzz", ["b", "a", "b"], "known: a, b"),
        ("zzz", MANY, f"known: {', '.join(MANY[:14])} and 6 more"),
        ("zzz", MANY[:14], f"known: {', '.join(MANY[:14])}"),
        (5, ["a", "5"], "known: 5, a"),
        (["Agent"], ["Agent"], "known: Agent"),
        (None, [], None),
        ("word", [], None),
    ],
)
def test_the_nearest_word_or_all_of_them(word, known, expected):
    """What is near is offered; else all that is known, cut when it is long; nothing when nothing is known."""
    assert suggest(word, known) == expected


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [("TAGS", KNOWN, "tags"), ("gitub", ["git", "github"], "github"), ("zzz", KNOWN, None), (5, ["5"], None)],
)
def test_the_word_that_is_meant(word, known, expected):
    """It is the one that is offered first; what is only listed is not meant."""
    assert meant(word, known) == expected


@settings(deadline=None)
@given(word=st.text(max_size=20), known=st.lists(st.text(max_size=20), max_size=20))
def test_a_known_word_is_its_own_suggestion(word, known):
    """The word itself is the first that is meant, and an order of the known does not matter."""
    assert suggest(word, known) == suggest(word, reversed(known))
    told = suggest(word, [*known, word])
    assert told is not None
    assert told.startswith(f"did you mean {word}") or not word


@pytest.mark.parametrize(
    ("value", "spelled"),
    [
        ("slack", "slack"),
        ("../prompts/triage.md", "../prompts/triage.md"),
        ("/workspace/docs", "/workspace/docs"),
        ("https://mcp.example.com/v1", "https://mcp.example.com/v1"),
        ("Support triage", "Support triage"),
        ("0 9 * * 1-5", '"0 9 * * 1-5"'),
        ("0x4AAAAAAA", '"0x4AAAAAAA"'),
        ("#0b5fff", '"#0b5fff"'),
        ("{{text}}", '"{{text}}"'),
        ("a: b", '"a: b"'),
        ("a #b", '"a #b"'),
        ("true", '"true"'),
        ("Null", '"Null"'),
        ("", '""'),
        ("two\nlines", '"two\\nlines"'),
        (True, "true"),
        (None, "null"),
        (1.5, "1.5"),
        ({"a": [1, {"b": "c"}]}, "{a: [1, {b: c}]}"),
    ],
)
def test_flow_spells_yaml(value, spelled):
    """A value is spelled in one line, quoted only where it must be."""
    assert flow(value) == spelled


SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x7f\ufeff", exclude_categories=("Cc", "Cs", "Cn")))
VALUES = st.recursive(SCALARS | TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=8)


@settings(deadline=None)
@given(value=VALUES)
def test_what_flow_spells_is_read_back(value):
    """An example that a message gives may be pasted into a manifest."""
    documents, faults = parse(f"key: {flow(value)}")
    assert not faults
    assert documents[0].value == {"key": value}


@settings(deadline=None)
@given(text=st.text())
def test_quoting_never_breaks_a_line(text):
    """Whatever stands in a manifest is repeated short and in one line."""
    told = quoted(text)
    assert told.isprintable()
    assert told == "what stands here" if looks_secret(text) else told[0] == told[-1] == '"'
    assert len(quoted("x" * 1000)) < 70
    assert len(quoted([text] * 1000)) < 700


@pytest.mark.parametrize("model", [*Spec.__subclasses__(), Metadata], ids=lambda model: model.__name__)
def test_every_example_can_be_pasted(model):
    """The examples that hints are made of are YAML that reads as what they are."""
    for name, field in model.model_fields.items():
        documents, faults = parse(f"{name}: {flow(field.examples[0])}")
        assert not faults
        assert documents[0].value == {name: field.examples[0]}
