"""The ledger's verbs, as a user runs them: against a file, and against a branch of a real remote."""

import json
import os
import pty
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from reconciler.ledger.choose import Wish, choose
from reconciler.ledger.lock import lock_of
from reconciler.plan.owned import Entry
from reconciler.resource import Address

TRIAGE, BOT = Address("acme", "Agent", "triage"), Address("acme", "App", "bot")
NIGHTLY = Address("acme", "Channel", "nightly", "bot")
TIME = "2026-11-02T10:00:00Z"
DIGEST = "0" * 32


@pytest.fixture(params=["file", "git"])
def kept(request, shell, monkeypatch):
    """Give the ledger of a folder of manifests, that knows three addresses, as the verbs will find it."""
    shell.agents("triage")
    shell.env |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "USER": "me"}
    if request.param == "git":
        for command in (["init", "-q"], ["init", "-q", "--bare", "remote"], ["remote", "add", "origin", "./remote"]):
            subprocess.run(["git", *command], cwd=shell.folder, check=True, env=shell.environment())
    monkeypatch.chdir(shell.folder)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(shell.folder.parent))
    backend = choose(["manifests"], api_url="https://app.everruns.com/api", wish=Wish())
    entry = Entry("agent_1", TIME, "a1b2c3d" * 5, False, {"/tags": DIGEST}, {})
    entries = {TRIAGE: replace(entry, protect=True), BOT: entry, NIGHTLY: entry}
    with backend.lock(lock_of({"GITHUB_ACTOR": "alice"})):
        backend.write(backend.read().with_applied(entries), message="Apply")
    return backend


def test_show(shell, kept):
    """What is known is a table: addresses, ids, commits, times, what is protected; and nobody holds it."""
    ran = shell.run("ledger", "show")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == f"Ledger in {kept.place}, serial 1"
    assert lines[1].endswith(", manifests, app.everruns.com")
    assert lines[3].split() == ["ADDRESS", "ID", "COMMIT", "APPLIED", "FIELDS", "SECRETS"]
    assert lines[4].split() == ["acme/Agent/triage", "agent_1", "a1b2c3da1b2c", TIME, "1", "0", "protected"]
    assert [line.split()[0] for line in lines[5:]] == ["acme/App/bot/Channel/nightly", "acme/App/bot"][::-1]


def test_show_as_events(shell, kept):
    """Programs get the whole ledger, but for the digests: they are ours alone."""
    with kept.lock(lock_of({"GITHUB_ACTOR": "alice"})):
        ran = shell.run("ledger", "show", "--json")
    (ledger,) = ran.of("ledger")
    assert (ledger["serial"], ledger["owner"]["root"], ledger["lock"]["who"]) == (1, "manifests", "alice")
    owned = {event["address"]: event for event in ran.of("owned")}
    assert set(owned) == {str(TRIAGE), str(BOT), str(NIGHTLY)}
    assert (owned[str(TRIAGE)]["protect"], owned[str(TRIAGE)]["fields"]) == (True, ["/tags"])
    assert DIGEST not in ran.out


def test_forget(shell, kept):
    """What is forgotten is gone with all below it, one serial on; an unknown address is an error."""
    assert shell.run("ledger", "forget", str(BOT)).out == "Forgotten: acme/App/bot.\n"
    assert (set(kept.read().entries), kept.read().serial) == ({TRIAGE}, 2)
    ran = shell.run("ledger", "forget", str(TRIAGE), str(BOT))
    assert (ran.code, "acme/App/bot: the ledger does not know it" in ran.err) == (64, True)
    assert set(kept.read().entries) == {TRIAGE}
    assert shell.run("ledger", "forget", str(TRIAGE), "--json").of("forgotten")[0]["addresses"] == [str(TRIAGE)]
    assert "It knows nothing yet." in shell.run("ledger", "show").out


def test_forget_all(shell, kept):
    """Everything is forgotten only when that is agreed to."""
    for arguments in ([], [str(BOT), "--all"], ["--all"], ["nonsense"], ["--all", "--json"]):
        assert shell.run("ledger", "forget", *arguments).code == 64
    assert kept.read().serial == 1
    assert shell.run("ledger", "forget", "--all", "--auto-approve").code == 0
    assert (kept.read().entries, kept.read().serial) == ({}, 0)


def test_a_locked_ledger(shell, kept):
    """Who wants to write is told who holds the ledger; it can wait; reading needs no lock."""
    with kept.lock(lock_of({"GITHUB_ACTOR": "alice"})):
        ran = shell.run("ledger", "forget", str(BOT), "--lock-timeout", "1s")
        assert ran.code == 1
        assert "is locked by alice on " in ran.err
        assert "reconciler ledger unlock" in ran.err
        assert "Locked by alice on " in shell.run("ledger", "show").out
    assert shell.run("ledger", "forget", str(BOT), "--lock-timeout", "1m").code == 0


