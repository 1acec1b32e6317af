"""Progress on and off a terminal."""

import io
import re
import subprocess
import sys

import pytest

from reconciler.plan.outcome import Done, NotStarted
from reconciler.report.progress import finished_line, progress
from reconciler.report.style import Style

PLAIN = Style(color=False, width=100)


def run(applied, stream, *, live=False, style=PLAIN):
    """Start every change, then finish every one."""
    with progress(len(applied.outcomes), stream=stream, style=style, live=live) as told:
        for outcome in applied.outcomes:
            told.started(outcome.change)
        for outcome in applied.outcomes:
            told.finished(outcome)


def test_a_line_for_each_finished_change(applied):
    """Each type of outcome, in the order they come."""
    stream = io.StringIO()
    run(applied, stream)
    assert re.sub(r"\d+\.\d", "0.2", stream.getvalue()).splitlines() == [
        "+ acme/Agent/greeter created (0.2s): its key is shown once",
        "x acme/Agent/triage failed (0.2s): updating acme/Agent/triage: 422 no\\x1b[2J\\nsecond line",
        "^ acme/Agent/veteran already restored (0.2s)",
        "x acme/App/bot in conflict (0.2s): an app of this name is there",
        "x acme/App/bot/Channel/slack blocked by acme/App/bot",
        "x acme/App/bot publish blocked by acme/App/bot",
        "v labs/App/lab unpublished (0.2s)",
        "x labs/App/lab/Channel/old not started",
    ]


def test_what_was_never_started_took_no_time(applied):
    """No time is made up."""
    assert finished_line(Done(applied.outcomes[6].change), seconds=None, style=PLAIN) == "v labs/App/lab unpublished"
    stream = io.StringIO()
    with progress(1, stream=stream, style=PLAIN, live=False) as told:
        told.finished(NotStarted(applied.outcomes[0].change))
    assert stream.getvalue() == "x acme/Agent/greeter not started\n"


def test_the_live_display(applied):
    """Counts, and the finished lines above them."""
    stream = io.StringIO()
    run(applied, stream, live=True)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    assert "3 of 8 done · 1 failed · 1 in conflict · 2 blocked" in text
    assert "+ acme/Agent/greeter created" in text
    assert "x acme/Agent/triage failed" in text


def test_the_live_display_without_color_only_moves_the_cursor(applied):
    """Colour is the reader's choice on a terminal too."""
    stream = io.StringIO()
    run(applied, stream, live=True)
    assert not re.findall(r"\x1b\[[0-9;]*m", stream.getvalue())


def test_many_at_once_are_counted(plan):
    """The display stays small."""
    stream = io.StringIO()
    with progress(99, stream=stream, style=PLAIN, live=True) as told:
        for change in plan.changes:
            told.started(change)
        lines = told.lines()
    assert len(lines) == 1 + 8 + 1 - (len(plan.changes) <= 8)
    assert lines[0].startswith("0 of 99 done · 0 s")


class Broken(io.StringIO):
    """A stream whose reader is gone."""

    def write(self, _text):
        """Fail as a pipe does whose other end is closed."""
        raise BrokenPipeError


@pytest.mark.parametrize("live", [False, True])
def test_a_broken_stream_does_not_stop_an_apply(applied, live):
    """Neither a closed pipe nor a closed file."""
    run(applied, Broken(), live=live)
    closed = io.StringIO()
    closed.close()
    run(applied, closed, live=live)


def test_a_stream_of_few_characters(applied):
    """What it cannot show is spelled out."""
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding="ascii")
    with progress(1, stream=stream, style=PLAIN, live=False) as told:
        told.finished(Done(applied.outcomes[0].change, note="fertig für heute"))
    assert buffer.getvalue() == b"+ acme/Agent/greeter created: fertig f\\xfcr heute\n"


def test_rich_is_for_terminals_only():
    """Start-up pays for nothing that a run does not use."""
    code = (
        "import io, sys; from reconciler.report import events, faults, outcome_text, plan_text, progress, style;"
        "progress.progress(1, stream=io.StringIO(), style=style.Style(), live=False);"
        "sys.exit(len({'rich', 'click', 'deepdiff'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
