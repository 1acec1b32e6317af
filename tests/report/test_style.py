"""Safe text, and its width."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.report.style import Style, cells, clean, counted, cut, cut_left, pad


@given(st.text())
def test_clean_text_has_nothing_that_a_terminal_obeys(text):
    """Nor anything that hides; and cleaning twice is cleaning once."""
    safe = clean(text)
    assert "\x1b" not in safe
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in safe)
    assert not set(safe) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u200b\ufeff")
    assert clean(safe) == safe
    safe.encode()


@given(st.text(), st.integers(1, 30))
def test_cut_text_fits(text, width):
    """In columns, from either side."""
    assert cells(cut(text, width)) <= width
    assert cells(cut_left(text, width)) <= width


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("漢字", 4), ("é", 1), ("e\u0301", 1), ("👩\u200d💻", 4), ("…", 1)]
)
def test_columns(text, columns):
    """Wide, combining and joined characters."""
    assert cells(text) == columns
    assert cells(pad(text, 10)) == 10


def test_emoji_stay_whole_and_hidden_joiners_do_not():
    """A joiner inside a plain word is there to deceive."""
    assert clean("👩\u200d💻") == "👩\u200d💻"
    assert clean("to\u200dken") == "to\\u200dken"


def test_paint():
    """Clean first, then colour."""
    assert Style(color=True).paint("a\x1b", "red", "bold") == "\x1b[31;1ma\\x1b\x1b[0m"
    assert Style(color=False).paint("a", "red") == "a"
    assert Style(color=True).paint("", "red") == ""


def test_counted():
    """One is not many."""
    assert [counted(n, "file") for n in (0, 1, 1234)] == ["0 files", "1 file", "1,234 files"]
