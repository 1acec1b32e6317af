"""One limiter for all requests of a run: how many at once, how soon again, until when, and when no more at all.

Every request of a client takes a turn here before it is sent and gives it back with what became of it. So whatever one
worker learns of the server holds for all of them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from reconciler.api_errors import Throttled
from reconciler.errors import CircuitOpen, Interrupted, OutOfTime, ReconcilerError, Stopped
from reconciler.live.clock import Clock
from reconciler.live.window import Verdict, Window

PATIENCE = 120.0
"""Longest single wait, in seconds, that a server may ask of us before we give up."""
MOST_FAULTS = 10
"""So many server errors in a row, of all workers together, end a run; so many of writes, whatever reads bring."""
LEAST = 5.0
"""Seconds that a write gets in any case: one that is cut when time is up leaves a doubt that it was carried out."""
_SPREAD = 0.25
"""After a wait workers set off over this part of it, so that they do not all knock at once."""
_MOST_SPREAD = 0.5
_SLICE = 1.0
"""Longest sleep, in seconds: who sleeps sees only afterwards that the run was stopped."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to send one request; `rest` is how many seconds the run has left, None for a run without an end."""

    epoch: int
    rest: float | None

    def time_for(self, most: float, *, least: float) -> float:
        """Return how many seconds something of this request may take."""
        return most if self.rest is None else min(most, max(self.rest, least))


