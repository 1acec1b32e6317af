"""START HERE. A run on one page: load, resolve, observe, diff, plan, apply, prove; nothing flows back.

Each function takes and gives values of `resource.py` and `plan/`; only `live/` touches the platform, only `manifest/`
the disk. `cli/` turns flags into these calls, `report/` turns their results into words.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.errors import ApiError, LedgerError, ManifestError, PlanRefused, UsageError
from reconciler.manifest.load import Glance, load
from reconciler.manifest.resolve import resolve
from reconciler.plan.change import Action
from reconciler.plan.outcome import Applied, Remainder
from reconciler.plan.plan import Plan, build
from reconciler.plan.rules import Rules, moves_of
from reconciler.plan.secrecy import tell_secrets
from reconciler.plan.select import Selection, is_matched, select
from reconciler.plan.verdict import Policy

if TYPE_CHECKING:
    from concurrent.futures import Future

    from reconciler.ledger.keeper import Keeper
    from reconciler.live.apply import Listener
    from reconciler.live.client import ReadClient, WriteClient
    from reconciler.live.ids import Ids
    from reconciler.manifest.config import Config
    from reconciler.plan.change import Change
    from reconciler.plan.imported import Imported
    from reconciler.plan.owned import Entry, Ledger
    from reconciler.resource import Address, Desired, Document
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
    """What git wants: everything declared, what this run is about, and in words what was left out.

    `rules` has the ledger, `leaving` is what that knows and git no longer declares.
    """

    everything: Sequence[Desired]
    chosen: Sequence[Desired]
    partial: str | None
    rules: Rules
    leaving: Mapping[Address, Entry]


def read_manifests(
    paths: Sequence[str],
    *,
    stdin: Iterable[bytes] = (),
    glance: Glance = lambda _documents: None,
    may_be_empty: bool = False,
) -> Sequence[Desired]:
    """Load and resolve; `glance` sees the documents while they come in, before they are checked.

    Raises ManifestError with every fault.
    """
    with collector_paused():
        resolved = resolve(load(paths, stdin=stdin, glance=glance, may_be_empty=may_be_empty))
    if resolved.faults:
        raise ManifestError(resolved.faults)
    return resolved.desired


def rules_for(declared: Sequence[Desired], settings: Settings, *, ledger: Ledger, config: Config) -> Rules:
    """Say under which rules a run plans; secrets that were sent before are compared with what they are now."""
    from reconciler.ledger.fingerprint import matching
    from reconciler.live.secrets import value_if_any

    moves = moves_of(declared, ledger)
    policy = Policy(config.limit, config.limits, settings.allow_archive, prune=settings.prune)
    rules = Rules(ledger, adopt=config.adopt, policy=policy, moves=moves)
    secrets = tell_secrets(
        declared,
        entry_of=lambda address: rules.known(address).entry,
        value_of=value_if_any,
        matching=matching,
        asked=lambda address: is_matched(address, settings.rotate),
    )
    holders = {address for address, _ in secrets.states}
    for pattern in settings.rotate:
        if not any(is_matched(address, (pattern,)) for address in holders):
            raise UsageError(f"--rotate {pattern}: matches nothing that declares a secret")
    return replace(rules, rotate=secrets.rotate, secrets=secrets.counts)


def want(declared: Sequence[Desired], settings: Settings, *, ledger: Ledger, config: Config) -> Wanted:
    """Select what a run is about, and say under which rules. Raises UsageError for a selection of nothing."""
    rules = rules_for(declared, settings, ledger=ledger, config=config)
    leaving = rules.leaving(declared)
    selection = Selection(settings.orgs, settings.target, settings.exclude)
    chosen, partial = select(declared, selection, leaving=leaving)
    gone = {address: entry for address, entry in leaving.items() if selection.takes(address)}
    return Wanted(declared, chosen, partial, rules, gone)


def make_plan(wanted: Wanted, settings: Settings, *, client: ReadClient) -> Plan:
    """Observe, diff and plan; reads only. Raises ApiError, and ManifestError for references that mean nothing."""
    from reconciler.live.observe import observe

    with collector_paused():
        seen = observe(
            client,
            wanted.everything,
            wanted.chosen,
            rules=wanted.rules,
            leaving=wanted.leaving,
            org_id=settings.org_id,
            parallelism=settings.parallelism,
        )
        client.end_ahead()
        plan = build(seen.desired, seen.situation, wanted.rules, partial=wanted.partial)
    faults = [*seen.faults, *(plan if isinstance(plan, list) else ())]
    if faults or isinstance(plan, list):
        raise ManifestError(faults)
    return plan


def plan_afresh(
    settings: Settings,
    *,
    client: ReadClient,
    read_ledger: Callable[[], Ledger],
    config: Config,
    stdin: Iterable[bytes] = (),
) -> Plan:
    """Do all of the above, platform and ledger being read while the manifests are; raises what they raise."""
    from reconciler.live.ahead import Ahead
    from reconciler.live.readers import readers

    ahead = None if settings.is_partial else Ahead(client, org_id=settings.org_id)  # else what is chosen comes later
    with readers(1) as pool:
        begun: list[Future[Ledger]] = []

        def glance(documents: Sequence[Document]) -> None:
            if not begun:
                begun.append(pool.submit(read_ledger))
            if ahead is not None:
                ahead.glance(documents)

        declared = read_manifests(settings.manifests, stdin=stdin, glance=glance)
        ledger = begun[0].result() if begun else read_ledger()
    return make_plan(want(declared, settings, ledger=ledger, config=config), settings, client=client)


def import_live(settings: Settings, *, client: ReadClient, ledger: Ledger, into: str, words: Sequence[str]) -> Imported:
    """Write manifests below `into` of what is live, chosen by `words` (all for none) and not declared there yet.

    The `ledger` says what declared addresses are remembered by. Reads the platform and writes only new files. Raises
    ManifestError for faults in what is declared already, UsageError for words that mean nothing, ApiError.
    """
    from reconciler.live.look import look
    from reconciler.live.survey import survey
    from reconciler.manifest.layout import lay_out
    from reconciler.manifest.save import in_the_way, save
    from reconciler.plan.capture import capture_all
    from reconciler.plan.imported import Imported
    from reconciler.plan.pick import kinds_of, pick, with_tenants

    kinds = kinds_of(words)
    declared = read_manifests((into,), may_be_empty=True)
    found = survey(
        client,
        declared,
        orgs=settings.orgs,
        org_id=settings.org_id,
        kinds=kinds,
        parallelism=settings.parallelism,
        remembered=Rules(ledger, moves=moves_of(declared, ledger)).id_of,
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


def adopt(
    plan: Plan, *, client: ReadClient, keeper: Keeper, chosen: Callable[[Address], bool], also_differing: bool = False
) -> list[Change]:
    """Let the ledger take over what a plan found there and agreeing, or also what differs, if it is chosen.

    Nothing is written to the platform. Returns what was taken over; raises LedgerError.
    """
    from reconciler.live.ids import Ids
    from reconciler.plan.outcome import Done

    actions = {Action.ADOPT, Action.CONFLICT} if also_differing else {Action.ADOPT}
    taken = [change for change in plan.changes if change.action in actions and chosen(change.address)]
    if taken:
        with keeper.held(plan):
            before = keeper.begin(replace(plan, changes=tuple(taken)))
            done = Applied(tuple(Done(change) for change in taken))
            keeper.end(before, _learnt(before, done, Ids(plan, client), keeper), plan)
    return taken


def apply_plan(
    plan: Plan,
    settings: Settings,
    *,
    client: WriteClient,
    keeper: Keeper,
    listen: Listener,
    recheck: bool,
    claim: Callable[[], None] = lambda: None,
) -> Applied:
    """Apply a plan, prove it by reading back, and let the ledger remember it.

    Before the first write: the verdict is not against it, every secret has a value, the key may do it, the ledger is
    held and is the one of the plan, and with `recheck` nothing moved since the plan was made; then `claim` is called.
    Raises PlanRefused, SecretUnavailable, Forbidden, Refused, LedgerError, StalePlan; what fails later is in the
    outcomes.
    """
    from reconciler.live.check import ensure_fresh
    from reconciler.live.ids import Ids
    from reconciler.live.preflight import ensure_allowed
    from reconciler.live.secrets import require

    ensure_not_refused(plan)
    require((secret, str(change.address)) for change in plan.writes for secret in change.secrets)
    ensure_allowed(plan, client=client)
    with keeper.held(plan):
        if recheck:
            ensure_fresh(plan, client=client, parallelism=settings.parallelism)
        claim()
        before = keeper.begin(plan)
        ids = Ids(plan, client)
        applied = _applied(plan, settings, client=client, ids=ids, listen=listen)
        try:
            keeper.end(before, _learnt(before, applied, ids, keeper), plan)
        except LedgerError as error:
            applied = replace(applied, unrecorded=error)
    return applied


def ensure_not_refused(plan: Plan) -> None:
    """Raise PlanRefused when the verdict is against a plan."""
    if plan.refusals:
        message = "; ".join(one.message for one in plan.refusals)
        hints = dict.fromkeys(one.hint for one in plan.refusals)
        raise PlanRefused(f"{message}: nothing was written", hint="; ".join(hints))


def _applied(plan: Plan, settings: Settings, *, client: WriteClient, ids: Ids, listen: Listener) -> Applied:
    """Write, and read back."""
    from reconciler.live.apply import apply
    from reconciler.live.check import prove

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


def _learnt(before: Ledger, applied: Applied, ids: Ids, keeper: Keeper) -> Ledger:
    """Return the ledger after a run."""
    from reconciler.ledger.lock import now
    from reconciler.ledger.remember import Memory, remembered
    from reconciler.live.apply import may_exist
    from reconciler.live.secrets import value_of

    memory = Memory(ids=ids.known(), orgs=ids.orgs(), at=now(), commit=keeper.commit, value_of=value_of)
    return remembered(before, applied.outcomes, memory, may_exist=may_exist)
