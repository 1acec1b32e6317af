"""Drift for a terminal: what moved, on which field, and under each the commands that revert it and that capture it."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING

from reconciler.plan.change import Side
from reconciler.plan.drift import What
from reconciler.report.field_text import framed, moved_lines
from reconciler.report.style import counted
from reconciler.report.vocabulary import DRIFTED, SIGNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.plan.drift import Drift, Drifted
    from reconciler.report.style import Style

UNSYNCED_HINT = (
    "see to its source; reconciler apply syncs it where git says sync: on-apply, else have the platform do it"
)
"""What to do about a memory whose content is not that of its source."""


def drift_text(drift: Drift, *, style: Style, flags: str) -> Iterator[str]:
    """Yield the lines that show a drift; `flags` lead to the same manifests and platform."""
    if drift.partial:
        yield style.paint(f"! Partial: {drift.partial}", "yellow", "bold")
        yield ""
    org = None
    for one in drift.drifted:
        if one.address.org != org:
            if org is not None:
                yield ""
            org = one.address.org
            ref = drift.orgs.get(org)
            known = style.paint(f" ({org}, {ref.id})", "dim") if ref and ref.id else ""
            yield style.paint((ref.title if ref else "") or org, "bold") + known
        yield from _one(one, style, flags=flags)
    if drift.drifted:
        yield ""
    yield from _summary(drift, style)


def remedies(one: Drifted, *, flags: str) -> tuple[str | None, str | None]:
    """Return the command that reverts a drift, and the one that captures it in git, where there is one."""
    target = shlex.quote(str(one.address))
    apply = f"reconciler apply {flags}--target {target}"
    match one.what:
        case What.CHANGED:
            return apply, None if one.is_of_release else f"reconciler drift {flags}--capture --target {target}"
        case What.UNSETTLED:
            return apply, None
        case What.GONE | What.ARCHIVED:
            return apply, f"git rm {shlex.quote(one.file)}" if one.file else None
        case What.UNMANAGED:
            what, org = shlex.quote(f"{one.address.kind}/{one.id}"), shlex.quote(one.address.org)
            return None, f"reconciler import {flags.replace('-f ', '--into ')}{what} --org {org}"
        case What.UNSYNCED:
            return None, None


def reverts(one: Drifted) -> str:
    """Say in a word of six letters what the first of the remedies does."""
    return "settle" if one.what is What.UNSETTLED else "revert"


def said_of(one: Drifted) -> str:
    """Say what happened to a resource, and since when that is known."""
    since = f" since {one.since}" if one.since and one.what is not What.UNSYNCED else ""
    return f"{one.message}{since}" if one.message else f"changed on the platform{since}"


def unowned_text(drift: Drift) -> str:
    """Say of how much drift cannot be told."""
    are = "is" if drift.unowned == 1 else "are"
    return f"{counted(drift.unowned, 'declared resource')} {are} not ours yet: drift is only told after an apply"


def drift_verdict(drift: Drift) -> str:
    """Sum a drift up in a sentence."""
    counts = Counter(one.what for one in drift.drifted)
    if not counts:
        return f"No drift. {counted(drift.watched, 'resource')} as last written."
    doubtful = counts.pop(What.UNSETTLED, 0)
    unsettled = f"{doubtful:,} that {'is' if doubtful == 1 else 'are'} not settled" if doubtful else ""
    if not counts:
        return f"Drift: cannot be told of {unsettled}; {drift.watched:,} as last written."
    parts = [f"{counts[what]:,} {word}" for what, word in DRIFTED.items() if counts[what]]
    parts += [f"cannot be told of {unsettled}"] if unsettled else []
    return f"Drift: {', '.join(parts)}; {drift.watched:,} watched."


def _one(one: Drifted, style: Style, *, flags: str) -> Iterator[str]:
    sign, color = SIGNS[one.what]
    title = f' "{one.title}"' if one.title and one.title != one.address.name else ""
    head = f"{sign} {one.address.local}{title}"
    yield f"  {style.paint(head, color)}  {style.paint(said_of(one), 'dim')}"
    both = [field.name for field in one.fields if field.side is Side.BOTH]
    if both:
        text = f"changed in git as well, and not applied yet: {', '.join(both)}"
        yield f"      {style.paint(text, 'red')}"
    yield from moved_lines(one.fields, framed([field.name for field in one.fields], style=style))
    revert, capture = remedies(one, flags=flags)
    if one.what is What.UNSYNCED:
        yield f"      {style.paint(UNSYNCED_HINT, 'dim')}"
    if revert:
        yield f"      {style.paint(f'{reverts(one)}: ', 'dim')} {style.paint(revert)}"
    if capture:
        yield f"      {style.paint('capture:', 'dim')} {style.paint(capture)}"
    elif one.where and one.what in (What.GONE, What.ARCHIVED):
        yield f"      {style.paint('capture:', 'dim')} {style.paint(f'remove it from git, at {one.where}', 'dim')}"


def _summary(drift: Drift, style: Style) -> Iterator[str]:
    if drift.unowned:
        yield style.paint(f"! {unowned_text(drift)}", "yellow")
    head, stop, rest = drift_verdict(drift).partition(":" if drift.drifted else ".")
    yield style.paint(head + stop, "bold") + style.paint(rest)
