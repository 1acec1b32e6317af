"""Pieces that grow while there is room: the important first, never beyond it."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.report.fit import Piece, fill, grow, size_of


def pieces(*forms):
    """Make pieces of their forms."""
    return [Piece(tuple((lambda text=text: text) for text in one)) for one in forms]


def test_the_first_that_has_no_room_for_its_first_form_is_the_end():
    """So that what is missing is at the end, though a later one were small enough."""
    made = pieces(["aa"], ["bbbbb"], ["c"])
    assert grow(made, 0, room=4) == 2
    assert [piece.text for piece in made] == ["aa", "", ""]


def test_a_longer_form_takes_the_room_of_the_shorter():
    """And is left out where that is not enough; others may still grow."""
    made = pieces(["a", "aaaa"], ["b", "bbbbbbbbb"], ["c", "cc"])
    room = grow(made, 0, room=8)
    assert grow(made, 1, room=room) == 1
    assert [piece.text for piece in made] == ["aaaa", "b", "cc"]
    assert [piece.is_whole for piece in made] == [True, False, True]


def test_what_is_not_tried_is_not_made():
    """A piece that had no line is not asked for its block."""

    def fail():
        raise AssertionError

    made = [Piece((lambda: "too long", fail))]
    assert grow(made, 1, room=grow(made, 0, room=3)) == 3


def listing(count):
    """Make a piece of a line, of two lines, and of all its lines; between these it has any number."""

    def part(lines):
        return "x" * lines

    return Piece((lambda: "-", lambda: part(2), lambda: part(count)), part, lambda: count)


def test_what_is_left_goes_to_the_first_that_is_cut_short():
    """Line by line; what has not even its short form, or all of it, takes nothing."""
    made = [listing(1), listing(9), listing(9), listing(9)]
    room = grow(made, 1, room=grow(made, 0, room=6))
    assert [piece.text for piece in made] == ["xx", "xx", "-", "-"]
    assert (room, fill(made, room=3)) == (0, 0)
    assert [len(piece.text) for piece in made] == [2, 5, 1, 1]
    assert not made[1].is_whole


@given(st.lists(st.integers(0, 30), max_size=6), st.integers(0, 90))
def test_no_room_is_left_while_a_line_is(counts, room):
    """Between the forms nothing is lost, and nothing is longer than the room."""
    made = [listing(count) for count in counts]
    left = room
    for level in range(3):
        left = grow(made, level, room=left)
    left = fill(made, room=left)
    assert left == room - sum(len(piece.text) for piece in made)
    assert left >= 0
    assert left == 0 or all(piece.is_whole for piece in made if piece.level > 0)


@given(st.lists(st.lists(st.text(max_size=8), min_size=1, max_size=3), max_size=8), st.integers(0, 60))
def test_together_they_are_never_longer_than_the_room(forms, room):
    """In bytes, whatever their forms; and what is left is what was not taken."""
    made = pieces(*forms)
    left = room
    for level in range(3):
        left = grow(made, level, room=left)
    assert left == room - sum(size_of(piece.text) for piece in made)
    assert left >= 0
