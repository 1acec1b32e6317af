"""A run that is slowed down, out of time, or before a server that keeps failing: what it sends, says and returns."""

import json
import re
import socket
import threading
import time

import pytest

BUSY = (429, {"title": "Too Many Requests", "status": 429, "retry_after_seconds": 60})
FAULTS = 10


class Watched:
    """An application before another one that counts the writes under way; those of chosen places wait for eight."""

    def __init__(self, app, meeting) -> None:
        self.app, self.meeting = app, meeting
        self.counting = threading.Lock()
        self.eight = threading.Barrier(8)
        self.under_way = self.begun = 0
        self.seen: list[tuple[int, str]] = []

    def __call__(self, environ, start_response):
        """Answer as the other one does, and note how many were under way and what the answer was."""
        if environ["REQUEST_METHOD"] == "GET":
            return self.app(environ, start_response)
        with self.counting:
            self.under_way += 1
            self.begun += 1
            count, meets = self.under_way, self.begun in self.meeting
        if meets:
            self.eight.wait(30)
        told = []
        body = b"".join(self.app(environ, lambda *answer: told.extend(answer)))
        with self.counting:
            self.under_way -= 1
            self.seen.append((count, told[0][:3]))
        start_response(*told)
        return [body]

    def most(self, start: int, end: int | None = None) -> int:
        """The largest number under way among the writes that were answered at these places."""
        return max(count for count, _ in self.seen[start:end])


class Failing:
    """An application before another one that fails for good after so many writes, and counts what reaches it then."""

    def __init__(self, app, after: int) -> None:
        self.app, self.after = app, after
        self.quiet = threading.Condition()
        self.writes = self.failed = self.under_way = 0

    def __call__(self, environ, start_response):
        """Answer, or fail."""
        with self.quiet:
            self.writes += environ["REQUEST_METHOD"] != "GET"
            fails = self.writes > self.after
            self.failed += fails
            if fails:
                assert self.quiet.wait_for(lambda: not self.under_way, timeout=30)
            self.under_way += not fails
        if not fails:
            try:
                return self.app(environ, start_response)
            finally:
                with self.quiet:
                    self.under_way -= 1
                    self.quiet.notify_all()
        start_response("502 Bad Gateway", [("Content-Type", "application/json")])
        return [json.dumps({"title": "Bad Gateway", "status": 502, "detail": "Out of cheese"}).encode()]


def test_a_storm_of_refusals_halves_and_recovers(open_site, serve):
    """Of eight at once the refused burst leaves four; with what succeeds there are more again, and all is done."""
    names = [f"agent-{number:02}" for number in range(70)]
    refused = range(17, 25)
    later = range(61, 69)  # to come from four to eight takes 22 answers
    with open_site(faults=["429 method=POST path=/v1/agents skip=16 times=8 retry-after=1"]) as site:
        site.world.meddler.contract.but("POST /v1/agents 429: Unknown response http status")
        site.agents(*names)
        watched = Watched(site.world.meddler, {*range(1, 17), *refused, *later})
        began = time.monotonic()
        with serve(watched) as url:
            ran = site.run("apply", "--auto-approve", "--json", "--parallelism", "8", EVERRUNS_API_URL=url)
        elapsed = time.monotonic() - began
        assert ran.code == 0, ran.text
        assert [status for _, status in watched.seen].index("429") == 16
        assert [status for _, status in watched.seen].count("429") == 8
        assert watched.most(0, 24) == 8
        assert watched.most(24, 28) <= 4
        assert watched.most(24, 33) <= 5
        assert watched.most(60) == 8
        (throttled,) = ran.of("throttled")
        assert 1.0 <= throttled["seconds"] < elapsed
        assert sorted(agent["name"] for agent in site.world.live("agents")) == names


