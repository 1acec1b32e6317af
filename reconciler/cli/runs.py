"""`reconciler runs`: what past runs of this folder did, as their journals say."""

from __future__ import annotations

import click

from reconciler.cli import options
from reconciler.cli.console import Console
from reconciler.settings import Settings


@click.group("runs", no_args_is_help=True)
def command() -> None:
    """Show what past runs did.

    Every apply keeps a journal in .reconciler/runs/ of the folder it runs in: what it was about to write, and what came
    of it, without any value. The last 100 are kept; one that did not end is kept until a later apply has settled it.
    """


@options.verb("runs list")
def list_(*, settings: Settings, console: Console) -> int:  # noqa: ARG001 - what every verb is given
    """List the runs: when, who, what commit, how much, and how each ended."""
    from reconciler.cli.connect import runs_here
    from reconciler.report import run_events
    from reconciler.report.runs_text import list_text

    runs = runs_here()
    found = runs.all()
    for run in found:
        console.event(run_events.run(run.id, run.log, run.standing))
    rows = [(run.id, run.log, run.standing) for run in found]
    console.text(list_text(rows, folder=str(runs.folder), style=console.style))
    return console.end()


@options.verb("runs show", own=(click.argument("run"),))
def show(*, settings: Settings, console: Console, run: str) -> int:  # noqa: ARG001 - what every verb is given
    """Show one RUN, every step and every write of it. The beginning of its id is enough."""
    from reconciler.cli.connect import runs_here
    from reconciler.report import run_events
    from reconciler.report.runs_text import run_text

    found = runs_here().find(run)
    console.event(run_events.run(found.id, found.log, found.standing))
    for event in run_events.contents(found.log):
        console.event(event)
    console.text(run_text(found.id, found.log, found.standing, style=console.style))
    return console.end()


command.add_command(list_)
command.add_command(show)
