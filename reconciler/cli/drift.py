"""`reconciler drift`: what moved on the platform; plan is for what moved in git."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.console import Console
from reconciler.errors import Exit
from reconciler.report import events
from reconciler.settings import DEFAULT_MANIFESTS, Settings

if TYPE_CHECKING:
    from reconciler.plan.drift import Drift


@options.verb(
    "drift",
    options.MANIFESTS,
    options.PLATFORM,
    options.LEDGER,
    own=(click.option("--unmanaged", is_flag=True, help="Also what exists and nobody declares."),),
)
def command(*, settings: Settings, console: Console, ledger: options.LedgerName | None, unmanaged: bool) -> int:
    """Show what moved on the platform since it was last written; exit with 3 when something did.

    Reads only, takes no lock, and says nothing of what git wants and was not applied yet: that is what plan is for.
    """
    from reconciler.cli.connect import ledger_of, reading
    from reconciler.reconcile import find_drift, want_afresh

    backend, config = ledger_of(settings, backend=ledger)
    with reading(settings) as client:
        wanted = want_afresh(settings, client=client, read_ledger=backend.read, config=config, stdin=sys.stdin.buffer)
        drift = find_drift(wanted, settings, client=client, config=config, now=datetime.now(UTC))
        if unmanaged:
            from reconciler.intake import find_unmanaged

            drift = find_unmanaged(wanted, settings, drift, client=client)
    show(drift, console, flags=flags_of(settings))
    return console.end(Exit.DRIFT_FOUND if drift.drifted else Exit.DONE)


def show(drift: Drift, console: Console, *, flags: str) -> None:
    """Print a drift, or its events; `flags` lead to the same manifests and platform."""
    from reconciler.report.drift_text import drift_text, remedies

    for one in drift.drifted:
        revert, capture = remedies(one, flags=flags)
        console.event(events.drifted(one, revert=revert, capture=capture))
    console.event(events.drift_found(drift))
    console.text(drift_text(drift, style=console.style, flags=flags))


def flags_of(settings: Settings) -> str:
    """Spell the flags that lead to the same manifests and platform, each with a space behind it."""
    parts = [part for path in settings.manifests for part in ("-f", path)]
    parts = [] if settings.manifests == DEFAULT_MANIFESTS else parts
    return "".join(f"{shlex.quote(part)} " for part in (*parts, *(["--local"] if settings.local else [])))
