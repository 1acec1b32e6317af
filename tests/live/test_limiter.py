"""One limiter for all workers: never too early, never too many, and an end when there must be one."""

import itertools
import threading
import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.api_errors import ServerFault, Throttled, Unreachable
from reconciler.errors import CircuitOpen, Interrupted, OutOfTime
from reconciler.live.apply import Started
from reconciler.live.clock import SYSTEM, Clock
from reconciler.live.limiter import LEAST, MOST_FAULTS, Limiter, Turn
from reconciler.live.transports import UNTIL, Ending
from reconciler.live.window import Verdict
from reconciler.plan.outcome import Done, Failed, NotStarted

PATIENCE = 120.0


class Passing:
    """A clock that moves when somebody sleeps, and whose chance is given."""

    def __init__(self, chance=0.0) -> None:
        self.now, self.likely = 100.0, chance
        self.clock = Clock(lambda: self.now, self.sleep, lambda: self.likely)

    def sleep(self, seconds) -> None:
        """Let the time pass at once."""
        self.now += seconds


class Stage:
    """A clock for several threads: it stands still until so many of them sleep, then moves to where the first wakes."""

    def __init__(self, sleepers, chances=(0.0,)) -> None:
        self.now, self.sleepers = 100.0, sleepers
        self.turned = threading.Condition()
        self.wakes = []
        self.chances = itertools.cycle(chances)
        self.clock = Clock(lambda: self.now, self.sleep, lambda: next(self.chances))

    def sleep(self, seconds) -> None:
        """Wait until the time has come; whoever is the last to sleep moves it on."""
        wake = self.now + seconds
        with self.turned:
            self.wakes.append(wake)
            self._turn()
            assert self.turned.wait_for(lambda: self.now >= wake, timeout=10)
            self.wakes.remove(wake)

    def leave(self) -> None:
        """Count a thread that sleeps no more."""
        with self.turned:
            self.sleepers -= 1
            self._turn()

    def _turn(self) -> None:
        if self.wakes and len(self.wakes) == self.sleepers:
            self.now = max(self.now, min(self.wakes))
            self.turned.notify_all()


def limiter_of(passing, most=8, **more):
    """Make a limiter on a given clock."""
    return Limiter(most, clock=passing.clock, patience=PATIENCE, **more)


def enter(limiter) -> Turn:
    """Take a turn."""
    return limiter.enter(doing="asking")


def in_threads(count, work) -> None:
    """Do the same in several threads at once and wait for all of them; what goes wrong in one is told."""
    wrong = []

    def run(number):
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - told below
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not wrong, wrong
    assert not any(thread.is_alive() for thread in threads)


# --- how many at once ---


@pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.UNAVAILABLE])
def test_a_burst_of_refusals_halves_once(verdict):
    """Who was sent before the last halving tells nothing new; who was sent after it does."""
    limiter = limiter_of(Passing(), most=6)
    widths = []
    while not limiter.has_ended and len(widths) < 11:
        for turn in [enter(limiter) for _ in range(limiter.limit)]:
            limiter.leave(turn, verdict)
            widths.append(limiter.limit)
    assert widths[:10] == [3] * 6 + [1] * 4


def test_it_grows_by_one_for_a_window_of_successes():
    """After as many answers as it is wide it grows by one, up to the most; older answers do not count."""
    limiter = limiter_of(Passing(), most=5)
    old = [enter(limiter) for _ in range(5)]
    limiter.leave(old.pop(), Verdict.REFUSED)
    for turn in old:
        limiter.leave(turn, Verdict.ANSWERED)
    assert limiter.limit == 2
    widths = []
    for _ in range(2 + 3 + 4 + 10):
        limiter.leave(enter(limiter), Verdict.ANSWERED)
        widths.append(limiter.limit)
    assert widths == [2, 3, 3, 3, 4, 4, 4, 4] + [5] * 11


def test_errors_do_not_let_it_grow():
    """A server that fails is not asked more at once."""
    limiter = limiter_of(Passing(), most=4)
    limiter.leave(enter(limiter), Verdict.REFUSED)
    for verdict in (Verdict.FAULTED, Verdict.BROKEN) * 4:
        limiter.leave(enter(limiter), verdict)
    assert limiter.limit == 2


