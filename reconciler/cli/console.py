"""Printing: text for people, events for programs, and how each error ends a run."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from reconciler import __version__
from reconciler.cli.outputs import NOTHING_ELSE, written
from reconciler.errors import Exit, ManifestError, OutputError, ReconcilerError, worst
from reconciler.report import events
from reconciler.report.style import Style
from reconciler.settings import DEFAULT_MANIFESTS, DEFAULT_URL, Settings
from reconciler.settings import settings as settings_of

if TYPE_CHECKING:
    from reconciler.report.subject import About, Subject


class Console:
    """Where a verb prints: text on stdout with errors on stderr, or events on stdout alone."""

    def __init__(self, *, as_json: bool, no_color: bool) -> None:
        self.as_json = as_json
        self.outputs = NOTHING_ELSE
        self.verb = ""
        self._abouts: Callable[[], Sequence[About]] = tuple
        self._kept: tuple[Exit, ...] | None = None
        plain = no_color or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        self.style = _style(sys.stdout, plain=plain)
        self.error_style = _style(sys.stderr, plain=plain)

    @classmethod
    def for_errors(cls, argv: Sequence[str]) -> Console:
        """Make a console for an error that ended a verb, as its flags asked."""
        return cls(as_json="--json" in argv, no_color="--no-color" in argv)

    @property
    def speaks(self) -> bool:
        """Whether text goes to standard output as the run goes on: it is not for events, nor for another format."""
        return not self.as_json and self.outputs.stdout == "text"

    def begin(self, verb: str) -> None:
        """Open the event stream."""
        self.verb = verb
        self.event(events.started(verb, __version__))

    def text(self, lines: Iterable[str]) -> None:
        """Print lines for people."""
        if self.speaks:
            with _written_or_told():
                for line in lines:
                    sys.stdout.write(line + "\n")
                sys.stdout.flush()

    def event(self, event: dict[str, Any]) -> None:
        """Print an event for programs, in UTF-8 whatever the locale says: JSON knows no other encoding."""
        if self.as_json:
            with _written_or_told():
                sys.stdout.buffer.write(events.line(event).encode() + b"\n")
                sys.stdout.buffer.flush()

    def about(self, subject: Subject, *, facts: Callable[[], Mapping[str, str]]) -> None:
        """Keep what the documents of this run are about; the last one counts."""
        from reconciler.report.subject import About

        self._abouts = lambda: (About(subject, facts()),)

    def about_all(self, abouts: Sequence[About]) -> None:
        """Keep what the documents are about where that is several environments."""
        self._abouts = lambda: abouts

    def end(self, *codes: Exit) -> int:
        """Write the documents, close the event stream and return the exit code that wins."""
        codes = codes or (Exit.DONE,)
        codes += self.keep(*codes)
        self.event(events.finished(codes))
        return int(worst(codes))

    def keep(self, *codes: Exit) -> tuple[Exit, ...]:
        """Write the documents, once, of a run that ends as the codes say; return ERROR for what could not be."""
        if self._kept is None:
            self._kept = (Exit.ERROR,)
            self._kept = self._documents(codes)
        return self._kept

    def _documents(self, codes: Sequence[Exit]) -> tuple[Exit, ...]:
        """Write what was asked for, and return ERROR for what could not be; the run is as it is."""
        if self.outputs == NOTHING_ELSE or not (abouts := self._abouts()):
            return ()
        from reconciler.report.faults import error_text
        from reconciler.report.render import render

        failed = False
        for into, error in written(self.outputs.files, abouts, verb=self.verb, exit_codes=codes):
            if error:
                told = OutputError(
                    f"cannot write {into.file}: {error.strerror}", hint="make room, or name another file"
                )
                self.event(events.error(told))
                sys.stderr.writelines(f"{line}\n" for line in error_text(told, style=self.error_style))
                failed = True
            else:
                self.text([f"Wrote {into.file}"])
        if self.outputs.stdout != "text":
            text = render(abouts, self.outputs.stdout, verb=self.verb, exit_codes=codes)
            with _written_or_told():
                sys.stdout.buffer.write(text.encode())
                sys.stdout.buffer.flush()
        return (Exit.ERROR,) if failed else ()

    def aside(self, error: ReconcilerError) -> None:
        """Tell of an error that does not end the run."""
        self.event(events.error(error))
        if not self.as_json:
            from reconciler.report.faults import error_text

            for line in error_text(error, style=self.error_style):
                sys.stderr.write(line + "\n")

    def fail(self, error: ReconcilerError) -> int:
        """Print an error with everything that is known of it, and return its exit code."""
        from reconciler.report.faults import error_text, fault_text

        if isinstance(error, ManifestError):
            from reconciler.manifest.locate import located

            faults = located(error.faults)
            for fault in faults:
                self.event(events.fault(fault))
            lines: Iterable[str] = fault_text(faults, style=self.error_style)
        else:
            lines = error_text(error, style=self.error_style)
        if isinstance(error, OutputError):
            self.as_json = False  # the stream of events is what failed
        self.event(events.error(error))
        if not self.as_json:
            with suppress(OSError):
                sys.stdout.flush()
            for line in lines:
                sys.stderr.write(line + "\n")
        return self.end(error.exit_code)


@contextmanager
def _written_or_told() -> Iterator[None]:
    """Turn a full disk, or whatever else keeps standard output from being written, into an error with words."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        message = f"cannot write to standard output: {error.strerror}"
        raise OutputError(message, hint="make room, or send it elsewhere") from None


def _style(stream: Any, *, plain: bool) -> Style:
    is_terminal = stream.isatty()
    width = shutil.get_terminal_size((100, 24)).columns if is_terminal else 120
    return Style(color=is_terminal and not plain, width=max(40, width))


def flags_of(settings: Settings) -> str:
    """Spell the flags that lead from this shell to the same manifests, platform and ledger, each with a space."""
    return _flags(settings, known_url=settings_of(env=os.environ).api_url)


def flags_elsewhere(settings: Settings) -> str:
    """Spell the same for who reads it elsewhere, and has not got the environment of this shell."""
    return _flags(settings, known_url=DEFAULT_URL)


def _flags(settings: Settings, *, known_url: str) -> str:
    parts = [part for path in settings.manifests for part in ("-f", path)]
    parts = [] if settings.manifests == DEFAULT_MANIFESTS else parts
    if settings.local:
        parts.append("--local")
    elif settings.api_url != known_url:
        parts += ["--api-url", settings.api_url]
    given = click.get_current_context(silent=True)
    if given is not None and given.params.get("ledger"):
        parts += ["--ledger", given.params["ledger"]]
    return "".join(f"{shlex.quote(part)} " for part in parts)
