"""Other environments and fleets of the same pull request: what their comments' markers say of them, as rows of a table.

A matrix plans side by side, each in a job of its own; what they know of each other is in their comments. What a marker
says is checked: who may edit comments may have changed it. It is shown and decides nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, get_args

from reconciler.ci.marker import Fleet, mark_of
from reconciler.plan.concern import Concern
from reconciler.report.overview import Other, counts_of
from reconciler.report.sheet import State

if TYPE_CHECKING:
    from reconciler.ci.forge import Post
    from reconciler.report.sheet import Sheet

_VERSION = 1
_MOST = 1_000_000
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_HEADINGS = {concern.name.lower(): concern.value for concern in Concern}


def row_of(sheet: Sheet, *, head: str) -> dict[str, Any]:
    """Return what a marker is to remember of a plan for the comments of others: how many of what, and nothing else."""
    counts = counts_of(sheet)
    told = {name: counts[heading] for name, heading in _HEADINGS.items() if heading in counts}
    return {"row": {"v": _VERSION, "counts": told, "state": sheet.state, "head": head}}


def neighbours(posts: Iterable[Post], *, fleet: Fleet, head: str) -> tuple[Other, ...]:
    """Return the others that have a plan's comment among ours, by name; `head` is the present commit.

    An environment that several fleets are applied to is named with the manifests of each.
    """
    found: dict[Fleet, tuple[str, object]] = {}
    for post in posts:
        mark = mark_of(post.body)
        if mark and mark.purpose == "plan" and mark.fleet not in (fleet, Fleet(fleet.environment)):
            found.setdefault(mark.fleet, (post.url, mark.data.get("row")))
    shared = Counter(one.environment for one in (fleet, *found))
    return tuple(
        _other(
            f"{one.environment}, {one.root}" if shared[one.environment] > 1 and one.root else one.environment,
            *told,
            head,
        )
        for one, told in sorted(found.items(), key=lambda item: item[0])
    )


def _other(environment: str, url: str, row: object, head: str) -> Other:
    """Read the row of a marker; of one that is odd, or of another version, only the place is told."""
    match row:
        case {"v": version, "counts": dict(counts), "state": state, "head": str(commit)} if version == _VERSION:
            known = next((one for one in get_args(State) if one == state), None)
            told = {_HEADINGS[name]: count for name, count in counts.items() if _is_count(name, count)}
            if known is not None and len(told) == len(counts) and _COMMIT.fullmatch(commit):
                return Other(environment, url, told, known, commit if commit != head else "")
    return Other(environment, url)


def _is_count(name: object, count: object) -> bool:
    return name in _HEADINGS and type(count) is int and 0 < count <= _MOST
