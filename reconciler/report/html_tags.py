"""Elements of HTML whose text is escaped by construction: a plain text is never taken for markup, only `Html` is."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from reconciler.report.style import Paint, clean


class Html(str):
    """Text that is markup: made by `el` and `join` of escaped parts, or our own from the start."""

    __slots__ = ()


VOID = frozenset({"input", "meta", "br", "col"})
SHORT: dict[Paint, str] = {"green": "g", "yellow": "y", "red": "r", "cyan": "c", "dim": "d"}
"""The class of each colour; short, since every item has one."""


def el(name: str, /, *content: str, **attributes: str | None) -> Html:
    """Return an element; `cls` is its class, `_` in a name stands for `-`, an attribute of None is left out.

    >>> el("p", "1 < 2", el("b", "x"), cls="a")
    '<p class="a">1 &lt; 2<b>x</b></p>'
    """
    said = "".join([f' {_name(key)}="{_text(value)}"' for key, value in attributes.items() if value is not None])
    if name in VOID:
        return Html(f"<{name}{said}>")
    inner = "".join([part if type(part) is Html else _text(part) for part in content])
    return Html(f"<{name}{said}>{inner}</{name}>")


def join(parts: Iterable[str]) -> Html:
    """Return parts behind each other, each text escaped and spelled out where it would hide or turn something."""
    joined = "".join([part if type(part) is Html else _text(part) for part in parts])
    return Html(joined)


def _name(key: str) -> str:
    return "class" if key == "cls" else key.rstrip("_").replace("_", "-")


def _text(text: str) -> str:
    return escape(clean(text), quote=True)
