"""`reconciler ledger move`: a ledger comes along when its place changes, as when a repository gets a remote."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import replace

import click

from reconciler.cli import options
from reconciler.cli.console import Console
from reconciler.errors import Exit, LedgerError, UsageError
from reconciler.report import ledger_events
from reconciler.settings import Settings

APPROVE = click.option("-y", "--auto-approve", is_flag=True, help="Do not ask; required off a terminal.")


@options.verb("ledger move", options.PATHS, options.ENDPOINT, options.LEDGER, options.LOCK, own=(APPROVE,))
def move(
    *,
    settings: Settings,
    console: Console,
    ledger: options.LedgerName | None,
    lock_timeout: int,
    auto_approve: bool,
) -> int:
    """Bring the ledger from where it was kept before to where it is kept now.

    From the file to the branch of a remote, from the branch as this clone last saw it to a file, or to the new name of
    its repository. Nothing happens on the platform. A file is put aside, a branch stays as it is.
    """
    from reconciler.cli.connect import ledger_of, lock_for

    backend, config = ledger_of(settings, backend=ledger)
    found = backend.former()
    with suppress(LedgerError):  # which is what it says of a place that has none yet
        if backend.read().serial:
            found = None
    if found is None:
        raise UsageError(
            f"there is no ledger to bring to {backend.place}, or one is there already",
            hint="the one to be moved is that of the same -f, API address and environment; reconciler ledger show",
        )
    count = len(found.ledger.entries)
    question = f"Bring {count} resources of {found.ledger.owner} from {found.place} to {backend.place}?"
    if not auto_approve and not agreed(question, console):
        return console.end(Exit.ERROR)
    lock = lock_for(config, os.environ)
    same_file = found.place == backend.place
    with backend.lock(lock, wait=lock_timeout, serial=None if same_file else 0):
        moved = replace(found.ledger, owner=backend.owner)
        backend.write(moved, message=f"Move the ledger here from {found.place}\n\nBy {lock}\n")
    aside = found.leave()
    console.event(ledger_events.moved(found.place, backend.place, entries=count, aside=aside))
    told = f"; the old one is {aside} now" if aside else ""
    console.text([f"Brought {count} resources from {found.place} to {backend.place}{told}."])
    return console.end()


def agreed(question: str, console: Console) -> bool:
    """Ask, and say whether the answer was yes. Raises UsageError where nobody can answer."""
    if console.as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("this asks before it writes, and there is no terminal to ask on", hint="use --auto-approve")
    click.echo(f"{question} Only yes is taken for yes: ", nl=False)
    return sys.stdin.readline().strip() == "yes"
