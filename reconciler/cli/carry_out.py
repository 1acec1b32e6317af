"""What every verb that writes does: it finds the ledger, asks, carries a plan out, and says what became of it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

import click

from reconciler.cli import options
from reconciler.cli.console import Console, flags_elsewhere, flags_of
from reconciler.cli.outputs import facts_of
from reconciler.errors import Exit, OutputError, UsageError
from reconciler.plan.outcome import Applied, NotStarted, Outcome
from reconciler.plan.plan import Plan
from reconciler.report import events
from reconciler.report.subject import Tried
from reconciler.settings import Settings

if TYPE_CHECKING:
    from reconciler.ledger.keeper import Keeper
    from reconciler.live.apply import Listener, Started
    from reconciler.live.client import WriteClient
    from reconciler.manifest.config import Config
    from reconciler.report.progress import Progress


class Place(NamedTuple):
    """What flags say of the ledger, and how many seconds to wait for it."""

    backend: options.LedgerName | None
    wait: int


def kept(settings: Settings, place: Place, *, commit: str | None) -> tuple[Keeper, Config]:
    """Find the ledger of a run that writes, and the rules."""
    from reconciler.cli.connect import keeper_of

    return keeper_of(settings, backend=place.backend, wait=place.wait, env=os.environ, commit=commit)


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


def refused(plan: Plan, console: Console) -> int:
    """End a run whose plan, shown already, breaks a rule."""
    from reconciler.reconcile import refusal_of

    console.event(events.error(refusal_of(plan)))
    console.text(["Nothing was written."])
    return console.end(Exit.REFUSED)


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
    from reconciler.reconcile import apply_plan
    from reconciler.report.outcome_text import applied_text
    from reconciler.report.progress import progress

    live = console.style.color and console.speaks
    with progress(len(plan.steps), stream=sys.stdout, style=console.style, live=live) as shown:
        applied = apply_plan(
            plan,
            settings,
            client=client,
            keeper=keeper,
            listen=_show_on(shown) if console.speaks else _tell_on(console),
            recheck=recheck,
            claim=begun,
        )
    _tell_the_rest(applied, console)
    tried = Tried(plan, applied, flags_elsewhere(settings))
    console.about(tried, facts=lambda: facts_of(settings, plan=plan, commit=keeper.commit))
    console.text(applied_text(applied, style=console.style, flags=flags_of(settings)))
    return applied


def _show_on(shown: Progress) -> Listener:
    """Return what shows the news of a run to who watches."""
    from reconciler.live.apply import Started

    def listen(news: Started | Outcome) -> None:
        if isinstance(news, Started):
            shown.started(news.change)
        else:
            shown.finished(news)

    return listen


def _tell_on(console: Console) -> Listener:
    """Return what tells a program the news of a run."""
    from reconciler.live.apply import Started

    def listen(news: Started | Outcome) -> None:
        with suppress(BrokenPipeError, OutputError):  # the writes go on when nobody can be told of them
            if isinstance(news, Started):
                console.event(events.running(news.change))
            elif not isinstance(news, NotStarted):  # those are told together in the end
                console.event(events.outcome(news))

    return listen


def _tell_the_rest(applied: Applied, console: Console) -> None:
    """Tell a program what is only known in the end."""
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
