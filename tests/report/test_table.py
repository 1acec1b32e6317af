"""Tables in plain text."""

from reconciler.report.style import Style
from reconciler.report.table import table


def test_columns_are_as_wide_as_what_is_in_them():
    """Columns line up, wide characters and controls counted as they are shown; no line ends in spaces."""
    lines = list(table(["A", "B"], [["日本", "x"], ["a\x1b", ""]], style=Style()))
    assert lines == ["A      B", "日本   x", "a\\x1b"]


def test_nothing_has_no_head():
    """Without rows there is no table."""
    assert not list(table(["A"], [], style=Style()))
