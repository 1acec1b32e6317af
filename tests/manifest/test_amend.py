"""A manifest changed in place: what is read is what was asked for, and nothing else in the text moves."""

import json
from difflib import unified_diff
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.errors import CannotAmend
from reconciler.manifest.amend import REMOVED, Edit, amend, edited
from reconciler.manifest.parse import parse
from reconciler.manifest.steps import same

from .ordinary_yaml import Writer

law = settings(max_examples=300, deadline=None, derandomize=True, database=None)

TEXT = """\
# head
kind: Agent   # k
spec:
  prompt: |  # c
    hello
    world

  desc: 'it''s'  # d
  said: "a\\tb"
  wrapped: >-
    one two three
    four five

    six seven
  n: 5 # five
  tags: [a, b]   # t
  empty:
  items:
    - name: x
      v: 1   # keep
    # about y
    - name: y
      v: "q"
  base: &b {p: 1}
  alias: *b
  merged: {<<: *b, q: 2}
  # the end of spec
# foot
"""


def amended(text, *edits, document=0):
    """Amend a document by paths in words, as `spec items 0 v`."""
    return amend(text, document=document, edits=[Edit(path(words), value) for words, value in edits])


def path(words):
    """Read a path from words."""
    return tuple(int(word) if word.isdigit() else word for word in words.split())


def changes(text, *edits):
    """Return the lines that go and come, and nothing of those that stay."""
    lines = unified_diff(text.splitlines(), amended(text, *edits).splitlines(), n=0, lineterm="")
    return [line for line in list(lines)[2:] if not line.startswith("@@")]


CASES = [
    ("kind", "App", ["-kind: Agent   # k", "+kind: App   # k"]),
    ("kind", "no", ["-kind: Agent   # k", "+kind: 'no'   # k"]),
    ("spec prompt", "hello\nthere\nworld\n", ["+    there"]),
    ("spec prompt", "hello", ["-  prompt: |  # c", "+  prompt: |-  # c", "-    world"]),
    ("spec prompt", " hello\nworld\n", ["-  prompt: |  # c", "-    hello", "+  prompt: |2  # c", "+     hello"]),
    ("spec prompt", "hello\nworld\n\n", ["-  prompt: |  # c", "+  prompt: |+  # c"]),
    ("spec prompt", None, ["-  prompt: |  # c", "-    hello", "-    world", "+  prompt: null  # c"]),
    ("spec desc", "isn't", ["-  desc: 'it''s'  # d", "+  desc: 'isn''t'  # d"]),
    ("spec desc", "a\nb", ["-  desc: 'it''s'  # d", "+  desc: |-  # d", "+    a", "+    b"]),
    ("spec desc", "\x07", ["-  desc: 'it''s'  # d", '+  desc: "\\a"  # d']),
    ("spec desc", True, ["-  desc: 'it''s'  # d", "+  desc: true  # d"]),
    ("spec said", "c", ['-  said: "a\\tb"', '+  said: "c"']),
    ("spec wrapped", "one two 3 four five\nsix seven", ["-    one two three", "+    one two 3"]),
    ("spec wrapped", "one two three four five\nnew\nsix seven", ["+", "+    new"]),
    ("spec n", 6, ["-  n: 5 # five", "+  n: 6 # five"]),
    ("spec n", "6", ["-  n: 5 # five", "+  n: '6' # five"]),
    ("spec n", {"a": ["x"]}, ["-  n: 5 # five", "+  n: # five", "+    a:", "+      - x"]),
    ("spec tags", ["a", "c", "b"], ["-  tags: [a, b]   # t", "+  tags: [a, c, b]   # t"]),
    ("spec tags", ["b"], ["-  tags: [a, b]   # t", "+  tags: [b]   # t"]),
    ("spec tags", [], ["-  tags: [a, b]   # t", "+  tags: []   # t"]),
    ("spec tags", REMOVED, ["-  tags: [a, b]   # t"]),
    ("spec empty", 7, ["-  empty:", "+  empty: 7"]),
    ("spec empty", ["x", {"k": 1}], ["+    - x", "+    - k: 1"]),
    ("spec items 0 v", 2, ["-      v: 1   # keep", "+      v: 2   # keep"]),
    ("spec items 0 v", REMOVED, ["-      v: 1   # keep"]),
    ("spec items 0 name", REMOVED, ["-    - name: x", "-      v: 1   # keep", "+    - v: 1   # keep"]),
    ("spec items 0", REMOVED, ["-    - name: x", "-      v: 1   # keep"]),
    ("spec items 2", {"name": "z"}, ["+    - name: z"]),
    ("spec items", [{"name": "z"}, {"name": "x", "v": 1}, {"name": "y", "v": "Q"}],
     ["+    - name: z", '-      v: "q"', '+      v: "Q"']),
    ("spec alias p", 2, ["-  alias: *b", "+  alias:", "+    p: 2"]),
    ("spec merged p", 2, ["-  merged: {<<: *b, q: 2}", "+  merged: {<<: *b, q: 2, p: 2}"]),
    ("spec merged q", REMOVED, ["-  merged: {<<: *b, q: 2}", "+  merged: {<<: *b}"]),
    ("spec token", {"env": "TOKEN"}, ["+  token: {env: TOKEN}"]),
    ("spec a b", [{"c": [1]}], ["+  a:", "+    b:", "+      - c:", "+          - 1"]),
    ("more", [], ["+more: []"]),
]  # fmt: skip


