"""The journal as it is written: before the server sees a write it is on the disk, and nothing unannounced is sent."""

import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace

import pytest

from reconciler.api_errors import Conflict, Problem, ServerFault
from reconciler.errors import JournalError
from reconciler.live import journal as journal_module
from reconciler.live.apply import Started
from reconciler.live.journal import Journal
from reconciler.live.runs import Runs
from reconciler.plan.journal import Head, Standing
from reconciler.plan.journal_lines import loads
from reconciler.plan.outcome import Done, Failed, NotStarted

KEYED = {"name": "desk", "type": "a2a", "config": {"message": "Hi.", "rate_limit_per_minute": 7}}
FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def kept(world):
    """Give a world whose runs leave journals."""
    world.runs = Runs(world.folder.with_suffix(".runs"))
    return world


@pytest.fixture
def journal(tmp_path):
    """Begin a journal."""
    head = Head("r1", "t", "ann", "host", 1, "repo", "root", "env", "https://x.test", 1)
    with Runs(tmp_path).begin(head) as journal:
        yield journal


def log_of(world):
    """Read the only journal, by its file alone."""
    (path,) = world.runs.folder.glob("*.jsonl")
    return loads(path.read_bytes())


def send(journal, answer=dict, **more):
    """Send a write through a journal."""
    return journal.around(answer, **{"method": "POST", "path": "/v1/agents", "body": {}, "request_id": "q", **more})


def test_a_file_is_called_by_its_path(kept):
    """A write of a file below a memory is noted under the path that git says, and no word of its text."""
    files = [{"path": f"/guides/{name}.md", "content": "sesame"} for name in ("ü c", f"mem_{'0' * 32}")]
    kept.memory("docs", files=files)
    assert kept.apply().exit_codes == (0,)
    ident = kept.one("memories", "docs")["id"]
    _, *noted = [(one.path, one.id) for one in log_of(kept).intents]
    names = [f"mem_{'0' * 32}.md", "%C3%BC%20c.md"]
    assert noted == [(f"/v1/memories/{ident}/fs/guides/{name}", None) for name in names]
    (path,) = kept.runs.folder.glob("*.jsonl")
    assert b"sesame" not in path.read_bytes()


def test_an_intent_is_on_disk_before_its_request(kept):
    """While the server handles a write, the file says of it all but the answer; afterwards it says that too."""
    kept.agent("a")
    kept.bot("bot", KEYED, agent="a", published=True)
    seen = []

    def look(sent, pass_on):
        log = log_of(kept)
        intent = log.intents[-1]
        unkept = [one.n for one in log.open if one.one_time]  # until its step ends, its key may be lost
        assert [one.n for one in log.open] == [*(n for n in unkept if n != intent.n), intent.n]
        assert intent.request_id == sent.headers["x-request-id"]
        assert (intent.method, intent.path) == (sent.method, sent.path)
        seen.append(intent)
        return pass_on()

    for method in ("POST", "PATCH", "PUT", "DELETE"):
        kept.meddler.rules.append(SimpleNamespace(takes=lambda sent, method=method: sent.method == method, do=look))
    applied = kept.apply()
    assert applied.exit_codes == (0,)
    log = log_of(kept)
    assert [(one.step, one.method) for one in seen] == [
        ("default/Agent/a", "POST"),
        ("default/App/bot", "POST"),
        ("default/App/bot/Channel/desk", "POST"),
        ("default/App/bot/Channel/desk", "PATCH"),
        ("default/App/bot publish", "POST"),
    ]
    assert log.intents == tuple(seen)
    assert log.open == ()
    assert [one.one_time for one in seen] == [False, False, True, False, False]
    made = [log.answers[one.n].id for one in seen[:3]]
    assert made == [kept.live("agents")[0]["id"], *_app(kept)]
    assert {one.became for one in log.outcomes.values()} == {"done"}
    assert log.end is not None
    assert (log.end.exit_codes, log.end.counts) == ((0,), {"done": 4})


def _app(world):
    (app,) = world.live("apps")
    return app["id"], app["channels"][0]["id"]


