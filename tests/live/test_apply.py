"""The graph carried out: what blocks what, how many at once, and what an interrupt leaves."""

import queue
import signal
import threading
import time
from types import SimpleNamespace

import httpx
import pytest

from reconciler.cli.carry_out import carry_out
from reconciler.errors import Defect, Exit, Interrupted, OutputError
from reconciler.ledger.file_backend import FileBackend
from reconciler.live import apply as apply_module
from reconciler.live.apply import Started, apply
from reconciler.plan.change import Action, Change
from reconciler.plan.file import Origin, dumps, loads
from reconciler.plan.outcome import Blocked, Done, Failed, NotStarted
from reconciler.plan.plan import Plan
from reconciler.report.style import Style
from reconciler.resource import Address
from reconciler.settings import LOCAL_URL, settings

CRON = {"name": "n", "type": "schedule", "config": {"cron_expression": "0 2 * * *", "message": "Run."}}


def words(applied):
    """Return what became of each step."""
    return {outcome.change.step.split("/", 1)[1]: type(outcome).__name__ for outcome in applied.outcomes}


def test_a_failure_blocks_what_depends_on_it_and_nothing_else(world):
    """What stands on a failed step is not tried, and says which step it was; everything else is done."""
    mounts = {"mounts": [{"memory": "docs", "path": "/workspace/docs"}]}
    world.memory("docs")
    world.agent("reader", capabilities=[{"ref": "memory", "config": mounts}])
    world.agent("other")
    world.bot("bot", CRON, agent="reader", published=True)
    world.bot("desk", CRON, agent="other")
    world.meddler.instead("POST", "/v1/memories", (403, {"detail": "no"}))
    applied = world.apply()
    assert words(applied) == {
        "Memory/docs": "Failed",
        "Agent/other": "Done",
        "Agent/reader": "Blocked",
        "App/desk": "Done",
        "App/bot": "Blocked",
        "App/desk/Channel/n": "Done",
        "App/bot/Channel/n": "Blocked",
        "App/bot publish": "Blocked",
    }
    by = {outcome.change.step: outcome.by for outcome in applied.outcomes if isinstance(outcome, Blocked)}
    assert by["default/Agent/reader"] == "default/Memory/docs"
    assert by["default/App/bot/Channel/n"] == "default/App/bot"
    assert applied.exit_codes == (6,)
    world.forget()
    world.converge()
    assert world.plan().is_empty


def test_outcomes_come_in_the_plan_s_order(world):
    """However the steps finish, their outcomes are listed as the plan lists them; the listener hears each twice."""
    for name in "abcdef":
        world.agent(name)
    plan, heard = world.plan(), []
    applied = world.apply(plan, listen=heard.append, parallel=4)
    assert [outcome.change for outcome in applied.outcomes] == list(plan.writes)
    started = [news.change.step for news in heard if isinstance(news, Started)]
    finished = [news.change.step for news in heard if isinstance(news, Done)]
    assert sorted(started) == sorted(finished) == sorted(change.step for change in plan.writes)
    assert all(heard.index(Started(change)) < heard.index(Done(change)) for change in plan.writes)


def test_an_empty_plan(world):
    """Nothing to do is done at once, without a request to write."""
    world.agent("a")
    world.converge()
    applied = world.apply()
    assert (applied.outcomes, applied.exit_codes, world.writes) == ((), (0,), [])


# --- with a stand-in for the work itself ---


def steps(count, *, chained=False):
    """Make a plan of independent steps, or of one chain."""
    changes = []
    for number in range(count):
        after = (changes[-1].step,) if chained and changes else ()
        changes.append(Change(Address("acme", "Agent", f"a{number}"), Action.CREATE, after=after))
    return Plan(tuple(changes))


@pytest.fixture
def carry(monkeypatch):
    """Put a function in the place of the work on one change, and apply plans with it."""

    def run(plan, work, *, parallelism=2, listen=lambda _news: None):
        monkeypatch.setattr(apply_module, "carry_out", lambda change, **_edge: work(change))
        return apply(
            plan,
            client=SimpleNamespace(stop=lambda: None, has_ended=False, written=0),
            ids=None,
            parallelism=parallelism,
            listen=listen,
        )

    return run


