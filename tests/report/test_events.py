"""The JSON stream."""

import json

import pytest

from reconciler.errors import Exit, LocatedFault, StalePlan
from reconciler.report import events, ledger_events


def test_every_event_is_one_line_with_schema_and_type(plan, applied):
    """Each is documented, and is read back as it was."""
    stream = [
        events.started("apply", "1.0"),
        events.fault(LocatedFault("a.yaml", 1, 2, "token: hunter2", "a secret", "do")),
        *map(events.change, plan.changes),
        events.plan_made(plan),
        *map(events.outcome, applied.outcomes),
        *map(events.remainder, applied.remainders),
        events.throttled(applied.throttled_for),
        ledger_events.ledger("here", {"root": "."}, 7, None),
        ledger_events.owned("acme/Agent/a", id="agent_1", fields=["/tags"], secrets=[]),
        ledger_events.forgotten(["acme/Agent/a"], everything=False),
        ledger_events.unlocked({"who": "alice"}),
        events.error(StalePlan({"acme/Agent/a": "is gone"})),
        events.finished(applied.exit_codes),
    ]
    for event in stream:
        text = events.line(event)
        assert "\n" not in text
        assert "hunter2" not in text
        assert json.loads(text) == event
        assert list(event)[:2] == ["schema", "type"]
        assert event["schema"] == events.SCHEMA == "everruns.reconciler/events/v1"
        assert f"| `{event['type']}`" in (events.__doc__ or "")


def test_every_type_of_outcome(applied):
    """The tag and what belongs to it."""
    told = [events.outcome(outcome) for outcome in applied.outcomes]
    assert [event["status"] for event in told] == [
        "done", "failed", "done", "conflicted", "blocked", "blocked", "done", "not_started",
    ]  # fmt: skip
    assert told[0]["note"] == "its key is shown once"
    assert told[1]["error"]["error"] == "Refused"
    assert told[2]["adopted"] is True
    field = {"path": ["harness"], "old": "base", "new": "generic", "side": None, "sensitive": False}
    assert told[3]["fields"] == [field]
    assert told[5]["step"] == "acme/App/bot publish"


def test_secrets_are_references(plan):
    """By type, at any depth."""
    crm = {"$secret": {"env": "CRM_TOKEN"}}
    event = events.change(plan.changes[1])
    assert event["secrets"] == [crm]
    assert event["fields"][5]["old"]["crm"]["headers"] == {"A": {"$secret": "set"}, "B": {"$secret": "set"}}
    assert event["fields"][5]["new"]["crm"]["headers"] == {"A": crm}


def test_the_plan_in_numbers(plan):
    """A reader of the stream can check the plan without its changes."""
    event = events.plan_made(plan)
    assert event["counts"]["create"] == 3
    assert event["unchanged"] == {"Agent": 30, "App": 4}
    assert event["digest"] == plan.digest
    assert event["partial"] == plan.partial
    assert event["orgs"]["labs"] == {"id": None, "title": "Labs"}


def test_a_fault_without_a_place_has_nulls():
    """An empty path would look like a place."""
    event = events.fault(LocatedFault("", 0, 0, "", "none"))
    assert (event["path"], event["line"], event["column"], event["hint"]) == (None, None, None, None)


def test_the_worst_exit_code_wins():
    """All of them are listed."""
    event = events.finished([Exit.PARTLY_APPLIED, Exit.NOT_CONVERGED])
    assert (event["exit_code"], event["exit_codes"]) == (6, [6, 7])


@pytest.mark.parametrize(
    ("value", "read"), [(2**70, str(2**70)), ("\ud800", "\\ud800"), ([{"\ud800": 2**64}], [{"\\ud800": str(2**64)}])]
)
def test_what_json_cannot_hold_becomes_text(value, read):
    """The stream does not end in a traceback."""
    line = events.line({"a": value, "b": [True, None, 1, 1.5]})
    assert json.loads(line) == {"a": read, "b": [True, None, 1, 1.5]}
