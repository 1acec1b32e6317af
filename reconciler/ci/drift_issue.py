"""One issue for the drift of a fleet: opened, updated, closed and reopened, found by its marker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from reconciler.ci.marker import Fleet, among
from reconciler.ci.sticky import PERSISTENT

if TYPE_CHECKING:
    from reconciler.ci.forge import Forge, Issue

LABEL = "reconciler-drift"
"""Found by it first, as a repository may have thousands of issues; the marker decides."""

Fate = Literal["opened", "updated", "unchanged", "closed", "reopened", "none"]


@dataclass(frozen=True, slots=True)
class Told:
    """What became of the issue, and where it is."""

    fate: Fate
    url: str = ""


def tell(forge: Forge, body: str, *, title: str, fleet: Fleet, has_drifted: bool) -> Told:
    """Make the fleet's issue say what is so: open while something has drifted, closed otherwise.

    A state that changes is told in a comment as well, since GitHub notifies nobody of a text that changes. Of several,
    as two runs at once may leave behind, the oldest is kept and the others are closed. Raises ForgeError.
    """

    def write() -> Told:
        found = _found(forge, fleet, has_drifted=has_drifted)
        if not found:
            return Told("opened", forge.open(title, body, labels=[LABEL]).url) if has_drifted else Told("none")
        kept, *others = found
        for other in others:
            if other.is_open:
                forge.change(other, other.body, is_open=False)
        return _kept(forge, kept, body, has_drifted=has_drifted)

    return PERSISTENT(write)


def _kept(forge: Forge, kept: Issue, body: str, *, has_drifted: bool) -> Told:
    if not has_drifted and not kept.is_open:
        return Told("none", kept.url)
    if has_drifted == kept.is_open and kept.body.replace("\r\n", "\n") == body:
        return Told("unchanged", kept.url)
    forge.change(kept, body, is_open=has_drifted)
    if has_drifted and not kept.is_open:
        forge.comment(kept.number, "The platform has drifted again: see the description.")
        return Told("reopened", kept.url)
    if not has_drifted:
        forge.comment(kept.number, "Nothing has drifted any more.")
        return Told("closed", kept.url)
    return Told("updated", kept.url)


def _found(forge: Forge, fleet: Fleet, *, has_drifted: bool) -> list[Issue]:
    """Look among the labelled ones; else among all before one is opened, or among the open ones before all is well."""
    labelled = among(forge.issues(state="all", labels=[LABEL]), "drift", fleet)
    if labelled:
        return labelled
    return among(forge.issues(state="all" if has_drifted else "open"), "drift", fleet)
