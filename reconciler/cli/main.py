"""The entry: verbs loaded when they are called, errors turned into words and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from reconciler.cli.crash import end_tracebacks
from reconciler.defect import defect_of
from reconciler.errors import Exit, Interrupted, ReconcilerError, UsageError

VERBS: dict[str, tuple[str, str]] = {
    "validate": ("reconciler.cli.validate", "Check manifests, offline."),
    "plan": ("reconciler.cli.plan", "Show what apply would change; reads only."),
    "apply": ("reconciler.cli.apply", "Make the platform what git says, and prove it."),
    "show": ("reconciler.cli.show", "Show one resource in git, in the ledger and live; or saved plans."),
    "drift": ("reconciler.cli.drift", "Show what moved on the platform; reads only."),
    "import": ("reconciler.cli.import_", "Write manifests of what is live."),
    "undo": ("reconciler.cli.undo", "Bring back what a run archived."),
    "runs": ("reconciler.cli.runs", "Show what past runs did, and how they ended."),
    "ledger": ("reconciler.cli.ledger", "Show or mend what is known to be ours."),
    "ci": ("reconciler.cli.ci", "Plan, apply or look for drift in GitHub Actions."),
    "emulator": ("reconciler.cli.emulator", "Serve a stand-in of the platform on this machine."),
    "kinds": ("reconciler.cli.kinds", "List what can be declared, with every field."),
    "schema": ("reconciler.cli.schema", "Write the JSON Schema of manifests for editors."),
    "completion": ("reconciler.cli.completion", "Print the completion script of a shell."),
    "version": ("reconciler.cli.version", "Print the version."),
}
EPILOG = """\b
Exit codes: 0 done or nothing to do, 1 error, 2 changes pending (plan --detailed-exitcode),
3 drift found, 4 refused by policy, 5 stale plan, 6 partly applied, 7 applied but not
converged, 64 wrong usage, 130 interrupted.
"""


class _Verbs(click.Group):
    """A group that knows its verbs by name and imports only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(VERBS[cmd_name][0]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], VERBS, n=1)
            hint = f" Did you mean {close[0]}?" if close else f" Known: {', '.join(VERBS)}."
            raise click.UsageError(f"no such verb: {args[0]}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, text) for name, (_, text) in VERBS.items()])


@click.group(
    cls=_Verbs,
    name="reconciler",
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def program() -> None:
    """Keep the Everruns agent platform as the manifests in git say.

    Start with: reconciler plan --local
    """


def main(argv: Sequence[str]) -> int:
    """Run a command line and return its exit code; prints every error, never a traceback."""
    end_tracebacks(argv)
    try:
        result: Any = program.main(args=list(argv), prog_name="reconciler", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        if "--json" in argv:
            return _failed(UsageError(error.format_message()), argv)
        error.show()
        return int(Exit.USAGE)
    except ReconcilerError as error:
        return _failed(error, argv)
    except (click.Abort, KeyboardInterrupt):
        return _failed(Interrupted("interrupted: nothing more was started"), argv)
    except BrokenPipeError:
        _silence(sys.stdout)
        return int(Exit.ERROR)
    except Exception as error:  # noqa: BLE001 - a defect, whose text may hold a value
        return _failed(defect_of(error), argv)
    return int(result or Exit.DONE)


def _failed(error: ReconcilerError, argv: Sequence[str]) -> int:
    from reconciler.cli.console import Console

    return Console.for_errors(argv).fail(error)


def _silence(stream: Any) -> None:
    """Point a stream whose reader went away at nothing, so that closing it says nothing either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
