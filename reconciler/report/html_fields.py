"""What differs in an item, in HTML: values beside each other, and prose side by side with its changed words marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reconciler.report.details import Members, Reordered
from reconciler.report.html_tags import Html, el, join
from reconciler.report.prose import EndMoved, Hidden, Reworded, Same, Swapped, Untold, prose_lines
from reconciler.report.rows import Given, Pair, Prose, SecretRow, first_words, given_words, secret_words
from reconciler.report.style import counted
from reconciler.report.values import LONGEST_TEXT, is_prose, item_text, list_text, size_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.report.prose import Line, Piece
    from reconciler.report.rows import Row
    from reconciler.report.sheet import Item

_LONGEST_TEXT = 40_000
_LONGEST_LINE = 4_000
_NOTHING = Html("")


def fields_html(item: Item) -> Html:
    """Return what there is to show of the fields of an item."""
    shown = [part for row in item.rows() for part in _row(row, item)]
    return el("div", *shown, cls="f") if shown else _NOTHING


def _row(row: Row, item: Item) -> Iterator[Html]:
    sent = item.sent
    match row:
        case Given(path, str() as text) if is_prose(text):
            yield _named(path, _text(text))
        case Given(path, value):
            yield _named(path, el("ins", given_words(value, sent=sent)))
        case SecretRow(path):
            yield _named(path, el("span", secret_words(row, sent=sent), cls="k"))
        case Pair(path, old, new, is_part):
            gone = "removed" if is_part else "gone" if item.manner == "moved" else "cleared"
            now = gone if new is None else first_words(new, sent=sent)
            yield _named(path, _beside(first_words(old, sent=sent), now))
        case Members(path, added, removed):
            came = [el("ins", f"+ {item_text(one, sent=sent)}") for one in added]
            went = [el("del", f"- {item_text(one, sent=sent)}") for one in removed]
            yield _named(path, el("span", *came, *went, cls="m"))
        case Reordered(path, items):
            yield _named(path, el("span", f"new order {list_text(list(items), sent=sent)}", cls="k"))
        case Prose(path, old, new):
            yield _named(path, el("span", f"{size_text(old)} → {size_text(new)}", cls="d"))
            yield _table(old, new)
        case _:
            assert_never(row)


def _named(path: str, value: Html) -> Html:
    return el("div", el("span", path, cls="n"), value)


def _beside(old: str, new: str) -> Html:
    """Return both values on one line, or below each other where they are long."""
    if len(old) + len(new) > LONGEST_TEXT:
        return el("span", el("del", old), el("ins", new), cls="w")
    return el("span", el("del", old), " → ", el("ins", new), cls="v")


def _text(text: str) -> Html:
    """Return a new text behind its size; of one that is very long, how it begins."""
    if len(text) > _LONGEST_TEXT:
        return el("ins", first_words(text, sent=frozenset()))
    lines = join(part for line in text.split("\n") for part in (line, Html("\n")))
    return el("details", el("summary", size_text(text)), el("pre", lines), cls="t")


def _table(old: str, new: str) -> Html:
    """Return both versions of a prose side by side, with the numbers of their lines."""
    rows: list[Html] = []
    left = right = 1
    for line in prose_lines(old, new):
        rows.append(_line(line, left, right))
        left, right = left + _steps(line, is_new=False), right + _steps(line, is_new=True)
    cols = Html('<colgroup><col class="l"><col><col class="l"><col></colgroup>')
    return el("table", cols, el("tbody", *rows), cls="p")


def _steps(line: Line, *, is_new: bool) -> int:
    match line:
        case Hidden(count):
            return count
        case Swapped(old, new):
            return int((new if is_new else old) is not None)
        case Same() | Reworded():
            return 1
    return 0


def _line(line: Line, left: int, right: int) -> Html:
    match line:
        case Same(text):
            return _both(left, right, el("td", _cut(text)), el("td", _cut(text)), cls="u")
        case Hidden(count):
            return _across(f"{counted(count, 'line')} unchanged")
        case Reworded(pieces):
            return _both(left, right, _marked(pieces, is_new=False), _marked(pieces, is_new=True))
        case Swapped(old, new):
            was = _NOTHING if old is None else el("td", _cut(old), cls="o")
            now = _NOTHING if new is None else el("td", _cut(new), cls="a")
            return _both(left, right, was, now)
        case EndMoved(came):
            return _across(f"the end of the last line {'came' if came else 'went'}")
        case Untold():
            return _across("more changed than is shown here")
        case _:
            assert_never(line)


def _both(left: int, right: int, old: Html, new: Html, *, cls: str | None = None) -> Html:
    empty = Html('<td class="e" colspan="2"></td>')
    was = join((el("th", str(left)), old)) if old else empty
    now = join((el("th", str(right)), new)) if new else empty
    return el("tr", was, now, cls=cls)


def _across(text: str) -> Html:
    return el("tr", el("td", text, colspan="4"), cls="h")


def _marked(pieces: tuple[Piece, ...], *, is_new: bool) -> Html:
    """Return one side of a line that was reworded, with what is only there marked."""
    name = "ins" if is_new else "del"
    parts = [(piece.new if is_new else piece.old, piece.old == piece.new) for piece in pieces]
    shown = [_cut(text) if same else el(name, _cut(text)) for text, same in parts if text]
    return el("td", *shown, cls="a" if is_new else "o")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}… ({len(text):,} characters)"