@pytest.mark.parametrize(("words", "value", "lines"), CASES)
def test_only_what_changed_is_touched(words, value, lines):
    """Quotes, comments, block texts, order, anchors and blank lines stay; what is new looks like what is there."""
    assert changes(TEXT, (words, value)) == lines


STYLES = [
    ('{"a": 1, "b": ["x"]}', "a", "two", '{"a": "two", "b": ["x"]}'),
    ('{"a": 1, "b": ["x"]}', "b 1", "y", '{"a": 1, "b": ["x", "y"]}'),
    ('{"a":1,"b":2}', "c", {"d": None}, '{"a":1,"b":2, "c": {"d": null}}'),
    ('{\n  "a": 1, # one\n  "b": 2  # two\n}', "c", 3, '{\n  "a": 1, # one\n  "b": 2,  # two\n  "c": 3\n}'),
    ('{\n\t"a": 1,\n\t"b": 2,\n}', "c", 3, '{\n\t"a": 1,\n\t"b": 2,\n\t"c": 3,\n}'),
    ('{\n  "a": 1, # one\n  "b": 2\n}', "b", REMOVED, '{\n  "a": 1 # one\n}'),
    ('{\n  "a": 1, # one\n  "b": 2\n}', "a", REMOVED, '{\n  "b": 2\n}'),
    ("a: [x: 1]", "a 0 y", 2, "a: [{x: 1, y: 2}]"),
    ("a: {b}", "a b", 1, "a: {b: 1}"),
    ("a: {b, c: 1}", "a b", "x", "a: {b: x, c: 1}"),
    ("a: [b,]", "a 1", "c", "a: [b, c,]"),
    ("a: 1\r\nb: |\r\n  x\r\n", "b", "x\ny\n", "a: 1\r\nb: |\r\n  x\r\n  y\r\n"),
    ("\ufeffa: 1\n", "a", 2, "\ufeffa: 2\n"),
    ("a: 1", "b", [1], "a: 1\nb:\n  - 1"),
    ("a: 1\nb: 2", "b", REMOVED, "a: 1"),
    ("a: |\n  x", "b", 1, "b: 1\na: |\n  x"),
    ("a: |\n  x", "a", "y\n", "a: |\n  y\n"),
    ("a: |+\n  x\n\nb: 1\n\n\nc: 2\n", "b", REMOVED, "a: |+\n  x\n\nc: 2\n"),
    ("a:\t1\t# c\n", "a", 2, "a:\t2\t# c\n"),
    ("a:\n- x\n- y\n", "a 2", {"b": [1]}, "a:\n- x\n- y\n- b:\n  - 1\n"),
    ("a:\n    b: 1\n", "c d", {"e": 1}, "a:\n    b: 1\nc:\n    d:\n        e: 1\n"),
    ("a:\n  # first\n  b: 1\nc: 2\n", "a", 3, "a: 3\nc: 2\n"),
    ("a: # c\n  b: 1\n", "a", [2], "a: # c\n  - 2\n"),
    ("a: &x 1 # c\n", "a", "s", "a: &x s # c\n"),
    ("a: !!str 1\n", "a", "2", "a: !!str '2'\n"),
    ("a: !!str 1\n", "a", 2, "a: 2\n"),
    ("? a\n? b\n: 1\n", "a", "x", "? a\n: x\n? b\n: 1\n"),
    ("a:\n- - 1\n  - 2\n", "a 0 0", REMOVED, "a:\n- - 2\n"),
    ("a:\n- - 1\n", "a 0 0", 2, "a:\n- - 2\n"),
    ("a: 1\n", "a", REMOVED, "{}\n"),
    ("a:\n  - {b: 1}\n", "a 1", {"b": 2}, "a:\n  - {b: 1}\n  - {b: 2}\n"),
    ("a: {}\n", "a", {"b": "x\ny\n"}, "a:\n  b: |\n    x\n    y\n"),
    ("a:  # c\nb: 1\n", "a c d", 2, "a:  # c\n  c:\n    d: 2\nb: 1\n"),
    ("a:\n", "a b", REMOVED, "a:\n"),
    ("a: {}\n", "a", {"b": "x"}, "a: {b: x}\n"),
    ("a: plain\n  goes on # c\n", "a", "short", "a: short # c\n"),
    ("a:\n  text # c\n", "a", "x", "a:\n  x # c\n"),
    ("%YAML 1.2\n---\na: 1\n...\n", "b", 2, "%YAML 1.2\n---\na: 1\nb: 2\n...\n"),
]


