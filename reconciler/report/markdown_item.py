"""One item in Markdown: a line, and a block that folds with what differs in it as a diff."""

from __future__ import annotations

import re
from functools import cache, partial
from typing import TYPE_CHECKING, assert_never

from reconciler.report.details import Members, Reordered
from reconciler.report.fit import Piece
from reconciler.report.inert import code, fenced, html_code
from reconciler.report.prose import MOST_LINES, EndMoved, Hidden, Reworded, Same, Swapped, Untold, prose_lines
from reconciler.report.rows import Given, Pair, Prose, SecretRow, first_words, given_words, secret_words
from reconciler.report.style import counted, cut
from reconciler.report.values import item_text, list_text, size_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.report.prose import Line
    from reconciler.report.rows import Row
    from reconciler.report.sheet import Item

_DEGREES = (12, 50, 200)
"""How many lines the blocks between a line and a whole block show at most."""
_WIDEST = 1_000
_NO_LETTER = re.compile(r"[\W_]+")
_PARAGRAPH = "\n\n"


def item_piece(item: Item, *, with_org: bool, is_open: bool) -> Piece:
    """Return an item as a line, then as blocks of more and more lines where there is something to show."""
    name = f"{item.org}/{item.name}" if with_org else item.name
    if not item.fields and not item.remarks:
        return Piece((lambda: _line(item, name),))
    whole = cache(lambda: tuple(_diff(item)))

    def part(most: int) -> str:
        return _block(item, name, whole(), most=most, is_open=False)

    forms: tuple[Callable[[], str], ...] = (
        lambda: _line(item, name),
        *(partial(part, most) for most in _DEGREES),
        lambda: _block(item, name, whole(), most=None, is_open=is_open),
    )
    return Piece(forms, part, lambda: len(whole()))


def _line(item: Item, name: str) -> str:
    title = f" {code(item.title)}" if _says_more(item) else ""
    return f"- {code(item.sign)} {item.word} {code(name)}{title}{_about(item)}\n"


def _block(item: Item, name: str, lines: tuple[str, ...], *, most: int | None, is_open: bool) -> str:
    """Return what folds: a summary in HTML, in which Markdown is not read, commands to copy, and a fence."""
    if most is not None and len(lines) > most:
        lines = (*lines[:most], f"… {counted(len(lines) - most, 'more line')}")
    title = f" {html_code(item.title)}" if _says_more(item) else ""
    summary = f"{html_code(item.sign)} {item.word} {html_code(name)}{title}{_about(item)}"
    said = [code(item.where)] if item.where else []
    said += [f"{one.label}: {code(one.text, width=_WIDEST)}" for one in item.remarks if one.command]
    said += [fenced(lines)] if lines else []
    opened = " open" if is_open else ""
    return f"<details{opened}><summary>{summary}</summary>\n\n{_PARAGRAPH.join(said)}\n\n</details>\n\n"


def _says_more(item: Item) -> bool:
    """Say whether a title is more than its name in another spelling, as `Store finder` is of `store-finder`."""
    name = item.name.rpartition("/")[2]
    return bool(item.title) and _NO_LETTER.sub("", item.title).casefold() != _NO_LETTER.sub("", name).casefold()


def _about(item: Item) -> str:
    """Return our own words about an item: what became of it, what it means, and its badges."""
    words = [*([f"<b>{item.status}</b>"] if item.status else []), *([item.means] if item.means else []), *item.badges]
    return "".join(f" · {word}" for word in words)


def _diff(item: Item) -> Iterator[str]:
    """Yield the lines of a diff: `+` and `-` for the two sides, `!` for what to know, `#` for what is said of it."""
    for remark in (one for one in item.remarks if not one.command):
        label = f"{remark.label}: " if remark.label else ""
        sign = "!" if remark.paint in ("yellow", "red") else "#"
        for line in (label + remark.text).splitlines():
            yield cut(f"{sign} {line}", _WIDEST)
    for row in item.rows():
        for line in _row(row, item):
            yield cut(line, _WIDEST)


def _row(row: Row, item: Item) -> Iterator[str]:
    sent = item.sent
    match row:
        case Given(path, value):
            yield f"+ {path}: {given_words(value, sent=sent)}"
        case SecretRow(path):
            yield f"! {path}: {secret_words(row, sent=sent)}"
        case Pair(path, old, new, is_part):
            gone = "removed" if is_part else "gone" if item.manner == "moved" else "cleared"
            yield f"- {path}: {first_words(old, sent=sent)}"
            yield f"+ {path}: {gone if new is None else first_words(new, sent=sent)}"
        case Members(path, added, removed):
            yield from (f"- {path}: {item_text(one, sent=sent)}" for one in removed)
            yield from (f"+ {path}: {item_text(one, sent=sent)}" for one in added)
        case Reordered(path, items):
            yield f"! {path}: new order {list_text(list(items), sent=sent)}"
        case Prose(path, old, new):
            yield f"  {path}: {size_text(old)} -> {size_text(new)}"
            for line in prose_lines(old, new):
                yield from _prose(line)
        case _:
            assert_never(row)


def _prose(line: Line) -> Iterator[str]:
    match line:
        case Same(text):
            yield f"  {text}"
        case Hidden(count):
            yield f"@@ {counted(count, 'line')} unchanged @@"
        case Reworded(pieces):
            yield "- " + "".join(piece.old for piece in pieces)
            yield "+ " + "".join(piece.new for piece in pieces)
        case Swapped(old, new):
            if old is not None:
                yield f"- {old}"
            if new is not None:
                yield f"+ {new}"
        case EndMoved(came):
            yield f"{'+' if came else '-'} the end of the last line"
        case Untold():
            yield f"@@ no more than {MOST_LINES} changed lines are shown @@"
        case _:
            assert_never(line)
