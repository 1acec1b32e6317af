"""What the YAML reader accepts, refuses, and says about it."""

import json
import math
import pickle
import re
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.manifest import places
from reconciler.manifest.parse import MAX_BYTES, ParseFault, parse

KEY_ADVICE = "keys must be text: quote it"
ZERO_ADVICE = "is read differently by different YAML versions: quote it, or drop the zero"
NO_JSON = "has no place in JSON: quote it if it is text"
TAB_ADVICE = "found a tab where only spaces can stand: use spaces"
COLON_ADVICE = 'quote a text that holds ": ", or check the indentation'
DIGITS = "does not fit into 64 bits, and would not arrive whole: quote it if it is text"

BOTH_PARSERS = pytest.mark.parametrize("parser", [places._Parser, places._PythonParser], ids=["libyaml", "python"])


def only(text):
    """Return the value of the one document in a text without faults."""
    documents, faults = parse(text)
    assert [str(fault) for fault in faults] == []
    assert len(documents) == 1
    return documents[0].value


def complaints(text):
    """Return the faults of a text as a reader sees them."""
    return [str(fault) for fault in parse(text)[1]]


SCALARS = [
    ("", None),
    ("~", None),
    ("null", None),
    ("Null", None),
    ("NULL", None),
    ("nULL", "nULL"),
    ("true", True),
    ("True", True),
    ("TRUE", True),
    ("tRUE", "tRUE"),
    ("false", False),
    ("False", False),
    ("FALSE", False),
    ("no", "no"),
    ("No", "No"),
    ("on", "on"),
    ("off", "off"),
    ("yes", "yes"),
    ("y", "y"),
    ("n", "n"),
    ("0", 0),
    ("-0", 0),
    ("12", 12),
    ("-12", -12),
    ("+12", 12),
    ("0o17", 15),
    ("0O17", "0O17"),
    ("0xfF", 255),
    ("-0xFF", "-0xFF"),
    ("0b11", "0b11"),
    ("1_000", "1_000"),
    ("1:30", "1:30"),
    ("2024-01-01", "2024-01-01"),
    ("1.2.3", "1.2.3"),
    ("-", [None]),
    ("--", "--"),
    ("+", "+"),
    (".", "."),
    ("...x", "...x"),
    ("1.5", 1.5),
    ("1.", 1.0),
    (".5", 0.5),
    ("-.5", -0.5),
    ("+1.5", 1.5),
    ("010.5", 10.5),
    ("1e3", 1000.0),
    ("1E-3", 0.001),
    ("12e03", 12000.0),
    ("1e", "1e"),
    ("e3", "e3"),
    ("1.5.", "1.5."),
    (".Nan", ".Nan"),
    ("inf", "inf"),
    ("NaN", "NaN"),
    ("\u0661", "\u0661"),
    ("<<", "<<"),
    ("=", "="),
    ("1 2", "1 2"),
    ("'12'", "12"),
    ('"true"', "true"),
    ("''", ""),
    ("!!str 12", "12"),
    ("!!str", ""),
    ('!!str "x"', "x"),
    ("!!str null", "null"),
    ("12 # comment", 12),
]


@BOTH_PARSERS
@pytest.mark.parametrize(("written", "meant"), SCALARS)
def test_scalars_follow_the_core_schema_of_yaml_1_2(written, meant, parser, monkeypatch):
    """A plain scalar is null, a boolean or a number only where YAML 1.2 says so; the rest is text."""
    monkeypatch.setattr(places, "_Parser", parser)
    value = only(f"a:\n  {written}\n")["a"]
    assert (value, type(value)) == (meant, type(meant))


@pytest.mark.parametrize("indicator", ["|", ">", "|-", ">-"])
def test_a_block_scalar_is_text(indicator):
    """A block scalar is text, whatever it looks like."""
    assert only(f"a: {indicator}\n  012\n")["a"].strip() == "012"


def test_integers_are_exact_up_to_the_limit():
    """An integer keeps every digit up to 64 bits, in any base; beyond, no platform would return it whole."""
    assert only(f"[{2**63 - 1}, {-(2**63)}]") == [2**63 - 1, -(2**63)]
    assert only("0x7fffffffffffffff") == 2**63 - 1