@pytest.mark.parametrize(("text", "words", "value", "after"), STYLES)
def test_every_style_is_kept(text, words, value, after):
    """JSON, tabs, Windows line ends, a byte order mark, a missing last line end, other indentations: all stay."""
    assert amended(text, (words, value)) == after


def test_other_documents_stay():
    """A document is amended by its number in the file, the ones around it keep every byte, faults included."""
    text = "a: 1\n---\n# two\na: 1\n---\na: *nope\n--- # last\na: |\n  x"
    assert amended(text, ("a", 2), document=1) == text.replace("# two\na: 1", "# two\na: 2")
    assert amended(text, ("a", "y"), document=3) == text.replace("  x", "  y")


REFUSED = [
    ("spec base p", 2, r"^spec\.base\.p on line 24 cannot be changed alone: \*b on line 25 repeats it$"),
    ("spec base", "x", r"^spec\.base on line 24 cannot be changed alone: \*b"),
    ("spec base", REMOVED, r"^spec\.base on line 24 cannot be changed alone: \*b"),
    ("spec merged p", REMOVED, r"^spec\.merged\.p on line 26 cannot be removed: << brings it$"),
    ("kind deeper", 1, r"^kind\.deeper leads nowhere$"),
    ("spec items 7 v", 1, r"^spec\.items\[7\]\.v leads nowhere$"),
    ("spec tags x", 1, r"^spec\.tags\.x leads nowhere$"),
    ("", REMOVED, "whole document"),
    ("spec n", "\ud800", r"^spec\.n: YAML cannot hold"),
    ("spec n", 2**70, r"^spec\.n on line 15 cannot be changed"),
]


@pytest.mark.parametrize(("words", "value", "why"), REFUSED)
def test_what_would_change_more_is_refused(words, value, why):
    """What others repeat, what comes from elsewhere and what leads nowhere is named, and nothing is guessed."""
    with pytest.raises(CannotAmend, match=why) as caught:
        amended(TEXT, (words, value))
    assert caught.value.hint


def test_a_change_of_all_who_repeat_it_is_one():
    """Where everybody who repeats a value is to have the new one, it is changed in its one place."""
    edits = [(f"spec {name} p", 2) for name in ("base", "alias", "merged")]
    assert changes(TEXT, *edits) == ["-  base: &b {p: 1}", "+  base: &b {p: 2}"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "a: 1\na: 2\n", "a: [\n"])
def test_a_document_at_fault_is_refused(text):
    """What cannot be read cannot be amended."""
    with pytest.raises(CannotAmend, match="no document to amend"):
        amended(text, ("a", 1))


def test_edits_are_taken_one_after_the_other():
    """Each path counts in what the edits before it left; a key that is not there can be removed."""
    edits = [("items 0", REMOVED), ("items 0 n", 5), ("new deep", 1), ("new deep", REMOVED), ("absent", REMOVED)]
    assert amended("items: [{n: 1}, {n: 2}]\n", *edits) == "items: [{n: 5}]\nnew: {}\n"


# --- laws ---

ALIASED = """\
# head
a: &a
  x: 1 # c
  y: &y
    - p
    - q: 2

  z: |+
    keep

b: *a
c:
  <<: *a
  x: 3   # own
d: [*y, &e 5, {k: *e, "j":6, l}]
? e
: &t !!str 5
? "f g"
? h
: - 1
  - - 2
    - 3
  -   m: 1
      n: 2
g: !!str
'l': >+
  one
  two

# tail
m:
    deep:
        - a
        -
        - # c
          b: 1
          # in
          c: 2
"""
SEVERAL = """\
%YAML 1.2
---
a: 1
b: "x
  y"
c: plain
  goes on
--- # second
a: |2-
   lead
  x
b:
- a
# between
- b: |
   text
  c: 1

- *nope
...
---
last: |
  no newline
y:
- - - 1
  - x: 1
z: "e\\
  f"
w: >-

  lead blank
  folded

   more
  end
v: |
  no newline
  at all"""
FLOW = """\
{
  "a": 1, # one
  "b": [
    "x",
    "y"   # two
  ],
\t"c": {"d": [], "f": null,},
  "h": [a: 1, b: {c}]
}
"""
FLEET = [file.read_bytes().decode() for file in sorted(Path("manifests").rglob("*.yaml"))]

