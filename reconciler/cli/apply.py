"""`reconciler apply`: a plan carried out and proved."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

from reconciler.cli import options
from reconciler.cli.console import Console, flags_of
from reconciler.cli.outputs import facts_of
from reconciler.cli.plan import show, tell_neighbours, with_reason
from reconciler.cli.unfinished import settle, tell, unfinished
from reconciler.errors import Exit, OutputError, PlanFileError, UsageError
from reconciler.plan.outcome import Applied, NotStarted
from reconciler.plan.plan import Plan
from reconciler.report import events
from reconciler.report.subject import Made, Tried
from reconciler.settings import Settings

if TYPE_CHECKING:
    from reconciler.ledger.keeper import Keeper
    from reconciler.live.client import WriteClient
    from reconciler.manifest.config import Config
    from reconciler.plan.file import PlanFile


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


class Place(NamedTuple):
    """What flags say of the ledger, and how many seconds to wait for it."""

    backend: options.LedgerName | None
    wait: int


def kept(settings: Settings, place: Place, *, commit: str | None) -> tuple[Keeper, Config]:
    """Find the ledger of a run that writes, and the rules."""
    from reconciler.cli.connect import keeper_of

    return keeper_of(settings, backend=place.backend, wait=place.wait, env=os.environ, commit=commit)


def _apply_fresh(settings: Settings, console: Console, place: Place, *, approved: bool) -> int:
    """Plan, ask, apply."""
    from reconciler.cli.connect import writing
    from reconciler.manifest.commit import commit_of
    from reconciler.reconcile import plan_afresh

    asks = not approved
    ensure_can_ask(settings, console, asks=asks)
    keeper, config = kept(settings, place, commit=commit_of(settings.manifests[0]))
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


def refused(plan: Plan, console: Console) -> int:
    """End a run whose plan, shown already, breaks a rule."""
    from reconciler.reconcile import refusal_of

    console.event(events.error(refusal_of(plan)))
    console.text(["Nothing was written."])
    return console.end(Exit.REFUSED)


def ensure_can_ask(settings: Settings, console: Console, *, asks: bool) -> None:
    """Refuse to ask where nobody can answer. Raises UsageError."""
    if asks and (not console.speaks or not (sys.stdin.isatty() and sys.stdout.isatty())):
        raise UsageError(
            "this asks before it writes, and there is no terminal to ask on",
            hint="review it, then use --auto-approve",
        )
    if asks and "-" in settings.manifests:
        raise UsageError("stdin holds the manifests, so there is nothing to answer on", hint="use --auto-approve")


def agreed(plan: Plan) -> bool:
    """Ask, and say whether the answer was yes."""
    count = len(plan.steps)
    question = "Apply this change?" if count == 1 else f"Apply these {count} changes?"
    click.echo(f"\n{question} Only yes is taken for yes: ", nl=False)
    return sys.stdin.readline().strip() == "yes"


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
    marker = _marker(saved, name)

    def begun() -> None:
        _claim(marker)
        judged = left.judged(saved.plan, is_whole=False, commit=keeper.commit)
        tell(judged, console)
        settle(judged, by=keeper.run)

    with writing(settings) as client:
        return carry_out(saved.plan, settings, console, client, keeper, recheck=True, begun=begun)


def read_plan(name: str) -> PlanFile:
    """Read a saved plan; raises UsageError where the file cannot be read, PlanFileError where it is no plan."""
    from reconciler.plan.file import loads

    try:
        data = Path(name).read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read {name}: {error.strerror}", hint="make it with reconciler plan --out FILE"
        ) from error
    return loads(data, name=name)


def _marker(saved: PlanFile, name: str) -> Path:
    """Return where the use of a plan is noted; raises PlanFileError when it was used here before."""
    from reconciler.cli.connect import state_folder

    if not saved.id.isalnum():
        raise PlanFileError(f"{name} is damaged: its id is not one", hint="make a new plan")
    folder = state_folder() / "applied-plans"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot use {folder}/: {error.strerror}", hint="remove what is in the way") from error
    marker = folder / saved.id
    if marker.exists():
        raise PlanFileError(f"{name} was applied before: a plan is good for one use", hint="make a new plan")
    return marker


def _claim(marker: Path) -> None:
    """Note the use of a saved plan before its first write; of two applies at once, one comes too late."""
    try:
        marker.open("x").close()
    except FileExistsError as error:
        raise PlanFileError(
            "this plan was applied meanwhile: a plan is good for one use", hint="make a new plan"
        ) from error


def carry_out(
    plan: Plan,
    settings: Settings,
    console: Console,
    client: WriteClient,
    keeper: Keeper,
    *,
    recheck: bool,
    begun: Callable[[], None] = lambda: None,
) -> int:
    """Apply a plan with progress, say what became of it, and end the run."""
    applied = perform(plan, settings, console, client, keeper, recheck=recheck, begun=begun)
    return console.end(*applied.exit_codes)


def perform(
    plan: Plan,
    settings: Settings,
    console: Console,
    client: WriteClient,
    keeper: Keeper,
    *,
    recheck: bool,
    begun: Callable[[], None] = lambda: None,
) -> Applied:
    """Apply a plan with progress, and say what became of it; `begun` is called before the first write."""
    from reconciler.live.apply import Started
    from reconciler.reconcile import apply_plan
    from reconciler.report.outcome_text import applied_text
    from reconciler.report.progress import progress

    live = console.style.color and console.speaks
    with progress(len(plan.steps), stream=sys.stdout, style=console.style, live=live) as shown:

        def listen(news: Any) -> None:
            if not console.speaks:
                with suppress(BrokenPipeError, OutputError):  # the writes go on when nobody can be told of them
                    if isinstance(news, Started):
                        console.event(events.running(news.change))
                    elif not isinstance(news, NotStarted):  # those are told together in the end
                        console.event(events.outcome(news))
            elif isinstance(news, Started):
                shown.started(news.change)
            else:
                shown.finished(news)

        applied = apply_plan(
            plan,
            settings,
            client=client,
            keeper=keeper,
            listen=listen,
            recheck=recheck,
            claim=begun,
        )
    for outcome in applied.outcomes:
        if isinstance(outcome, NotStarted):
            console.event(events.outcome(outcome))
    for remainder in applied.remainders:
        console.event(events.remainder(remainder))
    if applied.throttled_for > 0:
        console.event(events.throttled(applied.throttled_for))
    for error in (applied.stopped, None if applied.stopped else applied.unproved, applied.unrecorded):
        if error:
            console.event(events.error(error))
    tried = Tried(plan, applied, flags_of(settings))
    console.about(tried, facts=lambda: facts_of(settings, plan=plan, commit=keeper.commit))
    console.text(applied_text(applied, style=console.style, flags=flags_of(settings)))
    return applied


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Take SIGTERM for an interrupt: finish what is in flight, start nothing more."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
