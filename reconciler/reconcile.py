"""START HERE. A run on one page: load, resolve, observe, diff, plan, apply, prove; nothing flows back.

Each function takes and gives values of `resource.py` and `plan/`; only `live/` touches the platform, only `manifest/`
the disk. `cli/` turns flags into these calls, `report/` turns their results into words. The steps stand in their
order; `plan_afresh` takes all of them up to the plan, and reads beside each other what it can.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from reconciler.errors import Fault, ManifestError, NothingDeclared, PlanRefused
from reconciler.manifest.load import Glance, load
from reconciler.manifest.resolve import resolve
from reconciler.plan.offers import doubted
from reconciler.plan.plan import Plan, build
from reconciler.plan.renewal import renewed
from reconciler.plan.rules import Rules, contested_moves, moves_of
from reconciler.plan.secrecy import tell_secrets
from reconciler.plan.select import Selection, is_matched, select
from reconciler.plan.verdict import Policy

if TYPE_CHECKING:
    from concurrent.futures import Future

    from reconciler.ledger.keeper import Keeper
    from reconciler.live.apply import Listener
    from reconciler.live.client import ReadClient, WriteClient
    from reconciler.live.observe import Observation
    from reconciler.manifest.config import Config
    from reconciler.manifest.since import Before
    from reconciler.plan.freshness import Heads
    from reconciler.plan.offers import Place
    from reconciler.plan.outcome import Applied
    from reconciler.plan.owned import Entry, Ledger
    from reconciler.resource import Address, Desired, Document
    from reconciler.settings import Settings


def read_manifests(
    paths: Sequence[str],
    *,
    stdin: Iterable[bytes] = (),
    glance: Glance = lambda _documents: None,
    may_be_empty: bool = False,
    past: Before | None = None,
) -> Sequence[Desired]:
    """Load and resolve; `glance` sees the documents while they come in, before they are checked.

    Raises ManifestError with every fault, but those that `past` had already where nothing was touched since.
    """
    with collector_paused():
        resolved = resolve(load(paths, stdin=stdin, glance=glance, may_be_empty=may_be_empty))
    if faults := [fault for fault in resolved.faults if past is None or not past.explains(fault)]:
        raise ManifestError(faults)
    return resolved.desired


def read_past(settings: Settings) -> Before | None:
    """Read what was declared at the commit of `--since`, None without that. Raises UsageError."""
    if settings.since is None:
        return None
    from reconciler.manifest.since import before

    with collector_paused():
        return before(settings.manifests, settings.since)


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


def want(
    declared: Sequence[Desired], settings: Settings, *, ledger: Ledger, config: Config, past: Before | None = None
) -> Wanted:
    """Select what a run is about, and say under which rules. Raises UsageError for a selection of nothing."""
    if contested := [*contested_moves(declared, ledger)]:
        raise ManifestError(contested)
    rules = rules_for(declared, settings, ledger=ledger, config=config)
    leaving = rules.leaving(declared)
    since = past.touched(declared) if past else None
    selection = Selection(settings.orgs, settings.target, settings.exclude, since)
    chosen, partial = select(declared, selection, leaving=leaving)
    gone = {address: entry for address, entry in leaving.items() if selection.takes(address)}
    return Wanted(declared, chosen, partial, rules, gone)


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
    renew = renewed(declared, settings.rotate, holders=holders)
    return replace(rules, rotate=secrets.rotate, secrets=secrets.states, renew=renew)


def make_plan(wanted: Wanted, settings: Settings, *, client: ReadClient) -> Plan:
    """Observe, diff and plan; reads only. Raises ApiError, and ManifestError for references that mean nothing."""
    return observe_and_plan(wanted, settings, client=client)[1]


def observe_and_plan(
    wanted: Wanted, settings: Settings, *, client: ReadClient, heads: Heads | None = None
) -> tuple[Observation, Plan]:
    """Return what was seen beside the plan; `heads` asks for branches in the place of git."""
    from reconciler.live.heads import heads_so_far, no_heads
    from reconciler.live.observe import observe

    by_git = no_heads if settings.local else partial(heads_so_far, parallelism=settings.parallelism)

    with collector_paused():
        seen = observe(
            client,
            wanted.everything,
            wanted.chosen,
            rules=wanted.rules,
            leaving=wanted.leaving,
            org_id=settings.org_id,
            parallelism=settings.parallelism,
            heads=heads or by_git,
        )
        client.end_ahead()
        plan = _built(wanted, wanted.rules, seen)
        _left[:] = [wanted, seen]
    faults = [*seen.faults, *(plan if isinstance(plan, list) else ())]
    if faults or isinstance(plan, list):
        raise ManifestError(faults)
    return seen, plan


def _built(wanted: Wanted, rules: Rules, seen: Observation) -> Plan | list[Fault]:
    """Plan, and note what would be written and is not among what the platform offers."""
    plan = build(seen.desired, seen.situation, rules, partial=wanted.partial)
    if not isinstance(plan, Plan) or seen.faults:
        return plan
    return doubted(plan, seen.desired, offered=seen.offered, lines_of=_lines_of)


def _lines_of(places: Sequence[Place]) -> Sequence[int]:
    """Return the lines of the manifests in which values stand."""
    from reconciler.manifest.locate import located

    found = located(
        Fault(str(number), one.source, (*one.path, *where), on_value=True) for number, (one, where) in enumerate(places)
    )
    lines = {int(fault.message): fault.line for fault in found}
    return [lines[number] for number in range(len(places))]


def want_afresh(
    settings: Settings,
    *,
    client: ReadClient,
    read_ledger: Callable[[], Ledger],
    config: Config,
    stdin: Iterable[bytes] = (),
) -> Wanted:
    """Read manifests and select, platform and ledger being read meanwhile; raises what `want` and both reads do."""
    from reconciler.live.ahead import Ahead
    from reconciler.live.readers import readers

    past = read_past(settings)  # before anything starts a thread: to read many files may fork
    ahead = None if settings.is_partial else Ahead(client, org_id=settings.org_id)  # else what is chosen comes later
    with readers(1) as pool:
        begun: list[Future[Ledger]] = []

        def glance(documents: Sequence[Document]) -> None:
            if not begun:
                begun.append(pool.submit(read_ledger))
            if ahead is not None:
                ahead.glance(documents)

        try:
            declared = read_manifests(settings.manifests, stdin=stdin, glance=glance)
        except NothingDeclared as error:
            owned = len(read_ledger().entries)
            if not owned:
                raise
            raise PlanRefused(
                f"{error.message}, and {owned} resources are ours: nothing is archived for that",
                hint="is it the right folder? to give everything up: reconciler ledger forget --all",
            ) from error
        ledger = begun[0].result() if begun else read_ledger()
    return want(declared, settings, ledger=ledger, config=config, past=past)


def plan_afresh(
    settings: Settings,
    *,
    client: ReadClient,
    read_ledger: Callable[[], Ledger],
    config: Config,
    stdin: Iterable[bytes] = (),
) -> Plan:
    """Do all of the above, from the manifests to the plan; raises what that does."""
    wanted = want_afresh(settings, client=client, read_ledger=read_ledger, config=config, stdin=stdin)
    return make_plan(wanted, settings, client=client)


def plan_for_review(
    settings: Settings,
    *,
    client: ReadClient,
    read_ledger: Callable[[], Ledger],
    config: Config,
    stdin: Iterable[bytes] = (),
) -> tuple[Plan, Plan]:
    """Return the plan, and what it would be if no secret had another value than the one last sent.

    A review is of the second: who reviews may not be given the values. They are the same where no value is another
    one; what is sent again on request is in both. Raises what `plan_afresh` does.
    """
    wanted = want_afresh(settings, client=client, read_ledger=read_ledger, config=config, stdin=stdin)
    seen, plan = observe_and_plan(wanted, settings, client=client)
    asked = {place: found for place, found in wanted.rules.rotate.items() if is_matched(place, settings.rotate)}
    if asked == wanted.rules.rotate:
        return plan, plan
    with collector_paused():
        bare = _built(wanted, replace(wanted.rules, rotate=asked), seen)
    return plan, bare if isinstance(bare, Plan) else plan


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
    held and is the one of the plan, with `recheck` nothing moved since the plan was made, and the journal is begun
    where the client has a place for it; then `claim` is called. Raises PlanRefused, SecretUnavailable, KeyUndelivered,
    Forbidden, Refused, LedgerError, StalePlan, JournalError; what fails later is in the outcomes.
    """
    from reconciler.live.check import ensure_fresh
    from reconciler.writing import begin_journal, ensure_ready, write_and_remember

    if plan.refusals:
        raise refusal_of(plan)
    ensure_ready(plan, client=client)
    with ExitStack() as until_told:  # the journal outlives the hold on the ledger: it says whether that was written

        def begun() -> None:
            if recheck:
                ensure_fresh(plan, client=client, parallelism=settings.parallelism)
            begin_journal(plan, client=client, keeper=keeper, until=until_told)
            claim()

        applied = write_and_remember(plan, settings, client=client, keeper=keeper, listen=listen, begun=begun)
        if client.journal:
            client.journal.end(applied)
    return replace(applied, run=keeper.run)


def refusal_of(plan: Plan) -> PlanRefused:
    """Return the verdict against a plan as an error."""
    message = "; ".join(one.message for one in plan.refusals)
    hints = dict.fromkeys(one.hint for one in plan.refusals)
    return PlanRefused(f"{message}: nothing was written", hint="; ".join(hints))


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the cycle collector away from what a phase builds: it would walk every document again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


_left: list[object] = []
"""What the last plan was made from: the end of the process takes it down at once, piece by piece it takes a while."""
