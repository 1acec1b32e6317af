"""The events about the ledger; `events.py` says what each type holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.report.events import Event, event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def ledger(place: str, owner: Mapping[str, str], serial: int, lock: Mapping[str, Any] | None) -> Event:
    """Describe a ledger as a whole."""
    return event("ledger", place=place, owner=dict(owner), serial=serial, lock=lock)


def owned(address: str, **about: Any) -> Event:
    """Describe what the ledger knows of an address."""
    return event("owned", address=address, **about)


def farewell(run: str, at: str, archived: Mapping[str, str]) -> Event:
    """Say what a run archived, for `undo`."""
    return event("archived", run=run, at=at, ids=dict(archived))


def forgotten(addresses: Sequence[str], *, everything: bool) -> Event:
    """Say what the ledger knows no more."""
    return event("forgotten", addresses=list(addresses), everything=everything)


def taken_over(addresses: Sequence[str], left: Sequence[str]) -> Event:
    """Say what the ledger took over, and what differs and was left."""
    return event("taken_over", addresses=list(addresses), left=list(left))


def moved(source: str, place: str, *, entries: int, aside: str | None) -> Event:
    """Say from where to where a ledger was brought, and where the old file is now."""
    return event("ledger_moved", source=source, place=place, entries=entries, aside=aside)


def unlocked(lock: Mapping[str, Any] | None) -> Event:
    """Say whose lock was taken away."""
    return event("unlocked", lock=lock)
