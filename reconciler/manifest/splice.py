"""One step into a text: what is there is cut open at the step's place, and nothing else is touched.

Each function yields candidates, the one that people would write first. None is sure to be right, as what stands around
may get another meaning: the blank lines below a text that keeps them, a comment below a text. `amend.py` judges.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from reconciler.manifest.spell import Hand, Spot, Words, column, fits, flow, hand_of, pair, quotes_of, spelled
from reconciler.manifest.steps import Add, Drop, Path, Put, Step, found, stepped
from reconciler.manifest.tree import (
    BREAKS,
    Entry,
    Form,
    Node,
    after_break,
    after_gap,
    after_properties,
    header_end,
    line_end,
    line_start,
)


def trail(root: Node, path: Path) -> list[tuple[Node, Entry]]:
    """Return each container and entry on the way to a path, as far as they are written there."""
    way: list[tuple[Node, Entry]] = []
    node = root
    for step in path:
        if isinstance(step, str):
            entry = next((one for one in node.entries if node.form is Form.MAP and one.name == step), None)
        else:
            entry = node.entries[step] if node.form is Form.LIST and step < len(node.entries) else None
        if entry is None:
            break
        way.append((node, entry))
        node = entry.value
    return way


def attempts(text: str, root: Node, step: Step, value: Any) -> Iterator[str]:
    """Yield texts in which a step may have been taken; `value` is what the document says now."""
    hand, path = hand_of(text, root), step.path
    way = trail(root, path)
    depth = len(way)
    node = way[-1][1].value if way else root
    match step:
        case Put() if depth == len(path) and way:
            yield from _put(text, *way[-1], step.value, hand)
        case Put() if not path:
            end = line_end(text, root.end) if root.is_block else root.end
            yield text[: root.body] + flow(step.value, quotes=None) + text[end:]
        case Drop() if depth == len(path):
            yield from _drop(text, *way[-1])
        case Add() if depth >= len(path) - 1:
            container = way[-1][0] if depth == len(path) else node
            if container.form is Form.ALIAS or (container.is_flow and text[container.body] not in "{["):
                yield from _instead(text, root, step, value, len(path) - 1)
            elif container.form in (Form.MAP, Form.LIST) and container.entries:
                yield from _add(text, container, path[-1], step.value, hand)
        case _ if node.form is Form.ALIAS and depth:
            yield from _instead(text, root, step, value, depth)
        case _ if (
            node.form is Form.MAP and depth < len(path) and not (isinstance(step, Drop) and depth + 1 == len(path))
        ):
            own = path[: depth + 1]  # it came through a merge, over which a key of its own wins
            yield from _add(text, node, path[depth], found(stepped(value, step), own), hand)


def _instead(text: str, root: Node, step: Step, value: Any, depth: int) -> Iterator[str]:
    """Write out what an alias repeats, changed, in its place."""
    path = step.path[:depth]
    if path:
        yield from attempts(text, root, Put(path, found(stepped(value, step), path)), value)


# --- another value ---


def _put(text: str, container: Node, entry: Entry, value: Any, hand: Hand) -> Iterator[str]:
    old = entry.value
    if old.tag is not None and not isinstance(value, str):
        old = replace(old, body=old.start) if not old.is_empty else replace(old, body=old.start, style="tag")
    spot = Spot(old, column(text, entry.start), container.is_flow, container.form is Form.LIST, quotes_of(container))
    for words in spelled(value, spot, hand, text):
        if container.is_flow or (not words.below and not old.is_block):
            yield _exchanged(text, entry, old, words.head, hand)
        else:
            yield from _rewritten(text, entry, old, words, hand)
    if entry.key is not None and entry.mark is None:
        yield _exchanged(text, entry, old, flow(value, quotes=None), hand)


def _exchanged(text: str, entry: Entry, old: Node, head: str, hand: Hand) -> str:
    """Exchange what stands there for words on the same line."""
    before = text[: old.body]
    if entry.key is not None and entry.mark is None:
        is_explicit = text[entry.start : entry.start + 1] == "?" and entry.start < entry.key.start
        lead = f"{hand.line_break}{' ' * column(text, entry.start)}: " if is_explicit else ": "
    else:
        lead = "" if before[-1:] in " \t" + BREAKS or (not old.is_empty and old.start == old.body) else " "
    return f"{before}{lead}{head}{_header_comment(text, old)}{text[old.end :]}"


def _rewritten(text: str, entry: Entry, old: Node, words: Words, hand: Hand) -> Iterator[str]:
    """Write lines in the place of what stands there; the comment of its first line stays."""
    opened = after_properties(text, old) if old.body > old.start else entry.mark
    if opened is None:
        return
    between = text[opened : old.body]
    first = between[: line_end(between, 0)] if any(sign in between for sign in BREAKS) else ""
    end = line_end(text, old.end)
    comments = (first, _header_comment(text, old), "" if old.is_block else text[old.end : end])
    comment = next((one.rstrip() for one in comments if one.strip()), "")
    head = f" {words.head}" if words.head else ""
    lines = "".join(hand.line_break + line for line in words.below)
    yield f"{text[:opened]}{head}{comment}{lines}{text[end:]}"
    if end == len(text):
        yield f"{text[:opened]}{head}{comment}{lines}{hand.line_break}"


def _header_comment(text: str, old: Node) -> str:
    if old.style not in ("|", ">"):
        return ""
    header = text[old.body : header_end(text, old)]
    return header[len(header.split(maxsplit=1)[0]) :].rstrip()


# --- what goes ---


def _drop(text: str, container: Node, entry: Entry) -> Iterator[str]:
    index = next(number for number, one in enumerate(container.entries) if one is entry)
    following = container.entries[index + 1] if index + 1 < len(container.entries) else None
    start = line_start(text, entry.start)
    if container.is_flow:
        yield from _drop_in_flow(text, container, index)
    elif text[start : entry.start].strip(" "):  # it stands behind a dash
        if following is not None:
            yield text[: entry.start] + text[following.start :]
    else:
        end = line_end(text, entry.end)
        if end == len(text):
            yield text[:start].removesuffix("\n").removesuffix("\r")
        yield text[:start] + text[after_break(text, end) :]
        lower = end
        while lower < len(text) and not text[lower : line_end(text, lower)].strip(" \t"):
            lower = after_break(text, lower)
            yield text[:start] + text[lower:]
        yield text[:start] + text[line_start(text, after_gap(text, end)) :]


def _drop_in_flow(text: str, container: Node, index: int) -> Iterator[str]:
    entry = container.entries[index]
    if index + 1 < len(container.entries):
        yield text[: entry.start] + text[container.entries[index + 1].start :]
        return
    if index == 0:
        return
    before = container.entries[index - 1]
    start, comma, close = line_start(text, entry.start), after_gap(text, before.end), after_gap(text, entry.end)
    has_comma = text[close : close + 1] == ","
    end = close + 1 if has_comma else entry.end
    rest = text[end : line_end(text, end)].strip()
    if comma < start and not text[start : entry.start].strip() and (not rest or rest.startswith("#")):
        kept = text[comma:start] if has_comma else text[comma + 1 : start]
        yield text[:comma] + kept + text[after_break(text, line_end(text, end)) :]
    yield text[: before.end] + text[entry.end :]


# --- what comes ---


def _add(text: str, container: Node, key: str | int, value: Any, hand: Hand) -> Iterator[str]:
    if container.is_flow:
        quotes = quotes_of(container)
        for mark in dict.fromkeys((quotes, '"')):
            piece = flow(value, quotes=mark)
            piece = piece if isinstance(key, int) else f"{flow(key, quotes=mark)}: {piece}"
            yield from _add_in_flow(text, container, key, piece, hand)
        return
    entries = container.entries
    indent = column(text, entries[0].start)
    as_others = all(entry.value.is_flow for entry in entries) and isinstance(value, (dict, list)) and fits(value)
    own = [Words(flow(value, quotes=quotes_of(entries[0].value)))] if as_others else []
    for words in (*own, *spelled(value, Spot(None, indent, in_list=isinstance(key, int)), hand, text)):
        lines = (f"- {words.head}", *words.below) if isinstance(key, int) else pair(key, words)
        places = (key,) if isinstance(key, int) else range(len(entries), -1, -1)
        for number in places:
            yield _with_lines(text, entries, number, lines, " " * indent, hand)


def _with_lines(text: str, entries: list[Entry], number: int, lines: tuple[str, ...], pad: str, hand: Hand) -> str:
    """Insert lines before the entry of a number, or behind the last."""
    if number:
        end = line_end(text, entries[number - 1].end)
        added = "".join(hand.line_break + line for line in (pad + lines[0], *lines[1:]))
        return text[:end] + added + text[end:]
    start = entries[0].start
    return text[:start] + "".join(line + hand.line_break for line in lines) + pad + text[start:]


def _add_in_flow(text: str, container: Node, key: str | int, piece: str, hand: Hand) -> Iterator[str]:
    entries = container.entries
    if isinstance(key, int) and key < len(entries):
        start = entries[key].start
        lead = text[line_start(text, start) : start]
        yield f"{text[:start]}{piece},{' ' if lead.strip() else hand.line_break + lead}{text[start:]}"
        return
    last = entries[-1]
    lead = text[line_start(text, last.start) : last.start]
    comma = after_gap(text, last.end)
    has_comma = text[comma : comma + 1] == "," and comma <= line_end(text, last.end)
    end = line_end(text, last.end)
    rest = text[comma + 1 if has_comma else last.end : end].strip()
    if not lead.strip() and end < len(text) and (not rest or rest.startswith("#")):
        upper = text[: last.end] + ("" if has_comma else ",") + text[last.end : end]
        yield f"{upper}{hand.line_break}{lead}{piece}{',' if has_comma else ''}{text[end:]}"
    yield f"{text[: last.end]}, {piece}{text[last.end :]}"
