"""Laws of every renderer: no escape codes without colour, no secret ever."""

import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import LocatedFault
from reconciler.kinds.fields import SET, SecretRef
from reconciler.plan.change import Action, Change, FieldChange
from reconciler.plan.outcome import Applied, Conflicted
from reconciler.plan.plan import Plan
from reconciler.report import events
from reconciler.report.faults import error_text, fault_text
from reconciler.report.outcome_text import applied_text
from reconciler.report.plan_text import plan_text
from reconciler.report.progress import finished_line, progress
from reconciler.report.style import Style
from reconciler.resource import Address

from .anything import APPLIED, ERROR, NASTY, PLAN

FAULT = st.builds(
    LocatedFault,
    path=NASTY,
    line=st.integers(1, 9999),
    column=st.integers(1, 20),
    text=NASTY,
    message=NASTY | NASTY.map("a secret ".__add__),
    hint=st.none() | NASTY,
)
STYLE = st.builds(Style, color=st.booleans(), width=st.sampled_from([0, 10, 40, 200]))


def assert_safe(lines, style):
    """Fail on any character that a terminal obeys, but for our own colours."""
    for line in lines:
        text = re.sub(r"\x1b\[[0-9;]+m", "", line) if style.color else line
        assert not [c for c in text if ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u202e\u200b\ud800"]


@given(PLAN, STYLE)
def test_plans_are_safe(plan, style):
    """Whatever stands in a manifest or comes from the platform."""
    assert_safe(plan_text(plan, style=style), style)


@given(APPLIED, STYLE)
def test_outcomes_are_safe(applied, style):
    """The summary, and the lines of progress."""
    assert_safe(applied_text(applied, style=style), style)
    assert_safe((finished_line(outcome, seconds=1.0, style=style) for outcome in applied.outcomes), style)


@given(st.lists(FAULT, max_size=3), ERROR, STYLE)
def test_faults_and_errors_are_safe(faults, error, style):
    """Places, lines, messages and hints."""
    assert_safe(fault_text(faults, style=style), style)
    assert_safe(error_text(error, style=style), style)


@given(PLAN, APPLIED)
def test_events_are_one_line_of_unicode(plan, applied):
    """Whatever the values are."""
    stream = [*map(events.change, plan.changes), *map(events.outcome, applied.outcomes)]
    for event in [*stream, *map(events.remainder, applied.remainders)]:
        assert "\n" not in events.line(event)
        events.line(event).encode()


VALUE_OF_SECRET = "hunter2-the-value"


@pytest.mark.parametrize("color", [False, True])
def test_a_value_within_reach_is_never_read(plan, applied, monkeypatch, tmp_path, color):
    """The variables and files of the references are there; nobody looks."""
    for name in ("CRM_TOKEN", "SLACK_BOT_TOKEN"):
        monkeypatch.setenv(name, VALUE_OF_SECRET)
    (tmp_path / "token").write_text(VALUE_OF_SECRET)
    monkeypatch.chdir(tmp_path)
    by_file = SecretRef(source="file", name=str(Path("token")))
    change = Change(
        Address("acme", "Channel", "hook", "bot"),
        Action.UPDATE,
        fields=(FieldChange(("config", "token"), SET, by_file), FieldChange(("config",), {"a": SET}, {"a": by_file})),
        body={"config": {"token": by_file}},
    )
    plan = Plan((*plan.changes, change), plan.orgs)
    applied = Applied((*applied.outcomes, Conflicted(change, "no", change.fields)), remainders=applied.remainders)
    style, stream = Style(color=color, width=100), io.StringIO()
    with progress(9, stream=stream, style=style, live=color) as told:
        for outcome in applied.outcomes:
            told.started(outcome.change)
            told.finished(outcome)
    texts = [*plan_text(plan, style=style), *applied_text(applied, style=style), stream.getvalue()]
    texts += [events.line(events.change(one)) for one in plan.changes]
    texts += [events.line(events.outcome(one)) for one in applied.outcomes]
    assert "file token" in "".join(texts)
    assert VALUE_OF_SECRET not in "".join(texts)