@pytest.mark.parametrize("parallel", [1, 4])
def test_a_server_that_keeps_failing_is_left_alone(site, serve, parallel):
    """After ten faults in a row nothing more reaches it; what was done is told, remembered and gone on from."""
    names = [f"agent-{number:02}" for number in range(30)]
    site.agents(*names)
    failing = Failing(site.world.meddler, after=5)
    with serve(failing) as url:
        ran = site.run("apply", "--auto-approve", "--parallelism", str(parallel), EVERRUNS_API_URL=url)
    assert ran.code == 6
    assert FAULTS <= failing.failed <= FAULTS + 2 * (parallel - 1)  # some before the last success, some with the last
    assert f"Stopped: {FAULTS} server errors in a row, nothing more was sent; the last: " in ran.out
    assert "Out of cheese" in ran.out
    assert "hint: run again when the platform answers" in ran.out
    assert re.search(r"Applied: 5 done, .*\d+ not started\.", ran.out)
    assert "Not proved: the run was stopped before it could read back" in ran.out
    assert len(site.world.live("agents")) == 5
    site.world.forget()
    site.converge()
    assert sorted(agent["name"] for agent in site.world.live("agents")) == names


def test_a_server_that_keeps_failing_as_events(site, serve):
    """The stream says what became of every change, once, and what stopped the run; nothing done is an error."""
    site.agents(*[f"agent-{number:02}" for number in range(30)])
    failing = Failing(site.world.meddler, after=0)
    with serve(failing) as url:
        ran = site.run("apply", "--auto-approve", "--json", "--parallelism", "1", EVERRUNS_API_URL=url)
    assert ran.code == 1
    assert failing.failed == FAULTS
    outcomes = {event["address"]: event["status"] for event in ran.of("outcome")}
    assert len(ran.of("outcome")) == len(outcomes) == 30
    assert set(outcomes.values()) == {"failed", "not_started"}
    (error,) = ran.of("error")
    assert (error["error"], error["exit_code"]) == ("CircuitOpen", 1)
    assert not site.world.live("agents")


def test_time_is_up_while_the_platform_wants_quiet(site):
    """A wait that would end after --timeout is not begun: the run ends at once and says what was done and what not."""
    site.agents("one", "two", "three", "four")
    site.world.meddler.instead("POST", "/v1/agents", BUSY, skip=2, times=None)
    arguments = ["apply", "--auto-approve", "--parallelism", "1", "--timeout", "30s"]
    began = time.monotonic()
    ran = site.run(*arguments)
    assert time.monotonic() - began < 25
    assert ran.code == 6
    assert "would end after the run's time (--timeout 30s): nothing more was sent" in ran.out
    assert "Applied: 2 done, 2 not started." in ran.out
    assert "Not proved: the run was stopped before it could read back" in ran.out
    assert "waiting" not in ran.err
    assert site.lines == ["POST /v1/agents"] * 3
    ran = site.run(*arguments, "--json")
    assert ran.code == 1
    assert [event["error"] for event in ran.of("error")] == ["OutOfTime"]
    assert sorted(event["status"] for event in ran.of("outcome")) == ["not_started", "not_started"]
    site.world.meddler.rules.clear()
    site.world.forget()
    site.converge()
    assert site.lines == []
    assert len(site.world.live("agents")) == 4


def test_time_is_up_before_a_silent_server(shell):
    """A read is not waited for beyond --timeout, though the server says nothing at all."""
    shell.agents("triage")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        env = {"EVERRUNS_API_URL": url, "EVERRUNS_API_KEY": "evr_pat_x"}
        began = time.monotonic()
        ran = shell.run("plan", "--timeout", "1s", **env)
    assert time.monotonic() - began < 15  # a request alone would take 30 s to give up
    assert ran.code == 1
    assert "the run's time is up (--timeout 1s): nothing more was sent" in ran.err
    assert "hint: run again to go on" in ran.err


VERBS = [
    ["plan"],
    ["apply", "-y"],
    ["drift"],
    ["show", "Agent/x"],
    ["import", "there"],
    ["undo", "x"],
    ["ledger", "adopt", "Agent/x"],
    ["ledger", "rebuild"],
]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
@pytest.mark.parametrize(("time_", "says"), [("0s", "leaves no time"), ("soon", "expected a number and its unit")])
def test_times_that_are_none(shell, verb, time_, says):
    """Every verb that asks the platform takes --timeout, and refuses what is no time."""
    ran = shell.run(*verb, "--timeout", time_)
    assert ran.code == 64
    assert says in ran.err
