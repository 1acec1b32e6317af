"""What became of an input: told with its place, clean, or a defect of ours; every input has two seconds and 500 MB."""

import gc
import random
import resource
import signal
import time
import traceback
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Literal

from reconciler.errors import ManifestError, ReconcilerError
from reconciler.manifest.locate import located
from reconciler.report import events
from reconciler.report.faults import error_text, fault_text
from reconciler.report.style import Style

SECONDS = 2.0
"""Of the processor's time, which other processes do not use up."""
MEGABYTES = 500
LONGEST_MESSAGE = 20_000
_CONTROLS = {"Cc", "Cs", "Zl", "Zp"}
_STYLE = Style(color=False, width=120)


class Hang(BaseException):
    """An input took longer than it may; no `except Exception` takes it for its own."""


class Wrong(AssertionError):
    """An input led to something that is no crash and no right outcome either."""


@dataclass(frozen=True, slots=True)
class Input:
    """One bad input: `shown` is what to show of it, `feed` hands it to the product.

    `placed` says whether an error tells where it is; a ManifestError is asked for file, line and column besides.
    """

    shown: Any
    feed: Callable[[], None]
    placed: Callable[[ReconcilerError], bool] = lambda _error: True


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that is fuzzed: `make` draws an input, `share` of a hundred inputs are of it."""

    name: str
    share: int
    make: Callable[[random.Random], Input]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one input; `why` is the whole story of a defect."""

    outcome: Literal["told", "clean", "defect"]
    why: str = ""


@dataclass(slots=True)
class Tally:
    """Verdicts counted, defects kept."""

    inputs: int = 0
    told: int = 0
    clean: int = 0
    slowest: float = 0.0
    defects: list[str] = field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        """Count a verdict."""
        self.inputs += 1
        self.told += verdict.outcome == "told"
        self.clean += verdict.outcome == "clean"
        if verdict.outcome == "defect":
            self.defects.append(verdict.why)

    def take(self, other: "Tally") -> None:
        """Add what another one counted."""
        self.inputs += other.inputs
        self.told += other.told
        self.clean += other.clean
        self.slowest = max(self.slowest, other.slowest)
        self.defects += other.defects


def judged(subject: Subject, seeds: range) -> Tally:
    """Judge the inputs of these seeds; what was there before is no burden of theirs, nor of the collector's."""
    gc.collect()
    gc.freeze()
    tally = Tally()
    for seed in seeds:
        started = time.process_time()
        tally.add(judge(subject, seed))
        tally.slowest = max(tally.slowest, time.process_time() - started)
    return tally


def judge(subject: Subject, seed: int) -> Verdict:
    """Make the input of a seed and judge it; a defect names both, so that it can be repeated."""
    one = subject.make(random.Random(f"{subject.name}:{seed}"))
    before = _megabytes()
    try:
        with _bounded(SECONDS):
            outcome = _outcome(one)
        _check_memory(before)
    except (Exception, Hang):  # noqa: BLE001 - whatever it is, it is what is looked for
        shown = repr(one.shown)
        shown = shown if len(shown) < 3_000 else f"{shown[:2_000]} ... {shown[-800:]}"
        return Verdict("defect", f"{subject.name}, seed {seed}: {shown}\n{traceback.format_exc(limit=-12)}")
    return Verdict(outcome)


def _check_memory(before: int) -> None:
    if (more := _megabytes() - before) > MEGABYTES:
        raise Wrong(f"took {more} MB")


def _outcome(one: Input) -> Literal["told", "clean"]:
    try:
        one.feed()
    except ReconcilerError as error:
        _check(error, one)
        return "told"
    return "clean"


def _check(error: ReconcilerError, one: Input) -> None:
    """Insist on an error that can be shown, is of a length that somebody reads, and says where it is."""
    if isinstance(error, ManifestError):
        faults = located(error.faults)
        lines = [*fault_text(faults, style=_STYLE)]
        for fault in faults:
            events.line(events.fault(fault))
            if not fault.path or fault.line < 1 or fault.column < 1:
                raise Wrong(f"no place: {fault}")
            if len(fault.message) > LONGEST_MESSAGE:
                raise Wrong(f"a message of {len(fault.message)} characters: {fault.message[:200]}")
    else:
        lines = [*error_text(error, style=_STYLE)]
    events.line(events.error(error))
    text = "\n".join(lines)
    if any(unicodedata.category(character) in _CONTROLS for character in text if character != "\n"):
        raise Wrong(f"unprintable: {text[:500]!r}")
    if len(error.message) > LONGEST_MESSAGE:
        raise Wrong(f"a message of {len(error.message)} characters: {error.message[:200]}")
    if not one.placed(error):
        raise Wrong(f"no place: {type(error).__name__}: {error.message[:500]}")


@contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """Raise Hang in the block once it has used so much of the processor; pytest's own limit is about the clock."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise Hang(f"longer than {seconds} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _megabytes() -> int:
    """Return the most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