def test_unlock(shell, kept):
    """A lock is taken away when that is agreed to, and it is said whose it was."""
    assert "Nobody holds the ledger" in shell.run("ledger", "unlock").out
    with kept.lock(lock_of({"GITHUB_ACTOR": "alice"})):
        assert shell.run("ledger", "unlock").code == 64
        assert kept.holder().who == "alice"
        ran = shell.run("ledger", "unlock", "--auto-approve", "--json")
        assert ran.of("unlocked")[0]["lock"]["who"] == "alice"
        assert kept.holder() is None
    assert shell.run("ledger", "forget", str(BOT)).code == 0


@pytest.mark.parametrize(("answer", "code"), [("yes", 0), ("y", 1)])
def test_unlock_asks(shell, kept, answer, code):
    """On a terminal it is asked, and only yes is taken for yes."""
    ours, theirs = pty.openpty()
    with kept.lock(lock_of({"GITHUB_ACTOR": "alice"})):
        command = [sys.executable, "-m", "reconciler", "ledger", "unlock"]
        options = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
        process = subprocess.Popen(command, cwd=shell.folder, env=shell.environment(), **options)
        os.write(ours, f"{answer}\n".encode())
        assert process.wait(60) == code
        assert (kept.holder() is None) is (code == 0)
    os.close(ours)
    os.close(theirs)


def test_damage(shell, kept, monkeypatch):
    """A damaged ledger is not read, and there is a way out."""
    with monkeypatch.context() as patch, kept.lock(lock_of({"GITHUB_ACTOR": "alice"})):
        patch.setattr("reconciler.ledger.codec.dumps", lambda _ledger: b'{"format":')
        kept.write(kept.read(), message="Break")
    ran = shell.run("ledger", "show")
    assert ran.code == 1
    assert "is damaged" in ran.err
    assert "reconciler ledger rebuild" in ran.err
    assert shell.run("ledger", "forget", str(BOT)).code == 1
    assert shell.run("ledger", "forget", "--all", "-y").code == 0
    assert shell.run("ledger", "show").code == 0


def test_rules_of_the_repository(shell, kept):
    """What reconciler.yaml says of the ledger counts, a flag more; its faults are shown with their place."""
    shell.write("reconciler.yaml", "ledger: {backend: file, path: kept}\nenvironment: staging\n")
    shown = shell.run("ledger", "show", "--json").of("ledger")[0]
    assert shown["place"].startswith(f"{shell.folder}/kept/manifests-staging-")
    assert shown["owner"]["environment"] == "staging"
    assert ".reconciler" in shell.run("ledger", "show", "--local").out
    shell.write("reconciler.yaml", "ledger: {backend: gti}\n")
    ran = shell.run("ledger", "show")
    assert ran.code == 1
    assert "reconciler.yaml:1:19: " in ran.err
    assert "did you mean git?" in ran.err


def test_the_flag_wins(shell, kept):
    """--ledger says where the ledger is kept, whatever the rules say, and fails where that cannot be."""
    shell.write("reconciler.yaml", "ledger: {backend: git}\n")
    assert f"{shell.folder}/.reconciler/ledger/" in shell.run("ledger", "show", "--ledger", "file").text
    shell.write("reconciler.yaml", "{}\n")
    ran = shell.run("ledger", "show", "--ledger", "git", "--json")
    if (shell.folder / ".git").exists():
        assert ran.code == 0
    else:
        assert ran.code == 1
        assert "cannot be kept on a branch" in json.dumps(ran.of("error"))


def test_forget_as_it_is_spelled_in_plans(shell, kept):
    """An address without its organization will do while one organization has it; a child may be named as well."""
    ran = shell.run("ledger", "forget", "App/bot", str(NIGHTLY))
    assert (ran.code, ran.out) == (0, "Forgotten: acme/App/bot, acme/App/bot/Channel/nightly.\n")
    assert set(kept.read().entries) == {TRIAGE}
    twice = {TRIAGE._replace(org="labs"): Entry("agent_2", TIME)}
    with kept.lock(lock_of({})):
        kept.write(kept.read().with_applied(twice), message="Apply")
    ran = shell.run("ledger", "forget", "Agent/triage")
    assert (ran.code, "Agent/triage: several organizations have one" in ran.err) == (64, True)
    assert shell.run("ledger", "forget", str(TRIAGE)).code == 0
    assert shell.run("ledger", "forget", "Agent/triage").code == 0
    assert kept.read().entries == {}


def test_show_tells_what_runs_archived(shell, kept):
    """Each run is named with the count and time of what it archived, as undo wants it."""
    with kept.lock(lock_of({})):
        kept.write(kept.read().with_archived("run-7", TIME, {TRIAGE: "agent_7"}), message="Apply")
    assert f"Run run-7 archived 1 resource at {TIME}\n" in shell.run("ledger", "show").out
    (told,) = shell.run("ledger", "show", "--json").of("archived")
    assert (told["run"], told["at"], told["ids"]) == ("run-7", TIME, {str(TRIAGE): "agent_7"})


