"""`reconciler plan`: what apply would change, shown and perhaps saved."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.console import Console
from reconciler.cli.outputs import facts_of
from reconciler.errors import Exit, UsageError
from reconciler.plan.plan import Plan
from reconciler.report import events
from reconciler.report.subject import Made
from reconciler.settings import Settings

if TYPE_CHECKING:
    from reconciler.ledger.backend import Backend


@options.verb(
    "plan",
    options.PLANNING,
    options.SINCE,
    own=(
        click.option("--out", metavar="FILE", help="Save the plan for apply FILE; it holds no secret value."),
        click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes."),
    ),
)
def command(
    *, settings: Settings, console: Console, ledger: options.LedgerName | None, out: str | None, detailed_exitcode: bool
) -> int:
    """Show what apply would change. Reads only: its client has no way to write.

    Exits with 4 when the plan breaks a rule, as the limit of removal: what the rule is stands at its end.
    """
    from reconciler.cli.connect import ledger_of, reading
    from reconciler.cli.unfinished import mention, unfinished
    from reconciler.reconcile import plan_afresh

    if out is not None:
        _ensure_replaceable(out)
        if any(Path(into.file).resolve() == Path(out).resolve() for into in console.outputs.files):
            raise UsageError(f"--out {out}: a --format goes into this file as well", hint="name another file for one")
    backend, config = ledger_of(settings, backend=ledger)
    with reading(settings) as client:
        plan = plan_afresh(settings, client=client, read_ledger=backend.read, config=config, stdin=sys.stdin.buffer)
    show(plan, console)
    console.about(Made(plan), facts=lambda: facts_of(settings, plan=plan))
    tell_neighbours(plan, backend, console)
    mention(unfinished(settings, backend.owner), console)
    if out is not None:
        save(plan, out, settings=with_reason(settings))
        console.text([f"Saved to {out}: reconciler apply {out}"])
    codes = [Exit.REFUSED] if plan.refusals else []
    if detailed_exitcode and plan.steps:
        codes.append(Exit.CHANGES_PENDING)
    return console.end(*codes)


def tell_neighbours(plan: Plan, backend: Backend, console: Console) -> None:
    """Say, where nothing is ours yet and much could be, that other ledgers are kept in the same place."""
    from reconciler.plan.change import Action

    if plan.serial or not plan.counts.get(Action.ADOPT, 0) + plan.counts.get(Action.CONFLICT, 0):
        return
    if others := backend.neighbours():
        console.text(
            [
                "",
                f"This is the first run for {plan.owner}.",
                f"Other ledgers are kept in {backend.place}: {', '.join(others)}.",
                "If one of them is meant, use the same -f, API address and environment as it was made with.",
            ]
        )


def show(plan: Plan, console: Console) -> None:
    """Print a plan, or its events."""
    from reconciler.report.plan_text import plan_text

    if console.as_json:
        for change in plan.changes:
            console.event(events.change(change))
        console.event(events.plan_made(plan))
    elif console.speaks:
        console.text(plan_text(plan, style=console.style))


def with_reason(settings: Settings) -> Settings:
    """Fill in the commit that the manifests stand at, unless a reason was given."""
    if settings.reason is not None:
        return settings
    from reconciler.manifest.commit import commit_in_words

    return replace(settings, reason=commit_in_words(settings.manifests[0]))


def _ensure_replaceable(name: str) -> None:
    """Refuse to write a plan over anything but another plan."""
    from reconciler.plan.file import FORMAT

    path = Path(name)
    if path.parent != Path() and not path.parent.is_dir():
        raise UsageError(f"--out {name}: there is no folder {path.parent}", hint="make it, or choose another --out")
    if not name or path.is_symlink() or (path.exists() and not path.is_file()):
        raise UsageError(f"--out {name or '(nothing)'}: not a place for a file", hint="name a file, as plan.json")
    try:
        other = path.exists() and FORMAT.encode() not in path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}", hint="choose another --out") from error
    if other:
        raise UsageError(f"--out {name}: the file there is not a plan", hint="choose another name, or remove it")


def save(plan: Plan, name: str, *, settings: Settings) -> None:
    """Write a plan file, whole or not at all."""
    import secrets

    from reconciler.manifest.commit import stand_of
    from reconciler.plan.file import Origin, dumps

    _ensure_replaceable(name)
    origin = Origin(settings.api_url, settings.manifests, stand_of(settings.manifests), settings.reason)
    data = dumps(plan, plan_id=secrets.token_hex(16), origin=origin)
    temporary = Path(f"{name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(data)
        temporary.replace(name)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UsageError(f"cannot write {name}: {error.strerror}", hint="choose another --out") from error