def test_every_write_is_synced(kept, monkeypatch):
    """An intent is brought to the disk before the request is sent, not only to the kernel."""
    unsynced = []
    sync, write = os.fsync, os.write

    def writing(handle, data):
        unsynced.append(bytes(data))
        return write(handle, data)

    def syncing(handle):
        sync(handle)
        unsynced.clear()

    monkeypatch.setattr(journal_module.os, "write", writing)
    monkeypatch.setattr(journal_module.os, "fsync", syncing)
    kept.agent("a")
    pending = []
    kept.meddler.before("POST", "/v1/agents", lambda: pending.extend(unsynced))
    assert kept.apply().exit_codes == (0,)
    assert pending == []
    assert unsynced == []


def test_one_sync_serves_many(journal, monkeypatch):
    """What was appended while the disk was busy is brought there by one sync, not by one for each."""
    sync, busy, free, syncs = os.fsync, threading.Event(), threading.Event(), []

    def syncing(handle):
        syncs.append(handle)
        busy.set()
        assert free.wait(30)
        sync(handle)

    monkeypatch.setattr(journal_module.os, "fsync", syncing)
    seen = []
    inside = threading.Barrier(20, action=lambda: seen.append(len(syncs)))

    def answer():
        inside.wait(30)
        return {}

    with ThreadPoolExecutor(20) as pool:
        sent = [pool.submit(send, journal, answer)]
        assert busy.wait(30)
        sent += [pool.submit(send, journal, answer) for _ in range(19)]
        while journal._appended < 21:  # all lines are written, and wait for the disk
            threading.Event().wait(0.005)
        free.set()
        assert [one.result() for one in sent] == [{}] * 20
    assert seen == [2]
    assert len(loads(journal.path.read_bytes()).answers) == 20


def test_a_sync_after_one_that_failed_is_not_believed(journal, monkeypatch):
    """The kernel tells of lost lines once: who waited behind that sync must not take the next one for theirs."""
    busy, free, syncs = threading.Event(), threading.Event(), []

    def syncing(handle):
        syncs.append(handle)
        busy.set()
        assert free.wait(30)
        if len(syncs) == 1:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(journal_module.os, "fsync", syncing)
    answered = []
    with ThreadPoolExecutor(2) as pool:
        sent = [pool.submit(send, journal, lambda: answered.append(1))]
        assert busy.wait(30)
        sent.append(pool.submit(send, journal, lambda: answered.append(2)))
        while journal._appended < 3:  # the head and both intents
            threading.Event().wait(0.005)
        free.set()
        assert [type(one.exception()) for one in sent] == [JournalError] * 2
    assert answered == []
    assert len(syncs) == 1


def test_a_full_disk_before_an_intent(kept, monkeypatch):
    """What cannot be noted is not sent; the run stops, says why, and the ledger learns what was done before."""
    for name in "abc":
        kept.agent(name)
    plan = kept.plan()
    write, lines = os.write, []

    def writing(handle, data):
        lines.append(bytes(data))
        if b'"type":"intent"' in lines[-1] and sum(b'"type":"intent"' in line for line in lines) == 2:
            raise FULL
        return write(handle, data)

    monkeypatch.setattr(journal_module.os, "write", writing)
    heard = []
    applied = kept.apply(plan, listen=heard.append)
    assert [type(one) for one in applied.outcomes] == [Done, NotStarted, NotStarted]
    assert [one.change.address.name for one in heard if isinstance(one, Started)] == ["a", "b"]
    assert kept.lines == ["POST /v1/agents"]
    assert isinstance(applied.stopped, JournalError)
    assert "No space left on device" in applied.stopped.message
    assert applied.exit_codes == (6,)
    assert [address.name for address in kept.ledger.entries] == ["a"]
    monkeypatch.undo()
    kept.converge()
    assert len(kept.live("agents")) == 3


