"""The journal's text: whatever became of its bytes, it is read as far as it goes, and damage is told with its line."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.plan.journal import (
    SCHEMA,
    Answer,
    Damage,
    End,
    Finding,
    Head,
    Intent,
    Log,
    Settled,
    Standing,
    StepOutcome,
    standing,
    told_code,
    told_id,
    told_path,
)
from reconciler.plan.journal_lines import dumps, loads

HEAD = Head("r1", "2026-11-22T10:00:00.000Z", "ann", "host", 7, "repo", "fleet", "prod", "https://x.test/api", 3)


def intent(n, step="default/Agent/a", **more):
    """Make an intent to create an agent."""
    told = {"address": step, "action": "create", "method": "POST", "path": "/v1/agents", "request_id": f"q{n}"}
    return Intent(n, HEAD.at, step, **{**told, **more})


words = st.text(max_size=20)
numbers = st.integers(1, 99)
records = st.one_of(
    st.builds(intent, numbers, words, id=st.none() | words, one_time=st.booleans()),
    st.builds(Answer, numbers, words, st.none() | st.integers(100, 599), st.none() | words, st.booleans()),
    st.builds(StepOutcome, words, words, st.sampled_from(["done", "failed", "not_started"]), st.none() | words),
    st.builds(End, words, st.tuples(st.integers(0, 130)), st.dictionaries(words, st.integers(0, 9), max_size=3)),
    st.builds(Settled, words, words, st.dictionaries(numbers, st.sampled_from(Finding), max_size=3)),
)


@given(st.lists(records, max_size=6), st.data())
def test_every_prefix_reads_as_a_prefix(later, data):
    """A journal cut anywhere, as by a kill, is the records before the cut: nothing is invented, nothing is damage."""
    written = [HEAD, *later]
    text = b"".join(map(dumps, written))
    cut = data.draw(st.integers(0, len(text)))
    log = loads(text[:cut])
    whole = text[:cut].count(b"\n")
    assert log == Log(tuple(written[:whole]))


@given(st.binary(max_size=300))
@example(b"\0" * 50 + b"\n")
@example(b'{"type":"run","schema":5}\n')
@example(b"[" * 100_000 + b"\n")
@example(b'{"type":"intent","n":' + b"9" * 5000 + b"}\n")
@example(b'{"type":"outcome","at":"\\ud800","step":"s","became":"done"}\n')
def test_rubbish_is_told_with_its_line(rubbish):
    """What is no journal is never an error, and every line of it that says nothing is told, from the first on."""
    text = dumps(HEAD) + rubbish + b"\n" + dumps(End(HEAD.at, (0,)))
    log = loads(text)
    assert log.head == HEAD
    assert log.end == End(HEAD.at, (0,))
    assert [one.line for one in log.damage] == list(range(2, 2 + rubbish.count(b"\n") + 1))[:20]
    assert loads(rubbish).head is None


@pytest.mark.parametrize("line", [b"", b"GIF89a", b'{"type":"intent"}\n', b"null\n"])
def test_what_does_not_begin_as_a_journal(line):
    """Without a first record there is no run to speak of; of an empty file nothing is wrong, it was just begun."""
    log = loads(line)
    assert log.head is None
    assert bool(log.damage) == bool(line)
    expected = Standing.DAMAGED if line else Standing.INTERRUPTED
    assert standing(log, is_held=False) is expected


def test_a_later_version():
    """A journal of a later version is known as one, and nothing of it is guessed at."""
    raw = json.loads(dumps(HEAD)) | {"schema": SCHEMA[:-1] + "2", "pid": "another shape"}
    log = loads(json.dumps(raw, separators=(",", ":")).encode() + b"\nwhatever\n")
    assert log == Log(is_newer=True)
    assert standing(log, is_held=False) is Standing.NEWER


def test_more_members_are_no_damage():
    """Members may be added to a record within a version."""
    raw = json.loads(dumps(HEAD)) | {"moon": "full"}
    assert loads(json.dumps(raw).encode() + b"\n") == Log((HEAD,))


def test_a_line_cut_short_and_gone_on_behind():
    """What a kill cut short stays where it is when the run is settled; it is no damage then either."""
    text = dumps(HEAD) + dumps(intent(1)) + dumps(Answer(1, HEAD.at))[:9]
    settled = Settled(HEAD.at, "r2", {1: Finding.CARRIED_OUT})
    assert loads(text + b"\n" + dumps(settled)) == Log((HEAD, intent(1), settled))
    assert loads(text + b"\n" + dumps(intent(2))).damage == (Damage(3, "it is not JSON"),)


def test_what_is_open():
    """A write is open without an answer, or with one that says nothing while its step has no outcome."""
    unsure = Answer(2, HEAD.at, 502, "ServerFault", ambiguous=True)
    log = Log((HEAD, intent(1, "a"), Answer(1, HEAD.at), intent(2, "b"), unsure, intent(3, "c")))
    assert [one.n for one in log.open] == [2, 3]
    closed = Log((*log.records, StepOutcome(HEAD.at, "b", "failed")))
    assert [one.n for one in closed.open] == [3]


@pytest.mark.parametrize(
    ("later", "is_held", "expected"),
    [
        ((), True, Standing.RUNNING),
        ((), False, Standing.UNFINISHED),
        ((Settled(HEAD.at, "r2"),), False, Standing.SETTLED),
        ((End(HEAD.at, (0,)),), False, Standing.DONE),
        ((End(HEAD.at, (6,)),), False, Standing.PARTLY),
        ((End(HEAD.at, (1, 7)),), False, Standing.FAILED),
        ((End(HEAD.at, (7,)),), False, Standing.NOT_CONVERGED),
        ((End(HEAD.at, (6, 130)),), False, Standing.INTERRUPTED),
    ],
)
def test_how_a_run_ended(later, is_held, expected):
    """The last word of a run counts; without one, whether it is alive, and whether it was settled."""
    assert standing(Log((HEAD, *later)), is_held=is_held) is expected


def test_only_names_and_numbers_are_told():
    """What the server words or points at is left out where it could hold anything."""
    agent = "agent_" + "0" * 31 + "a"
    assert (told_id(agent), told_id("evr_pat_" + "0" * 32), told_id("hunter2"), told_id(7)) == (agent, None, None, None)
    assert [told_code(one) for one in ("already_exists", "sesame", "", None)] == ["already_exists", None, None, None]
    for path in (f"/v1/agents/{agent}", f"/v1/apps/{agent}/publish", f"/v1/apps/{agent}/channels/{agent}"):
        assert told_path(path) == path
    assert told_path("/v1/apps/a2a", ["a2a"]) == "/v1/apps/a2a"
    for path in ("/v1/agents?token=sesame", "/v1/agents/sesame", "/v1/apps/a2a", "https://x.test/v1/agents"):
        assert told_path(path) == "(a link of the platform)"


def test_half_of_a_surrogate_pair():
    """A host or a path that is no proper text is spelled out."""
    log = loads(dumps(Head("r", "t", "ann", "h\udcff", 1, "r", "f", "e", "u", 0)))
    assert log.head is not None
    assert log.head.host == "h\\udcff"