REFUSED_SCALARS = [
    ("012", f"012 {ZERO_ADVICE}"),
    ("00", f"00 {ZERO_ADVICE}"),
    ("-012", f"-012 {ZERO_ADVICE}"),
    ("+089", f"+089 {ZERO_ADVICE}"),
    ("0" * 5000, f"this number {ZERO_ADVICE}"),
    (f"{2**63}", f"this number {DIGITS}"),
    (f"-{2**63 + 1}", f"this number {DIGITS}"),
    ("0xffffffffffffffff", f"this number {DIGITS}"),
    ("0o7777777777777777777777", f"this number {DIGITS}"),
    (".inf", f".inf {NO_JSON}"),
    ("-.INF", f"-.INF {NO_JSON}"),
    ("+.Inf", f"+.Inf {NO_JSON}"),
    (".nan", f".nan {NO_JSON}"),
    (".NaN", f".NaN {NO_JSON}"),
    ("1e999", "this number is too large a number: quote it if it is text"),
    ("!!int 3", "tag !!int is not supported"),
    ("!!float 3", "tag !!float is not supported"),
    ("!!binary aGk=", "tag !!binary is not supported"),
    ("!!python/name:os.system", "tag !!python/name:os.system is not supported"),
    ("!secret x", "tag !secret is not supported"),
    ("! 12", "tag ! is not supported"),
    ("!<tag:example.org,2024:x> x", "tag tag:example.org,2024:x is not supported"),
    ("!!str [x]", "tag !!str is not supported"),
    ("!!map {x: 1}", "tag !!map is not supported"),
    ("!x {x: 1}", "tag !x is not supported"),
]


@BOTH_PARSERS
@pytest.mark.parametrize(("written", "complaint"), REFUSED_SCALARS)
def test_what_could_be_misread_is_refused(written, complaint, parser, monkeypatch):
    """A value that others would read differently, or that JSON cannot carry, is a fault at its place."""
    monkeypatch.setattr(places, "_Parser", parser)
    assert complaints(f"ok: 1\né😀: {written}\n") == [f"2:5: {complaint}"]


KEYS = [
    ("1: x", f"1:1: {KEY_ADVICE}"),
    ("true: x", f"1:1: {KEY_ADVICE}"),
    ("null: x", f"1:1: {KEY_ADVICE}"),
    ("~: x", f"1:1: {KEY_ADVICE}"),
    ("1.5: x", f"1:1: {KEY_ADVICE}"),
    ("?\n: x", f"1:2: {KEY_ADVICE}"),
    ("? [a, {b: c}]\n: x", f"1:3: {KEY_ADVICE}"),
    ("? {1: {2: 3}}\n: x", f"1:3: {KEY_ADVICE}"),
    ("a: {{ name }}", f"1:5: {KEY_ADVICE}"),
    ("a: &a [x]\n*a : y", f"2:1: {KEY_ADVICE}"),
    ("012: x", f"1:1: 012 {ZERO_ADVICE}"),
    ("!x a: x", "1:1: tag !x is not supported"),
    ("a: 1\nb: 2\na: 3", '3:1: duplicate key "a" (first on line 1)'),
    ("a: 1\n'a': 2", '2:1: duplicate key "a" (first on line 1)'),
    ("a: &k b\nb: 1\n*k : 2", '3:1: duplicate key "b" (first on line 2)'),
    ("a: {b: 1, b: 2}", '1:11: duplicate key "b" (first on line 1)'),
    ("a:\n  - é: {}\n    é: {}", '3:5: duplicate key "é" (first on line 2)'),
    ('"a\\n\\e[0m": 1\n"a\\n\\e[0m": 1', '2:1: duplicate key "a\\n\\x1b[0m" (first on line 1)'),
    (f"{'k' * 70}: 1\n{'k' * 70}: 1", f'2:1: duplicate key "{"k" * 57}..." (first on line 1)'),
    ("x: &x {}\n<<: *x\n<<: *x", '3:1: duplicate key "<<" (first on line 2)'),
]


