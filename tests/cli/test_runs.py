"""A run that is killed is found by the next one, which says by reading what it had been about to write."""

import json
import signal
import subprocess
import threading
from types import SimpleNamespace

import pytest

from tests.conftest import Rule

BOT = """apiVersion: everruns.reconciler/v1
kind: App
metadata: {name: bot}
spec:
  harness: generic
  channels:
    - {name: desk, type: a2a, config: {message: Hi.MORE}}
"""
APPLY = ("apply", "--auto-approve", "--parallelism", "1")


def journals(site):
    """Give the records of every journal by the id of its run."""
    return {
        path.stem: [json.loads(line) for line in path.read_text().splitlines()]
        for path in (site.folder / ".reconciler/runs").glob("*.jsonl")
    }


def listed(site):
    """Give every run by its id, as it is listed."""
    return {one["run"]: one for one in site.run("runs", "list", "--json").of("run")}


def killed(site, method, path, *, carried_out, skip=0):
    """Kill a run at a request, before the server carries it out or after; give its id.

    It is the first of the method and path after `skip` others.
    """
    known = set(journals(site))
    is_there = threading.Event()
    started = []

    def ambush(_sent, pass_on):
        assert is_there.wait(30)
        answer = pass_on() if carried_out else None
        started[0].kill()
        started[0].wait()
        if answer is None:
            raise ConnectionResetError
        return answer

    site.world.meddler.rules.append(Rule(method, path, ambush, skip=skip))
    started.append(site.start(*APPLY))
    is_there.set()
    out, err = started[0].communicate(timeout=60)
    assert started[0].returncode == -signal.SIGKILL, out + err
    (run,) = set(journals(site)) - known
    return run


def settled(ran):
    """Give what an apply said of open intents."""
    return [(one["address"], one["finding"]) for one in ran.of("settled")]


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_killed_run_is_settled_by_the_next(site, carried_out):
    """Plan mentions it, apply says what became of it and goes on; afterwards nothing more is said of it."""
    site.agents("one", "two")
    run = killed(site, "POST", "/v1/agents", carried_out=carried_out)
    assert listed(site)[run]["standing"] == "unfinished"
    plan = site.run("plan")
    assert f"Run {run} of " in plan.out
    assert "did not end; 1 write of it may or may not have been carried out." in plan.out
    assert [one["open"] for one in site.run("plan", "--json").of("unfinished")] == [1]
    ran = site.run(*APPLY)
    assert ran.code == 0
    became = "was carried out" if carried_out else "was not carried out"
    assert f"  default/Agent/one (create) {became}\n" in ran.out
    assert sorted(agent["name"] for agent in site.world.live("agents")) == ["one", "two"]
    runs = listed(site)
    (later,) = set(runs) - {run}
    assert (runs[run]["standing"], runs[run]["settled_by"], runs[run]["open"]) == ("settled", later, 0)
    assert (runs[later]["standing"], runs[later]["counts"]) == ("done", {"done": 2})
    for verb in (["plan"], APPLY):
        assert "did not end" not in site.run(*verb).out
    shown = site.run("runs", "show", run[:8])
    finding = "carried out" if carried_out else "not carried out"
    assert f"POST /v1/agents: no answer; {finding} (request " in shown.out
    assert f"settled by {later}" in shown.out


@pytest.mark.parametrize("carried_out", [True, False])
def test_an_update_as_events(site, carried_out):
    """An apply that finds everything as git wants it settles what was left open, too."""
    site.agents("one")
    site.converge()
    site.agents("one", prompt="Better.")
    agent = site.world.one("agents", "one")["id"]
    run = killed(site, "PATCH", f"/v1/agents/{agent}", carried_out=carried_out)
    ran = site.run(*APPLY, "--json")
    assert settled(ran) == [("default/Agent/one", "carried_out" if carried_out else "not_carried_out")]
    assert {one["run"] for one in ran.of("settled")} == {run}
    intent = next(one for one in journals(site)[run] if one["type"] == "intent")
    assert intent["id"] == agent
    assert ran.of("settled")[0]["request_id"] == intent["request_id"]
    assert settled(site.run(*APPLY, "--json")) == []


