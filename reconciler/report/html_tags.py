"""Elements of HTML whose text is escaped by construction: a plain text is never taken for markup, only `Markup` is."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

from reconciler.report.style import Paint, clean

VOID = frozenset({"input", "meta", "br", "col"})
SHORT: dict[Paint, str] = {"green": "g", "yellow": "y", "red": "r", "cyan": "c", "dim": "d"}
"""The class of each colour; short, since every item has one."""


def el(name: str, /, *content: str, **attributes: str | None) -> Markup:
    """Return an element; `cls` is its class, `_` in a name stands for `-`, an attribute of None is left out.

    >>> el("p", "1 < 2", el("b", "x"), cls="a")
    Markup('<p class="a">1 &lt; 2<b>x</b></p>')
    """
    said = "".join(f" {_name(key)}" + _value(value) for key, value in attributes.items() if value is not None)
    if name in VOID:
        return Markup(f"<{name}{said}>")  # noqa: S704 - made of escaped parts
    return Markup(f"<{name}{said}>{join(content)}</{name}>")  # noqa: S704 - made of escaped parts


def join(parts: Iterable[str]) -> Markup:
    """Return parts behind each other, each text escaped and spelled out where it would hide or turn something."""
    return Markup("").join(part if isinstance(part, Markup) else escape(clean(part)) for part in parts)


def _name(key: str) -> str:
    return "class" if key == "cls" else key.rstrip("_").replace("_", "-")


def _value(value: str) -> str:
    return f'="{escape(clean(value))}"' if value else ""
