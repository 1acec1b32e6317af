"""Text from elsewhere in Markdown: only ever shown, never markup, a mention, a link, or the end of a fence.

It stands in three places alone: in a code span, in a fence, and HTML-escaped inside `<code>`. GitHub reads nothing in
these, and what hides or turns a text is spelled out as on a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from reconciler.report.style import clean, cut

_TICKS = re.compile("`+")


def code(text: str, *, width: int = 200) -> str:
    """Return a code span that shows the text, cut to so many columns.

    >>> code("a`b")
    '``a`b``'
    """
    shown = cut(text, width) or " "
    ticks = "`" * (_longest_run(shown) + 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def cell(text: str, *, width: int = 60) -> str:
    r"""Return a code span for a table, in which a bar would end the cell even inside of it.

    >>> cell("a|b")
    '`a\\x7cb`'
    """
    return code(text, width=width).replace("|", "\\x7c")


def html_code(text: str, *, width: int = 200) -> str:
    """Return a `<code>` that shows the text inside a block of HTML, cut to so many columns."""
    return f"<code>{escape(cut(text, width))}</code>"


def fenced(lines: Iterable[str], *, language: str = "diff") -> str:
    """Return the clean lines in a fence longer than any run of its character in them."""
    body = [clean(line) for line in lines]
    ticks = "`" * max(3, _longest_run("\n".join(body)) + 1)
    return "\n".join([f"{ticks}{language}", *body, ticks])


def _longest_run(text: str) -> int:
    return max(map(len, _TICKS.findall(text)), default=0)