@pytest.mark.parametrize("width", [1, 2, 5])
def test_parallelism(carry, width):
    """As many changes are in flight as asked for, and never more."""
    lock, inside, most = threading.Lock(), [0], [0]
    full = threading.Barrier(width)

    def work(change):
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        full.wait(timeout=10)
        with lock:
            inside[0] -= 1
        return Done(change)

    outcomes, interrupted = carry(steps(width * 3), work, parallelism=width)
    assert (most[0], interrupted) == (width, False)
    assert all(isinstance(outcome, Done) for outcome in outcomes)


def test_what_is_told_as_started_has_started(carry):
    """No more steps are told as started than there are workers to start them, in the order of the plan."""
    running, most, heard = [0], [0], []

    def listen(news):
        running[0] += 1 if isinstance(news, Started) else -1
        most[0] = max(most[0], running[0])
        if isinstance(news, Started):
            heard.append(news.change)

    plan = steps(9)
    carry(plan, Done, parallelism=3, listen=listen)
    assert most[0] == 3
    assert heard == list(plan.changes)


def test_an_interrupt_starts_nothing_more(carry):
    """Steps that were ready and found no worker yet are not started after an interrupt."""
    plan = steps(10)
    begun = []

    def work(change):
        begun.append(change.address.name)
        return Done(change)

    outcomes, interrupted = carry(plan, work, parallelism=2, listen=interrupting(None, Done))
    assert interrupted
    assert sorted(begun) == ["a0", "a1"]
    assert [type(outcome) for outcome in outcomes] == [Done, Done] + [NotStarted] * 8


def test_a_chain_runs_in_order(carry):
    """However many workers there are, a step starts after the one it waits for."""
    seen = []

    def work(change):
        seen.append(change.step)
        return Done(change)

    plan = steps(6, chained=True)
    carry(plan, work, parallelism=4)
    assert seen == [change.step for change in plan.changes]


def test_a_defect_is_one_failed_change(carry):
    """An exception nobody foresaw becomes the outcome of its step, without its text, and blocks only its followers."""

    def work(change):
        if change.address.name == "a0":
            raise RuntimeError("token=sesame")
        return Done(change)

    outcomes, _ = carry(steps(3), work)
    assert [type(outcome) for outcome in outcomes] == [Failed, Done, Done]
    error = outcomes[0].error
    assert type(error) is Defect
    assert error.message.startswith("RuntimeError while applying acme/Agent/a0, at live/apply.py:")
    assert "report it" in error.hint
    assert "sesame" not in repr(outcomes)
    outcomes, _ = carry(steps(3, chained=True), work)
    assert [type(outcome) for outcome in outcomes] == [Failed, Blocked, Blocked]


def interrupting(at, kind):
    """Make a listener that interrupts at a step, or at the first of all when `at` is None."""
    told = []

    def listen(news):
        if isinstance(news, kind) and at in (None, news.change.address.name) and not told:
            told.append(news)
            raise KeyboardInterrupt

    return listen


INTERRUPTS = [
    ("as the first starts", "a0", Started, [NotStarted] * 4),
    ("as the second starts", "a1", Started, [Done, NotStarted, NotStarted, NotStarted]),
    ("when the first is done", None, Done, [Done, Done, NotStarted, NotStarted]),
]


@pytest.mark.parametrize(
    ("at", "kind", "expected"), [row[1:] for row in INTERRUPTS], ids=[row[0] for row in INTERRUPTS]
)
def test_an_interrupt_finishes_what_is_in_flight(carry, at, kind, expected):
    """What was started is finished and told as such; the rest is not started, and the run says it was interrupted."""
    outcomes, interrupted = carry(steps(4), Done, listen=interrupting(at, kind))
    assert interrupted
    assert [type(outcome) for outcome in outcomes] == expected


