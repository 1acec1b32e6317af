"""The ledger's verbs against a platform: taking over, beginning anew, locks that others hold, ledgers of others."""

import json
import subprocess
import sys
from contextlib import contextmanager

import pytest

HOLD = """
import sys, time
from reconciler.ledger.choose import Wish, choose
from reconciler.ledger.lock import lock_of

backend = choose(["manifests"], api_url=sys.argv[1], wish=Wish())
with backend.lock(lock_of({"GITHUB_ACTOR": "alice"})):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def desk(site):
    """Give a site where two agents were applied."""
    site.agents("one", "two")
    site.converge()
    return site


@contextmanager
def held(site):
    """Hold the ledger in another process, which gives it back when told."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", HOLD, site.url]
    process = subprocess.Popen(command, cwd=site.folder, env=site.environment(), stdin=pipe, stdout=pipe, text=True)
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        with process:
            if process.poll() is None:
                process.stdin.close()
        assert process.returncode == 0


def document(site):
    """Give the file that holds the ledger."""
    (path,) = (site.folder / ".reconciler/ledger").glob("*.json")
    return path


def patch(site, name, **body):
    """Change an agent by hand."""
    answer = site.world.api.patch(f"/v1/agents/{site.world.one('agents', name)['id']}", json=body)
    assert answer.status_code == 200


def entries(site):
    """Give what the ledger knows, as it is printed."""
    return {one["address"]: one for one in site.run("ledger", "show", "--json").of("owned")}


def test_adopt(desk):
    """What is there and not ours is taken over, agreeing or not; nothing is sent; what differs is the next plan's."""
    desk.world.post("/v1/agents", name="same", system_prompt="Help.")
    desk.world.post("/v1/agents", name="other", system_prompt="Mine.")
    desk.agents("same", "other", "new", file="manifests/more.yaml")
    assert desk.run("plan").code == 4
    assert desk.run("ledger", "adopt", "Agent/*").code == 64  # it asks, and nobody can answer
    ran = desk.run("ledger", "adopt", "Agent/other", "--auto-approve")
    assert (ran.code, ran.out) == (0, "= default/Agent/other\nOurs from now on: 1.\n")
    ran = desk.run("ledger", "adopt", "Agent/*", "--auto-approve", "--json")
    assert ran.of("taken_over")[0]["addresses"] == ["default/Agent/same"]
    assert desk.lines == []
    assert set(entries(desk)) == {f"default/Agent/{name}" for name in ("one", "two", "same", "other")}
    plan = desk.run("plan", "--json")
    assert {one["address"]: one["action"] for one in plan.of("change")} == {
        "default/Agent/new": "create",
        "default/Agent/other": "update",
    }
    assert desk.run("apply", "--auto-approve").code == 0
    assert desk.world.one("agents", "other")["system_prompt"] == "Help."
    ran = desk.run("ledger", "adopt", "Agent/*", "--auto-approve")
    assert (ran.code, "nothing of this is declared, live and not ours" in ran.err) == (64, True)


def test_rebuild(desk):
    """Everything is forgotten and what agrees is known again; what differs is named, and nothing is sent."""
    before = entries(desk)
    patch(desk, "two", system_prompt="Changed.")
    assert desk.run("ledger", "rebuild").code == 64
    assert entries(desk) == before
    ran = desk.run("ledger", "rebuild", "--auto-approve")
    assert ran.code == 0
    assert ran.out == "= default/Agent/one\n# default/Agent/two differs, and is left\nOurs from now on: 1.\n"
    assert set(entries(desk)) == {"default/Agent/one"}
    assert desk.lines == []
    assert desk.run("plan").code == 4
    assert desk.run("ledger", "adopt", "Agent/two", "--auto-approve").code == 0
    after = entries(desk)
    assert {one: after[one]["id"] for one in after} == {one: before[one]["id"] for one in before}


def test_a_damaged_ledger(desk):
    """A ledger that cannot be read stops every run before its first request, and rebuild is a way out."""
    path = document(desk)
    damages = {
        path.read_text()[:-40]: ["plan"],
        "": ["apply", "--auto-approve"],
        '{"format": "everruns.reconciler/ledger/v99"}': ["drift"],
        "\x00": ["show", "Agent/one"],
    }
    for text, verb in damages.items():
        path.write_text(text)
        ran = desk.run(*verb)
        assert ran.code == 1, (text, ran.text)
        assert "ledger" in ran.err
        assert path.read_text() == text
    assert desk.lines == []
    ran = desk.run("ledger", "rebuild", "--auto-approve")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "Ours from now on: 2.")
    assert desk.run("plan", "--detailed-exitcode").code == 0


def test_a_lock_of_another_process(desk):
    """Who wants to write is told who holds the ledger and sends nothing; who waits gets it when it is free."""
    desk.agents("one", "two", "three")
    with held(desk):
        ran = desk.run("apply", "--auto-approve", "--lock-timeout", "0s")
        assert ran.code == 1
        assert "is locked by alice" in ran.err
        assert desk.lines == []
        assert desk.run("plan", "--detailed-exitcode").code == 2
    with held(desk) as other:
        waiting = desk.start("apply", "--auto-approve", "--lock-timeout", "1m")
        while not any(sent.path == "/v1/agents" for sent in desk.world.sent[-3:]):
            assert waiting.poll() is None
        assert desk.lines == []
        other.stdin.write("\n")
        other.stdin.flush()
        out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, out + err
    assert desk.lines == ["POST /v1/agents"]


def test_a_lock_that_was_left_behind(desk):
    """A process that was killed holds nothing: the next run goes on."""
    desk.agents("one", "two", "three")
    command = [sys.executable, "-c", HOLD, desk.url]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=desk.folder, env=desk.environment(), stdin=pipe, stdout=pipe, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        process.kill()
    assert desk.run("apply", "--auto-approve").code == 0
    assert desk.lines == ["POST /v1/agents"]


def test_the_ledger_of_another_repository(desk):
    """A ledger that says it is that of another repository, as a fork has it, is refused and left as it is."""
    path = document(desk)
    kept = json.loads(path.read_text())
    kept["owner"]["repository"] = "example.com/upstream/fleet"
    path.write_text(json.dumps(kept))
    for verb in (["plan"], ["apply", "--auto-approve"]):
        ran = desk.run(*verb)
        assert ran.code == 1, ran.text
        assert "example.com/upstream/fleet" in ran.err
    assert json.loads(path.read_text()) == kept
    assert desk.lines == []


def test_a_fork_owns_nothing(desk):
    """In a fork the ledger is refused; under a name of its own the fork owns nothing, adopts, and archives nothing."""
    before = document(desk).read_text()
    desk.env |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    for arguments in (["init", "-q"], ["remote", "add", "origin", "https://example.com/fork/fleet.git"]):
        subprocess.run(["git", *arguments], cwd=desk.folder, check=True)
    desk.agents("one")
    ran = desk.run("plan", "--ledger", "file")
    assert ran.code == 1
    assert "this is example.com/fork/fleet" in ran.err
    assert "in a fork, name another branch or environment" in ran.err
    desk.write("reconciler.yaml", "environment: fork\nledger: {backend: file}\n")
    ran = desk.run("plan", "--json")
    assert ran.code == 0, ran.text
    assert {one["address"]: one["action"] for one in ran.of("change")} == {"default/Agent/one": "adopt"}
    assert document(desk).read_text() == before
