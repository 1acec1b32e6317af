"""One issue for the drift of a fleet: opened, updated, closed and reopened, found by its marker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from reconciler.ci.marker import Fleet, among, remembered_by
from reconciler.ci.sticky import PERSISTENT

if TYPE_CHECKING:
    from reconciler.ci.forge import Forge, Issue

LABEL = "reconciler-drift"
"""Found by it first, as a repository may have thousands of issues; the marker decides."""

PART = "part"
"""What a marker calls the part that its issue is about, where the run did not look at everything."""

Fate = Literal["opened", "updated", "unchanged", "closed", "reopened", "none", "left to a run that looks at everything"]


@dataclass(frozen=True, slots=True)
class Told:
    """What became of the issue, and where it is."""

    fate: Fate
    url: str = ""


def tell(forge: Forge, body: str, *, title: str, fleet: Fleet, has_drifted: bool, part: str = "") -> Told:
    """Make the fleet's issue say what is so: open while something has drifted, closed otherwise.

    A state that changes is told in a comment as well, since GitHub notifies nobody of a text that changes. Of several,
    as two runs at once may leave behind, the oldest open one is kept and the others are closed. A run that
    looked at a `part` alone knows nothing of the rest: an open issue about anything else is left as it is. Raises
    ForgeError.
    """

    def write() -> Told:
        found = _found(forge, fleet, has_drifted=has_drifted)
        if not found:
            return Told("opened", forge.open(title, body, labels=[LABEL]).url) if has_drifted else Told("none")
        if part and (other := next((one for one in found if one.is_open and _part(one) != part), None)):
            return Told("left to a run that looks at everything", other.url)
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
    """Look among the labelled and the open ones, and among all before one is opened: who sorts issues takes labels off.

    An open one comes first, else the oldest.
    """
    seen = [*forge.issues(state="all", labels=[LABEL]), *forge.issues(state="open")]
    found = among({one.number: one for one in seen}.values(), "drift", fleet)
    if has_drifted and not found:
        found = among(forge.issues(state="all"), "drift", fleet)
    return sorted(found, key=lambda one: (not one.is_open, one.number))


def _part(issue: Issue) -> str:
    """Return the part that an issue is about, empty for one about everything."""
    return str(remembered_by(issue.body).get(PART, ""))
