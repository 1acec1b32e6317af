"""`reconciler import`: manifests written of what is live."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.console import Console
from reconciler.errors import ReconcilerError, UsageError
from reconciler.report import import_events
from reconciler.settings import Settings

if TYPE_CHECKING:
    from reconciler.ledger.keeper import Keeper
    from reconciler.live.client import ReadClient
    from reconciler.manifest.config import Config
    from reconciler.plan.imported import Imported


@options.verb(
    "import",
    options.PLATFORM,
    options.LEDGER,
    options.LOCK,
    own=(
        click.argument("what", nargs=-1, metavar="[ADDRESS|KIND]..."),
        click.option("--all", "everything", is_flag=True, help="Everything that is live and not declared yet."),
        click.option(
            "--into",
            default="manifests",
            metavar="DIR",
            show_default=True,
            help="Folder of the manifests: where new files go, and where to look for what is declared already.",
        ),
        click.option("--org", "orgs", multiple=True, metavar="NAME", help="Only this organization: its id or a name."),
    ),
)
def command(
    *,
    settings: Settings,
    console: Console,
    ledger: options.LedgerName | None,
    lock_timeout: int,
    what: tuple[str, ...],
    everything: bool,
    into: str,
) -> int:
    """Write manifests of what is live on the platform.

    An ADDRESS is Kind/name or org/Kind/name and may be a glob, as 'Agent/support-*'; a display name or an id may stand
    in the place of the name. Reads the platform with a client that cannot write, and never touches a file that is there
    already. What was written is ours from then on: the plan afterwards is empty.
    """
    from reconciler.cli.connect import keeper_of, reading
    from reconciler.intake import import_live
    from reconciler.manifest.commit import commit_of
    from reconciler.report.import_text import import_text

    _ensure_chosen(what, everything=everything, into=into)
    folder = into.rstrip("/") or "/"
    settings = replace(settings, manifests=(folder,))
    keeper, config = keeper_of(settings, backend=ledger, wait=lock_timeout, env=os.environ, commit=commit_of(folder))
    with reading(settings) as client:
        imported = import_live(settings, client=client, ledger=keeper.backend.read(), into=folder, words=what)
        if imported.is_new:
            imported = _owned(imported, settings, client, keeper, config)
    for event in import_events.imported(imported):
        console.event(event)
    console.text(import_text(imported, style=console.style))
    return console.end(imported.exit_code)


def _owned(imported: Imported, settings: Settings, client: ReadClient, keeper: Keeper, config: Config) -> Imported:
    """Record that what was written is ours; where that cannot be, the manifests are there all the same."""
    from reconciler.intake import adopt
    from reconciler.reconcile import plan_afresh

    everywhere = replace(settings, orgs=())
    try:
        plan = plan_afresh(everywhere, client=client, read_ledger=keeper.backend.read, config=config)
        taken = adopt(plan, client=client, keeper=keeper, chosen=imported.is_about)
    except ReconcilerError as error:
        return replace(imported, unowned=error)
    return replace(imported, owned=len(taken))


def _ensure_chosen(what: tuple[str, ...], *, everything: bool, into: str) -> None:
    if everything and what:
        raise UsageError(f"--all and {what[0]} exclude each other", hint="leave one of them out")
    if not everything and not what:
        raise UsageError(
            "nothing was chosen", hint="name addresses or kinds, as Agent or 'App/support-*', or say --all"
        )
    if not into.strip():
        raise UsageError("--into is empty", hint="name the folder of the manifests")
