"""An apply as it goes: a live display on a terminal, one plain line for each finished change elsewhere.

The apply calls this between its writes, so a stream that breaks must not stop it: progress then falls silent.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, Self, TextIO, assert_never, cast

from reconciler.plan.outcome import Blocked, Conflicted, Done, Failed, NotStarted
from reconciler.report.style import Style, counted
from reconciler.report.vocabulary import done_word

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live
    from rich.text import Text

    from reconciler.plan.change import Change
    from reconciler.plan.outcome import Outcome

_MOST_RUNNING = 8
_PER_SECOND = 8


class Progress(Protocol):
    """What an apply tells as it goes; to be used in a `with`."""

    def started(self, change: Change) -> None:
        """Say that a change is being carried out."""

    def finished(self, outcome: Outcome) -> None:
        """Say what became of a change."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_exception: object) -> None: ...


def progress(total: int, *, stream: TextIO, style: Style, live: bool) -> Progress:
    """Return a progress of so many changes that writes to a stream, which is a terminal when `live`."""
    return _Live(total, stream, style) if live else _Plain(stream, style)


class _Clock:
    """When each change was started, and how long it has been since."""

    def __init__(self) -> None:
        self.begin = time.monotonic()
        self.running: dict[str, tuple[Change, float]] = {}

    def start(self, change: Change) -> None:
        self.running = self.running | {change.step: (change, time.monotonic())}

    def stop(self, change: Change) -> float | None:
        """Return the seconds that a change took; None when it was never started."""
        _, begin = self.running.get(change.step, (change, None))
        self.running = {step: one for step, one in self.running.items() if step != change.step}
        return None if begin is None else time.monotonic() - begin


class _Unbreakable:
    """A stream as far as progress needs one, which takes every character and outlives its reader."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.encoding = getattr(stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write; what the encoding does not have, as under LANG=C, is spelled out."""
        with suppress(OSError, ValueError):
            self.stream.write(text.encode(self.encoding, "backslashreplace").decode(self.encoding))
        return len(text)

    def flush(self) -> None:
        """Flush."""
        with suppress(OSError, ValueError):
            self.stream.flush()

    def isatty(self) -> bool:
        """Say whether it is a terminal, as far as can be known."""
        with suppress(OSError, ValueError):
            return self.stream.isatty()
        return False


class _Plain:
    """One line for each finished change."""

    def __init__(self, stream: TextIO, style: Style) -> None:
        self.stream, self.style, self.clock = _Unbreakable(stream), style, _Clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass

    def started(self, change: Change) -> None:
        self.clock.start(change)

    def finished(self, outcome: Outcome) -> None:
        seconds = self.clock.stop(outcome.change)
        self.stream.write(finished_line(outcome, seconds=seconds, style=self.style) + "\n")
        self.stream.flush()


class _Live:
    """What is running and the counts so far, below the lines of what is finished."""

    def __init__(self, total: int, stream: TextIO, style: Style) -> None:
        from rich.console import Console  # noqa: PLC0415 - rich costs 60 ms, and only a terminal needs it
        from rich.live import Live  # noqa: PLC0415
        from rich.spinner import Spinner  # noqa: PLC0415

        self.total, self.style, self.clock = total, style, _Clock()
        self.counts: Counter[str] = Counter()
        self.spinner = Spinner("dots")
        file = cast("TextIO", _Unbreakable(stream))
        console = Console(file=file, force_terminal=True, no_color=not style.color, highlight=False)
        self.live: Live = Live(
            console=console, get_renderable=self.shown, refresh_per_second=_PER_SECOND, transient=True
        )

    def __enter__(self) -> Self:
        self.live.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.live.stop()

    def started(self, change: Change) -> None:
        self.clock.start(change)

    def finished(self, outcome: Outcome) -> None:
        self.counts[_word(outcome)] += 1
        seconds = self.clock.stop(outcome.change)
        self.live.console.print(_text(finished_line(outcome, seconds=seconds, style=self.style)))

    def shown(self) -> RenderableType:
        """Draw the display; called by rich's thread, so it only reads what is replaced as a whole."""
        self.spinner.update(text=_text("\n".join(self.lines())))
        return self.spinner

    def lines(self) -> list[str]:
        """Return the lines of the display: the counts, then what is running."""
        now, running = time.monotonic(), list(self.clock.running.values())
        counts = self.counts.copy()
        parts = [f"{counts['done']:,} of {self.total:,} done"]
        parts += [f"{counts[word]:,} {word}" for word in ("failed", "in conflict", "blocked") if counts[word]]
        parts.append(f"{now - self.clock.begin:.0f} s")
        lines = [self.style.paint(" · ".join(parts), "bold")]
        for change, begin in running[:_MOST_RUNNING]:
            name = f"{change.action.symbol} {change.address}"
            lines.append(f"{self.style.paint(name)} {self.style.paint(f'{now - begin:.0f} s', 'dim')}")
        if len(running) > _MOST_RUNNING:
            lines.append(self.style.paint(f"and {counted(len(running) - _MOST_RUNNING, 'more', 'more')}", "dim"))
        return lines


def finished_line(outcome: Outcome, *, seconds: float | None, style: Style) -> str:
    """Write what became of a change on one line, as `+ acme/Agent/triage created (0.2s)`."""
    change = outcome.change
    name = style.paint(str(change.address))
    took = "" if seconds is None else " " + style.paint(f"({seconds:.1f}s)", "dim")
    match outcome:
        case Done(note=note):
            note_text = f": {style.paint(note, 'yellow')}" if note else ""
            return f"{style.paint(change.action.symbol, 'green')} {name} {done_word(outcome)}{took}{note_text}"
        case Failed(error=error):
            return (
                f"{style.paint('x', 'red')} {name} {style.paint('failed', 'red')}{took}: {style.paint(error.message)}"
            )
        case Conflicted(message=message):
            return f"{style.paint('x', 'red')} {name} {style.paint('in conflict', 'red')}{took}: {style.paint(message)}"
        case Blocked(by=by):
            return f"{style.paint('x', 'yellow')} {style.paint(change.step)} blocked by {style.paint(by)}"
        case NotStarted():
            return f"{style.paint('x', 'yellow')} {style.paint(change.step)} not started"
        case _:
            assert_never(outcome)


def _word(outcome: Outcome) -> str:
    match outcome:
        case Done():
            return "done"
        case Failed():
            return "failed"
        case Conflicted():
            return "in conflict"
        case Blocked():
            return "blocked"
        case NotStarted():
            return "not started"
        case _:
            assert_never(outcome)


def _text(ansi: str) -> Text:
    from rich.text import Text  # noqa: PLC0415 - as above

    return Text.from_ansi(ansi)