class Limiter:
    """Says when a request may be sent. Threads share it.

    At most `most` requests are under way at once, fewer after a refusal. Nobody sends while the server wants quiet;
    more than `patience` seconds of that are an error. `timeout` is how many seconds the run has, from now on.
    `MOST_FAULTS` server errors in a row end it too.
    """

    def __init__(self, most: int, *, clock: Clock, patience: float, timeout: float | None = None) -> None:
        self._clock = clock
        self._patience = patience
        self._timeout = timeout
        self._deadline = None if timeout is None else clock.monotonic() + timeout
        self._changed = threading.Condition()
        self._window = Window(most)
        self._quiet_until = self._spread = 0.0
        self._faults = self._failed_writes = 0
        self._end: ReconcilerError | None = None
        self._waiting = 0
        self._waiting_since = self._waited = 0.0

    def enter(self, *, doing: str) -> Turn:
        """Wait until a request may be sent; `doing` says what for.

        Raises Interrupted, OutOfTime and CircuitOpen when none may be any more, Throttled when the server wants quiet
        for longer than we wait.
        """
        while not isinstance(turn := self._ask(doing), Turn):
            with self._waits():
                self._sleep_until(turn)
        return turn

    def leave(
        self, turn: Turn, verdict: Verdict, *, what: str = "", quiet: float = 0.0, is_write: bool = False
    ) -> bool:
        """Give a turn back: what became of the request, in words too, and for how long the server wants quiet.

        Return whether that begins now: it was not quiet before.
        """
        with self._changed:
            self._has_ended()  # what our own end has cut says nothing of the server
            self._window.give_back(turn.epoch, verdict)
            self._count(verdict, is_write=is_write)
            if MOST_FAULTS in (self._faults, self._failed_writes):
                self._finish(_circuit_open(what))
            begins = self._hold(quiet)
            self._changed.notify_all()
            return begins

    def _count(self, verdict: Verdict, *, is_write: bool) -> None:
        """Count faults in a row, of all requests and of writes: a failed write is read back, and that may go well."""
        self._faults = self._faults + 1 if verdict.is_fault else 0
        if is_write:
            self._failed_writes = self._failed_writes + 1 if verdict.is_fault else 0

    def hold(self, seconds: float) -> None:
        """Let nobody send for so long."""
        with self._changed:
            self._hold(seconds)

    def rest(self, seconds: float) -> None:
        """Let one worker alone wait; raises what ended the run meanwhile, OutOfTime at once when it would be over."""
        until = self._clock.monotonic() + seconds * (1 + self._clock.chance() * _SPREAD)
        with self._changed:
            self._ensure_before_the_end(until)
        self._sleep_until(until)
        self.ensure_going()

    def stop(self) -> None:
        """Let nobody send any more: the operator says so."""
        with self._changed:
            self._finish(Interrupted("interrupted before it was sent"))

    def ensure_going(self) -> None:
        """Raise what ended the run, if it has ended."""
        with self._changed:
            self._ensure_going()

    def ends_within(self, seconds: float) -> bool:
        """Say whether the run's time is up in so many seconds."""
        return self._ends_by(self._clock.monotonic() + seconds)

    @property
    def has_ended(self) -> bool:
        """Whether nothing may be sent any more."""
        with self._changed:
            return self._has_ended()

    @property
    def stopped(self) -> Stopped | None:
        """What ended the run when somebody still wanted to send, if it was not the operator."""
        return self._end if isinstance(self._end, Stopped) else None

    @property
    def limit(self) -> int:
        """How many requests may be under way now."""
        return self._window.limit

    @property
    def waited(self) -> float:
        """How many seconds somebody waited because the server asked for it; several who wait at once count once."""
        with self._changed:
            return self._waited + (self._clock.monotonic() - self._waiting_since if self._waiting else 0.0)

    def _ask(self, doing: str) -> Turn | float:
        """Take a turn as soon as one is free, or return until when to wait because the server wants quiet."""
        with self._changed:
            while True:
                self._ensure_going()
                now = self._clock.monotonic()
                if now < self._quiet_until:
                    return self._checked(self._quiet_until - now, now, doing=doing)
                if self._window.has_room:
                    return Turn(self._window.take(), None if self._deadline is None else self._deadline - now)
                self._changed.wait()

    def _checked(self, asked: float, now: float, *, doing: str) -> float:
        """Return the end of a wait; raises what makes it senseless: our patience or the run's end, what is nearer."""
        if round(asked, 3) > self._patience and not self._ends_by(now + self._patience):
            raise Throttled(
                f"{doing}: the platform asks to wait {asked:.0f} s, and nothing is sent before",
                hint="run again after that; nothing was done by this request",
            )
        wake = self._quiet_until + self._clock.chance() * self._spread
        self._ensure_before_the_end(wake)
        return wake

    def _ensure_before_the_end(self, wake: float) -> None:
        """End the run now when what somebody waits for comes too late; who else waits has no more time than that."""
        if self._ends_by(wake):
            seconds = wake - self._clock.monotonic()
            self._finish(self._out_of_time(f"a wait of {seconds:.0f} s would end after the run's time"))
            self._ensure_going()

    def _ensure_going(self) -> None:
        if self._has_ended() and self._end:
            raise _anew(self._end)

    def _ends_by(self, time: float) -> bool:
        return self._deadline is not None and time >= self._deadline

    def _has_ended(self) -> bool:
        if self._end is None and self._ends_by(self._clock.monotonic()):
            self._finish(self._out_of_time("the run's time is up"))
        return self._end is not None

    def _finish(self, why: ReconcilerError) -> None:
        if self._end is None:
            self._end = why
            self._changed.notify_all()

    def _out_of_time(self, why: str) -> OutOfTime:
        return OutOfTime(
            f"{why} (--timeout {self._timeout:g}s): nothing more was sent",
            hint="run again to go on: what was done is kept",
        )

    def _hold(self, seconds: float) -> bool:
        now = self._clock.monotonic()
        begins = seconds > 0 and self._quiet_until <= now
        if now + seconds > self._quiet_until:
            self._quiet_until = now + seconds
            self._spread = min(_MOST_SPREAD, seconds * _SPREAD)
        return begins

    def _sleep_until(self, until: float) -> None:
        while (rest := until - self._clock.monotonic()) > 0 and self._end is None:
            self._clock.sleep(min(rest, _SLICE))

    @contextmanager
    def _waits(self) -> Iterator[None]:
        """Count the time from the first who begins to wait to the last who ends."""
        with self._changed:
            if not self._waiting:
                self._waiting_since = self._clock.monotonic()
            self._waiting += 1
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= 1
                if not self._waiting:
                    self._waited += self._clock.monotonic() - self._waiting_since


def _circuit_open(last: str) -> CircuitOpen:
    return CircuitOpen(
        f"{MOST_FAULTS} server errors in a row, nothing more was sent; the last: {last}",
        hint="run again when the platform answers: what was done is kept",
    )


def _anew(error: ReconcilerError) -> ReconcilerError:
    """Return an error once more: several threads must not raise the same one."""
    return type(error)(error.message, hint=error.hint)
