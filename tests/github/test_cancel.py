"""A job that is cancelled, or runs out of time: reconciler is told, ends in order, and leaves no lock behind."""

import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from .team import assembled, well
from .test_workflows import ACTION, steps, workflow

AGENTS = [f"agent-{number:02}" for number in range(30)]
PATIENCE = 60


class Gate:
    """Holds requests back until it is opened, and tells when the first has come."""

    def __init__(self):
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self):
        """Wait until it is open."""
        self.reached.set()
        assert self.opened.wait(PATIENCE)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["interrupted", "terminated"])
def test_a_cancelled_apply_ends_in_order(tmp_path, open_world, number):
    """What is in flight is finished, nothing more begins, the ledger is pushed without its lock; the next goes on."""
    with assembled(tmp_path, open_world) as team:
        for name in AGENTS:
            team.agent(name, "Help.")
        team.hub.push_main("Begin")
        staging, gate = team.platforms["staging"].world, Gate()
        staging.meddler.before("POST", "/v1/agents", gate, times=None)
        with ThreadPoolExecutor(1) as aside:
            begun = aside.submit(team.hub.dispatch, "apply", replan=True)
            try:
                assert gate.reached.wait(PATIENCE)
                team.hub.cancel(number)
                time.sleep(0.5)  # the signal is taken while nothing else can happen: the server holds every request
            finally:
                gate.opened.set()
            first, second = begun.result(PATIENCE)
        assert (first.code, second.log) == (130, ""), first.log
        assert "Interrupted: run again to go on." in first.log
        created = {one["name"] for one in staging.live("agents")}
        assert 0 < len(created) < len(AGENTS)
        assert [name for name in team.hub.files("reconciler-ledger") if "lock" in name] == []
        for job in well(team.hub.dispatch("apply", replan=True)):
            assert {one["name"] for one in team.platforms[job.environment].world.live("agents")} == set(AGENTS)


def test_the_step_is_reconciler_itself():
    """Every verb is told of a cancelled job: no shell stands between it and the runner."""
    (script,) = [step["run"] for step in steps(ACTION) if step.get("id") == "run"]
    assert [line.split()[0] for line in script.splitlines() if "reconciler ci" in line] == ["exec"]


def test_an_apply_ends_by_itself_before_its_job_is_ended():
    """Its own times, with five minutes to install and to read back, are within that of the job."""
    _, job = workflow("apply")
    (flags,) = [step["with"]["flags"] for step in job["steps"] if "flags" in step.get("with", {})]
    times = dict(re.findall(r"--((?:lock-)?timeout) (\d+)m ", flags))
    assert set(times) == {"lock-timeout", "timeout"}
    assert sum(map(int, times.values())) + 5 <= int(job["timeout-minutes"])