def test_an_archive(site):
    """What left git and was archived by the run that died is told as carried out."""
    site.agents("one", "two")
    site.converge()
    site.agents("one")
    gone = site.world.one("agents", "two")["id"]
    killed(site, "DELETE", f"/v1/agents/{gone}", carried_out=True)
    assert settled(site.run(*APPLY, "--json")) == [("default/Agent/two", "carried_out")]


def test_a_part_settles_only_what_it_looked_at(site):
    """An apply of a part does not speak of the rest, which stays open until it is looked at."""
    site.agents("one", "two")
    run = killed(site, "POST", "/v1/agents", carried_out=True)
    part = site.run(*APPLY, "--target", "Agent/two", "--json")
    assert settled(part) == [("default/Agent/one", "not_seen")]
    assert listed(site)[run]["standing"] == "unfinished"
    assert settled(site.run(*APPLY, "--json")) == [("default/Agent/one", "carried_out")]
    assert listed(site)[run]["standing"] == "settled"


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_saved_plan(site, carried_out):
    """A saved plan settles what its own preconditions have just read."""
    site.agents("one", "two")
    run = killed(site, "POST", "/v1/agents", carried_out=carried_out)
    assert site.run("plan", "--out", "a.plan").code == 0
    ran = site.run("apply", "a.plan", "--json")
    assert ran.code == 0
    assert settled(ran) == [("default/Agent/one", "carried_out" if carried_out else "not_carried_out")]
    assert listed(site)[run]["standing"] == "settled"


def test_who_says_no_settles_nothing(site):
    """What an apply that was refused has told is told again by one that goes ahead."""
    site.agents("one", "two")
    run = killed(site, "POST", "/v1/agents", carried_out=True)
    site.world.post("/v1/agents", name="three", system_prompt="Mine.")
    site.agents("one", "two", "three")
    for _ in range(2):
        refused = site.run(*APPLY, "--json")
        assert refused.code == 4
        assert settled(refused) == [("default/Agent/one", "carried_out")]
        assert listed(site)[run]["standing"] == "unfinished"


@pytest.mark.parametrize(
    ("more", "code", "finding"),
    [("", 0, "was carried out"), (", rate_limit_per_minute: 7", 0, "was carried out in part")],
)
def test_a_lost_key(site, more, code, finding):
    """A key that was shown in an answer nobody got is told with a call that makes a new one, and that call works."""
    site.env["EVERRUNS_API_KEY"] = "evr_pat_never-to-be-seen"
    site.write("manifests/bot.yaml", BOT.partition("  channels:")[0])
    site.converge()
    site.write("manifests/bot.yaml", BOT.replace("MORE", more))
    (app,) = site.world.live("apps")
    path = f"/v1/apps/{app['id']}/a2a-channels"
    killed(site, "POST", path, carried_out=True)
    ran = site.run(*APPLY)
    assert ran.code == code
    assert f"(create) {finding}" in ran.out
    assert "its key was shown in an answer that was lost: make a new one" in ran.out
    (command,) = [line.strip() for line in ran.out.splitlines() if line.strip().startswith("curl ")]
    assert "evr_pat_never-to-be-seen" not in ran.text
    assert 'Bearer $EVERRUNS_API_KEY"' in command
    (channel,) = site.world.live("apps")[0]["channels"]
    assert command.endswith(f"{site.url}{path}/{channel['id']}/regenerate-key")
    answer = site.world.api.post(f"{path}/{channel['id']}/regenerate-key")
    assert answer.json()["api_key"].startswith("evra2a_")


def test_nothing_was_open(site):
    """A run that is killed when all is written leaves nothing to settle, and that is said."""
    site.agents("one")
    killed(site, "GET", "/v1/agents", carried_out=True, skip=1)
    assert "did not end; nothing of it is open." in site.run(*APPLY).out