def test_an_interrupt_while_waiting(carry):
    """An interrupt that comes while everybody works waits for them; nothing new is started."""
    release = threading.Event()

    def work(change):
        release.wait(timeout=10)
        return Done(change)

    plan = steps(6, chained=True)
    main = threading.main_thread().ident
    started = threading.Event()

    def listen(news):
        if isinstance(news, Started):
            started.set()

    def interrupt():
        started.wait(timeout=10)
        time.sleep(0.05)
        signal.pthread_kill(main, signal.SIGINT)
        time.sleep(0.05)
        release.set()

    threading.Thread(target=interrupt, daemon=True).start()
    outcomes, interrupted = carry(plan, work, listen=listen)
    assert interrupted
    assert [type(outcome) for outcome in outcomes] == [Done] + [NotStarted] * 5


def test_an_interrupt_loses_no_outcome(carry, monkeypatch):
    """Even one that strikes as an outcome is taken leaves it known: what was done is never told as not started."""

    class Struck(queue.SimpleQueue):
        struck = False

        def get(self, *args, **more):
            item = super().get(*args, **more)
            if not Struck.struck:
                Struck.struck = True
                raise KeyboardInterrupt
            return item

    monkeypatch.setattr(apply_module, "queue", SimpleNamespace(SimpleQueue=Struck))
    outcomes, interrupted = carry(steps(3, chained=True), Done)
    assert interrupted
    assert [type(outcome) for outcome in outcomes] == [Done, NotStarted, NotStarted]


def test_an_interrupted_run_is_taken_up_by_the_next(world):
    """Whatever an interrupt leaves undone, the next run does, and nothing twice."""
    for name in "abc":
        world.agent(name)
    world.bot("bot", CRON, agent="b", published=True)
    stop = []

    def listen(news):
        if isinstance(news, Done) and not stop:
            stop.append(news)
            raise KeyboardInterrupt

    applied = world.apply(listen=listen)
    assert applied.interrupted
    assert applied.exit_codes == (130,)
    assert applied.remainders == ()
    assert "NotStarted" in words(applied).values()
    world.forget()
    world.converge()
    assert sorted(item["name"] for item in world.live("agents")) == ["a", "b", "c"]
    assert len(world.live("apps")) == 1


@pytest.mark.parametrize("stop_at", range(8))
def test_killed_anywhere_the_next_run_converges(world, stop_at):
    """A run whose every request after some point breaks off is finished by the next one, without a duplicate."""
    mounts = {"mounts": [{"memory": "docs", "path": "/workspace/docs"}]}
    world.memory("docs")
    world.agent("reader", capabilities=[{"ref": "memory", "config": mounts}])
    world.bot(
        "bot",
        CRON,
        {"name": "a", "type": "api_endpoint", "config": {"rate_limit_per_minute": 3}},
        agent="reader",
        published=True,
    )
    plan = world.plan()
    for method in ("POST", "PATCH", "PUT"):
        world.meddler.cut(
            method, ".*", httpx.ReadError("killed"), carried_out=stop_at % 2 == 0, times=None, skip=stop_at // 2
        )
    world.apply(plan, recheck=False)
    world.meddler.rules.clear()
    world.converge()
    assert world.plan().is_empty
    counts = {plural: len(world.live(plural)) for plural in ("memories", "agents", "apps")}
    assert counts == {"memories": 1, "agents": 1, "apps": 1}
    assert [channel["channel_type"] for channel in world.one("apps", "bot")["channels"]].count("schedule") == 1
    assert len(world.one("apps", "bot")["channels"]) == 2


@pytest.fixture
def founded(world):
    """Declare a new organization whose default harness is its own, and an agent that inherits it."""
    world.declare("Organization", "acme", {"name": "Acme", "default_harness": "desk", "base_harness": "base"})
    world.declare("Harness", "desk", {"parent_harness": "house"}, org="acme")
    world.declare("Harness", "house", {"parent_harness": "generic"}, org="acme")
    world.declare("Agent", "triage", {"system_prompt": "Help."}, org="acme")
    return world