@pytest.mark.parametrize("most", [1, 3, 8])
def test_threads_are_held_to_the_limit(most):
    """However many threads there are, no more than the limit are under way, and every one gets its turns."""
    limiter = Limiter(most, clock=SYSTEM, patience=PATIENCE)
    counting = threading.Lock()
    under_way, seen, served = [], [], []

    def work(number):
        for round_ in range(15):
            turn = enter(limiter)
            with counting:
                under_way.append(number)
                seen.append(len(under_way))
            time.sleep(0.0005)  # so that others want a turn meanwhile
            with counting:
                under_way.remove(number)
                served.append(number)
            verdict = Verdict.REFUSED if (number + round_) % 7 == 0 else Verdict.ANSWERED
            limiter.leave(turn, verdict)

    in_threads(16, work)
    assert max(seen) <= most
    assert len(served) == 16 * 15


def test_after_refusals_the_threads_go_one_by_one():
    """A limit of one is one, while many threads want to send."""
    limiter = Limiter(8, clock=SYSTEM, patience=PATIENCE)
    while limiter.limit > 1:
        limiter.leave(enter(limiter), Verdict.REFUSED)
    alone = threading.Lock()

    def work(_number):
        for _ in range(30):
            turn = enter(limiter)
            assert alone.acquire(blocking=False)
            alone.release()
            limiter.leave(turn, Verdict.REFUSED)

    in_threads(8, work)


# --- how soon again ---


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
@pytest.mark.parametrize("seconds", [0.4, 1.0, 7.0, PATIENCE])
def test_quiet_is_kept_to_the_second(seconds, chance):
    """Nobody sends before the time has come; chance only adds, and less than a second."""
    passing = Passing(chance)
    limiter = limiter_of(passing)
    limiter.leave(enter(limiter), Verdict.REFUSED, quiet=seconds)
    enter(limiter)
    assert seconds <= passing.now - 100.0 < seconds + min(0.5, seconds / 4) + 1e-6


def test_workers_do_not_wake_at_one_instant():
    """After a wait each sets off at another moment, none before the time."""
    stage = Stage(3, chances=(0.0, 0.4, 0.8))
    limiter = limiter_of(stage)
    limiter.hold(4)
    times = []

    def work(_number):
        enter(limiter)
        times.append(stage.now - 100.0)
        stage.leave()

    in_threads(3, work)
    assert times == pytest.approx([4.0, 4.2, 4.4])


def test_a_wait_that_grows_is_waited_to_its_new_end():
    """Who waits already waits on when somebody else was told a later time, and a shorter one takes nothing back."""
    passing = Passing()
    more = iter([20.0, 1.0])
    clock = Clock(lambda: passing.now, lambda seconds: (passing.sleep(seconds), limiter.hold(next(more, 0.0))), float)
    limiter = Limiter(8, clock=clock, patience=PATIENCE)
    late, later = enter(limiter), enter(limiter)
    assert limiter.leave(late, Verdict.REFUSED, quiet=10) is True
    passing.now += 4
    assert limiter.leave(later, Verdict.REFUSED, quiet=3) is False
    enter(limiter)
    assert passing.now == 125.0


def test_who_comes_shortly_before_the_end_of_quiet_waits_too():
    """A tenth of a second too early is too early."""
    passing = Passing()
    limiter = limiter_of(passing)
    limiter.hold(10)
    passing.now += 9.9
    enter(limiter)
    assert passing.now == 110.0


def test_waits_at_once_are_counted_once():
    """What throttling cost is the time in which somebody waited: no sum over workers, nor what nobody waited for."""
    stage = Stage(3)
    limiter = limiter_of(stage)
    limiter.hold(5)

    def work(_number):
        turn = enter(limiter)
        stage.leave()
        limiter.leave(turn, Verdict.ANSWERED)

    in_threads(3, work)
    assert limiter.waited == 5.0
    limiter.hold(30)
    assert limiter.waited == 5.0


def test_waits_that_overlap_are_counted_from_the_first_to_the_last():
    """Who begins to wait later adds nothing to what another one waits anyway."""
    passing = Passing()
    limiter = limiter_of(passing)
    with limiter._waits():
        passing.now += 2
        with limiter._waits():
            passing.now += 3
            assert limiter.waited == 5.0
        passing.now += 1
    assert limiter.waited == 6.0


def test_more_than_patience_is_an_error_for_everybody():
    """Whoever wants to send while the server wants an hour of quiet is told, and does not."""
    passing = Passing()
    limiter = limiter_of(passing)
    limiter.leave(enter(limiter), Verdict.UNAVAILABLE, quiet=3600)
    for _ in range(2):
        with pytest.raises(Throttled, match="asking: the platform asks to wait 3600 s"):
            enter(limiter)
    assert (passing.now, limiter.waited, limiter.stopped) == (100.0, 0.0, None)
    passing.now += 3500
    enter(limiter)
    assert passing.now == 3700.0


