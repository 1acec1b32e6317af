"""What an apply is made of: it may begin, a run is noted, it writes and reads back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from reconciler.api_errors import ApiError
from reconciler.errors import Interrupted, ReconcilerError, Stopped
from reconciler.ledger.keeper import Keeper
from reconciler.ledger.lock import now
from reconciler.ledger.remember import Memory, remembered
from reconciler.live.apply import Listener, apply, may_exist
from reconciler.live.await_sync import await_syncs, cut_short
from reconciler.live.check import prove
from reconciler.live.client import WriteClient
from reconciler.live.ids import Ids
from reconciler.live.keys import ensure_deliverable
from reconciler.live.preflight import ensure_allowed
from reconciler.live.secrets import require, value_of
from reconciler.plan.outcome import Applied, Remainder
from reconciler.plan.owned import Ledger
from reconciler.plan.plan import Plan
from reconciler.settings import Settings


def ensure_ready(plan: Plan, *, client: WriteClient) -> None:
    """Check what a plan needs: secrets with values, places for keys, and the right to do it.

    Raises SecretUnavailable, KeyUndelivered, Forbidden, Refused.
    """
    require((secret, str(change.address)) for change in plan.writes for secret in change.secrets)
    if keys := [(change.key_to, change.address) for change in plan.writes if change.key_to is not None]:
        ensure_deliverable(keys)
    ensure_allowed(plan, client=client)


def begin_journal(plan: Plan, *, client: WriteClient, keeper: Keeper, until: ExitStack) -> None:
    """Begin the journal of a run where the client has a place for it, and wait for what earlier runs sent.

    It is closed at the end of `until`. Raises JournalError.
    """
    if not client.runs:
        return
    head = keeper.head(plan, api_url=client.base)
    client.expect(client.runs.on_their_way(head.owner, api_url=client.base))
    client.journal = until.enter_context(client.runs.begin(head))


def write_and_prove(plan: Plan, settings: Settings, *, client: WriteClient, ids: Ids, listen: Listener) -> Applied:
    """Write, and read back."""
    journal = client.journal
    outcomes, interrupted = apply(
        plan,
        client=client,
        ids=ids,
        parallelism=settings.parallelism,
        listen=listen,
        journal=journal,
        overwrites=settings.on_conflict == "overwrite",
    )
    stopped = (journal.broken if journal else None) or client.stopped
    remainders: tuple[Remainder, ...] = ()
    unproved: ReconcilerError | None = None
    if not interrupted:
        try:
            remainders = prove(outcomes, client=client, ids=ids, parallelism=settings.parallelism)
            remainders += await_syncs(outcomes, client=client, ids=ids, parallelism=settings.parallelism)
        except KeyboardInterrupt:  # what was done is still to be told
            interrupted = True
            remainders += cut_short(outcomes)
        except (ApiError, Stopped) as error:
            unproved = error
    return Applied(outcomes, interrupted, remainders, unproved, client.throttled_for, stopped=stopped)


def write_and_remember(
    plan: Plan,
    settings: Settings,
    *,
    client: WriteClient,
    keeper: Keeper,
    listen: Listener,
    begun: Callable[[], None],
) -> Applied:
    """Write and prove while the ledger is held, and let it learn; `begun` is called before the first write."""
    applied: Applied | None = None
    try:
        with keeper.held(plan):
            begun()
            before = keeper.begin(plan)
            ids = Ids(plan, client)
            applied = write_and_prove(plan, settings, client=client, ids=ids, listen=listen)
            keeper.end(before, learnt(before, applied, ids, keeper), changes=len(plan.steps))
    except ReconcilerError as error:
        if applied is None:
            raise
        return replace(applied, unrecorded=error)  # what was written is to be told all the same
    except KeyboardInterrupt:
        if applied is None:
            raise
        cut_short = Interrupted("interrupted while the ledger was written", hint="run again: it learns the rest")
        return replace(applied, interrupted=True, unrecorded=cut_short)
    return applied


def learnt(before: Ledger, applied: Applied, ids: Ids, keeper: Keeper) -> Ledger:
    """Return the ledger after a run."""
    memory = Memory(run=keeper.run, ids=ids.known(), orgs=ids.orgs(), at=now(), commit=keeper.commit, value_of=value_of)
    return remembered(before, applied.outcomes, memory, may_exist=may_exist, remainders=applied.remainders)
