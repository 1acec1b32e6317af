"""The ledger's verbs, as a user runs them: against a file, and against a branch of a real remote."""

import json
import os
import pty
import subprocess
import sys
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
    assert f"{shell.folder}/.reconciler/ledger/" in shell.run("ledger", "show", "--ledger", "file").out
    shell.write("reconciler.yaml", "{}\n")
    ran = shell.run("ledger", "show", "--ledger", "git", "--json")
    if (shell.folder / ".git").exists():
        assert ran.code == 0
    else:
        assert ran.code == 1
        assert "cannot be kept on a branch" in json.dumps(ran.of("error"))