def test_running_and_interrupted(site, finish):
    """A run that is alive is listed as running and worries nobody; one that was stopped ended, with what was left."""
    site.agents("one", "two", "three")
    waiting, go_on = threading.Event(), threading.Event()

    def hold():
        waiting.set()
        assert go_on.wait(30)

    site.world.meddler.before("POST", "/v1/agents", hold)
    process = site.start(*APPLY)
    assert waiting.wait(30)
    (run,) = journals(site)
    assert listed(site)[run]["standing"] == "running"
    assert site.run("plan", "--json").of("unfinished") == []
    process.send_signal(signal.SIGINT)
    threading.Event().wait(0.4)  # the signal is taken while nothing else can happen: the server holds the request
    go_on.set()
    assert finish(process).code == 130
    assert listed(site)[run]["standing"] == "interrupted"
    assert listed(site)[run]["counts"] == {"done": 1, "not_started": 2}
    assert site.run("runs", "show", run).out.count("not started default/Agent/") == 2
    assert site.run("plan", "--json").of("unfinished") == []


def test_stopped_at_once(site, finish):
    """A run that was told twice to stop did not wait for an answer: it has not ended, and the next one settles it."""
    site.agents("one", "two")
    waiting, go_on = threading.Event(), threading.Event()

    def hold():
        waiting.set()
        assert go_on.wait(30)

    site.world.meddler.before("POST", "/v1/agents", hold)
    process = site.start(*APPLY)
    assert waiting.wait(30)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        threading.Event().wait(0.4)  # as above
    process.wait(30)
    go_on.set()
    assert finish(process).code == 130
    (run,) = journals(site)
    assert listed(site)[run]["standing"] == "unfinished"
    ran = site.run(*APPLY, "--json")
    assert [one["address"] for one in ran.of("settled")] == ["default/Agent/one"]
    assert sorted(agent["name"] for agent in site.world.live("agents")) == ["one", "two"]


def test_no_secret_in_a_journal(fleet, demo_env):
    """Whatever is sent and whatever the server repeats of it, a journal has none of it."""

    def echo(sent, _pass_on):
        text = json.dumps(sent.body) + json.dumps(sent.headers)
        body = {"status": 409, "title": text, "detail": text, "code": next(iter(demo_env.values()))}
        return "409 X", [("Content-Type", "application/json"), ("X-Request-ID", text[:99])], json.dumps(body).encode()

    values = {name: f"v4lue-{number:03}-of-{name.lower()}" for number, name in enumerate(demo_env)}
    fleet.env |= values
    rule = SimpleNamespace(takes=lambda sent: "channels" in sent.path, do=echo)
    fleet.world.meddler.rules.append(rule)
    assert fleet.run("apply", "--auto-approve").code == 6
    fleet.world.meddler.rules.remove(rule)
    assert fleet.run("apply", "--auto-approve").code == 0
    text = "".join(path.read_text() for path in (fleet.folder / ".reconciler/runs").iterdir())
    assert text.count('"type":"run"') == 2
    assert '"error":"Conflict"' in text
    assert [name for name, value in values.items() if value in text] == []
    assert fleet.env["EVERRUNS_API_KEY"] not in text
    shown = [fleet.run("runs", "show", run, *flags).text for run in journals(fleet) for flags in ((), ("--json",))]
    assert [name for name, value in values.items() if value in "".join(shown)] == []


def test_a_failed_step_is_shown(site):
    """A refusal is told by its status and class, with the id that finds it in the platform's own log."""
    site.agents("one", "two")
    site.world.meddler.instead("POST", "/v1/agents", (403, {"detail": "not you"}))
    assert site.run(*APPLY).code == 6
    (run,) = journals(site)
    request = next(one.headers["x-request-id"] for one in site.world.writes)
    shown = site.run("runs", "show", run)
    assert f"Run {run} partly\n" in shown.out
    assert "2 steps: 1 failed, 1 done" in shown.out
    assert "failed default/Agent/one: 403 Forbidden\n" in shown.out
    assert f"    POST /v1/agents: 403 Forbidden (request {request})\n" in shown.out
    steps = {one["step"]: one["status"] for one in site.run("runs", "show", run, "--json").of("step")}
    assert steps == {"default/Agent/one": "failed", "default/Agent/two": "done"}


