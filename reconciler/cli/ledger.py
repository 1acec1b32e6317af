"""`reconciler ledger`: what is owned, and the ways out when it is locked, wrong or damaged."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.console import Console
from reconciler.cli.ledger_move import APPROVE, agreed, move
from reconciler.errors import Exit, LedgerError, UsageError
from reconciler.report import ledger_events
from reconciler.settings import Settings

if TYPE_CHECKING:
    from reconciler.ledger.lock import Lock
    from reconciler.plan.change import Change
    from reconciler.plan.owned import Ledger
    from reconciler.plan.plan import Plan
    from reconciler.resource import Address

_SHARED = (options.PATHS, options.ENDPOINT, options.LEDGER)


@click.group("ledger", no_args_is_help=True)
def command() -> None:
    """Show or mend the ledger.

    It says what these manifests own on the platform and what was last written there. It holds no values, and nothing
    breaks without it: nothing is archived then, and what agrees is taken over again.
    """


@options.verb("ledger show", *_SHARED)
def show(*, settings: Settings, console: Console, ledger: options.LedgerName | None) -> int:
    """Show what the ledger knows, and who holds it."""
    from reconciler.cli.connect import ledger_of

    backend, _ = ledger_of(settings, backend=ledger)
    known, holder = backend.read(), backend.holder()
    console.event(ledger_events.ledger(backend.place, known.owner._asdict(), known.serial, _plain(holder)))
    for run, one in known.runs.items():
        console.event(ledger_events.farewell(run, one.at, {str(address): id_ for address, id_ in one.archived.items()}))
    for address, entry in sorted(known.entries.items()):
        about = {"id": entry.id, "protect": entry.protect, "commit": entry.commit, "applied_at": entry.applied_at}
        console.event(
            ledger_events.owned(str(address), **about, fields=list(entry.fields), secrets=list(entry.secrets))
        )
    console.text(_lines(known, holder, place=backend.place, console=console))
    return console.end()


@options.verb(
    "ledger forget",
    *_SHARED,
    options.LOCK,
    own=(
        click.argument("addresses", nargs=-1, metavar="[ADDRESS]..."),
        click.option("--all", "everything", is_flag=True, help="Forget all, even when the ledger is damaged."),
        APPROVE,
    ),
)
def forget(
    *,
    settings: Settings,
    console: Console,
    ledger: options.LedgerName | None,
    lock_timeout: int,
    addresses: tuple[str, ...],
    everything: bool,
    auto_approve: bool,
) -> int:
    """Give up ownership of what is named.

    ADDRESS is as ledger show prints it; all below it goes along. Nothing happens on the platform: what is forgotten is
    nobody's until an apply takes it over again.
    """
    from reconciler.cli.connect import ledger_of, lock_for

    if bool(addresses) == everything:
        raise UsageError("say what to forget: addresses as acme/Agent/triage, or --all")
    backend, config = ledger_of(settings, backend=ledger)
    if everything and not auto_approve and not agreed(f"Forget everything in {backend.place}?", console):
        return console.end(Exit.ERROR)
    lock = lock_for(config, os.environ)
    chosen: list[Address] = []
    with backend.lock(lock, wait=lock_timeout):
        if everything:
            backend.erase(message=f"Forget everything\n\nBy {lock}\n")
        else:
            known = backend.read()
            chosen = list(dict.fromkeys(_known(text, known) for text in addresses))
            for address in sorted(chosen, key=lambda one: one.above is None):  # a child goes with its parent
                known = known.forget(address)
            backend.write(known, message=f"Forget {', '.join(map(str, chosen))}\n\nBy {lock}\n")
    console.event(ledger_events.forgotten([str(address) for address in chosen], everything=everything))
    console.text([f"Forgotten: {'everything' if everything else ', '.join(map(str, chosen))}."])
    return console.end()


@options.verb(
    "ledger adopt",
    options.PATHS,
    options.PLATFORM,
    options.LEDGER,
    options.LOCK,
    own=(click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS..."), APPROVE),
)
def adopt(
    *,
    settings: Settings,
    console: Console,
    ledger: options.LedgerName | None,
    lock_timeout: int,
    addresses: tuple[str, ...],
    auto_approve: bool,
) -> int:
    """Take over what is declared, is live already, and is not ours, whether it agrees or not.

    ADDRESS is acme/Agent/triage, Agent/triage or a glob. Nothing is written to the platform: what differs is changed
    by the next apply, and shown by the next plan.
    """
    from reconciler import intake
    from reconciler.cli.connect import keeper_of, reading
    from reconciler.manifest.commit import stand_of
    from reconciler.plan.change import Action
    from reconciler.plan.select import is_matched
    from reconciler.reconcile import plan_afresh

    def chosen(address: Address) -> bool:
        return is_matched(address, addresses)

    commit = stand_of(settings.manifests)
    keeper, config = keeper_of(settings, backend=ledger, wait=lock_timeout, env=os.environ, commit=commit)
    strict = replace(config, adopt="exact")
    with reading(settings) as client:
        keeper.wait_for_others()
        plan = plan_afresh(settings, client=client, read_ledger=keeper.backend.read, config=strict)
        found = [one for one in plan.changes if one.action in (Action.ADOPT, Action.CONFLICT)]
        foreign = [one.address for one in found if one.record is not None]  # an archived one has none
        for pattern in addresses:
            if not any(is_matched(address, (pattern,)) for address in foreign):
                raise UsageError(
                    f"{pattern}: nothing of this is declared, live and not ours",
                    hint="reconciler plan shows adoptions and conflicts",
                )
        count = sum(map(chosen, foreign))
        if not auto_approve and not agreed(f"Take {count} over?", console):
            return console.end(Exit.ERROR)
        taken = intake.adopt(plan, client=client, keeper=keeper, chosen=chosen, also_differing=True)
    _tell_taken(plan, taken, console, chosen=chosen)
    return console.end()


def _tell_taken(plan: Plan, taken: Sequence[Change], console: Console, *, chosen: Callable[[Address], bool]) -> None:
    """Say what was taken over, and what of what was chosen differs and was left."""
    from reconciler.plan.change import Action

    ours = {one.address for one in taken}
    left = [
        change
        for change in plan.changes
        if change.action is Action.CONFLICT and change.address not in ours and chosen(change.address)
    ]
    console.event(ledger_events.taken_over([str(one.address) for one in taken], [str(one.address) for one in left]))
    console.text(f"= {console.style.paint(str(one.address))}" for one in taken)
    console.text(f"# {console.style.paint(str(one.address))} {_why_left(one)}, and is left" for one in left)
    console.text([f"Ours from now on: {len(taken)}."])


def _why_left(conflict: Change) -> str:
    return "differs" if conflict.record is not None else "is archived"


@options.verb("ledger rebuild", options.PATHS, options.PLATFORM, options.LEDGER, options.LOCK, own=(APPROVE,))
def rebuild(
    *,
    settings: Settings,
    console: Console,
    ledger: options.LedgerName | None,
    lock_timeout: int,
    auto_approve: bool,
) -> int:
    """Begin the ledger anew: forget all, even when it is damaged, and take over what is declared and agrees.

    Nothing is written to the platform. What was ours and is gone from git is nobody's from then on, and never archived.
    """
    from reconciler import intake
    from reconciler.cli.connect import keeper_of, reading
    from reconciler.manifest.commit import stand_of
    from reconciler.plan.change import Action
    from reconciler.plan.owned import Ledger
    from reconciler.reconcile import plan_afresh

    commit = stand_of(settings.manifests)
    keeper, config = keeper_of(settings, backend=ledger, wait=lock_timeout, env=os.environ, commit=commit)
    backend = keeper.backend
    known: Ledger | None = None
    with suppress(LedgerError):  # damaged, or another's: it is to be replaced
        known = backend.read()
    count, serial = (len(known.entries), known.serial) if known else (0, -1)
    fresh = replace(known, entries={}, begun=frozenset(), serial=0) if known else Ledger(backend.owner)
    strict = replace(config, adopt="exact")
    with reading(settings) as client:
        plan = plan_afresh(settings, client=client, read_ledger=lambda: fresh, config=strict)
        new = plan.counts.get(Action.ADOPT, 0)
        question = f"Begin the ledger in {backend.place} anew, with {new} resources instead of {count}?"
        if not auto_approve and not agreed(question, console):
            return console.end(Exit.ERROR)
        taken = intake.rebuild(plan, fresh, client=client, keeper=keeper, serial=serial)
    _tell_taken(plan, taken, console, chosen=lambda _address: True)
    return console.end()


@options.verb("ledger unlock", *_SHARED, own=(APPROVE,))
def unlock(*, settings: Settings, console: Console, ledger: options.LedgerName | None, auto_approve: bool) -> int:
    """Take the lock away from a dead run.

    A run that is alive after all goes on writing to the platform, but will not write the ledger any more.
    """
    from reconciler.cli.connect import ledger_of

    backend, _ = ledger_of(settings, backend=ledger)
    holder = backend.holder()
    if holder is not None:
        if not auto_approve and not agreed(f"Take the lock of {holder} away?", console):
            return console.end(Exit.ERROR)
        backend.unlock(holder)
    console.event(ledger_events.unlocked(_plain(holder)))
    console.text([f"Unlocked: it was held by {holder}." if holder else f"Nobody holds the ledger in {backend.place}."])
    return console.end()


for _verb in (show, forget, adopt, move, rebuild, unlock):
    command.add_command(_verb)


def _lines(known: Ledger, holder: Lock | None, *, place: str, console: Console) -> list[str]:
    from reconciler.plan.owned import shortened
    from reconciler.report.style import counted
    from reconciler.report.table import table
    from reconciler.resource import by_rank

    style = console.style
    lines = [f"{style.paint('Ledger', 'bold')} in {style.paint(place)}, serial {known.serial}"]
    lines.append(f"Owner: {style.paint(str(known.owner))}")
    if holder is not None:
        lines.append(f"Locked by {style.paint(str(holder))}{', left behind' if holder.is_stale else ''}")
    lines += [f"Begun, not confirmed: {style.paint(str(address))}" for address in sorted(known.begun)]
    lines += [
        f"Run {style.paint(run)} archived {counted(len(one.archived), 'resource')} at {one.at}"
        for run, one in sorted(known.runs.items(), key=lambda item: item[1].at)
    ]
    rows = [
        [
            str(address),
            entry.id,
            shortened(entry.commit or "-", 12),
            entry.applied_at,
            str(len(entry.fields)),
            str(len(entry.secrets)),
            "protected" if entry.protect else "",
        ]
        for address, entry in sorted(known.entries.items(), key=lambda item: by_rank(item[0]))
    ]
    head = ["ADDRESS", "ID", "COMMIT", "APPLIED", "FIELDS", "SECRETS", ""]
    return [*lines, "", *(table(head, rows, style=style) if rows else ["It knows nothing yet."])]


def _plain(lock: Lock | None) -> dict[str, object] | None:
    from dataclasses import asdict

    return None if lock is None else asdict(lock)


def _known(text: str, ledger: Ledger) -> Address:
    """Return the one address of a ledger that a text spells, with or without its organization."""
    found = [address for address in (*ledger.entries, *ledger.begun) if text in (str(address), address.local)]
    if len(found) == 1:
        return found[0]
    why = "several organizations have one" if found else "the ledger does not know it"
    raise UsageError(f"{text}: {why}", hint="reconciler ledger show lists what it knows")
