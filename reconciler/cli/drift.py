"""`reconciler drift`: what moved on the platform; plan is for what moved in git."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.console import Console, flags_elsewhere, flags_of
from reconciler.cli.outputs import facts_of
from reconciler.errors import Exit, LedgerError
from reconciler.report import events
from reconciler.report.subject import Found
from reconciler.settings import Settings

if TYPE_CHECKING:
    from reconciler.live.client import ReadClient
    from reconciler.plan.drift import Drift
    from reconciler.reconcile import Wanted


@options.verb(
    "drift",
    options.DRIFTING,
    own=(click.option("--capture", is_flag=True, help="Take what changed into the manifests, in place."),),
)
def command(
    *,
    settings: Settings,
    console: Console,
    ledger: options.LedgerName | None,
    lock_timeout: int,
    unmanaged: bool,
    capture: bool,
) -> int:
    """Show what moved on the platform since it was last written; exit with 3 when something did.

    Reads only, takes no lock, and says nothing of what git wants and was not applied yet: that is what plan is for.
    With --capture the live values are written into the files that declare them, which keep their comments and form.
    """
    from reconciler.cli.connect import ledger_of, reading
    from reconciler.live.heads import heads, no_heads
    from reconciler.reconcile import want_afresh
    from reconciler.views import find_drift

    backend, config = ledger_of(settings, backend=ledger)
    with reading(settings) as client:
        wanted = want_afresh(settings, client=client, read_ledger=backend.read, config=config, stdin=sys.stdin.buffer)
        drift = find_drift(
            wanted,
            settings,
            client=client,
            config=config,
            now=datetime.now(UTC),
            heads=no_heads if settings.local else partial(heads, parallelism=settings.parallelism),
        )
        if drift.unowned and not (drift.watched or drift.unsettled):
            raise LedgerError(
                f"drift cannot be told: none of the {drift.unowned} resources that are declared and live is ours",
                hint="reconciler apply takes over what agrees; or is it another -f, API address or environment?",
            )
        if unmanaged:
            from reconciler.views import find_unmanaged

            drift = find_unmanaged(wanted, settings, drift, client=client)
        show(drift, console, flags=flags_of(settings))
        found = Found(drift, wanted.rules.ledger.owner.environment, flags_elsewhere(settings))
        console.about(found, facts=lambda: facts_of(settings))
        if capture:
            return _capture(drift, wanted, settings, console, client, wait=lock_timeout, backend=ledger)
    return console.end(Exit.DRIFT_FOUND if drift.drifted else Exit.DONE)


def _capture(
    drift: Drift,
    wanted: Wanted,
    settings: Settings,
    console: Console,
    client: ReadClient,
    *,
    wait: int,
    backend: options.LedgerName | None,
) -> int:
    """Write what changed into the manifests, and let the ledger know; exit with 3 where drift is left."""
    from reconciler.cli.connect import keeper_of
    from reconciler.intake import accept
    from reconciler.intake import capture as taken_in
    from reconciler.manifest.commit import stand_of
    from reconciler.reconcile import make_plan, want_afresh

    captured = taken_in(wanted, settings, drift)
    console.event(events.captured(captured.files, captured.taken, captured.left))
    console.text(["", *(f"Changed {file}" for file in captured.files)])
    console.text([f"Not captured: {one.address}: {why}" for one, why in captured.left])
    if captured.taken:
        commit = stand_of(settings.manifests)
        keeper, config = keeper_of(settings, backend=backend, wait=wait, env=os.environ, commit=commit)
        now = want_afresh(settings, client=client, read_ledger=keeper.backend.read, config=config)
        console.text(["Review and commit: the platform is as these files say."])
        try:
            accept(captured, now, make_plan(now, settings, client=client), client=client, keeper=keeper)
        except LedgerError as error:  # the files are right all the same
            console.event(events.error(error))
            console.text([f"Not recorded in the ledger: {error.message}"])
    return console.end(Exit.DRIFT_FOUND if captured.left else Exit.DONE)


def show(drift: Drift, console: Console, *, flags: str) -> None:
    """Print a drift, or its events; `flags` lead to the same manifests and platform."""
    from reconciler.report.drift_text import drift_text, remedies

    for one in drift.drifted:
        revert, capture = remedies(one, flags=flags)
        console.event(events.drifted(one, revert=revert, capture=capture))
    console.event(events.drift_found(drift))
    console.text(drift_text(drift, style=console.style, flags=flags))