def test_undo_is_a_run_too(site):
    """Whatever writes to the platform leaves a journal."""
    site.agents("one", "two", "three", "four")
    site.converge()
    site.agents("one", "two", "three")
    site.converge()
    run = next(run for run, records in journals(site).items() if any(r.get("action") == "archive" for r in records))
    assert site.run("undo", run, "--auto-approve").code == 0
    actions = [one["action"] for records in journals(site).values() for one in records if one["type"] == "intent"]
    assert sorted(actions) == ["archive", *["create"] * 4, "restore"]


def test_odd_files_among_the_journals(shell):
    """What no run wrote, or a later version, or a run that was cut short, is told with its place, never a traceback."""
    head = '{"type":"run","schema":"everruns.reconciler/journal/v1","run":"cut","at":"2026-11-22T10:00:00.000Z"'
    head += ',"who":"\\u001b[31mann","host":"h","pid":1,"repository":"r","root":"f","environment":"e"'
    head += ',"api_url":"https://x.test","steps":1}\n'
    shell.write(".reconciler/runs/cut.jsonl", head + '{"type":"intent","n":')
    shell.write(".reconciler/runs/mid.jsonl", head + "what?\n" + head)
    shell.write(".reconciler/runs/new.jsonl", head.replace("v1", "v7"))
    (shell.folder / ".reconciler/runs/bin.jsonl").write_bytes(bytes(range(256)) * 4 + b"\n")
    ran = shell.run("runs", "list")
    assert ran.code == 0
    rows = {line.split()[0]: line for line in ran.out.splitlines()[1:5]}
    assert rows["cut"].endswith("unfinished")
    assert rows["new"].endswith("of a newer version")
    assert rows["bin"].endswith("damaged")
    assert "damaged .reconciler/runs/mid.jsonl:2: it is not JSON\n" in ran.out
    assert ".reconciler/runs/cut.jsonl" not in ran.out
    assert "\x1b" not in ran.out
    for run in rows:
        assert shell.run("runs", "show", run).code == 0
        assert shell.run("runs", "show", run, "--json").of("run")[0]["run"] == run
    assert shell.run("runs", "show", "no").code == 64


def test_no_runs(shell):
    """Where nothing ever ran there is nothing to list, and looking makes nothing."""
    ran = shell.run("runs", "list")
    assert (ran.code, ran.out) == (0, "No run has left a journal in .reconciler/runs.\n")
    assert list(shell.folder.iterdir()) == []


def test_a_place_where_no_journal_can_be_kept(site):
    """Without a journal nothing is written, and the way out is said."""
    site.agents("one")
    site.write(".reconciler/runs", "a file in the way")
    ran = site.run(*APPLY)
    assert ran.code == 1
    assert "cannot write the journal .reconciler/runs" in ran.err
    assert "nothing was written" in ran.err
    assert site.lines == []
    assert site.run("plan").code == 0


def test_hidden_from_git(site):
    """Journals are nothing to commit, also where the ledger is on a branch."""
    for command in (["init", "-q"], ["init", "-q", "--bare", "../remote"], ["remote", "add", "origin", "../remote"]):
        subprocess.run(["git", *command], cwd=site.folder, check=True, env=site.environment())
    site.agents("one")
    site.converge("--ledger", "git")
    assert len(journals(site)) == 1
    status = ["git", "status", "--porcelain", "--untracked-files=all"]
    told = subprocess.run(status, cwd=site.folder, check=True, env=site.environment(), capture_output=True, text=True)
    assert told.stdout == "?? manifests/agents.yaml\n"


def test_changes_that_no_commit_holds_are_marked(site):
    """A run from a dirty tree is told by the commit with a plus, in the ledger and in the journal."""
    site.env |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    site.agents("one")
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    for command in (["init", "-q"], ["add", "manifests"], [*identity, "commit", "-qm", "One"]):
        subprocess.run(["git", *command], cwd=site.folder, check=True, env=site.environment())
    site.converge()
    site.agents("one", prompt="Changed.")
    assert site.run("apply", "--auto-approve").code == 0
    (owned,) = site.run("ledger", "show", "--json").of("owned")
    assert owned["commit"].endswith("+")
    marked = f"{owned['commit'][:12]}+"
    assert marked in site.run("ledger", "show").out
    runs = site.run("runs", "list").out
    assert runs.count(owned["commit"][:12]) == 2
    assert runs.count(marked) == 1