def test_a_new_organization_is_completed_by_the_next_run(founded):
    """Where what an organization refers to could not be made, all that inherits waits; the next run completes it."""
    founded.meddler.instead("POST", "/v1/harnesses", (400, {"detail": "Not today"}), skip=1)
    applied = founded.apply()
    assert applied.exit_codes == (6,)
    assert words(applied) == {
        "Organization/acme": "Done",
        "Harness/house": "Done",
        "Harness/desk": "Failed",
        "Organization/acme complete": "Blocked",
        "Agent/triage": "Blocked",
    }
    assert {change.step.removeprefix("acme/"): change.action.value for change in founded.plan().changes} == {
        "Harness/desk": "create",
        "Organization/acme": "update",
        "Agent/triage": "create",
    }
    founded.converge()
    assert founded.plan().is_empty


def test_a_part_of_a_new_organization(founded):
    """What a run is about brings along all that it stands on, in whichever direction it refers."""
    plan = founded.plan(target=("Harness/desk",))
    chosen = {str(change.address.local) for change in plan.changes}
    assert chosen == {"Organization/acme", "Harness/desk", "Harness/house"}
    assert founded.apply(plan).exit_codes == (0,)
    founded.converge()
    assert founded.plan().is_empty


def test_a_saved_plan_completes_an_organization(founded):
    """A plan that was written to a file and read again does the same steps in the same order."""
    plan = founded.plan()
    saved = loads(dumps(plan, plan_id="x", origin=Origin(LOCAL_URL, ("manifests",))), name="x").plan
    assert saved.steps == plan.steps
    assert founded.apply(saved).exit_codes == (0,)
    assert founded.plan().is_empty


def test_a_second_interrupt_waits_for_nobody(world, monkeypatch):
    """While one interrupt lets what is in flight finish, another leaves it to its fate, as kill -9 would."""
    entered, done, waits = threading.Event(), threading.Event(), []

    class Impatient(apply_module.ThreadPoolExecutor):
        """Is interrupted whenever somebody waits for its threads."""

        def shutdown(self, wait=True, **more):
            waits.append(wait)
            if wait:
                raise KeyboardInterrupt
            super().shutdown(wait=False, **more)

    def work(change, **_known):
        entered.set()
        assert done.wait(30)
        return Done(change)

    def listen(news):
        if news.change.title == "b":
            assert entered.wait(30)
            raise KeyboardInterrupt

    monkeypatch.setattr(apply_module, "carry_out", work)
    monkeypatch.setattr(apply_module, "ThreadPoolExecutor", Impatient)
    world.agent("a")
    world.agent("b")
    plan = world.plan()
    try:
        with pytest.raises(KeyboardInterrupt):
            apply(plan, client=world.writer(), ids=None, parallelism=2, listen=listen)
        assert waits == [True, False]
    finally:
        done.set()


def test_events_that_cannot_be_written_do_not_end_a_run(world):
    """A disk that is full of events is told in the end; what is to be written is written, and the ledger learns it."""

    def full(*_event):
        raise OutputError("cannot write to standard output: No space left on device")

    for name in "abc":
        world.agent(name)
    plan = world.plan()
    quiet = {"text": lambda _lines: None, "about": lambda *_made, **_facts: None}
    console = SimpleNamespace(style=Style(), as_json=True, speaks=False, event=full, end=full, **quiet)
    with pytest.raises(OutputError):
        carry_out(plan, settings(env={}), console, world.writer(), world.keeper, recheck=True)
    assert {address.name for address in world.ledger.entries} == set("abc")
    assert world.ledger.begun == frozenset()


def test_an_interrupt_while_the_ledger_is_written(world, monkeypatch):
    """What was done is told all the same, and that the ledger does not know it; the next run finds out by reading."""

    def interrupted(*_given, **_more):
        raise KeyboardInterrupt

    world.agent("triage")
    plan = world.plan()
    with monkeypatch.context() as patch:
        patch.setattr(FileBackend, "write", interrupted)
        applied = world.apply(plan)
    assert words(applied) == {"Agent/triage": "Done"}
    assert isinstance(applied.unrecorded, Interrupted)
    assert Exit.INTERRUPTED in applied.exit_codes
    assert world.ledger.begun == {applied.outcomes[0].change.address}
    world.converge()
    assert world.plan().is_empty
