"""What a reader of a plan is told beside its steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.plan.change import Action, Change
from reconciler.plan.owned import Ledger, Owner
from reconciler.resource import Address, Desired


def noted(changes: list[Change], note: str | None) -> list[Change]:
    """Return the changes, a note on those that write."""
    if note is None:
        return changes
    return [replace(one, notes=(*one.notes, note)) if one.action.writes else one for one in changes]


def lost(declared: Iterable[Desired], ledger: Ledger) -> list[Change]:
    """Report what was begun, is not known to be there, and is no longer declared."""
    kept = {one.address for one in declared} | ledger.entries.keys()
    return [_unconfirmed(address) for address in sorted(ledger.begun - kept)]


def told_of_itself(desired: Desired, steps: list[Change], owner: Owner) -> list[Change]:
    """Return the steps with a note where content is fetched from the very repository of the manifests."""
    origin = desired.kind.origin(desired.spec)
    if not steps or origin is None or _repository(origin.url) != owner.repository.lower():
        return steps
    note = (
        f"it is fed from this repository itself: what reaches {origin.branch} is what agents read after its next sync"
    )
    return [replace(steps[0], notes=(*steps[0].notes, note)), *steps[1:]]


def _repository(url: str) -> str:
    """Spell an https address as an owner does: `github.com/acme/fleet`."""
    return url.removeprefix("https://").rstrip("/").removesuffix(".git").lower()


def _unconfirmed(address: Address) -> Change:
    """Report a creation that was announced, not confirmed, and is declared no more."""
    note = (
        "its creation was begun by a run that did not end, and git no longer declares it: see whether it is there; "
        f"reconciler ledger forget {address}"
    )
    return Change(address, Action.REPORT, address.name, notes=(note,))