@BOTH_PARSERS
@pytest.mark.parametrize(("text", "complaint"), KEYS)
def test_keys_are_text_and_stand_once(text, complaint, parser, monkeypatch):
    """A key must be text and unique in its mapping; the fault names the line of the first one."""
    monkeypatch.setattr(places, "_Parser", parser)
    assert complaints(text) == [complaint]


def test_a_quoted_key_is_text():
    """Quoting makes any key good, also those that are null, a number or the merge sign without quotes."""
    text = '"1": a\n"null": b\n"": c\n"<<": d\n!!str 2: e\non: f\nno: g\n&k key: h\n'
    assert "".join(only(text).values()) == "abcdefgh"
    assert list(only(text)) == ["1", "null", "", "<<", "2", "on", "no", "key"]


def test_one_fault_does_not_hide_another():
    """Every fault of every document is reported, in the order of the text, and sound documents are kept."""
    text = "a: 1\na: 2\nb: 012\n1: !x y\n---\nok: 1\n---\na: .nan\n---\nok: 2\n"
    documents, faults = parse(text)
    assert [(fault.line, fault.column) for fault in faults] == [(2, 1), (3, 4), (4, 1), (4, 4), (8, 4)]
    assert [(one.value, one.line, one.index) for one in documents] == [({"ok": 1}, 6, 1), ({"ok": 2}, 10, 3)]


def test_a_syntax_error_ends_the_stream_but_not_what_came_before():
    """Documents and faults before a syntax error are kept; the document it stands in is not."""
    documents, faults = parse("ok: 1\n---\na: 1\na: 2\n---\na\nb: 1\n---\nok: 2\n")
    assert [one.value for one in documents] == [{"ok": 1}]
    assert [fault.line for fault in faults] == [4, 7]


def test_a_flood_of_faults_is_cut():
    """After 100 faults reading stops and says so."""
    _, faults = parse("012: x\n" * 1000)
    assert len(faults) == 101
    assert faults[-1].message == "too many faults: the rest was not read"


DOCUMENTS = [
    ("", []),
    ("\n \n", []),
    ("# only a comment\n", []),
    ("---\n", []),
    ("---\n# comment\n---\n...\n", []),
    ("--- &a\n", []),
    ("null", [(None, 1, 0)]),
    ("--- ~\n", [(None, 1, 0)]),
    ("--- !!str\n", [("", 1, 0)]),
    ("--- ''\n", [("", 1, 0)]),
    ("text", [("text", 1, 0)]),
    ("\ufeffa: 1", [({"a": 1}, 1, 0)]),
    ("# comment\n\na: 1\n", [({"a": 1}, 3, 0)]),
    ("---\n---\n# c\n---\na: 1\n", [({"a": 1}, 5, 2)]),
    ("a: 1\n...\n---\nb: 2\n", [({"a": 1}, 1, 0), ({"b": 2}, 4, 1)]),
    ("a: 1\r\n---\r\nb: 2\r\n", [({"a": 1}, 1, 0), ({"b": 2}, 3, 1)]),
    ("%YAML 1.2\n---\na: no\n", [({"a": "no"}, 3, 0)]),
    ("%YAML 1.1\n---\na: no\n", [({"a": "no"}, 3, 0)]),
    ("%TAG !e! tag:example.org,2024:\n--- {a: 1}\n", [({"a": 1}, 2, 0)]),
]


@BOTH_PARSERS
@pytest.mark.parametrize(("text", "found"), DOCUMENTS)
def test_documents_keep_their_line_and_number(text, found, parser, monkeypatch):
    """Empty documents are skipped but counted; a document starts on the line of its content."""
    monkeypatch.setattr(places, "_Parser", parser)
    documents, faults = parse(text)
    assert faults == []
    assert [(one.value, one.line, one.index) for one in documents] == found


