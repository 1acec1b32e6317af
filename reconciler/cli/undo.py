"""`reconciler undo`: what one run archived, brought back."""

from __future__ import annotations

import os

import click

from reconciler.cli import options
from reconciler.cli.carry_out import agreed, carry_out, ensure_can_ask, terminated_as_interrupted
from reconciler.cli.console import Console
from reconciler.cli.plan import show
from reconciler.errors import Exit, UsageError
from reconciler.settings import Settings


@options.verb(
    "undo",
    options.PATHS,
    options.PLATFORM,
    options.LEDGER,
    options.LOCK,
    options.REASON,
    own=(
        click.argument("run"),
        click.option("-y", "--auto-approve", is_flag=True, help="Do not ask; required off a terminal."),
    ),
)
def command(
    *,
    settings: Settings,
    console: Console,
    ledger: options.LedgerName | None,
    lock_timeout: int,
    run: str,
    auto_approve: bool,
) -> int:
    """Restore what a RUN of apply archived, where the platform can: agents. The apply and ledger show name the RUN.

    What comes back is nobody's until a manifest declares it again: bring its document back too.
    """
    from reconciler.cli.connect import keeper_of, writing
    from reconciler.views import plan_undo

    keeper, _ = keeper_of(settings, backend=ledger, wait=lock_timeout, env=os.environ, commit=None)
    keeper.wait_for_others()
    known = keeper.backend.read()
    if run not in known.runs:
        recent = ", ".join(sorted(known.runs, key=lambda one: known.runs[one].at)[-5:])
        raise UsageError(f"no run {run} that archived something is remembered", hint=f"known: {recent or 'none'}")
    asks = not auto_approve
    ensure_can_ask(settings, console, asks=asks)
    with terminated_as_interrupted(), writing(settings) as client:
        plan = plan_undo(known, run, settings, client=client)
        show(plan, console)
        if plan.is_empty:
            console.text(["Nothing of it can be brought back."])
            return console.end(Exit.ERROR)
        if asks and not agreed(plan):
            console.text(["Nothing was written."])
            return console.end(Exit.ERROR)
        return carry_out(plan, settings, console, client, keeper, recheck=True)
