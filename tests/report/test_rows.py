"""What there is to show of fields, as every renderer is told it."""

import pytest

from reconciler.kinds.fields import SET, SecretRef
from reconciler.plan.change import FieldChange
from reconciler.report.details import Members, Reordered
from reconciler.report.prose import EndMoved, Hidden, Piece, Reworded, Same, Swapped, Untold, prose_lines
from reconciler.report.rows import Given, Pair, Prose, SecretRow, created_rows, moved_rows, rows

TOKEN = SecretRef(source="env", name="TOKEN")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (1, 2, [Pair("f", 1, 2)]),
        (None, "x", [Pair("f", None, "x")]),
        ("a\nb", "a\nc", [Prose("f", "a\nb", "a\nc")]),
        (SET, TOKEN, [SecretRow("f", TOKEN, is_set=True)]),
        ({"a": 1, "t": SET}, {"a": 2}, [Pair("f.a", 1, 2, is_part=True), Pair("f.t", SET, None, is_part=True)]),
        (["a"], ["b"], [Members("f", ("b",), ("a",))]),
        (["a", "b"], ["b", "a"], [Reordered("f", ("b", "a"))]),
        ([{"name": "x", "t": SET}], [{"name": "x", "t": TOKEN}], [SecretRow("f[x].t", TOKEN, is_set=True)]),
    ],
)
def test_a_field_is_told_as_what_it_is(old, new, expected):
    """Prose as a whole, secrets by reference, lists and maps taken apart."""
    assert list(rows([FieldChange(("f",), old, new)])) == expected


@pytest.mark.parametrize(
    ("path", "is_part"),
    [(("files", "/a.md"), True), (("feature_flags", "memory"), True), (("config", "t"), False), (("files",), False)],
)
def test_what_stands_apart_is_removed_and_not_cleared(path, is_part):
    """A file of a memory goes by itself; a setting of a channel loses its value."""
    assert list(rows([FieldChange(path, "Hello.", None)])) == [Pair(".".join(path), "Hello.", None, is_part=is_part)]


def test_what_moved_on_the_platform_is_told_the_other_way_round():
    """Git says the one, the platform has the other."""
    assert list(moved_rows([FieldChange(("f",), "live", "git")])) == [Pair("f", "git", "live")]


def test_a_creation_gives_values_and_names_secrets():
    """Maps are taken apart."""
    given = created_rows([FieldChange(("m",), None, {"a": {"b": [1]}, "t": TOKEN})])
    assert list(given) == [Given("m.a.b", [1]), SecretRow("m.t", TOKEN, is_set=False)]


def test_a_prose_is_told_by_its_lines():
    """Two around a change, the others counted, words in what was reworded."""
    old = "".join(f"Line {n} is as it is.\n" for n in range(9))
    lines = list(prose_lines(old, old.replace("Line 4 is as it is", "Line 4 is as it was")))
    assert lines == [
        Hidden(2),
        Same("Line 2 is as it is."),
        Same("Line 3 is as it is."),
        Reworded((Piece("Line 4 is as it ", "Line 4 is as it "), Piece("is", "was"), Piece(".", "."))),
        Same("Line 5 is as it is."),
        Same("Line 6 is as it is."),
        Hidden(2),
    ]


def test_what_has_nothing_in_common_is_swapped():
    """And a line that came has no old side."""
    swapped = [Swapped("aaa bbb", None), Swapped(None, "xxx yyy"), Swapped(None, "zzz")]
    assert list(prose_lines("aaa bbb", "xxx yyy\nzzz")) == swapped
    assert list(prose_lines("a", "a\n")) == [Same("a"), EndMoved(came=True)]


def test_no_more_lines_are_told_than_asked_for():
    """The rest is known to be there."""
    old, new = "".join(f"{n}\n" for n in range(50)), "".join(f"x{n}\n" for n in range(50))
    lines = list(prose_lines(old, new, most=10))
    assert lines[-1] == Untold()
    assert len(lines) <= 11
