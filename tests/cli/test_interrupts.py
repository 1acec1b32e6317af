"""Stopped in the middle: what is in flight is finished, what is left is listed, and the next run goes on."""

import re
import signal
import socket
import threading
import time

import pytest

AGENTS = [f"agent-{number}" for number in range(8)]
IN_FLIGHT = 2


class Turnstile:
    """Holds requests back until it is opened, and tells when enough of them are waiting."""

    def __init__(self, enough: int) -> None:
        self.enough = threading.Semaphore(0)
        self.count = enough
        self.opened = threading.Event()

    def __call__(self) -> None:
        """Wait in line."""
        self.enough.release()
        assert self.opened.wait(30)

    def wait(self) -> None:
        """Wait until enough requests are in line."""
        for _ in range(self.count):
            assert self.enough.acquire(timeout=30)


def _stopped(site, finish, process, turnstile, signals):
    """Send signals while requests are held back, let them through, and wait for the end."""
    turnstile.wait()
    for number in signals:
        process.send_signal(number)
        time.sleep(0.4)  # the signal is taken while nothing else can happen: the server holds every request
    turnstile.opened.set()
    return finish(process)


def _created(site) -> set[str]:
    names = [agent["name"] for agent in site.world.live("agents")]
    assert len(names) == len(set(names))
    return set(names)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_apply_is_stopped(site, finish, number):
    """What is in flight finishes, the rest is not started, and the next run brings exactly the rest."""
    site.agents(*AGENTS)
    turnstile = Turnstile(IN_FLIGHT)
    site.world.meddler.before("POST", "/v1/agents", turnstile, times=None)
    process = site.start("apply", "--auto-approve", "--parallelism", str(IN_FLIGHT))
    ran = _stopped(site, finish, process, turnstile, [number])
    assert ran.code == 130
    created = _created(site)
    assert len(created) == IN_FLIGHT == len(site.lines)
    assert f"Applied: {IN_FLIGHT} done, {len(AGENTS) - IN_FLIGHT} not started." in ran.out
    assert set(re.findall(r"not started default/Agent/(\S+)", ran.out)) == set(AGENTS) - created
    assert "Interrupted: run again to go on." in ran.out
    site.world.forget()
    site.converge()
    assert _created(site) == set(AGENTS)


def test_second_ctrl_c_does_not_wait(site, finish):
    """A second Ctrl-C leaves what is in flight to its fate; still nothing new is started, and the next run goes on."""
    site.agents(*AGENTS)
    turnstile = Turnstile(IN_FLIGHT)
    site.world.meddler.before("POST", "/v1/agents", turnstile, times=None)
    process = site.start("apply", "--auto-approve", "--parallelism", str(IN_FLIGHT))
    turnstile.wait()
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.4)
    assert finish(process).code == 130  # while the server still holds what it was sent
    turnstile.opened.set()
    deadline = time.monotonic() + 30
    while len(_created(site)) < IN_FLIGHT:  # the server carries out what it was sent, whether we wait or not
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert len(site.lines) == IN_FLIGHT
    site.world.forget()
    site.converge()
    assert _created(site) == set(AGENTS)


def test_stopped_apply_as_events(site, finish):
    """The stream of a run that was stopped tells what became of every change, and ends as ever."""
    site.agents(*AGENTS)
    turnstile = Turnstile(IN_FLIGHT)
    site.world.meddler.before("POST", "/v1/agents", turnstile, times=None)
    process = site.start("apply", "--auto-approve", "--json", "--parallelism", str(IN_FLIGHT))
    ran = _stopped(site, finish, process, turnstile, [signal.SIGINT])
    assert ran.code == 130
    became = {event["address"]: event["status"] for event in ran.of("outcome")}
    assert len(became) == len(AGENTS)
    assert sorted(became.values()) == ["done"] * IN_FLIGHT + ["not_started"] * (len(AGENTS) - IN_FLIGHT)


def test_proof_is_stopped(site, finish):
    """Stopped while it reads back, a run still says what it did, and claims no proof."""
    site.agents(*AGENTS)
    turnstile = Turnstile(1)
    site.world.meddler.before("GET", "/v1/agents", turnstile, skip=1, times=None)
    ran = _stopped(site, finish, site.start("apply", "--auto-approve"), turnstile, [signal.SIGINT])
    assert ran.code == 130
    assert f"Applied: {len(AGENTS)} done." in ran.out
    assert "Proved" not in ran.out


@pytest.mark.parametrize("arguments", [["plan"], ["apply", "--auto-approve"]], ids=["plan", "apply"])
def test_reading_is_stopped(site, finish, arguments):
    """Stopped while it reads, a run writes nothing and says so."""
    site.agents(*AGENTS)
    turnstile = Turnstile(1)
    site.world.meddler.before("GET", "/v1/agents", turnstile, times=None)
    ran = _stopped(site, finish, site.start(*arguments), turnstile, [signal.SIGINT])
    assert ran.code == 130
    assert "interrupted: nothing more was started" in ran.err
    assert not site.lines


def test_stopped_plan_as_events(site, finish):
    """A plan that is stopped ends its stream, too."""
    site.agents(*AGENTS)
    turnstile = Turnstile(1)
    site.world.meddler.before("GET", "/v1/agents", turnstile, times=None)
    ran = _stopped(site, finish, site.start("plan", "--json"), turnstile, [signal.SIGINT])
    assert ran.code == 130
    assert [event["error"] for event in ran.of("error")] == ["Interrupted"]


def test_an_interrupt_ends_the_wait_that_the_platform_asked_for(site):
    """Of what was refused for now nothing is sent again once the run was interrupted."""
    site.agents("triage")
    answer = (429, {"detail": "slow down", "retry_after_seconds": 60})
    site.world.meddler.instead("POST", ".*", answer, times=None)
    process = site.start("apply", "--auto-approve")
    assert "waiting 60 s" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    shown, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "not started" in shown
    assert site.lines == ["POST /v1/agents"]


def test_a_silent_server_does_not_hold_an_interrupt_up(shell):
    """Nobody waits for an answer that a plan no longer wants."""
    shell.agents("triage")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = shell.start("plan", EVERRUNS_API_URL=url, EVERRUNS_API_KEY="evr_pat_x")
        connection, _ = silent.accept()
        assert connection.recv(3) == b"GET"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=15)  # a request alone would take 30 s to give up
        connection.close()
    assert process.returncode == 130
    assert "nothing more was started" in said


def test_who_reads_standard_error_may_go(site):
    """Being made to wait is told on standard error, and a reader that went away fails no write."""
    site.agents("triage")
    site.world.meddler.instead("POST", ".*", (429, {"detail": "slow down", "retry_after_seconds": 2}))
    with site.start("apply", "--auto-approve") as process:
        process.stderr.close()
        said = process.stdout.read()
    assert process.returncode == 0, said
    assert "1 created" in said
