"""What became of a write that a dead run left open, as the next plan shows."""

from dataclasses import replace

import pytest

from reconciler.kinds.fields import SecretRef
from reconciler.plan.change import Action, Change, FieldChange
from reconciler.plan.journal import Answer, Finding, Head, Intent, Log, StepOutcome, content_of
from reconciler.plan.plan import OrgRef, Plan
from reconciler.plan.settle import settle
from reconciler.resource import Address

AGENT = Address("acme", "Agent", "a")
CHANNEL = Address("acme", "Channel", "desk", "bot")
FIELD = FieldChange(("system_prompt",), "old", "new")
SECRET = FieldChange(("mcp_servers",), None, SecretRef(source="env", name="TOKEN"))
UPDATE = Change(AGENT, Action.UPDATE, "a", (FIELD,), body={"system_prompt": "new"}, id="agent_1")
CREATE = Change(AGENT, Action.CREATE, "a")


NUMBERS = tuple(FieldChange(("version", what), "0.1.0", "0.1.1") for what in ("publish", "default"))
RELEASE = Change(Address("acme", "Agent", "triage"), Action.RELEASE, "triage", NUMBERS, id="agent_1")


SYNC = Change(
    Address("acme", "Memory", "docs"), Action.SYNC, "docs", (FieldChange(("synced",), None, "c0ffee"),), id="mem_1"
)


def intent(change, **more):
    """Make the intent of a change."""
    told = {"method": "POST", "path": "/v1/agents", "request_id": "q", "content": content_of(change)}
    return Intent(1, "t", change.step, str(change.address), change.action.value, **{**told, **more})


def found(was, now, *, is_whole=True, **more):
    """Settle one intent by what is left to do now."""
    plan = Plan(() if now is None else (now,), orgs={"acme": OrgRef("org_1", "Acme")})
    (verdict,) = settle("r1", Log((intent(was, **more),)), plan, is_whole=is_whole, api_url="https://x.test/api/")
    return verdict


KEYED = intent(replace(CREATE, address=CHANNEL), one_time=True)


@pytest.mark.parametrize(("records", "is_open"), [((), True), ((StepOutcome("t", KEYED.step, "done"),), False)])
def test_a_key_that_was_shown_is_open_until_its_step_ends(records, is_open):
    """Who dies between the answer and the place where the key goes loses it: that is told, although it was answered."""
    log = Log((KEYED, Answer(1, "t", id=f"appchan_{'0' * 32}"), *records))
    assert log.open == ((KEYED,) if is_open else ())


def test_no_other_key_is_asked_for_where_the_plan_makes_one():
    """Of a channel whose key goes somewhere the plan makes another one by itself."""
    rotate = Change(CHANNEL, Action.ROTATE, id="appchan_1")
    plan = Plan((Change(CHANNEL, Action.ADOPT, id="appchan_1"), rotate), orgs={"acme": OrgRef("org_1", "Acme")})
    (verdict,) = settle("r1", Log((KEYED,)), plan, is_whole=True, api_url="https://x.test/api/")
    assert (verdict.finding, verdict.command) == (Finding.CARRIED_OUT, None)


