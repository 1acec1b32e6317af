"""`reconciler ledger`: what is owned, and the ways out when it is locked, wrong or damaged."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.console import Console
from reconciler.errors import Exit, UsageError
from reconciler.report import events
from reconciler.settings import Settings

if TYPE_CHECKING:
    from reconciler.ledger.lock import Lock
    from reconciler.plan.owned import Ledger
    from reconciler.resource import Address

_SHARED = (options.PATHS, options.ENDPOINT, options.LEDGER)
_APPROVE = click.option("-y", "--auto-approve", is_flag=True, help="Do not ask; required off a terminal.")


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
    console.event(events.ledger(backend.place, known.owner._asdict(), known.serial, _plain(holder)))
    for address, entry in sorted(known.entries.items()):
        about = {"id": entry.id, "protect": entry.protect, "commit": entry.commit, "applied_at": entry.applied_at}
        console.event(events.owned(str(address), **about, fields=list(entry.fields), secrets=list(entry.secrets)))
    console.text(_lines(known, holder, place=backend.place, console=console))
    return console.end()


@options.verb(
    "ledger forget",
    *_SHARED,
    options.LOCK,
    own=(
        click.argument("addresses", nargs=-1, metavar="[ADDRESS]..."),
        click.option("--all", "everything", is_flag=True, help="Forget all, even when the ledger is damaged."),
        _APPROVE,
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
    chosen = [_address(text) for text in addresses]
    backend, config = ledger_of(settings, backend=ledger)
    if everything and not auto_approve and not _agreed(f"Forget everything in {backend.place}?", console):
        return console.end(Exit.ERROR)
    lock = lock_for(config, os.environ)
    with backend.lock(lock, wait=lock_timeout):
        if everything:
            backend.erase(message=f"Forget everything\n\nBy {lock}\n")
        else:
            known = backend.read()
            for address in chosen:
                known = known.forget(address)
            backend.write(known, message=f"Forget {', '.join(addresses)}\n\nBy {lock}\n")
    console.event(events.forgotten([str(address) for address in chosen], everything=everything))
    console.text([f"Forgotten: {'everything' if everything else ', '.join(addresses)}."])
    return console.end()


@options.verb("ledger unlock", *_SHARED, own=(_APPROVE,))
def unlock(*, settings: Settings, console: Console, ledger: options.LedgerName | None, auto_approve: bool) -> int:
    """Take the lock away from a dead run.

    A run that is alive after all goes on writing to the platform, but will not write the ledger any more.
    """
    from reconciler.cli.connect import ledger_of

    backend, _ = ledger_of(settings, backend=ledger)
    holder = backend.holder()
    if holder is not None:
        if not auto_approve and not _agreed(f"Take the lock of {holder} away?", console):
            return console.end(Exit.ERROR)
        backend.unlock(holder)
    console.event(events.unlocked(_plain(holder)))
    console.text([f"Unlocked: it was held by {holder}." if holder else f"Nobody holds the ledger in {backend.place}."])
    return console.end()


for _verb in (show, forget, unlock):
    command.add_command(_verb)


def _lines(known: Ledger, holder: Lock | None, *, place: str, console: Console) -> list[str]:
    from reconciler.report.table import table

    style = console.style
    lines = [f"{style.paint('Ledger', 'bold')} in {style.paint(place)}, serial {known.serial}"]
    lines.append(f"Owner: {style.paint(str(known.owner))}")
    if holder is not None:
        lines.append(f"Locked by {style.paint(str(holder))}{', left behind' if holder.is_stale else ''}")
    lines += [f"Begun, not confirmed: {style.paint(str(address))}" for address in sorted(known.begun)]
    rows = [
        [
            str(address),
            entry.id,
            (entry.commit or "-")[:12],
            entry.applied_at,
            str(len(entry.fields)),
            str(len(entry.secrets)),
            "protected" if entry.protect else "",
        ]
        for address, entry in sorted(known.entries.items())
    ]
    head = ["ADDRESS", "ID", "COMMIT", "APPLIED", "FIELDS", "SECRETS", ""]
    return [*lines, "", *(table(head, rows, style=style) if rows else ["It knows nothing yet."])]


def _plain(lock: Lock | None) -> dict[str, object] | None:
    from dataclasses import asdict

    return None if lock is None else asdict(lock)


def _address(text: str) -> Address:
    from reconciler.resource import Address

    try:
        return Address.parse(text)
    except ValueError as error:
        raise UsageError(str(error), hint="write organization/Kind/name, as ledger show does") from error


def _agreed(question: str, console: Console) -> bool:
    if console.as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("this asks before it writes, and there is no terminal to ask on", hint="use --auto-approve")
    click.echo(f"{question} Only yes is taken for yes: ", nl=False)
    return sys.stdin.readline().strip() == "yes"