ALIASES = [
    ("a: &x 1\nb: *x", {"a": 1, "b": 1}),
    ("a: &x !!str 1\nb: *x", {"a": "1", "b": "1"}),
    ("a: &x '1'\nb: *x", {"a": "1", "b": "1"}),
    ("a: &x {k: [1]}\nb: *x", {"a": {"k": [1]}, "b": {"k": [1]}}),
    ("a: &x name\n*x : 1", {"a": "name", "name": 1}),
    ("a: &x 1\nb: &x 2\nc: *x", {"a": 1, "b": 2, "c": 2}),
    ("a: &x [&x b, *x]\nc: *x", {"a": ["b", "b"], "c": "b"}),
    ("a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}", {"a": {"p": 1, "q": 2}, "b": {"p": 1, "q": 3}}),
    ("a: &x {p: 1, q: 2}\nb: {q: 3, <<: *x}", {"a": {"p": 1, "q": 2}, "b": {"p": 1, "q": 3}}),
    ("- &x {p: 1}\n- &y {p: 2, q: 2}\n- <<: [*x, *y]", [{"p": 1}, {"p": 2, "q": 2}, {"p": 1, "q": 2}]),
    (
        "- &x {p: 1}\n- &y {<<: *x, q: 1}\n- <<: *y\n  r: 1",
        [{"p": 1}, {"p": 1, "q": 1}, {"p": 1, "q": 1, "r": 1}],
    ),
    ("<<: {p: 1}\nq: 2", {"p": 1, "q": 2}),
    ("<<: []\nq: 2", {"q": 2}),
]


@BOTH_PARSERS
@pytest.mark.parametrize(("text", "meant"), ALIASES)
def test_aliases_repeat_and_merges_fill_in(text, meant, parser, monkeypatch):
    """An alias repeats the latest node of its name; what is written wins over what is merged."""
    monkeypatch.setattr(places, "_Parser", parser)
    assert only(text) == meant


def test_merging_leaves_the_source_alone():
    """A merge copies: the mapping it takes from stays as it was."""
    assert only("a: &x {p: {q: 1}}\nb: {<<: *x, r: 2}\nc: *x") == {
        "a": {"p": {"q": 1}},
        "b": {"p": {"q": 1}, "r": 2},
        "c": {"p": {"q": 1}},
    }


MERGE_ADVICE = '"<<" takes an alias of a mapping, or a list of such aliases'
BAD_ALIASES = [
    ("a: *x", "1:4: alias *x has no anchor above it"),
    ("a: &x 1\n---\nb: *x", "3:4: alias *x has no anchor above it"),
    ("*x", "1:1: alias *x has no anchor above it"),
    ("a: &x [*x]", "1:8: alias *x stands inside what it repeats"),
    ("&x a: &y {b: [*y]}", "1:15: alias *y stands inside what it repeats"),
    ("a: &x {<<: *x}", "1:12: alias *x stands inside what it repeats"),
    ("<<: 1", f"1:5: {MERGE_ADVICE}"),
    ("<<:", f"1:4: {MERGE_ADVICE}"),
    ("a: &x [1]\nb: {<<: *x}", f"2:9: {MERGE_ADVICE}"),
    ("<<: [{a: 1}, b, c]", f"1:5: {MERGE_ADVICE}"),
    ("<<: *x", "1:5: alias *x has no anchor above it"),
]


@BOTH_PARSERS
@pytest.mark.parametrize(("text", "complaint"), BAD_ALIASES)
def test_aliases_need_something_to_repeat(text, complaint, parser, monkeypatch):
    """An alias of nothing or of itself, and a merge of what is no mapping, is one fault."""
    monkeypatch.setattr(places, "_Parser", parser)
    assert complaints(text) == [complaint]


