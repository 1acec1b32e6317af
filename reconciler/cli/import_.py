"""`reconciler import`: manifests written of what is live."""

from __future__ import annotations

import click

from reconciler.cli import options
from reconciler.cli.console import Console
from reconciler.errors import UsageError
from reconciler.report import events
from reconciler.settings import Settings


@options.verb(
    "import",
    options.PLATFORM,
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
def command(*, settings: Settings, console: Console, what: tuple[str, ...], everything: bool, into: str) -> int:
    """Write manifests of what is live on the platform.

    An ADDRESS is Kind/name or org/Kind/name and may be a glob, as 'Agent/support-*'; a display name or an id may stand
    in the place of the name. Reads the platform with a client that cannot write, and never touches a file that is there
    already. The plan afterwards is empty.
    """
    from reconciler.cli.connect import reading
    from reconciler.reconcile import import_live
    from reconciler.report.import_text import import_text

    _ensure_chosen(what, everything=everything, into=into)
    with reading(settings) as client:
        imported = import_live(settings, client=client, into=into.rstrip("/") or "/", words=what)
    for event in events.imported(imported):
        console.event(event)
    console.text(import_text(imported, style=console.style))
    return console.end(imported.exit_code)


def _ensure_chosen(what: tuple[str, ...], *, everything: bool, into: str) -> None:
    if everything and what:
        raise UsageError(f"--all and {what[0]} exclude each other", hint="leave one of them out")
    if not everything and not what:
        raise UsageError(
            "nothing was chosen", hint="name addresses or kinds, as Agent or 'App/support-*', or say --all"
        )
    if not into.strip():
        raise UsageError("--into is empty", hint="name the folder of the manifests")
