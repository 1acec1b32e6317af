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
    from reconciler.plan.imported import Imported
    from reconciler.resource import Address, Desired
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
    everything = _declared(settings.manifests, stdin=stdin, glance=glance)
    chosen, partial = select(everything, orgs=settings.orgs, target=settings.target, exclude=settings.exclude)
    return Wanted(everything, chosen, partial)


def _declared(
    paths: Sequence[str],
    *,
    stdin: Iterable[bytes] = (),
    glance: Glance = lambda _documents: None,
    may_be_empty: bool = False,
) -> Sequence[Desired]:
    with collector_paused():
        resolved = resolve(load(paths, stdin=stdin, glance=glance, may_be_empty=may_be_empty))
    if resolved.faults:
        raise ManifestError(resolved.faults)
    return resolved.desired


_left: list[object] = []
"""What the last plan was made from: the end of the process takes it down at once, piece by piece it takes a while."""


def make_plan(wanted: Wanted, settings: Settings, *, client: ReadClient) -> Plan:
    """Observe, diff and plan; reads only. Raises ApiError, and ManifestError for references that mean nothing."""
    from reconciler.live.observe import observe

    with collector_paused():
        seen = observe(
            client, wanted.everything, wanted.chosen, org_id=settings.org_id, parallelism=settings.parallelism
        )
        client.end_ahead()
        plan = build(seen.desired, seen.situation, partial=wanted.partial)
        _left[:] = [wanted, seen]
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


def import_live(settings: Settings, *, client: ReadClient, into: str, words: Sequence[str]) -> Imported:
    """Write manifests below `into` of what is live, chosen by `words` (all for none) and not declared there yet.

    Reads the platform and writes only new files. Raises ManifestError for faults in what is declared already,
    UsageError for words that mean nothing, ApiError.
    """
    from reconciler.live.look import look
    from reconciler.live.survey import survey
    from reconciler.manifest.layout import lay_out
    from reconciler.manifest.save import in_the_way, save
    from reconciler.plan.capture import capture_all
    from reconciler.plan.imported import Imported
    from reconciler.plan.pick import kinds_of, pick, with_tenants

    kinds = kinds_of(words)
    declared = _declared((into,), may_be_empty=True)
    found = survey(
        client, declared, orgs=settings.orgs, org_id=settings.org_id, kinds=kinds, parallelism=settings.parallelism
    )
    if found.faults:
        raise ManifestError(found.faults)
    chosen = pick([one for one in found.candidates if one.address.kind in kinds], words, archived=found.archived)
    missing = with_tenants([one for one in chosen if one.declared is None], found.candidates, found.homes)
    blocked: frozenset[Address] = frozenset()
    for _ in range(2):  # what turns out to get no manifest is referred to by its title the second time
        captured, gaps = capture_all(look(found, missing, without=blocked), beside=declared)
        sheets, unwritable = lay_out(captured, found.homes, declared, root=into)
        blocked = in_the_way(sheets, root=into) | {gap.address for gap in (*gaps, *unwritable) if gap.is_total}
        if not blocked:
            break
    saved = save(sheets, root=into)
    return Imported(
        homes=found.homes,
        saved=tuple(saved),
        gaps=(*gaps, *unwritable),
        needed=tuple(one for each in captured for one in each.all_needed),
        suspects=tuple(one for each in captured for one in each.all_suspects),
        declared=tuple(one for one in chosen if one.declared is not None),
        archived=len(found.archived),
    )


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