@pytest.fixture
def team(site):
    """Give a site where two agents are ours, one of which was changed by hand since."""
    site.agents("one", "two")
    site.converge()
    by_hand(site, "two", system_prompt="By hand.")
    return site


def by_hand(site, name, **body):
    """Change an agent by hand."""
    path = f"/v1/agents/{site.world.one('agents', name)['id']}"
    assert site.world.api.patch(path, json=body).is_success


def owned(site):
    """Give what is ours, and the serial of the ledger."""
    ran = site.run("ledger", "show", "--json")
    return {one["address"] for one in ran.of("owned")}, ran.of("ledger")[0]["serial"]


def test_rebuild(team):
    """Afterwards ours is what is declared, live and agreeing; the rest is told, and the platform is only read."""
    before, serial = owned(team)
    assert team.run("ledger", "rebuild").code == 64  # it asks, and nobody can answer
    assert owned(team) == (before, serial)
    ran = team.run("ledger", "rebuild", "--auto-approve")
    assert ran.code == 0, ran.text
    assert ran.out.splitlines() == [
        "= default/Agent/one",
        "# default/Agent/two differs, and is left",
        "Ours from now on: 1.",
    ]
    after, later = owned(team)
    assert (after, later > serial) == ({"default/Agent/one"}, True)
    assert team.lines == []


def test_rebuild_replaces_last(team):
    """A rebuild that cannot plan, for its manifests or the platform, leaves the ledger as it was."""
    before = owned(team)
    team.world.meddler.instead("GET", "/v1/agents", (403, {"title": "No"}))
    assert team.run("ledger", "rebuild", "--auto-approve").code == 1
    team.write("manifests/bad.yaml", "kind: Nothing\n")
    ran = team.run("ledger", "rebuild", "--auto-approve")
    assert (ran.code, "apiVersion is missing" in ran.err) == (1, True)
    assert owned(team) == before


def test_rebuild_of_a_damaged_ledger(team):
    """What cannot be read is replaced, which is what its message promises."""
    (path,) = (team.folder / ".reconciler" / "ledger").glob("*.json")
    path.write_text("{")
    assert "reconciler ledger rebuild" in team.run("plan").err
    assert team.run("ledger", "rebuild", "--auto-approve").code == 0
    assert owned(team)[0] == {"default/Agent/one"}


def test_adopt(team):
    """What differs is ours when it is named, and changed by the next apply; every pattern must mean something."""
    assert team.run("ledger", "forget", "--all", "--auto-approve").code == 0
    for patterns in (["Agent/two", "Agent/three"], ["Memory/*"]):
        ran = team.run("ledger", "adopt", *patterns, "--auto-approve")
        assert ran.code == 64
        assert f"{patterns[-1]}: nothing of this is declared, live and not ours" in ran.err
    assert team.run("ledger", "adopt", "Agent/two").code == 64  # it asks, and nobody can answer
    assert owned(team)[0] == set()
    ran = team.run("ledger", "adopt", "Agent/two", "--auto-approve")
    assert (ran.code, ran.out) == (0, "= default/Agent/two\nOurs from now on: 1.\n")
    assert owned(team)[0] == {"default/Agent/two"}
    assert team.run("ledger", "adopt", "Agent/two", "--auto-approve").code == 64  # it is ours
    assert team.lines == []
    team.converge()
    assert team.world.one("agents", "two")["system_prompt"] == "Help."


def test_adopt_revives_nothing(site):
    """What is archived is not taken over with what is live: it is told, and left; by itself it is nothing to adopt."""
    site.agents("gone", "here")
    for name in ("gone", "here"):
        site.world.post("/v1/agents", name=name, system_prompt="Theirs.")
    assert site.world.api.delete(f"/v1/agents/{site.world.one('agents', 'gone')['id']}").is_success
    assert site.run("ledger", "adopt", "Agent/gone", "--auto-approve").code == 64
    ran = site.run("ledger", "adopt", "Agent/*", "--auto-approve")
    assert ran.out.splitlines() == [
        "= default/Agent/here",
        "# default/Agent/gone is archived, and is left",
        "Ours from now on: 1.",
    ]
    assert owned(site)[0] == {"default/Agent/here"}


def test_an_apply_waits_before_it_plans(site, finish, monkeypatch):
    """With --lock-timeout it plans with what the run before it has written, so that its plan is not stale at once."""
    site.agents("one")
    monkeypatch.chdir(site.folder)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(site.folder.parent))
    backend = choose(["manifests"], api_url=site.url, wish=Wish())
    with backend.lock(lock_of({"GITHUB_ACTOR": "alice"})):
        process = site.start("apply", "--auto-approve", "--lock-timeout", "1m")
        time.sleep(2)  # as long as a run takes to plan, were it not waiting
        assert site.reads == []
        backend.write(backend.read().with_begun([]), message="Apply")
    ran = finish(process)
    assert ran.code == 0, ran.text
    assert site.lines == ["POST /v1/agents"]
