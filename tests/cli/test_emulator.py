"""`reconciler emulator`: its switches, as a user sets them."""

import json
import re
import signal
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from reconciler.cli.emulator import _is_local

SEED = 'orgs: [{name: Acme, agents: [{name: a, system_prompt: ""}]}]\n'
TOKEN = {"Authorization": "Bearer evr_pat_local"}


@pytest.fixture
def emulate(shell, finish):
    """Give a context that starts the emulator with flags: its client, and the lines it printed."""

    @contextmanager
    def emulating(*flags, told=1, token="evr_pat_local"):
        process = shell.start("emulator", "--port", "0", *flags)
        assert process.stdout
        try:
            lines = [process.stdout.readline() for _ in range(told)]
            url = re.search(r"http://[\w.]+:\d+", lines[0]).group().replace("0.0.0.0", "127.0.0.1")
            headers = {"Authorization": f"Bearer {token}"}
            with httpx.Client(base_url=url, headers=headers, verify=False) as client:
                yield client, lines
        finally:
            process.send_signal(signal.SIGTERM)
            ran = finish(process)
        assert ran.code == 0, ran.text

    return emulating


def test_seed_profile_tokens_and_log(emulate, shell):
    """What exists, which server it is, who is let in and where requests are logged is said by flags."""
    shell.write("live.yaml", SEED)
    flags = ["--seed", "live.yaml", "--profile", "strict", "--token", "evr_pat_m=member", "--access-log", "log.jsonl"]
    with emulate(*flags, token="evr_pat_m") as (client, lines):
        assert "the given tokens are taken" in lines[0]
        assert "(data: memory, profile: strict)" in lines[0]
        assert client.get("/_emulator/health").json()["profile"] == "strict"
        assert client.get("/v1/agents/a").status_code == 200
        assert client.post("/v1/memories", json={"name": "m"}).status_code == 403
        assert client.get("/v1/agents", headers=TOKEN).status_code == 401
    logged = [json.loads(line) for line in (shell.folder / "log.jsonl").read_text().splitlines()]
    assert [line["status"] for line in logged] == [200, 200, 403, 401]


def test_random_faults_can_be_repeated(emulate):
    """The seed that was printed makes another run answer the same."""
    faults = ["--fault", "503 rate=0.5", "--fault", "429 rate=0.3"]

    def statuses(client):
        return [client.get(f"/v1/agents/{number}").status_code for number in range(30)]

    with emulate(*faults, told=2) as (client, lines):
        first = statuses(client)
    seed = re.search(r"--fault-seed (\d+)", lines[1])
    assert seed, lines
    assert set(first) == {401, 429, 503}
    with emulate(*faults, "--fault-seed", seed[1], told=2) as (client, _):
        assert statuses(client) == first


def test_faults_help_lists_faults(shell):
    """--faults-help describes the language and serves nothing."""
    ran = shell.run("emulator", "--faults-help")
    assert (ran.code, ran.err) == (0, "")
    assert "\n  cut " in ran.out
    assert "rate=" in ran.out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--fault", "cutt"], "--fault: no such fault: cutt; did you mean cut?"),
        (["--seed", "nowhere.yaml"], "--seed: nowhere.yaml: No such file or directory"),
        (["--seed", "wrong.yaml"], "no such key: agent; did you mean agents?"),
        (["--token", "evr_pat_secret"], "expected TOKEN=ROLE"),
        (["--token", "evr_pat_secret=boss"], "expected TOKEN=ROLE"),
        (["--seed", "wrong.yaml"], "--seed: wrong.yaml: orgs[0]: no such key"),
        (["--access-log", "nowhere/log"], "cannot write to nowhere/log"),
        (["--sync-poll", "inf"], "inf is not in the range"),
        (["--sync-poll", "nan"], "nan is not a number of seconds"),
        (["--host", "203.0.113.1"], "cannot listen on 203.0.113.1: Cannot assign requested address"),
        (["--host", "nosuchhost.invalid"], "cannot listen on nosuchhost.invalid: "),
        (["--host", "x" * 70], "cannot listen on x"),
        (["--limit", "agnts=1"], "--limit: no such limit: agnts; there are orgs, "),
        (["--limit", "agents"], "--limit: agents: expected platform, NAME=NUMBER or NAME=none"),
        (["--limit", "agents=-1"], "--limit: agents=-1: expected platform"),
    ],
)
def test_wrong_flags_are_wrong_usage(shell, flags, message):
    """A flag that cannot be followed is wrong usage, said in a sentence that repeats no token."""
    shell.write("wrong.yaml", "orgs: [{name: Acme, agent: []}]\n")
    ran = shell.run("emulator", "--port", "0", *flags)
    assert ran.code == 64
    assert message in ran.err
    assert "secret" not in ran.text


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("emulator.example", False)],
)
def test_control_is_for_this_machine(host, local):
    """Control is open by default where only this machine can reach it."""
    assert _is_local(host) is local


@pytest.mark.parametrize(
    ("flags", "status"),
    [(["--no-control"], 404), (["--host", "0.0.0.0"], 404), (["--host", "0.0.0.0", "--control"], 200)],
)
def test_control_is_opened_and_closed(emulate, flags, status):
    """--no-control closes it anywhere, another host closes it, --control opens it there."""
    with emulate(*flags) as (client, _):
        assert client.get("/_emulator/faults").status_code == status
        assert client.get("/_emulator/health").status_code == 200


def test_access_log_on_standard_output(shell, finish):
    """With the log on standard output nothing else is there."""
    process = shell.start("emulator", "--port", "0", "--access-log", "-")
    assert process.stderr
    url = re.search(r"http://[\w.]+:\d+", process.stderr.readline()).group()
    httpx.get(f"{url}/_emulator/health", verify=False)
    process.send_signal(signal.SIGTERM)
    assert [json.loads(line)["path"] for line in finish(process).out.splitlines()] == ["/_emulator/health"]


def test_limits_are_kept(emulate):
    """--limit platform is all of the platform's own; what is named besides is an exception."""
    body = {"name": "a", "system_prompt": ""}
    with emulate("--limit", "platform", "--limit", "agents=1") as (client, _):
        made = [client.post("/v1/orgs", json={"name": "x"}) for _ in range(6)]
        assert [answer.status_code for answer in made] == [201] * 5 + [409]
        client.headers["X-Org-Id"] = made[0].json()["id"]
        assert client.post("/v1/agents", json=body).status_code == 201
        assert client.post("/v1/agents", json={**body, "name": "b"}).json()["detail"] == "Agent limit reached (max 1)"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_full_disk_ends_the_log_alone(shell, finish):
    """An access log that cannot be written to is told once, by name; requests are served and the end is a good one."""
    process = shell.start("emulator", "--port", "0", "--access-log", "/dev/full")
    url = re.search(r"http://[\w.]+:\d+", process.stdout.readline()).group()
    for _ in range(3):
        assert httpx.get(f"{url}/_emulator/health", verify=False).status_code == 200
    process.send_signal(signal.SIGTERM)
    ran = finish(process)
    assert ran.code == 0
    assert ran.err.splitlines() == ["cannot write to /dev/full: No space left on device; no more requests are logged"]
