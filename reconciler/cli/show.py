"""`reconciler show`: one resource as git wants it, as it was last written, and as it is live; or plans in files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.console import Console
from reconciler.cli.outputs import NOTHING_ELSE
from reconciler.errors import UsageError
from reconciler.report import events
from reconciler.settings import Settings

if TYPE_CHECKING:
    from reconciler.reconcile import Wanted
    from reconciler.resource import Desired


@options.verb(
    "show",
    options.PATHS,
    options.PLATFORM,
    options.LEDGER,
    options.FORMATS,
    own=(click.argument("what", nargs=-1, required=True, metavar="ADDRESS | PLAN..."),),
)
def command(*, settings: Settings, console: Console, ledger: options.LedgerName | None, what: Sequence[str]) -> int:
    """Show a resource as git wants it, as it was last written, and as it is live; or plans that were saved.

    An ADDRESS is acme/Agent/triage, or Agent/triage. A word that names a file is a PLAN that `plan --out` saved: of
    several, one table of all environments and organizations stands first. Reads only.
    """
    if any(Path(word).is_file() for word in what):
        if beside := options.given_beside("what", "formats"):
            raise UsageError(f"a saved plan is shown as it is: {beside} has no say in it")
        from reconciler.cli.show_plans import show_plans

        return show_plans(tuple(dict.fromkeys(what)), console)
    if len(what) > 1:
        raise UsageError(f"{', '.join(what)}: one address at a time", hint="several plans are shown by their files")
    if console.outputs != NOTHING_ELSE:
        raise UsageError("--format is for saved plans, not for an address", hint="--json has all of a resource")
    return _show_resource(what[0], settings, console, ledger)


def _show_resource(address: str, settings: Settings, console: Console, ledger: options.LedgerName | None) -> int:
    """Show what git wants of an address, what was last written there, what is live, and who touched its lines last."""
    from reconciler.cli.connect import ledger_of, reading
    from reconciler.manifest.blame import last_touched, lines_of
    from reconciler.reconcile import want_afresh
    from reconciler.report.show_text import show_text
    from reconciler.views import inspect

    backend, config = ledger_of(settings, backend=ledger)
    with reading(settings) as client:
        wanted = want_afresh(settings, client=client, read_ledger=backend.read, config=config, stdin=sys.stdin.buffer)
        one = _the_one(wanted, address)
        shown = inspect(wanted, one.address, settings, client=client)
    touched = last_touched(one.source, lines_of(one.source, () if one.path == ("spec",) else one.path))
    console.event(events.shown(shown, touched=str(touched) if touched else None))
    console.text(show_text(shown, touched=str(touched) if touched else None, style=console.style))
    return console.end()


def _the_one(wanted: Wanted, text: str) -> Desired:
    """Return the one declared resource that a text means."""
    from difflib import get_close_matches

    from reconciler.plan.select import is_matched

    found = [one for one in wanted.everything if is_matched(one.address, (text,))]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(str(one.address) for one in found[:5])
        raise UsageError(f"{text} means {len(found)} resources: {names}", hint="name one of them in full")
    gone = next((address for address in wanted.leaving if is_matched(address, (text,))), None)
    if gone is not None:
        raise UsageError(f"{gone} is ours and no longer in git", hint="reconciler plan says what becomes of it")
    if text.endswith((".plan", ".json")):
        hint = "a plan is saved by plan --out; an address is as plan prints it"
        raise UsageError(f"there is no file {text}", hint=hint)
    known = [spelled for one in wanted.everything for spelled in (str(one.address), one.address.local)]
    close = get_close_matches(text, known, n=1)
    raise UsageError(
        f"{text} is not declared", hint=f"did you mean {close[0]}?" if close else "addresses are as plan prints them"
    )
