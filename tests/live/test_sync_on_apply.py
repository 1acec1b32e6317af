"""`sync: on-apply`: a memory that is behind its branch is synced by an apply, and by no second one."""

import httpx
import pytest
from git import Actor, Repo

from reconciler.api_errors import Problem
from reconciler.live.clock import Clock
from reconciler.plan import file
from reconciler.plan.change import Action
from reconciler.plan.file import Origin
from reconciler.plan.outcome import Done, Failed
from reconciler.report.plan_text import plan_text
from reconciler.report.style import Style

WHO = Actor("Fitter", "fitter@example.com")
GITHUB = {"type": "github", "repository": "acme/docs"}
ON_APPLY = {"source": GITHUB, "sync": "on-apply"}
NOT_FOUND = (
    "Repository or branch was not found, or the repository is private. "
    "Check the repository or connect GitHub for private access"
)
SYNC = "POST /v1/memories/mem_/sync"


class Docs:
    """A repository that git and the server find under its address on this machine."""

    def __init__(self, repo):
        self.repo = repo

    def commit(self, year):
        """Commit in the middle of a year; return the commit."""
        when = f"{year}-06-01T00:00:00+0000"
        made = self.repo.index.commit("Go on", author=WHO, committer=WHO, author_date=when, commit_date=when)
        return made.hexsha


@pytest.fixture
def docs(tmp_path, monkeypatch):
    """Give a repository with one commit."""
    with Repo.init(tmp_path / "acme/docs.git", initial_branch="main") as repo:
        monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
        monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{tmp_path.as_uri()}/.insteadOf")
        monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://github.com/")
        found = Docs(repo)
        found.commit(2020)
        yield found


@pytest.fixture
def synced(docs, tmp_path, open_world):
    """Give a world with a memory that is ours and was last synced in 2021."""
    with open_world(git_base=str(tmp_path)) as world:
        world.memory("docs", **ON_APPLY)
        world.converge()
        assert world.emulator.sync.step()
        as_of(world, last_synced_at="2021-06-01T00:00:00Z")
        yield world


def as_of(world, **members):
    """Change stored members of the memory behind the server's back, as time would."""
    store = world.emulator.store
    with store.transaction():
        record = store.find(world.one("memories", "docs")["id"])
        store.save(record.with_body({**record.body(), **members}))


def test_a_branch_that_moved_on_is_synced_once(synced, docs):
    """The plan says to what the branch moved, the apply asks for a sync, and then nothing is left to do."""
    commit = docs.commit(2022)
    plan = synced.plan()
    (change,) = plan.changes
    assert (change.action, plan.in_sync) == (Action.SYNC, 0)
    moved = f"its branch main moved on after its last sync, to {commit[:7]} of 2022-06-01 00:00 UTC"
    assert change.notes == (moved,)
    shown = "\n".join(plan_text(plan, style=Style()))
    assert "* Memory/docs  sync: its source is fetched anew" in shown
    assert moved in shown
    synced.forget()
    assert synced.apply(plan).exit_codes == (0,)
    assert synced.lines == [SYNC]
    assert synced.plan().changes == ()
    synced.emulator.sync.step()
    assert synced.plan().changes == ()


def test_a_branch_that_stands_still_is_not_synced(synced):
    """A commit before the last sync is in it."""
    plan = synced.plan()
    assert plan.changes == ()
    assert plan.in_sync == 1


def test_what_does_not_ask_for_it_is_not_synced(synced, docs):
    """Without the word, nobody asks for the branch."""
    docs.commit(2022)
    synced.memory("docs", source=GITHUB)
    assert synced.plan().changes == ()


def test_a_sync_comes_after_another_change(synced, docs):
    """A description is written before: written while the memory is syncing, it would discard the sync."""
    docs.commit(2022)
    synced.memory("docs", description="New.", **ON_APPLY)
    plan = synced.plan()
    assert [(one.action, one.after) for one in plan.changes] == [
        (Action.UPDATE, ()),
        (Action.SYNC, ("default/Memory/docs",)),
    ]
    synced.forget()
    assert synced.apply(plan, parallel=4).exit_codes == (0,)
    assert synced.lines == ["PATCH /v1/memories/mem_", SYNC]
    assert synced.plan().is_empty


def test_a_changed_source_is_synced_by_its_write(synced, docs):
    """The platform syncs by itself what it was told a source for."""
    docs.commit(2022)
    synced.memory("docs", source=GITHUB | {"sync_interval_secs": 600}, sync="on-apply")
    assert [one.action for one in synced.plan().changes] == [Action.UPDATE]
    synced.converge()
    assert synced.plan().is_empty


