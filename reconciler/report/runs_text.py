"""Past runs for a terminal: a table of them, one in full, and what became of those that did not end."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.plan.journal import Standing
from reconciler.plan.owned import shortened
from reconciler.report.style import counted
from reconciler.report.table import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.plan.journal import Answer, Damage, Intent, Log, StepOutcome
    from reconciler.plan.settle import Verdict
    from reconciler.report.style import Paint, Style

_PAINTS: dict[str, Paint] = {
    "done": "green",
    "adopted": "green",
    "failed": "red",
    "conflicted": "red",
    "blocked": "yellow",
    "not_started": "yellow",
}
_HEAD = ["RUN", "BEGAN", "BY", "TO", "COMMIT", "STEPS", "ENDED"]


def list_text(runs: Sequence[tuple[str, Log, Standing]], *, folder: str, style: Style) -> Iterator[str]:
    """Yield a table of runs, and what cannot be read of them."""
    if not runs:
        yield f"No run has left a journal in {style.paint(folder)}."
    yield from table(_HEAD, [_row(*one) for one in runs], style=style)
    for id_, log, _ in runs:
        yield from _damage(f"{folder}/{id_}.jsonl", log.damage, style)


def _row(id_: str, log: Log, standing: Standing) -> list[str]:
    head = log.head
    if head is None:
        return [id_, "-", "-", "-", "-", "-", standing.value]
    done = log.counts.get("done", 0) + log.counts.get("adopted", 0)
    commit = shortened(head.commit or "-", 12)
    who = f"{head.who} on {head.host}"
    return [id_, _when(head.at), who, head.environment, commit, f"{done:,} of {head.steps:,}", _ended(log, standing)]


def _when(at: str) -> str:
    """Spell a time to the second."""
    return at.partition(".")[0].removesuffix("Z") + "Z"


def _ended(log: Log, standing: Standing) -> str:
    return f"settled by {log.settled.by}" if standing is Standing.SETTLED and log.settled else standing.value


def _damage(path: str, damage: Sequence[Damage], style: Style) -> Iterator[str]:
    for one in damage:
        place = f"{path}:{one.line}" if one.line else path
        yield f"{style.paint('damaged', 'yellow')} {style.paint(f'{place}: {one.why}')}"


def run_text(id_: str, log: Log, standing: Standing, *, style: Style) -> Iterator[str]:
    """Yield everything that is known of a run."""
    yield f"{style.paint(f'Run {id_}', 'bold')} {style.paint(_ended(log, standing))}"
    if head := log.head:
        ci = f", {head.ci}" if head.ci else ""
        yield f"Began {_when(head.at)} by {style.paint(f'{head.who} on {head.host} (process {head.pid}{ci})')}"
        yield f"Owner: {style.paint(str(head.owner))}"
        yield f"Platform: {style.paint(head.api_url)}"
        yield f"Manifests at {style.paint(head.commit or 'no commit')}"
        counts = ", ".join(f"{count:,} {became.replace('_', ' ')}" for became, count in log.counts.items())
        yield f"{counted(head.steps, 'step')}{f': {counts}' if counts else ''}"
    if log.end and log.end.error:
        yield f"It was ended by an error: {style.paint(log.end.error)}"
    yield from _damage("its journal", log.damage, style)
    writes: defaultdict[str, list[Intent]] = defaultdict(list)
    for intent in log.intents:
        writes[intent.step].append(intent)
    answers, outcomes = log.answers, log.outcomes
    if writes or outcomes:
        yield ""
    for step in dict.fromkeys((*writes, *outcomes)):
        yield _step(step, outcomes.get(step), style, is_settled=log.settled is not None)
        for intent in writes.get(step, ()):
            yield f"    {style.paint(_write(intent, log, answers), 'dim')}"


def _step(step: str, outcome: StepOutcome | None, style: Style, *, is_settled: bool) -> str:
    if outcome is None:
        return f"{style.paint('settled' if is_settled else 'open', 'yellow')} {style.paint(step)}"
    word = style.paint(outcome.became.replace("_", " "), _PAINTS[outcome.became])
    return f"{word} {style.paint(step)}{style.paint(f': {outcome.message}') if outcome.message else ''}"


def _write(intent: Intent, log: Log, answers: Mapping[int, Answer]) -> str:
    """Say what a write was, what came back, and under which id the platform knows it."""
    answer = answers.get(intent.n)
    finding = log.settled.findings.get(intent.n) if log.settled else None
    if answer is None:
        came = "no answer"
    elif answer.error is None:
        came = f"accepted{f' as {answer.id}' if answer.id else ''}"
    else:
        came = f"{answer.status or ''} {answer.error}".strip()
    found = f"; {finding.value.replace('_', ' ')}" if finding else ""
    return f"{intent.method} {intent.path}: {came}{found} (request {intent.request_id})"


def mention_text(id_: str, log: Log, *, style: Style) -> Iterator[str]:
    """Yield the lines of a plan about a run that did not end."""
    writes = counted(len(log.open), "write")
    left = f"{writes} of it may or may not have been carried out" if log.open else "nothing of it is open"
    yield ""
    yield f"{_unended(id_, log, style)}; {left}. The next apply says what became of it."


def verdict_text(id_: str, log: Log, verdicts: Sequence[Verdict], *, style: Style) -> Iterator[str]:
    """Yield what became of the open intents of a run that did not end, one line each."""
    yield ""
    if not verdicts:
        yield f"{_unended(id_, log, style)}; nothing of it is open."
    else:
        yield f"{_unended(id_, log, style)}. What it was about to write, as it is read now:"
    for one in verdicts:
        action = style.paint(f"({one.intent.action})", "dim")
        yield f"  {style.paint(one.intent.address, 'bold')} {action} {style.paint(one.message)}"
        if one.command:
            yield f"    {style.paint(one.command)}"
    yield from _damage(f"{id_}.jsonl", log.damage, style)


def _unended(id_: str, log: Log, style: Style) -> str:
    head = log.head
    about = f" of {_when(head.at)} ({head.who} on {head.host})" if head else ""
    return f"{style.paint(f'Run {id_}', 'yellow')}{style.paint(about)} did not end"