SYNTAX = [
    ("a:\n\tb: 1", f"2:1: {TAB_ADVICE}"),
    ("a:\n  b: 1\n\tc: 2\n", f"3:1: {TAB_ADVICE}"),
    ("a: |\n\ttext\n", f"2:1: {TAB_ADVICE}"),
    ("-\ta", f"1:2: {TAB_ADVICE}"),
    ("\t", f"1:1: {TAB_ADVICE}"),
    ("é: 😀: c", f"1:5: mapping values are not allowed in this context: {COLON_ADVICE}"),
    ("\ufeffa: b: c", f"1:5: mapping values are not allowed in this context: {COLON_ADVICE}"),
    ("a: 1\n b: 2\n", f"2:3: mapping values are not allowed in this context: {COLON_ADVICE}"),
    ("é: @x", '1:4: found character "@" that cannot start any token: quote the text'),
    ("a: [1, 2", '1:4: this "[" is never closed'),
    ("\ufeffa: `x", '1:4: found character "`" that cannot start any token: quote the text'),
    ("%YAML 1.2\n \n\n", '1:10: did not find expected <document start>: separate documents with "---"'),
    ("a: [1,", '1:7: a "[" or "{" above is never closed'),
    ("a: [1, 2\n\n \n", '1:4: this "[" is never closed'),
    ("a: {b: 1\n", '1:4: this "{" is never closed'),
    ("a: [1, 2\nb: 3\n", "2:2: did not find expected ',' or ']' for the \"[\" of line 1"),
    ("a: [1}", "1:6: did not find expected ',' or ']'"),
    ("b: 1\na: 'x\n", "2:4: this quote is never closed"),
    ('a: "x\n---\nb: 1\n', "1:4: this quote is never closed"),
    ("a: 1\nfoo\nb: 2\n", "2:1: could not find expected ':': write \"key: value\", or check the indentation"),
    ("a:\n  b: 1\n c: 2\n", "3:2: did not find expected key: check the indentation and the quotes"),
    ("a: 'it's'", "1:8: did not find expected key: check the indentation and the quotes"),
    ("- a\nb: 1", "2:1: did not find expected '-' indicator: check the indentation"),
    ('a: "\\d+"', "1:5: found unknown escape character: use single quotes, or double the backslash"),
    (
        "a: *",
        "1:5: did not find expected alphabetic or numeric character: quote a text that begins with * or &",
    ),
    ("a: !x!y z", "1:4: found undefined tag handle: quote a text that begins with !"),
    ("%YAML 1.2\na: 1", '2:1: did not find expected <document start>: separate documents with "---"'),
    ("a: !%ed%a0%80 x", "1:1: what follows this cannot be read: check its escapes"),
    ("a: \0", "1:4: character U+0000 is not allowed"),
    ("a: 1\r\né😀 \x07", "2:4: character U+0007 is not allowed"),
    ("a: 1\n---\nb: \x7f", "3:4: character U+007F is not allowed"),
    ("a: \ud800", "1:4: character U+D800 is not allowed"),
    ("a: \uffff", "1:4: character U+FFFF is not allowed"),
    ("%TAG !a! x\n" * 1001 + "--- a", "1:1: too many %TAG directives"),
]


@pytest.mark.skipif(places._Parser is places._PythonParser, reason="the words are libyaml's")
@pytest.mark.parametrize(("text", "complaint"), SYNTAX)
def test_syntax_errors_say_what_to_do_and_where(text, complaint):
    """A syntax error is one line of plain words at the place to look at, counted in characters."""
    assert complaints(text) == [complaint]


def test_the_python_parser_takes_over_where_libyaml_is_missing(monkeypatch):
    """Without libyaml the same places are reported, and half a character behind an escape is refused too."""
    monkeypatch.setattr(places, "_Parser", places._PythonParser)
    assert [line[:5] for line in complaints("a: 1\n---\na: b: c")] == ["3:5: "]
    assert complaints("a: 1\n\tb: 2") == [f"2:1: {TAB_ADVICE}"]
    assert complaints('a: "\\ud800"') == ["1:4: found invalid Unicode character"]
    assert complaints('a: "\\UFFFFFFFF"') == ["1:1: what follows this cannot be read: check its escapes"]


def test_depth_is_bounded():
    """64 levels are read, 65 are refused, also when an alias adds the last one."""
    assert only("[" * 64 + "]" * 64)
    assert complaints("[" * 65 + "]" * 65) == ["1:65: nested more than 64 levels deep"]
    deep = "a: &a " + "[" * 40 + "]" * 40 + "\nb: "
    assert only(deep + "[" * 23 + "*a" + "]" * 23)
    assert complaints(deep + "[" * 24 + "*a" + "]" * 24) == ["2:28: alias *a nests more than 64 levels deep"]