words = st.text("abn01:#-?!&*%@`'\"{}[],|>~=<. \t\n\x07\x85\u2028😀é\\", max_size=12)
lines = st.lists(st.sampled_from(["", "two words", " lead", "trail ", "# no: comment", "- x", "---"]), max_size=4)
texts = words | lines.map("\n".join) | lines.map(lambda found: "\n".join([*found, ""]))
values = st.recursive(
    texts
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.none()
    | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
ordinary = st.integers(0, 2**32).map(lambda seed: Writer(seed).document())
as_json = st.builds(
    lambda value, indent: json.dumps(value, indent=indent),
    st.dictionaries(st.text("ab c", min_size=1, max_size=3), values, min_size=1, max_size=4),
    st.sampled_from([None, 2, 4, "\t"]),
)


@st.composite
def streams(draw, texts):
    """Draw a text in one of the ways that files are kept: line ends, byte order mark, no last line end."""
    text = draw(texts)
    text = draw(st.sampled_from([text, text, text.rstrip("\n"), "\ufeff" + text, text.replace("\n", "\r\n")]))
    documents, _ = parse(text)
    assume(documents)
    document = draw(st.sampled_from(documents))
    assume(isinstance(document.value, dict))
    return text, document


def paths(value, at=()):
    """Yield every path below a value."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*at, key)
        yield from paths(item, (*at, key))


@st.composite
def edits_of(draw, value):
    """Draw edits of a document: other values, new keys and items, removals."""
    edits = []
    for _ in range(draw(st.integers(1, 3))):
        there = list(paths(value))
        at = draw(st.sampled_from(there)) if there else ("new",)
        if draw(st.integers(0, 4)) == 0:
            at = (*at[:-1], "new") if isinstance(at[-1], str) else at
        edits.append(Edit(at, draw(values | st.just(REMOVED))))
        value = edited(value, edits[-1:])
    return edits


def read(text):
    """Return the values of a stream by their numbers."""
    return {one.index: one.value for one in parse(text)[0]}


def lines_of_untouched(text, before, after):
    """Return the lines that hold a top-level key whose value is the same before and after, if it is a block map."""
    kept = {key for key in before if key in after and same(before[key], after[key])}
    lines = text.removeprefix("\ufeff").splitlines()
    return [line for line in lines if line.partition(":")[0] in kept]


@law
@given(streams(ordinary), st.data())
def test_what_is_read_is_what_was_asked_for(stream, data):
    """Ordinary YAML takes every edit; reading it gives the edited value, and untouched keys keep their lines."""
    text, document = stream
    edits = data.draw(edits_of(document.value))
    target = edited(document.value, edits)
    after = amend(text, document=document.index, edits=edits)
    assert same(read(after).get(document.index), target)
    assert lines_of_untouched(after, document.value, target) == lines_of_untouched(text, document.value, target)
    assert after.startswith("\ufeff") is text.startswith("\ufeff")
    assert ("\r\n" in after) <= ("\r\n" in text)


@law
@given(streams(as_json | st.sampled_from([ALIASED, SEVERAL, FLOW])), st.data())
def test_hostile_yaml_is_amended_rightly_or_not_at_all(stream, data):
    """Anchors, merges, odd layouts: the value asked for and every other document as it was, or a refusal."""
    text, document = stream
    edits = data.draw(edits_of(document.value))
    before = read(text)
    try:
        after = amend(text, document=document.index, edits=edits)
    except CannotAmend as refused:
        assert "*" in refused.message or "<<" in refused.message, refused.message  # noqa: PT017 - both are right
        return
    assert same(read(after), before | {document.index: edited(document.value, edits)})


@law
@given(streams(ordinary | as_json | st.sampled_from([ALIASED, SEVERAL, FLOW, TEXT])))
def test_the_present_value_changes_nothing(stream):
    """To write what is there leaves every byte."""
    text, document = stream
    edits = [Edit(at, value_at(document.value, at)) for at in paths(document.value)]
    assert amend(text, document=document.index, edits=edits) == text


def value_at(value, at):
    """Return what stands at a path."""
    for key in at:
        value = value[key]
    return value


@law
@given(st.sampled_from(FLEET), st.data())
def test_a_change_and_its_undoing_leave_the_fleet_as_it_was(text, data):
    """In the example fleet a changed text, put back, gives the file again, so that a capture can be reverted."""
    document = parse(text)[0][0]
    there = [at for at in paths(document.value) if isinstance(value_at(document.value, at), str)]
    at = data.draw(st.sampled_from(there))
    old = value_at(document.value, at)
    changed = amend(text, document=0, edits=[Edit(at, old.replace("e", "E") + "x")])
    assert amend(changed, document=0, edits=[Edit(at, old)]) == text
