"""Flags that several verbs share, given to a verb as one value of Settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Literal

import click
from click.core import ParameterSource

from reconciler.cli.console import Console
from reconciler.cli.outputs import outputs
from reconciler.settings import DEFAULT_PARALLELISM, MAX_PARALLELISM, settings

Flag = Callable[[Any], Any]
Verb = Callable[..., int]

LedgerName = Literal["git", "file"]


def _seconds(_context: click.Context, _option: click.Parameter, given: str | None) -> int | None:
    """Read a time, where one is given."""
    from reconciler.kinds.duration import EXAMPLES, seconds

    if given is None:
        return None
    found = seconds(given)
    if found is None:
        raise click.BadParameter(f"expected a number and its unit: {EXAMPLES}")
    return found


def _allowances(_context: click.Context, _option: click.Parameter, given: Sequence[str]) -> dict[str, int]:
    """Read how many of which kinds may be archived."""
    from reconciler.kinds import KINDS
    from reconciler.manifest.suggest import suggest

    known = [kind.name for kind in KINDS if kind.managed]
    found: dict[str, int] = {}
    for one in given:
        kind, equals, number = one.partition("=")
        if not equals or not number.isdecimal():
            raise click.BadParameter(f"{one}: expected a kind and a number, as Agent=7")
        if kind not in known:
            raise click.BadParameter(f"{kind}: no kind has this name; {suggest(kind, known) or ', '.join(known)}")
        if kind in found:
            raise click.BadParameter(f"{kind} is given twice")
        found[kind] = int(number)
    return found


PATHS: tuple[Flag, ...] = (
    click.option(
        "-f",
        "--manifests",
        multiple=True,
        metavar="PATH",
        help="Folder, file or - for stdin [default: manifests].",
    ),
)
MANIFESTS: tuple[Flag, ...] = (
    *PATHS,
    click.option("--org", "orgs", multiple=True, metavar="NAME", help="Only this organization."),
    click.option("--target", multiple=True, metavar="GLOB", help="Only these addresses, and what they stand on."),
    click.option("--exclude", multiple=True, metavar="GLOB", help="Leave these addresses out, as 'Agent/old-*'."),
)
SINCE: tuple[Flag, ...] = (
    click.option("--since", metavar="REF", help="Only what was touched since this commit, and what stands on that."),
)
ENDPOINT: tuple[Flag, ...] = (
    click.option("--local", is_flag=True, help="Use the embedded emulator; its data lies in .reconciler/."),
    click.option("--api-url", metavar="URL", help="The API's address [env: EVERRUNS_API_URL]."),
    click.option("--debug", is_flag=True, help="Log every request on standard error, without secrets."),
)
PLATFORM: tuple[Flag, ...] = (
    *ENDPOINT,
    click.option(
        "--parallelism",
        type=click.IntRange(1, MAX_PARALLELISM),
        default=DEFAULT_PARALLELISM,
        show_default=True,
        help="Most requests at once.",
    ),
    click.option(
        "--timeout",
        callback=_seconds,
        metavar="TIME",
        help="Send nothing more after this time, as 10m [default: none].",
    ),
)
LEDGER: tuple[Flag, ...] = (
    click.option(
        "--ledger",
        type=click.Choice(["git", "file"]),
        help="Where the ledger is kept [default: as reconciler.yaml says, else git where there is a remote].",
    ),
)
LOCK: tuple[Flag, ...] = (
    click.option(
        "--lock-timeout",
        default="0s",
        show_default=True,
        callback=_seconds,
        metavar="TIME",
        help="How long to wait while another run holds the ledger, as 5m.",
    ),
)
POLICY: tuple[Flag, ...] = (
    click.option("--no-prune", "no_prune", is_flag=True, help="Archive nothing for being gone from git."),
    click.option(
        "--allow-archive",
        multiple=True,
        callback=_allowances,
        metavar="KIND=N",
        help="Lift the limit of removal for exactly so many, as Agent=7.",
    ),
    click.option(
        "--rotate",
        multiple=True,
        metavar="GLOB",
        help="Send the secrets of these addresses again, and have new keys made where key_to says where they go.",
    ),
)
REASON: tuple[Flag, ...] = (
    click.option("--reason", metavar="TEXT", help="Recorded by the platform beside every write [default: the commit]."),
)
FORMATS: tuple[Flag, ...] = (
    click.option(
        "--format",
        "formats",
        multiple=True,
        metavar="NAME[=FILE]",
        help="text, markdown, summary, html or json; into a file, or one to standard output. Repeatable.",
    ),
)
ON_CONFLICT: tuple[Flag, ...] = (
    click.option(
        "--on-conflict",
        type=click.Choice(["report", "overwrite"]),
        default="report",
        show_default=True,
        help="What to do with a resource that others changed between plan and write.",
    ),
)
UNMANAGED: tuple[Flag, ...] = (click.option("--unmanaged", is_flag=True, help="Also what exists and nobody declares."),)
PLANNING: tuple[Flag, ...] = (*MANIFESTS, *PLATFORM, *POLICY, *LEDGER, *FORMATS)
"""Of every verb that makes a plan."""
APPLYING: tuple[Flag, ...] = (*PLANNING, *LOCK, *REASON, *ON_CONFLICT)
"""Of every verb that carries one out."""
DRIFTING: tuple[Flag, ...] = (*MANIFESTS, *PLATFORM, *LEDGER, *LOCK, *FORMATS, *UNMANAGED)
"""Of every verb that looks for drift, and may take the lock for what it does about it."""
JOB: tuple[Flag, ...] = (
    click.option(
        "--environment",
        metavar="NAME",
        help="What comments, issues and outputs call the environment [default: as its ledger does].",
    ),
    click.option(
        "--author",
        metavar="LOGIN",
        help="Who GITHUB_TOKEN speaks as; what others wrote is not believed [default: found out].",
    ),
    click.option(
        "--folder",
        default="reconciler-ci",
        show_default=True,
        metavar="DIR",
        help="Where the files to upload are left.",
    ),
)
"""Of the verbs of `ci`."""
_OUTPUT: tuple[Flag, ...] = (
    click.option("--json", "as_json", is_flag=True, help="Print events, one JSON object a line."),
    click.option("--no-color", is_flag=True, help="No colours [also: NO_COLOR]."),
)
_READ = (
    "manifests",
    "orgs",
    "target",
    "exclude",
    "local",
    "api_url",
    "parallelism",
    "timeout",
    "since",
    "reason",
    "allow_archive",
    "rotate",
    "on_conflict",
    "debug",
)


def given_beside(*names: str) -> str:
    """Return which flags stand on the command line beside those named and those of how it is printed."""
    context = click.get_current_context()
    given = [
        flag.opts[-1]
        for flag in context.command.params
        if flag.name not in {*names, "as_json", "no_color"}
        and context.get_parameter_source(flag.name or "") is ParameterSource.COMMANDLINE
    ]
    return ", ".join(given)


def verb(name: str, *groups: Sequence[Flag], own: Sequence[Flag] = ()) -> Callable[[Verb], click.Command]:
    """Make a command of a function: it gets its own flags by name, and all others as `settings` and `console`.

    The event stream is opened before anything can go wrong.
    """

    def decorate(run: Verb) -> click.Command:
        @wraps(run)
        def call(*, as_json: bool, no_color: bool, **flags: Any) -> int:
            console = Console(as_json=as_json, no_color=no_color)
            console.begin(name)
            console.outputs = outputs(flags.pop("formats", ()), as_json=as_json)
            shared = {flag: flags.pop(flag) for flag in _READ if flag in flags}
            shared["prune"] = not flags.pop("no_prune", False)
            return run(settings=settings(env=os.environ, **shared), console=console, **flags)

        command: Any = call
        for flag in reversed((*(flag for group in groups for flag in group), *own, *_OUTPUT)):
            command = flag(command)
        return click.command(name.rpartition(" ")[2])(command)

    return decorate