def test_a_full_disk_after_an_answer(kept, monkeypatch):
    """What was answered is done, whether that can be noted or not; nothing more is started."""
    for name in "ab":
        kept.agent(name)
    plan = kept.plan()
    write = os.write

    def writing(handle, data):
        if b'"type":"answer"' in bytes(data):
            raise FULL
        return write(handle, data)

    monkeypatch.setattr(journal_module.os, "write", writing)
    applied = kept.apply(plan)
    assert [type(one) for one in applied.outcomes] == [Done, NotStarted]
    assert [address.name for address in kept.ledger.entries] == ["a"]
    assert [one.standing for one in kept.runs.all()] == [Standing.UNFINISHED]


def test_a_full_disk_between_two_writes_of_a_step(kept, monkeypatch):
    """A step of which a part was sent is failed, not untouched: it may be half done."""
    kept.agent("a")
    kept.bot("bot", agent="a")
    kept.converge()
    kept.bot("bot", KEYED, agent="a")
    plan = kept.plan()
    write = os.write

    def writing(handle, data):
        if b'"method":"PATCH"' in bytes(data):
            raise FULL
        return write(handle, data)

    monkeypatch.setattr(journal_module.os, "write", writing)
    applied = kept.apply(plan)
    (failed,) = applied.outcomes
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, JournalError)
    monkeypatch.undo()
    kept.converge()
    assert len(kept.live("apps")[0]["channels"]) == 1


def test_a_folder_that_cannot_be_written(kept):
    """A journal that cannot be begun ends the run before its first write, and before the ledger announces any."""
    kept.runs.folder.write_text("in the way")
    kept.agent("a")
    with pytest.raises(JournalError, match="nothing was written") as caught:
        kept.apply()
    assert "run in a folder you can write to" in str(caught.value.hint)
    assert kept.lines == []
    assert kept.ledger.serial == 0


def test_a_journal_that_cannot_be_begun_leaves_nothing(kept, monkeypatch):
    """A disk that is full from the start leaves no empty journal behind."""
    monkeypatch.setattr(journal_module.os, "write", lambda _handle, _data: (_ for _ in ()).throw(FULL))
    kept.agent("a")
    with pytest.raises(JournalError, match="nothing was written"):
        kept.apply()
    assert list(kept.runs.folder.glob("*.jsonl")) == []


def test_errors_are_told_without_the_server_s_words(journal):
    """Of a refusal only class, status and a code made of words are noted; an ambiguous one is left open."""
    problem = Problem(409, "Conflict", "token hunter2 is taken", code="already_exists")
    odd = replace(problem, code="hunter2")
    errors = [
        Conflict("hunter2", problem=problem),
        Conflict("hunter2", problem=odd),
        ServerFault("hunter2"),
        RuntimeError("hunter2"),
    ]

    def failing(error):
        def answer():
            raise error

        return answer

    for error in errors:
        with suppress(type(error)):
            send(journal, failing(error), path="/v1/agents?token=hunter2", body={"id": "hunter2"})
    text = journal.path.read_bytes()
    assert b"hunter2" not in text
    log = loads(text)
    assert [(one.status, one.error, one.ambiguous) for one in log.answers.values()] == [
        (409, "Conflict already_exists", False),
        (409, "Conflict", False),
        (None, "ServerFault", True),
        (None, "RuntimeError", True),
    ]
    assert [one.n for one in log.open] == [3, 4]


def test_chosen_and_known_ids(journal):
    """An intent names the id that is known already: chosen by us for a creation, in the path otherwise."""
    one, two = (f"agent_{number:032x}" for number in (1, 2))
    send(journal, body={"id": one})
    send(journal, method="PATCH", path=f"/v1/agents/{two}")
    send(journal)
    assert [intent.id for intent in loads(journal.path.read_bytes()).intents] == [one, two, None]


def test_nothing_is_sent_behind_a_closed_journal(tmp_path):
    """Once a run let go of its journal, no worker of it sends anything more."""
    head = Head("r1", "t", "ann", "host", 1, "repo", "root", "env", "https://x.test", 1)
    with Runs(tmp_path).begin(head) as journal:
        pass
    sent = []
    with pytest.raises(JournalError, match="closed"):
        send(journal, lambda: sent.append(1))
    assert sent == []


def test_a_journal_is_nobody_else_s(journal):
    """A run never writes into the journal of another."""
    with pytest.raises(JournalError, match="File exists"):
        Journal(journal.path)