# --- the end ---


def test_nothing_is_sent_after_the_deadline():
    """What was sent before is answered; after it everybody is turned away, and the run knows why."""
    passing = Passing()
    limiter = limiter_of(passing, timeout=10)
    turn = enter(limiter)
    assert (turn.rest, limiter.has_ended, limiter.stopped) == (10.0, False, None)
    passing.now += 9.5
    assert enter(limiter).rest == pytest.approx(0.5)
    passing.now += 0.5
    assert limiter.has_ended
    limiter.leave(turn, Verdict.ANSWERED)
    with pytest.raises(OutOfTime, match="--timeout 10s"):
        enter(limiter)
    assert isinstance(limiter.stopped, OutOfTime)


def test_a_wait_beyond_the_deadline_is_not_begun():
    """What would end too late is not waited for: by nobody, whether the server asked for it or we."""
    for wait in (enter, lambda limiter: limiter.rest(20)):
        passing = Passing()
        limiter = limiter_of(passing, timeout=15)
        limiter.hold(15)
        with pytest.raises(OutOfTime, match=r"a wait of .* would end after"):
            wait(limiter)
        assert (passing.now, limiter.has_ended) == (100.0, True)


@pytest.mark.parametrize(("timeout", "error"), [(100, OutOfTime), (121, Throttled)])
def test_the_nearer_limit_is_told(timeout, error):
    """Of our patience and the run's end the nearer one is what a wait fails for."""
    limiter = limiter_of(Passing(), timeout=timeout)
    limiter.hold(3600)
    with pytest.raises(error):
        enter(limiter)


def test_time_for_a_request():
    """A request gets what is left of the run, a write a little more, and never more than without an end."""
    assert Turn(0, None).time_for(30, least=LEAST) == 30
    assert Turn(0, 12.0).time_for(30, least=LEAST) == 12
    assert Turn(0, 0.1).time_for(30, least=LEAST) == LEAST
    assert Turn(0, 500.0).time_for(30, least=LEAST) == 30


FAULTS = [verdict for verdict in Verdict if verdict.is_fault]


@pytest.mark.parametrize("verdict", FAULTS)
def test_faults_in_a_row_end_the_run(verdict):
    """The tenth fault in a row ends it, counted over all; any other answer begins the count anew."""
    limiter = limiter_of(Passing())
    for other in (Verdict.ANSWERED, Verdict.REFUSED):
        for _ in range(MOST_FAULTS - 1):
            limiter.leave(enter(limiter), verdict, what="well")
        limiter.leave(enter(limiter), other)
    for number in range(MOST_FAULTS):
        assert not limiter.has_ended
        limiter.leave(enter(limiter), verdict, what=f"creating it: fault {number}")
    with pytest.raises(CircuitOpen, match=r"10 server errors in a row.*creating it: fault 9"):
        enter(limiter)
    assert isinstance(limiter.stopped, CircuitOpen)


@pytest.mark.parametrize(
    ("end", "error"),
    [
        (lambda limiter, _turn: limiter.stop(), Interrupted),
        (lambda limiter, turn: limiter.leave(turn, Verdict.BROKEN, what="it"), CircuitOpen),
    ],
    ids=["operator", "circuit"],
)
def test_the_end_reaches_who_waits_for_a_turn(end, error):
    """Who waits for a free turn is woken and sent home."""
    limiter = Limiter(1, clock=SYSTEM, patience=PATIENCE)
    for _ in range(MOST_FAULTS - 1):
        limiter.leave(enter(limiter), Verdict.BROKEN)
    turn = enter(limiter)

    def work(number):
        if number == 3:
            until = time.monotonic() + 10
            while len(limiter._changed._waiters) < 3:
                assert time.monotonic() < until
                time.sleep(0.001)
            end(limiter, turn)
            return
        with pytest.raises(error):
            enter(limiter)

    in_threads(4, work)
    assert limiter.has_ended


def test_the_end_reaches_who_waits_for_quiet():
    """Who waits because the server asked sees within a second that the operator stopped the run."""
    passing = Passing()
    slept = []
    clock = Clock(lambda: passing.now, lambda seconds: (slept.append(seconds), passing.sleep(seconds), limiter.stop()))
    limiter = Limiter(8, clock=clock, patience=PATIENCE)
    limiter.hold(60)
    with pytest.raises(Interrupted):
        enter(limiter)
    assert slept == [1.0]


