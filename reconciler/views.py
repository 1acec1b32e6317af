"""Other views of what a plan sees: drift, one resource on its three sides, what a run archived; they only read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.errors import Fault
from reconciler.kinds import KINDS
from reconciler.live.leaving import observe_known
from reconciler.live.survey import survey
from reconciler.plan.drift import Drifted, What, drift_of
from reconciler.plan.found import Found
from reconciler.plan.plan import build_from
from reconciler.plan.release import edition_made, pinned, pins, seen_beside
from reconciler.plan.side_by_side import side_by_side
from reconciler.plan.undo import revivals
from reconciler.reconcile import Wanted, observe_and_plan
from reconciler.resource import by_rank

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.live.client import ReadClient
    from reconciler.manifest.config import Config
    from reconciler.plan.drift import Drift
    from reconciler.plan.freshness import Heads
    from reconciler.plan.owned import Ledger
    from reconciler.plan.plan import Plan
    from reconciler.plan.side_by_side import SideBySide
    from reconciler.resource import Address
    from reconciler.settings import Settings


def find_drift(
    wanted: Wanted,
    settings: Settings,
    *,
    client: ReadClient,
    config: Config,
    now: datetime,
    heads: Heads = lambda _origins: {},
) -> Drift:
    """Say what moved on the platform since it was last written; reads only. Raises what `make_plan` does.

    `heads` asks the repositories that content is synced from.
    """
    seen, plan = observe_and_plan(wanted, settings, client=client, heads=lambda _origins: {})  # a sync is no drift
    return drift_of(
        plan,
        seen.desired,
        seen.situation.found,
        wanted.rules,
        everything=wanted.everything,
        now=now,
        max_sync_age=config.max_sync_age,
        heads=heads,
    )


def find_unmanaged(wanted: Wanted, settings: Settings, drift: Drift, *, client: ReadClient) -> Drift:
    """Add to a drift what exists in its organizations, and neither git nor the ledger knows."""
    surveyed = survey(
        client,
        wanted.everything,
        orgs=[ref.id for ref in drift.orgs.values() if ref.id],
        org_id=None,
        kinds=[kind.name for kind in KINDS if kind.managed and not kind.parent],
        parallelism=settings.parallelism,
        remembered=wanted.rules.id_of,
    )
    owned = {entry.id for entry in wanted.rules.ledger.entries.values()}
    extra = tuple(
        Drifted(one.address, What.UNMANAGED, one.title, message="nobody declares it", id=one.id)
        for one in surveyed.candidates
        if one.declared is None and one.id not in owned
    )
    together = sorted((*drift.drifted, *extra), key=lambda one: (by_rank(one.address), one.what.value))
    return replace(drift, drifted=tuple(together))


def inspect(wanted: Wanted, address: Address, settings: Settings, *, client: ReadClient) -> SideBySide:
    """Put beside each other what git, the ledger and the platform say of a declared address; reads only."""
    seen, plan = observe_and_plan(wanted, settings, client=client)
    (desired,) = (one for one in seen.desired if one.address == address)
    found = seen.situation.found.get(address, Found())
    changes = tuple(change for change in plan.changes if change.address == address)
    if pins(desired):
        made = [edition for change in plan.changes if (edition := edition_made(change))]
        meant = pinned(desired, found.observed, seen.situation.editions, made)
        desired = desired if isinstance(meant, Fault) else meant
    if found.observed:
        found = replace(found, observed=seen_beside(desired, found.observed, changes))
    return side_by_side(
        desired,
        found,
        wanted.rules.known(address).entry,
        changes,
        {path: state for (place, path), state in wanted.rules.secrets.items() if place == address},
    )


def plan_undo(ledger: Ledger, run: str, settings: Settings, *, client: ReadClient) -> Plan:
    """Plan to bring back what a run archived, as the ledger remembers it; reads only. Raises ApiError."""
    archived = ledger.runs[run].archived
    orgs, seen, names = observe_known(client, archived, ledger, parallelism=settings.parallelism)
    return build_from(revivals(seen), orgs, names.id_of, ledger)
