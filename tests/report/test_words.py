"""Diffs of prose: complete, and never slow."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.report.lines import hunks
from reconciler.report.prose import words
from reconciler.report.style import Style
from reconciler.report.words import prose_diff

PLAIN = Style(color=False, width=60)
TEXT = st.lists(st.sampled_from("abc")).map("\n".join)


@given(st.lists(st.sampled_from("abcd")), st.lists(st.sampled_from("abcd")))
def test_hunks_lead_from_the_old_lines_to_the_new(old, new):
    """And what lies between them is equal."""
    built, here = [], 0
    for hunk in hunks(old, new):
        built += old[here : hunk.old.start]
        assert len(built) == hunk.new.start
        built += new[hunk.new.start : hunk.new.stop]
        here = hunk.old.stop
    assert built + old[here:] == new
    assert not (old == new and list(hunks(old, new)))


@given(st.text("ab .\t", max_size=40), st.text("ab .\t", max_size=40))
def test_the_pieces_of_a_line_are_both_versions(was, now):
    """No character is lost."""
    pieces = words(was, now)
    assert "".join(piece.old for piece in pieces) == was
    assert "".join(piece.new for piece in pieces) == now


@given(TEXT, TEXT)
def test_a_difference_is_always_shown(old, new):
    """And nothing is marked where there is none."""
    shown = [line for line in prose_diff(old, new, style=PLAIN) if line[0] in "~+-"]
    assert bool(shown) == (old != new)


def diff_of(old, new):
    """Return the lines of a diff without colours."""
    return list(prose_diff(old, new, style=PLAIN))


def test_lines_that_came_and_went():
    """By line, with their neighbours."""
    assert diff_of("a\nb\nc\n", "a\nc\nd\n") == ["  a", "- b", "  c", "+ d"]


def test_a_line_that_became_two():
    """The one that is alike is its successor."""
    assert diff_of("Be kind to all of them.\nend", "Be kind to all of us.\nAlways.\nend") == [
        "~ Be kind to all of [-them-]{+us+}.",
        "+ Always.",
        "  end",
    ]


def test_a_line_that_became_another_altogether():
    """Words in common by chance are not marked."""
    assert diff_of("Be kind.", "Answer in formal English only") == ["- Be kind.", "+ Answer in formal English only"]


def test_words_side_by_side_are_one_change():
    """The space between them is no reason to part them."""
    assert diff_of("please say something useful to them", "please say nothing harmful to them") == [
        "~ please say [-something useful-]{+nothing harmful+} to them"
    ]


def test_the_end_of_the_last_line():
    """A line feed that came or went is seen."""
    assert diff_of("a\nb", "a\nb\n")[-1] == "+ the end of the last line"
    assert diff_of("a\nb\n", "a\nb")[-1] == "- the end of the last line"


def test_line_ends_of_another_system_are_seen():
    """They are characters like any other."""
    assert diff_of("one two three four", "one two three four\r") == ["~ one two three four{+\\r+}"]


def test_what_did_not_change_in_a_long_line_is_left_out():
    """A paragraph on one line stays readable."""
    old = "many words that stay " * 50 + "before" + " and many more that stay too" * 50
    (line,) = diff_of(old, old.replace("before", "after"))
    assert "[-before-]{+after+}" in line
    assert len(line) < 120


def test_colors_stand_for_the_marks():
    """Reversed, so that spaces are seen."""
    (line,) = prose_diff("be very kind", "be most kind", style=Style(color=True, width=60))
    assert line == "\x1b[33m~ \x1b[0mbe \x1b[31;7mvery\x1b[0m\x1b[32;7mmost\x1b[0m kind"


def test_no_more_than_four_hundred_lines():
    """And the reader is told."""
    lines = diff_of("\n".join(f"old {n}" for n in range(5000)), "\n".join(f"new {n}" for n in range(5000)))
    assert len(lines) < 1000
    assert lines[-1] == "⋮ no more than 400 changed lines are shown"


MIB = 2**20
DICE = random.Random(7)
HOSTILE = {
    "one letter": ("a\n" * (MIB // 2), "b\n" * (MIB // 2)),
    "coins": tuple("\n".join(DICE.choices("ab", k=MIB // 2)) for _ in range(2)),
    "periods": ("a\nb\n" * (MIB // 4), "b\na\nc\n" * (MIB // 6)),
    "one line": tuple(" ".join(DICE.choices(("alpha", "of", "the"), k=MIB // 5)) for _ in range(2)),
    "blocks": tuple("".join("\n".join(DICE.choices("ab", k=90)) + f"\nU{n}\n" for n in range(5000)) for _ in range(2)),
    "wordy": tuple("".join(" ".join(DICE.choices("ab", k=45)) + f" U{n}\n" for n in range(9000)) for _ in range(2)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_mebibyte_takes_less_than_a_second(name):
    """Though lines or words repeat in the worst ways."""
    old, new = HOSTILE[name]
    start = time.process_time()
    diff_of(old, new)
    assert time.process_time() - start < 1