# --- the law ---


STEPS = st.one_of(
    st.just(("send",)),
    st.tuples(
        st.just("answer"),
        st.integers(0, 7),
        st.sampled_from(Verdict),
        st.sampled_from([0.0, 0.0, 0.25, 1.0, 3.7, 60.0]),
        st.floats(0, 0.999),
    ),
    st.tuples(st.just("pass"), st.floats(0.01, 30)),
)


@given(most=st.integers(1, 8), steps=st.lists(STEPS, max_size=60), timeout=st.none() | st.floats(1, 200))
def test_never_too_early_never_too_many_never_too_late(most, steps, timeout):
    """Whatever is answered: no turn before the quiet asked for is over, none above the limit, none after the end."""
    passing = Passing()
    limiter = limiter_of(passing, most=most, timeout=timeout)
    under_way: list[Turn] = []
    quiet_until = 0.0
    faults = 0
    for step in steps:
        match step:
            case ("send",) if len(under_way) < limiter.limit:
                try:
                    under_way.append(enter(limiter))
                except OutOfTime:
                    assert timeout is not None
                    assert max(passing.now, quiet_until + 0.5) >= 100 + timeout
                    return
                except CircuitOpen:
                    assert faults >= MOST_FAULTS
                    return
                assert passing.now >= quiet_until
                assert faults < MOST_FAULTS
                assert timeout is None or passing.now < 100 + timeout
                assert len(under_way) <= limiter.limit
            case ("answer", which, verdict, quiet, chance) if under_way:
                before, passing.likely = limiter.limit, chance
                limiter.leave(under_way.pop(which % len(under_way)), verdict, quiet=quiet)
                quiet_until = max(quiet_until, passing.now + quiet)
                faults = MOST_FAULTS if faults >= MOST_FAULTS else faults + 1 if verdict.is_fault else 0
                allowed = {before, max(1, before // 2)} if verdict.asks_for_less else {before, min(most, before + 1)}
                assert limiter.limit in allowed
                assert 1 <= limiter.limit <= most
            case ("pass", seconds):
                passing.now += seconds


# --- in a run ---


def names(applied):
    """Return what became of each step, in the plan's order."""
    return [type(outcome).__name__ for outcome in applied.outcomes]


def test_an_apply_out_of_time(world, clock):
    """What is in flight finishes, nothing new is started, the ledger knows what was done, and no proof is claimed."""
    for name in "abcd":
        world.agent(name)
    plan = world.plan()
    world.timeout = 10
    world.meddler.before("POST", "/v1/agents", lambda: clock.sleep(5), times=None)
    world.forget()
    heard = []
    applied = world.apply(plan, listen=heard.append)
    assert names(applied) == ["Done", "Done", "NotStarted", "NotStarted"]
    assert [news.change.address.name for news in heard if isinstance(news, Started)] == ["a", "b"]
    assert isinstance(applied.stopped, OutOfTime)
    assert isinstance(applied.unproved, OutOfTime)
    assert (applied.interrupted, applied.exit_codes) == (False, (6,))
    assert world.lines == ["POST /v1/agents"] * 2
    assert world.sent[-1].method == "POST"
    assert sorted(address.name for address in world.ledger.entries) == ["a", "b"]
    assert not world.ledger.begun
    world.timeout = None
    world.converge()
    assert len(world.live("agents")) == 4


def test_nothing_done_in_time_is_an_error(world, clock):
    """A refusal that would have to be waited out beyond the end leaves everything not started."""
    world.agent("a")
    world.agent("b")
    plan = world.plan()
    world.timeout = 10
    world.meddler.instead("POST", "/v1/agents", (429, {"retry_after_seconds": 30}), times=None)
    applied = world.apply(plan)
    assert names(applied) == ["NotStarted", "NotStarted"]
    assert applied.exit_codes == (1,)
    assert applied.unproved is None
    assert clock.waited == 0
    assert world.lines == ["POST /v1/agents"]
    assert not world.ledger.entries


def test_what_was_half_done_is_not_told_as_not_started(world, clock):
    """A change of which one write was carried out when time was up has failed; what it made is ours all the same."""
    world.bot("bot", {"name": "a", "type": "api_endpoint", "config": {"rate_limit_per_minute": 3}})
    plan = world.plan()
    world.timeout = 10
    world.meddler.instead("PATCH", ".*/channels/.*", (429, {"retry_after_seconds": 30}))
    applied = world.apply(plan)
    app, channel = applied.outcomes
    assert isinstance(app, Done)
    assert isinstance(channel, Failed)
    assert isinstance(channel.error, OutOfTime)
    assert [str(address) for address in world.ledger.begun] == ["default/App/bot/Channel/a"]
    world.timeout = None
    world.meddler.rules.clear()
    world.converge()
    (bot,) = world.live("apps")
    assert len(bot["channels"]) == 1


def test_an_apply_whose_server_fails(world, clock):
    """After ten faults in a row nothing more is sent, not even to prove what was done."""
    for number in range(20):
        world.agent(f"a{number:02}")
    plan = world.plan()
    for method in ("GET", "POST"):
        world.meddler.cut(method, ".*/agents", httpx.ConnectError("refused"), skip=method == "POST", times=None)
    world.forget()
    writer_sees = len(world.sent)
    applied = world.apply(plan, recheck=False)
    refused = len(world.sent) - writer_sees - 1
    assert refused == MOST_FAULTS
    assert isinstance(applied.stopped, CircuitOpen)
    assert applied.exit_codes == (6,)
    assert isinstance(applied.outcomes[0], Done)
    assert isinstance(applied.outcomes[-1], NotStarted)
    assert applied.unproved is not None
    world.meddler.rules.clear()
    world.converge()
    assert len(world.live("agents")) == 20


@pytest.mark.parametrize("seconds", [4, 20], ids=["at the last try", "at the first"])
def test_a_plan_out_of_time(world, clock, seconds):
    """A read that the end cuts off is not told as a server that does not answer."""
    world.agent("a")
    world.timeout = 10

    def stall():
        clock.sleep(seconds)
        raise httpx.ReadTimeout("slow")

    world.meddler.before("GET", ".*/agents", stall, times=None)
    with pytest.raises(OutOfTime):
        world.plan()


def test_reads_that_fail_rest_on_the_clock(world, clock):
    """The pause before a read is repeated lengthens by chance only, and is no throttling."""
    world.meddler.cut("GET", ".*", httpx.ReadError("reset"))
    world.meddler.instead("GET", ".*", (502, b""))
    client = world.reader()
    client.get("/v1/orgs", doing="listing")
    assert clock.slept == pytest.approx([0.25, 0.5])
    assert client.throttled_for == 0


def test_an_answer_in_pieces_ends_with_the_run():
    """Pieces that come one after the other are not waited for beyond the end."""
    passing = Passing()

    class Slow(httpx.SyncByteStream):
        def __iter__(self):
            for _ in range(100):
                passing.now += 1
                yield b"x"

    transport = Ending(httpx.MockTransport(lambda _request: httpx.Response(200, stream=Slow())), lambda: passing.now)
    client = httpx.Client(transport=transport)
    with pytest.raises(httpx.ReadTimeout):
        client.get("http://localhost/", extensions={UNTIL: 110.0})
    assert passing.now == 111.0
    assert client.get("http://localhost/").content == b"x" * 100


@pytest.mark.parametrize("kind", ["read", "write"])
def test_requests_get_what_is_left(world, clock, monkeypatch, kind):
    """The timeouts of a request end with the run, a write keeps the least it needs."""
    world.timeout = 12
    client = world.writer()
    call = {
        "read": lambda: client.get("/v1/agents", doing="reading"),
        "write": lambda: client.send("POST", "/v1/orgs", doing="writing", body={"name": "New"}),
    }[kind]
    seen = []
    call()
    original = httpx.Client.send
    monkeypatch.setattr(
        httpx.Client,
        "send",
        lambda self, request, **more: (seen.append(request.extensions["timeout"]), original(self, request, **more))[1],
    )
    call()
    clock.now += 11
    call()
    assert [one["read"] for one in seen] == pytest.approx([12, 1 if kind == "read" else LEAST])
    assert [one["connect"] for one in seen] == pytest.approx([10, 1 if kind == "read" else LEAST])


def test_faults_of_a_read_are_its_own_until_the_circuit_opens(world, clock):
    """Before the tenth fault a read fails with what the server said, after it with why nothing is asked any more."""
    world.meddler.instead("GET", ".*", (500, {"detail": "Out of cheese"}), times=None)
    client = world.reader()
    errors = []
    for _ in range(5):
        with pytest.raises((ServerFault, CircuitOpen, Unreachable)) as raised:
            client.get("/v1/agents", doing="listing")
        errors.append(type(raised.value))
    assert errors == [ServerFault] * 3 + [CircuitOpen] * 2
    assert len(world.sent) == MOST_FAULTS
