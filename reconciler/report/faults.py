"""What is wrong with the input, each fault with its place and the line it stands in; and errors in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.errors import StalePlan
from reconciler.kinds.secrecy import holds_secret, looks_secret
from reconciler.report.style import cells, clean, counted, cut, cut_left

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.errors import LocatedFault, ReconcilerError
    from reconciler.report.style import Style

_TAB = 4
_MAY_SHOW_A_SECRET = ("a secret ", "unknown key", "env names ")
"""How messages begin whose line may hold a secret in clear: under a mistyped key stands whatever was meant for it."""
_KEY = re.compile(r"""((?:"[^"]*"|'[^']*'|[\w./-]+))\s*:(?:\s|$)""")
_NO_KEY_BEFORE = re.compile(r"(?:.*[{\[,])?[-?\s]*", re.DOTALL)
"""What may stand in a line before a key: behind another key's colon stands a value, even one with a colon in it."""
_KEY_BEFORE = re.compile(rf"(?:-\s|\s)*{_KEY.pattern}\s*")
_LEAST_WINDOW = 20
_MOST = 100
"""So many faults are printed: nobody reads more, and a mistake in one anchor may make thousands."""


def fault_text(faults: Sequence[LocatedFault], *, style: Style) -> Iterator[str]:
    """Yield the lines that show every fault, with a count at the end."""
    told = {(fault.path, fault.line) for fault in faults if fault.message.startswith(_MAY_SHOW_A_SECRET)}
    lines = {(fault.path, fault.line): fault.text for fault in faults}  # each is looked at once: it may be a long one
    secret_lines = told | {place for place, text in lines.items() if looks_secret(text)}
    for fault in faults[:_MOST]:
        yield from _fault(fault, style, is_secret=(fault.path, fault.line) in secret_lines)
        yield ""
    files = len({fault.path for fault in faults if fault.path})
    if len(faults) > _MOST:
        yield f"... and {len(faults) - _MOST:,} more: mend these first, or see all with --json"
    if faults:
        where = f" in {counted(files, 'file')}" if files else ""
        yield style.paint(counted(len(faults), "fault") + where, "bold")


def error_text(error: ReconcilerError, *, style: Style) -> Iterator[str]:
    """Yield the lines that say what went wrong and what to do about it."""
    first, *more = error.message.splitlines() or [""]
    yield f"{style.paint('error:', 'red', 'bold')} {style.paint(first)}"
    for line in more:
        yield "  " + style.paint(line)
    if isinstance(error, StalePlan):
        for address, why in error.moved.items():
            yield f"  {style.paint(address, 'bold')} {style.paint(why)}"
    yield from hint_text(error.hint, style=style)


def hint_text(hint: str | None, *, style: Style, indent: str = "") -> Iterator[str]:
    """Yield the lines of a hint, if there is one."""
    label = "hint: "
    for number, line in enumerate((hint or "").splitlines()):
        start = " " * len(label) if number else style.paint(label, "cyan")
        yield indent + start + style.paint(line)


def _fault(fault: LocatedFault, style: Style, *, is_secret: bool) -> Iterator[str]:
    first, *more = fault.message.splitlines() or [""]
    place = f"{fault.path}:{fault.line}:{fault.column}: " if fault.path else ""
    yield style.paint(place, "bold") + style.paint(first, "red")
    for line in more:
        yield "  " + style.paint(line, "red")
    if fault.path and (fault.text.strip() or fault.column > 1):
        yield from _quoted(fault, style, is_secret=is_secret)
    yield from hint_text(fault.hint, style=style, indent="  ")


def _quoted(fault: LocatedFault, style: Style, *, is_secret: bool) -> Iterator[str]:
    """Quote the line with a caret below the column; of a line with a secret in clear, the key alone."""
    before, after = _split(fault, is_secret=is_secret)
    number = str(fault.line)
    before, after = _window(before, after, max(style.width - len(number) - 5, _LEAST_WINDOW))
    yield f"  {style.paint(f'{number} |', 'dim')} {before}{after}"
    margin = style.paint(f"{' ' * len(number)} |", "dim")
    yield f"  {margin} {' ' * cells(before)}{style.paint('^', 'red', 'bold')}"


def _split(fault: LocatedFault, *, is_secret: bool) -> tuple[str, str]:
    """Return the line before and from the column, safe to show, its tabs turned into spaces."""
    at = fault.column - 1
    if is_secret:
        return _redacted(fault.text, at)
    before = fault.text[:at].expandtabs(_TAB)
    return clean(before), clean(fault.text.expandtabs(_TAB)[len(before) :])


def _redacted(text: str, at: int) -> tuple[str, str]:
    """Return the key at the column, or the one whose value stands there, and nothing else of the line."""
    key = _KEY.match(text, at) if _NO_KEY_BEFORE.fullmatch(text[:at]) else None
    if key and not holds_secret(key.group(1)):
        indent = text[:at] if not text[:at].strip("- \t") else ""
        return clean(indent.expandtabs(_TAB)), clean(f"{key.group(1)}: ...")
    before = _KEY_BEFORE.fullmatch(text[:at])
    start = text[:at] if before and not holds_secret(text[:at]) else ""
    return clean(start.expandtabs(_TAB)), "..."


def _window(before: str, after: str, width: int) -> tuple[str, str]:
    """Cut a long line on both sides of the column."""
    if cells(before) + cells(after) <= width:
        return before, after
    before = cut_left(before, max(width - cells(after), width * 2 // 3))
    return before, cut(after, max(width - cells(before), 1))