def test_depth_counts_through_aliases_of_aliases():
    """An alias is as deep as what it repeats, though that be an alias too."""
    text = "a: &a [[[[[[[[[[]]]]]]]]]]\n" + "b: &b [[[[[[[[[[*a]]]]]]]]]]\n" + "c: " + "[" * 44 + "{}" + "]" * 44
    assert only(text)
    text = "a: &a " + "[" * 30 + "]" * 30 + "\nb: &b " + "[" * 30 + "*a" + "]" * 30 + "\nc: [[[[*b]]]]"
    assert complaints(text) == ["3:8: alias *b nests more than 64 levels deep"]
    text = "a: &a [" + "[" * 60 + "]" * 60 + ", &b []]\nc: [[[*a]]]"
    assert complaints(text) == ["2:7: alias *a nests more than 64 levels deep"]


def test_a_document_is_bounded_and_the_next_one_starts_anew():
    """A document has at most 100,000 nodes; a stream may have more."""
    half = "- 1\n" * 60_000
    assert [len(one.value) for one in parse(f"{half}---\n{half}")[0]] == [60_000, 60_000]
    assert complaints(half * 2) == ["100000:3: document has more than 100,000 nodes: split it"]


def bomb(first, level):
    """Return a text in which each line repeats the one above nine times."""
    lines = [f"a0: &a0 {first}"]
    lines += [f"a{n}: &a{n} " + level([f"*a{n - 1}"] * 9) for n in range(1, 30)]
    return "\n".join(lines)


HOSTILE = [
    ("[" * 200_000, "nested more than 64 levels deep"),
    ("{" * 200_000, "nested more than 64 levels deep"),
    ("[{" * 100_000, "nested more than 64 levels deep"),
    ("- " * 100_000, "nested more than 64 levels deep"),
    ("? " * 100_000, "nested more than 64 levels deep"),
    ("a: " + "[" * 200_000, "nested more than 64 levels deep"),
    ("".join(" " * n + "a:\n" for n in range(600)), "nested more than 64 levels deep"),
    (bomb("[x]", lambda names: f"[{', '.join(names)}]"), "aliases expand to more than 100,000 nodes"),
    (
        bomb("{x: 1}", lambda names: "{" + ", ".join(f"k{n}: {name}" for n, name in enumerate(names)) + "}"),
        "aliases expand to more than 100,000 nodes",
    ),
    (
        "a: &a {" + ", ".join(f"k{n}: 1" for n in range(1000)) + "}\nb:\n" + ("- <<: [*a, *a, *a, *a, *a]\n" * 500),
        "aliases expand to more than 100,000 nodes",
    ),
    (
        f"a: &a '{'x' * 100_000}'\nb: [{'*a, ' * 500}]",
        f"aliases expand to more than {MAX_BYTES:,} characters",
    ),
    (
        f"a: &a ['{'x' * 100_000}']\nb: &b [{'*a, ' * 50}]\nc: [{'*b, ' * 50}]",
        f"aliases expand to more than {MAX_BYTES:,} characters",
    ),
    ("\0" * 200_000, "character U+0000 is not allowed"),
    ("a: 1\n" * 40_000, "too many faults: the rest was not read"),
    ("- !x a\n" * 30_000, "too many faults: the rest was not read"),
    ("".join(f"- *a{n}\n" for n in range(20_000)), "too many faults: the rest was not read"),
    ("a: " + "9" * 200_000, f"this number {DIGITS}"),
    ("a: 0x" + "f" * 200_000, f"this number {DIGITS}"),
    ("a: 1e" + "9" * 200_000, "this number is too large a number: quote it if it is text"),
    ("".join(f"%TAG !a{n}! x\n" for n in range(20_000)), "too many %TAG directives"),
    ("[ , " * 50_000, "did not find expected node content"),
]


@pytest.mark.parametrize(("text", "complaint"), HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_are_refused_at_once(text, complaint):
    """What is made to exhaust time, memory or the stack is refused within 50 ms."""
    took = []
    for _ in range(3):
        start = time.process_time()
        documents, faults = parse(text)
        took.append(time.process_time() - start)
    assert documents == []
    assert faults[-1].message == complaint
    assert min(took) < 0.05


def test_a_fault_can_be_sent_between_processes():
    """A fault survives pickling and reads as line, column, message."""
    copy = pickle.loads(pickle.dumps(ParseFault("wrong", 3, 7)))
    assert (copy.message, copy.line, copy.column, str(copy)) == ("wrong", 3, 7, "3:7: wrong")


def test_a_fault_does_not_hold_on_to_the_text():
    """A reported fault carries no traceback, whose frames would keep the whole file in memory."""
    assert [fault.__traceback__ for fault in parse("[" * 70)[1]] == [None]


# Laws: what holds for any value or text.

PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co", "Zl", "Zp"]), max_size=30)
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)


