"""`reconciler apply`: a plan carried out and proved."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace

import click
from click.core import ParameterSource

from reconciler.cli import options
from reconciler.cli.carry_out import Place, agreed, carry_out, ensure_can_ask, kept, refused, terminated_as_interrupted
from reconciler.cli.console import Console
from reconciler.cli.outputs import facts_of
from reconciler.cli.plan import show, tell_neighbours, with_reason
from reconciler.cli.saved_plan import claim, marker_of, read_plan
from reconciler.cli.unfinished import settle, tell, unfinished
from reconciler.errors import Exit, PlanFileError, UsageError
from reconciler.report.subject import Made
from reconciler.settings import Settings


@options.verb(
    "apply",
    options.APPLYING,
    own=(
        click.argument("plan_file", required=False, metavar="[PLAN]"),
        click.option("-y", "--auto-approve", is_flag=True, help="Do not ask; required off a terminal."),
    ),
)
def command(
    *,
    settings: Settings,
    console: Console,
    ledger: options.LedgerName | None,
    lock_timeout: int,
    plan_file: str | None,
    auto_approve: bool,
) -> int:
    """Make the platform what the manifests say, or what a saved PLAN says, and prove it by reading back.

    A saved plan was reviewed: it is not asked about again, and is refused when anything it touches has moved.
    """
    with terminated_as_interrupted():
        if plan_file is not None:
            if given := _given(_ABOUT_THE_PLAN):
                raise UsageError(f"a saved plan is applied as it is: {given} has no say in it")
            return _apply_saved(plan_file, settings, console, Place(ledger, lock_timeout))
        return _apply_fresh(with_reason(settings), console, Place(ledger, lock_timeout), approved=auto_approve)


_ABOUT_THE_PLAN = {
    "manifests": "-f",
    "orgs": "--org",
    "target": "--target",
    "exclude": "--exclude",
    "no_prune": "--no-prune",
    "allow_archive": "--allow-archive",
    "rotate": "--rotate",
}


def _given(flags: Mapping[str, str]) -> str:
    """Return which of the flags stand on the command line."""
    source = click.get_current_context().get_parameter_source
    return ", ".join(flag for name, flag in flags.items() if source(name) is ParameterSource.COMMANDLINE)


def _apply_fresh(settings: Settings, console: Console, place: Place, *, approved: bool) -> int:
    """Plan, ask, apply."""
    from reconciler.cli.connect import writing
    from reconciler.manifest.commit import stand_of
    from reconciler.reconcile import plan_afresh

    asks = not approved
    ensure_can_ask(settings, console, asks=asks)
    keeper, config = kept(settings, place, commit=stand_of(settings.manifests))
    keeper.wait_for_others()
    left = unfinished(settings, keeper.backend.owner)  # what ends after this is younger than what the plan reads
    with writing(settings) as client:
        read = keeper.backend.read
        plan = plan_afresh(settings, client=client, read_ledger=read, config=config, stdin=sys.stdin.buffer)
        show(plan, console)
        console.about(Made(plan), facts=lambda: facts_of(settings, plan=plan))
        tell_neighbours(plan, keeper.backend, console)
        judged = left.judged(plan, is_whole=plan.partial is None, commit=keeper.commit)
        tell(judged, console)
        if plan.is_empty:
            settle(judged, by=keeper.run)
            return console.end()
        if plan.refusals:
            return refused(plan, console)
        if asks and not agreed(plan):
            console.text(["Nothing was written."])
            return console.end(Exit.ERROR)
        return carry_out(
            plan,
            settings,
            console,
            client,
            keeper,
            recheck=asks,
            begun=lambda: settle(judged, by=keeper.run),
        )


def _apply_saved(name: str, settings: Settings, console: Console, place: Place) -> int:
    """Check that a saved plan still holds, then apply it once."""
    from reconciler.cli.connect import writing

    saved = read_plan(name)
    origin = saved.origin
    if origin.api_url.rstrip("/") != settings.api_url.rstrip("/"):
        raise PlanFileError(
            f"{name} was made for {origin.api_url}, this run is against {settings.api_url}",
            hint="make a plan for this one",
        )
    show(saved.plan, console)
    console.about(Made(saved.plan), facts=lambda: facts_of(settings, plan=saved.plan, commit=origin.commit))
    if saved.plan.is_empty:
        return console.end()
    if saved.plan.refusals:
        return refused(saved.plan, console)
    settings = replace(settings, reason=settings.reason or origin.reason, manifests=origin.manifests)
    keeper, _ = kept(settings, place, commit=origin.commit)
    left = unfinished(settings, keeper.backend.owner)
    marker = marker_of(saved, name)

    def begun() -> None:
        claim(marker)
        judged = left.judged(saved.plan, is_whole=False, commit=keeper.commit)
        tell(judged, console)
        settle(judged, by=keeper.run)

    with writing(settings) as client:
        return carry_out(saved.plan, settings, console, client, keeper, recheck=True, begun=begun)