def doing(action, change=CREATE):
    """Give a change another action."""
    return replace(change, action=action)


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        (CREATE, None, Finding.CARRIED_OUT),
        (CREATE, doing(Action.ADOPT), Finding.CARRIED_OUT),
        (CREATE, doing(Action.RECORD), Finding.CARRIED_OUT),
        (CREATE, UPDATE, Finding.PARTLY),
        (CREATE, CREATE, Finding.NOT_CARRIED_OUT),
        (CREATE, replace(CREATE, body={"system_prompt": "git moved on"}), Finding.NOT_CARRIED_OUT),
        (CREATE, doing(Action.CONFLICT), Finding.MOOT),
        (CREATE, doing(Action.REPORT), Finding.MOOT),
        (UPDATE, None, Finding.CARRIED_OUT),
        (UPDATE, UPDATE, Finding.NOT_CARRIED_OUT),
        (UPDATE, replace(UPDATE, after=("x",), notes=("told otherwise",), since="2026"), Finding.NOT_CARRIED_OUT),
        (UPDATE, replace(UPDATE, fields=(replace(FIELD, old="moved"),)), Finding.PARTLY),
        (UPDATE, CREATE, Finding.MOOT),
        (UPDATE, doing(Action.ARCHIVE), Finding.MOOT),
        (replace(UPDATE, fields=(SECRET,)), replace(UPDATE, fields=(SECRET,)), Finding.UNREADABLE),
        (replace(UPDATE, fields=(SECRET, FIELD)), replace(UPDATE, fields=(SECRET, FIELD)), Finding.NOT_CARRIED_OUT),
        (doing(Action.RESTORE), UPDATE, Finding.PARTLY),
        (doing(Action.RESTORE), doing(Action.RESTORE), Finding.NOT_CARRIED_OUT),
        (doing(Action.ARCHIVE), doing(Action.FORGET), Finding.CARRIED_OUT),
        (doing(Action.ARCHIVE), doing(Action.ARCHIVE), Finding.NOT_CARRIED_OUT),
        (doing(Action.ARCHIVE), doing(Action.ADOPT), Finding.MOOT),
        (doing(Action.PUBLISH), doing(Action.PUBLISH), Finding.NOT_CARRIED_OUT),
        (doing(Action.PUBLISH), None, Finding.CARRIED_OUT),
        (UPDATE, replace(doing(Action.REPORT), id="agent_1"), Finding.CARRIED_OUT),
        (RELEASE, RELEASE, Finding.NOT_CARRIED_OUT),
        (RELEASE, replace(RELEASE, fields=RELEASE.fields[1:]), Finding.PARTLY),
        (RELEASE, None, Finding.CARRIED_OUT),
        (doing(Action.ROTATE), None, Finding.KEY_LOST),
        (SYNC, None, Finding.CARRIED_OUT),
        (SYNC, SYNC, Finding.NOT_CARRIED_OUT),
        (SYNC, replace(SYNC, fields=(FieldChange(("synced",), "2026", "c0ffee"),)), Finding.MOOT),
    ],
)
def test_what_is_left_says_what_was_done(was, now, expected):
    """No step left: it was carried out; the same step: it was not; another one: in part, or nobody can tell."""
    assert found(was, now).finding is expected


def test_what_was_not_looked_at():
    """A plan of a part, or a saved one, says nothing of what it has no step for."""
    assert found(CREATE, None, is_whole=False).finding is Finding.NOT_SEEN
    assert found(CREATE, CREATE, is_whole=False).finding is Finding.NOT_CARRIED_OUT


@pytest.mark.parametrize(
    ("was", "at", "expected"),
    [
        (UPDATE, "a" * 40, Finding.CARRIED_OUT),
        (UPDATE, None, Finding.CARRIED_OUT),
        (UPDATE, "b" * 40, Finding.MOOT),
        (doing(Action.PUBLISH), "b" * 40, Finding.MOOT),
        (CREATE, "b" * 40, Finding.CARRIED_OUT),
    ],
)
def test_what_git_took_back(was, at, expected):
    """That nothing is left to do at another commit may be because git wants it as it was: an update reverted."""
    head = Head("r1", "t", "ann", "host", 1, "repo", "root", "env", "https://x.test", 1, commit="a" * 40)
    plan = Plan((), orgs={"acme": OrgRef("org_1", "Acme")})
    log = Log((head, intent(was)))
    (verdict,) = settle("r1", log, plan, is_whole=True, api_url="https://x.test", commit=at)
    assert verdict.finding is expected


def test_only_what_is_open_is_settled():
    """A write with an answer needs nobody to look."""
    log = Log((intent(CREATE), Answer(1, "t")))
    assert settle("r1", log, Plan(()), is_whole=True, api_url="https://x.test") == ()


@pytest.mark.parametrize(
    ("now", "is_lost"),
    [(Change(CHANNEL, Action.ADOPT, id="appchan_1"), True), (Change(CHANNEL, Action.CREATE), False)],
)
def test_a_key_that_was_lost(now, is_lost):
    """A key that was shown in an answer nobody got is told with the call that makes a new one, and no value."""
    path = "/v1/apps/app_1/a2a-channels"
    verdict = found(Change(CHANNEL, Action.CREATE), now, path=path, one_time=True)
    expected = (
        'curl -X POST -H "Authorization: Bearer $EVERRUNS_API_KEY" '
        "-H 'X-Org-Id: org_1' https://x.test/api/v1/apps/app_1/a2a-channels/appchan_1/regenerate-key"
    )
    assert verdict.command == (expected if is_lost else None)
    assert ("make a new one" in verdict.message) is is_lost