@pytest.mark.parametrize(
    ("members", "why"),
    [
        (
            {"sync_status": "failed", "last_sync_error": "configured root folder does not exist"},
            "its last sync failed: configured root folder does not exist",
        ),
        ({"sync_status": "idle", "last_synced_at": None}, "it was never synced"),
    ],
)
def test_what_did_not_come_is_synced_again(synced, members, why):
    """A sync that failed, or never came and is not due, is asked for."""
    as_of(synced, **members)
    (change,) = synced.plan().changes
    assert (change.action, change.notes) == (Action.SYNC, (why,))
    synced.converge()
    assert synced.plan().is_empty


@pytest.mark.parametrize("status", ["pending", "syncing"])
def test_a_sync_that_is_due_is_not_asked_for_again(synced, docs, status):
    """What is under way is left alone."""
    docs.commit(2022)
    as_of(synced, sync_status=status)
    assert synced.plan().changes == ()


def test_a_branch_that_cannot_be_asked_is_told(synced, docs):
    """To sync each time would make of every apply a write: it is said, and nothing is done."""
    docs.repo.git.branch("-m", "main", "trunk")
    plan = synced.plan()
    (report,) = plan.changes
    assert report.action is Action.REPORT
    assert "when its branch last moved cannot be told" in report.notes[0]
    assert plan.is_empty
    synced.memory("docs", description="New.", **ON_APPLY)
    (update,) = synced.plan().changes
    assert update.action is Action.UPDATE
    assert "when its branch last moved cannot be told" in update.notes[0]


def test_a_commit_dated_ahead_is_no_reason(synced, docs):
    """A clock that runs ahead would have every apply sync it."""
    docs.commit(2090)
    assert synced.plan().is_empty


def test_a_plan_file_says_the_same(synced, docs):
    """A saved plan is read back as it was, and applied once; by then somebody else may have synced it."""
    docs.commit(2022)
    plan = synced.plan()
    read = file.loads(file.dumps(plan, plan_id="p", origin=Origin("https://x.example", ("f",))), name="p").plan
    assert read.changes == plan.changes
    as_of(synced, last_synced_at="2023-01-01T00:00:00Z")
    synced.forget()
    (outcome,) = synced.apply(read).outcomes
    assert isinstance(outcome, Done)
    assert outcome.adopted
    assert not synced.writes


def test_success_of_the_sync_is_success(synced, docs, clock):
    """With wait_for_sync the apply ends when the sync has ended, and fails with it."""
    docs.commit(2022)
    synced.memory("docs", wait_for_sync="60s", **ON_APPLY)
    assert synced.plan().changes[0].notes[1] == "the apply waits up to 60 s for its sync, and fails with it"
    synced.clock = clock_of(clock, synced)
    assert synced.apply().exit_codes == (0,)
    assert clock.waited == 5
    docs.repo.git.branch("-m", "main", "trunk")
    as_of(synced, sync_status="failed")
    applied = synced.apply()
    assert [one.message for one in applied.remainders] == ["it was asked to sync, and its sync failed: " + NOT_FOUND]
    assert applied.exit_codes == (7,)


def clock_of(clock, world):
    """Return a clock by which the server's worker runs whenever somebody waits."""

    def sleep(seconds):
        clock.sleep(seconds)
        world.emulator.sync.step()

    return Clock(clock.monotonic, sleep, chance=lambda: 0.0)


def test_an_answer_that_was_lost_is_settled_by_reading(synced, docs):
    """A sync that is due by now was asked for: it is not asked for twice."""
    docs.commit(2022)
    synced.meddler.cut("POST", r".*/sync", httpx.ReadError("reset"), carried_out=True)
    synced.forget()
    (outcome,) = synced.apply().outcomes
    assert isinstance(outcome, Done)
    assert synced.lines == [SYNC]


def test_a_platform_that_does_not_take_it_is_told(synced, docs):
    """What the platform says of a sync that it refuses is told, and nothing of the memory is lost."""
    docs.commit(2022)
    detail = "only active source-backed memories can be synced"
    synced.meddler.instead("POST", r".*/sync", (400, {"title": "Bad Request", "status": 400, "detail": detail}))
    (outcome,) = synced.apply().outcomes
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error.problem, Problem)
    assert detail in outcome.error.message
    assert [one.action for one in synced.plan().changes] == [Action.SYNC]


def test_a_sync_that_nobody_began_is_told(synced, docs):
    """An answer that promises what does not come is not believed."""
    docs.commit(2022)
    promised = synced.one("memories", "docs") | {"sync_status": "pending"}
    synced.meddler.instead("POST", r".*/sync", (200, promised))
    applied = synced.apply()
    assert [one.message for one in applied.remainders] == ["a sync was asked for, and none is due"]
    assert applied.exit_codes == (7,)


def test_a_sync_that_never_began_is_none(synced):
    """Where the last sync had failed, another failure is one only if the platform says that a sync was due between."""
    as_of(synced, sync_status="failed", last_sync_error="x")
    synced.meddler.instead("POST", ".*/sync", (200, synced.one("memories", "docs")), times=None)
    (outcome,) = synced.apply().outcomes
    assert isinstance(outcome, Failed)
    assert "none is due" in outcome.error.message