def values(text):
    """Return a strategy for what JSON can carry."""
    return st.recursive(
        LEAVES | text,
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(text, inner, max_size=5),
        max_leaves=20,
    )


class Quoting(yaml.SafeDumper):
    """Quotes all text, because the dumper knows only what YAML 1.1 would misread."""


Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


@BOTH_PARSERS
@settings(deadline=None)
@given(value=values(st.text(max_size=30)), flow=st.sampled_from([True, False, None]), unicode=st.booleans())
def test_what_was_dumped_is_read_back(parser, value, flow, unicode):
    """Any value dumped as YAML is read back the same, types and order included."""
    text = yaml.dump(value, Dumper=Quoting, default_flow_style=flow, sort_keys=False, allow_unicode=unicode)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "_Parser", parser)
        assert repr(only(text)) == repr(value)


@settings(deadline=None)
@given(value=values(PRINTABLE), indent=st.sampled_from([None, 2]))
def test_json_is_yaml(value, indent):
    """Any value written as JSON is read back the same, types and order included."""
    assert repr(only(json.dumps(value, ensure_ascii=False, indent=indent))) == repr(value)


SAMPLE = """\
kind: Agent
metadata: &m {name: é😀, "org": acme}
spec:
  <<: *m
  prompt: |
    Be kind.
  tags: [a, 'b', !!str 1]  # three
  limits:
  - {n: 0x1F, f: 1e3}
--- # next
"""
INDICATORS = st.text(" \n\t\r-?:,[]{}#&*!|>'\"%@`<~.=+\\0123xaeénulltrue\x85\u2028\ufeff\0\x07\ud800😀", max_size=80)


@st.composite
def spoiled(draw):
    """Return a manifest in which a piece is replaced by something else."""
    start = draw(st.integers(0, len(SAMPLE)))
    end = draw(st.integers(start, min(len(SAMPLE), start + 6)))
    return SAMPLE[:start] + draw(INDICATORS) + SAMPLE[end:]


@BOTH_PARSERS
@settings(deadline=None, max_examples=300)
@given(text=st.text() | INDICATORS | spoiled())
def test_any_text_gives_values_or_faults_and_never_an_exception(parser, text):
    """Any text is read without an exception; JSON can carry each value, each fault points into the text."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "_Parser", parser)
        documents, faults = parse(text)
    lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", text.removeprefix("\ufeff"))
    for fault in faults:
        assert fault.message.isprintable()
        assert len(fault.message) < 200
        assert 1 <= fault.line <= len(lines)
        assert 1 <= fault.column <= len(lines[fault.line - 1]) + 1
    for document in documents:
        json.dumps(document.value, allow_nan=False)
        assert 1 <= document.line <= len(lines)
    assert len({document.index for document in documents}) == len(documents)


def test_no_float_is_left_that_json_cannot_carry():
    """The words for infinity and not-a-number are refused in every spelling that YAML knows."""
    words = [sign + dot for sign in ("", "-", "+") for dot in (".inf", ".Inf", ".INF")] + [
        ".nan",
        ".NaN",
        ".NAN",
    ]
    assert len(complaints("\n".join(f"- {word}" for word in words))) == len(words)
    assert math.isinf(yaml.safe_load(".inf"))


@pytest.mark.parametrize(
    "text",
    [
        "token: 0123456789\n",
        "pin: 99999999999999999999\n",
        "xoxb-12345: a\nxoxb-12345: b\n",
        "a: *xoxb-12345\n",
        "a: !xoxb-12345 b\n",
    ],
)
def test_a_message_repeats_nothing_that_may_be_a_secret(text):
    """A number, key, alias or tag in the form of a secret is pointed at, not repeated."""
    messages = " ".join(fault.message for fault in parse(text)[1])
    assert messages
    assert not any(secret in messages for secret in ("0123456789", "99999999999999999999", "xoxb"))
