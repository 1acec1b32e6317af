"""Past runs as their folder shows them: which is alive, which died, which is settled, and which are kept."""

import os

import pytest

from reconciler.errors import JournalError, LedgerError, UsageError
from reconciler.live.runs import KEPT, Runs
from reconciler.plan.journal import End, Finding, Head, Settled, Standing
from reconciler.plan.journal_lines import dumps
from reconciler.plan.outcome import Applied
from reconciler.plan.owned import Owner

OWNER = Owner("repo", "root", "env")
URL = "https://x.test/api"


def head(run, at="2026-11-22T10:00:00.000Z", **more):
    """Make the first record of a run."""
    return Head(run, at, "ann", "host", 1, **{**OWNER._asdict(), "api_url": URL, "steps": 0, **more})


@pytest.fixture
def runs(tmp_path):
    """Give an empty folder of runs."""
    return Runs(tmp_path / "runs")


def dead(runs, run, *more, at="2026-11-22T10:00:00.000Z", **about):
    """Leave the journal of a run that is no more."""
    runs.folder.mkdir(exist_ok=True)
    (runs.folder / f"{run}.jsonl").write_bytes(b"".join(map(dumps, (head(run, at, **about), *more))))


def ids(found):
    """Give the ids of runs."""
    return [one.id for one in found]


def test_a_live_run_and_a_dead_one(runs):
    """A journal without an end is that of a dead run, unless somebody holds it."""
    with runs.begin(head("r1")):
        dead(runs, "r0")
        assert {one.id: one.standing for one in runs.all()} == {"r1": Standing.RUNNING, "r0": Standing.UNFINISHED}
        assert ids(runs.unfinished(OWNER, api_url=URL)) == ["r0"]


def test_ended_runs(runs):
    """A run that ended by itself is not unfinished; one that failed before its first write says what ended it."""
    with runs.begin(head("r1")) as journal:
        journal.end(Applied(()))
    with pytest.raises(LedgerError), runs.begin(head("r2")):
        raise LedgerError("no")
    with pytest.raises(KeyboardInterrupt), runs.begin(head("r3")):
        raise KeyboardInterrupt
    assert {one.id: one.standing for one in runs.all()} == {
        "r1": Standing.DONE,
        "r2": Standing.FAILED,
        "r3": Standing.INTERRUPTED,
    }
    ended = {one.id: one.log.end for one in runs.all()}
    assert (ended["r2"].error, ended["r3"].error) == ("LedgerError", "KeyboardInterrupt")
    assert runs.unfinished(OWNER, api_url=URL) == []


def test_an_error_with_a_write_under_way(runs):
    """A run that is torn away from a write it cannot account for has not ended."""

    def breaking():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), runs.begin(head("r1")) as journal:
        journal.around(breaking, method="POST", path="/v1/agents", body={}, request_id="q")
    (run,) = runs.unfinished(OWNER, api_url=URL)
    assert len(run.log.open) == 1


def test_whose_runs(runs):
    """The dead runs of others, and those on another platform, are not ours to settle; ours come oldest first."""
    dead(runs, "b", at="2026-11-22T11:00:00.000Z")
    dead(runs, "a", at="2026-11-22T12:00:00.000Z")
    dead(runs, "other", environment="prod")
    dead(runs, "there", api_url="https://y.test/api")
    assert ids(runs.unfinished(OWNER, api_url=URL + "/")) == ["b", "a"]


def test_settled(runs):
    """A settled run is told no more, and says who settled it; a line cut short by its death stays where it is."""
    dead(runs, "r1")
    with (runs.folder / "r1.jsonl").open("ab") as file:
        file.write(b'{"n":1,"at"')
    (run,) = runs.unfinished(OWNER, api_url=URL)
    runs.settle(run, by="r2", findings={1: Finding.PARTLY})
    assert runs.unfinished(OWNER, api_url=URL) == []
    (run,) = runs.all()
    assert (run.standing, run.log.damage) == (Standing.SETTLED, ())
    assert run.log.settled is not None
    assert (run.log.settled.by, run.log.settled.findings) == ("r2", {1: Finding.PARTLY})


def test_a_run_that_lives_is_not_settled(runs):
    """Who looked too early leaves the journal of a run alone that lives after all."""
    with runs.begin(head("r1")) as journal:
        (run,) = runs.all()
        before = journal.path.read_bytes()
        runs.settle(run, by="r2", findings={})
        assert journal.path.read_bytes() == before


def test_find(runs):
    """The beginning of an id is enough where it is that of one run; an exact one is enough anyway."""
    for run in ("abc", "abcd", "xyz"):
        dead(runs, run)
    assert runs.find("x").id == "xyz"
    assert runs.find("abc").id == "abc"
    with pytest.raises(UsageError, match="several runs begin like this: abc, abcd"):
        runs.find("ab")
    with pytest.raises(UsageError, match="no run is called that"):
        runs.find("q")
    with pytest.raises(UsageError, match="no run is called that"):
        Runs(runs.folder / "nowhere").find("q")


def test_retention(runs):
    """The last runs are kept; what is older goes, except what did not end and nobody settled."""
    for number in range(KEPT + 20):
        end = () if number == 3 else (Settled("t", "r"),) if number == 4 else (End("t", (0,)),)
        dead(runs, f"r{number:03}", *end, at=f"2026-11-22T{number // 60:02}:{number % 60:02}:00.000Z")
    (runs.folder / "rubbish.jsonl").write_bytes(b"\0\n")
    with runs.begin(head("new")):
        pass
    left = {path.stem for path in runs.folder.glob("*.jsonl")}
    assert left == {"new", "r003", "rubbish"} | {f"r{number:03}" for number in range(21, KEPT + 20)}


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\0\0", b"{}\n", b'{"type":"run"'])
def test_files_that_are_no_journals(runs, content):
    """Whatever else lies in the folder is listed, and stands in nobody's way."""
    runs.folder.mkdir()
    (runs.folder / "odd.jsonl").write_bytes(content)
    (runs.folder / "folder.jsonl").mkdir()
    os.mkfifo(runs.folder / "pipe.jsonl")
    (runs.folder / "notes.txt").write_text("mine")
    assert ids(runs.all()) == ["odd"]
    assert runs.unfinished(OWNER, api_url=URL) == []
    with runs.begin(head("r1")) as journal:
        journal.end(Applied(()))
    assert (runs.folder / "odd.jsonl").read_bytes() == content


def test_hidden_from_git(runs):
    """Journals are nothing to commit, whatever else is in the folder above."""
    with runs.begin(head("r1")):
        pass
    assert (runs.folder / ".gitignore").read_text() == "*\n"


def test_a_second_run_of_the_same_name(runs):
    """No journal is ever written over."""
    dead(runs, "r1")
    before = (runs.folder / "r1.jsonl").read_bytes()
    with pytest.raises(JournalError, match="nothing was written"):
        runs.begin(head("r1"))
    assert (runs.folder / "r1.jsonl").read_bytes() == before
