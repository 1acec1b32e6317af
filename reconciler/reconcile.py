"""START HERE. A run on one page: load, resolve, observe, diff, plan, apply, prove; nothing flows back.

Each function takes and gives values of `resource.py` and `plan/`; only `live/` touches the platform, only `manifest/`
the disk. `cli/` turns flags into these calls, `report/` turns their results into words.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import ApiError, ManifestError
from reconciler.manifest.load import Glance, load
from reconciler.manifest.resolve import resolve
from reconciler.plan.outcome import Applied, Remainder
from reconciler.plan.plan import Plan, build
from reconciler.plan.select import select

if TYPE_CHECKING:
    from reconciler.live.apply import Listener
    from reconciler.live.client import ReadClient, WriteClient
    from reconciler.resource import Desired
    from reconciler.settings import Settings


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the cycle collector away from what a phase builds: it would walk every document again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What git wants: everything declared, what this run is about, and in words what was left out."""

    everything: Sequence[Desired]
    chosen: Sequence[Desired]
    partial: str | None


def read_manifests(
    settings: Settings, *, stdin: Iterable[bytes] = (), glance: Glance = lambda _documents: None
) -> Wanted:
    """Load, resolve and select; `glance` sees the documents while they come in, before they are checked.

    Raises ManifestError with every fault, UsageError for a selection of nothing.
    """
    with collector_paused():
        resolved = resolve(load(settings.manifests, stdin=stdin, glance=glance))
    if resolved.faults:
        raise ManifestError(resolved.faults)
    chosen, partial = select(resolved.desired, orgs=settings.orgs, target=settings.target, exclude=settings.exclude)
    return Wanted(resolved.desired, chosen, partial)


def make_plan(wanted: Wanted, settings: Settings, *, client: ReadClient) -> Plan:
    """Observe, diff and plan; reads only. Raises ApiError, and ManifestError for references that mean nothing."""
    from reconciler.live.observe import observe

    with collector_paused():
        seen = observe(
            client, wanted.everything, wanted.chosen, org_id=settings.org_id, parallelism=settings.parallelism
        )
        client.end_ahead()
        plan = build(seen.desired, seen.situation, partial=wanted.partial)
    faults = [*seen.faults, *(plan if isinstance(plan, list) else ())]
    if faults or isinstance(plan, list):
        raise ManifestError(faults)
    return plan


def plan_afresh(settings: Settings, *, client: ReadClient, stdin: Iterable[bytes] = ()) -> Plan:
    """Do both of the above, the platform being read while the manifests are; raises what they raise."""
    from reconciler.live.ahead import Ahead

    if settings.is_partial:  # what is chosen is only known later
        return make_plan(read_manifests(settings, stdin=stdin), settings, client=client)
    ahead = Ahead(client, org_id=settings.org_id)
    return make_plan(read_manifests(settings, stdin=stdin, glance=ahead.glance), settings, client=client)


def apply_plan(
    plan: Plan,
    settings: Settings,
    *,
    client: WriteClient,
    listen: Listener,
    recheck: bool,
    claim: Callable[[], None] = lambda: None,
) -> Applied:
    """Apply a plan and prove it by reading back.

    Before the first write: every secret has a value, the key may do it, and with `recheck` nothing moved since the
    plan was made; then `claim` is called. Raises SecretUnavailable, Forbidden, Refused, StalePlan; what fails later
    is in the outcomes.
    """
    from reconciler.live.apply import apply
    from reconciler.live.check import ensure_fresh, prove
    from reconciler.live.ids import Ids
    from reconciler.live.preflight import ensure_allowed
    from reconciler.live.secrets import require

    require((secret, str(change.address)) for change in plan.writes for secret in change.secrets)
    ensure_allowed(plan, client=client)
    if recheck:
        ensure_fresh(plan, client=client, parallelism=settings.parallelism)
    claim()
    ids = Ids(plan, client)
    outcomes, interrupted = apply(plan, client=client, ids=ids, parallelism=settings.parallelism, listen=listen)
    remainders: tuple[Remainder, ...] = ()
    unproved = None
    if not interrupted:
        try:
            remainders = prove(outcomes, client=client, ids=ids, parallelism=settings.parallelism)
        except KeyboardInterrupt:  # what was done is still to be told
            interrupted = True
        except ApiError as error:
            unproved = error
    return Applied(outcomes, interrupted, remainders, unproved, client.throttled_for)
