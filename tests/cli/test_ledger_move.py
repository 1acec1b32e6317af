"""A ledger whose place changes is not left behind: the run stops, and `ledger move` brings it along."""

import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def moved(site):
    """Give a repository without a remote that owns two agents, of which git still declares one."""
    site.env |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    git(site, "init", "-q")
    site.agents("one", "two")
    site.converge()
    site.agents("one")
    git(site, "init", "-q", "--bare", "remote")
    return site


def git(site, *arguments):
    """Run git in the folder of the manifests."""
    subprocess.run(["git", *arguments], cwd=site.folder, check=True, env=site.environment())


def actions(site, *flags):
    """Plan, and give the action of each address."""
    return {one["address"]: one["action"] for one in site.run("plan", "--json", *flags).of("change")}


def test_a_remote_does_not_lose_the_file(moved):
    """Once there is a remote, the file that knows what is ours stops the run, until it is brought to the branch."""
    wanted = actions(moved)
    assert wanted == {"default/Agent/two": "archive"}
    git(moved, "remote", "add", "origin", "./remote")
    for verb in (["plan"], ["apply", "--auto-approve"], ["drift"], ["ledger", "show"]):
        ran = moved.run(*verb)
        assert (ran.code, "knows 2 resources of these manifests" in ran.err) == (1, True), ran.text
        assert "reconciler ledger move brings it here" in ran.err
    assert moved.lines == []
    assert moved.run("ledger", "move").code == 64
    ran = moved.run("ledger", "move", "--auto-approve", "--json")
    (told,) = ran.of("ledger_moved")
    assert (told["entries"], told["place"]) == (2, "branch reconciler-ledger of origin")
    assert Path(told["aside"]).exists()
    assert actions(moved) == wanted
    assert moved.run("ledger", "move", "--auto-approve").code == 64


def test_a_file_follows_the_new_name_of_its_repository(moved):
    """Who stays with the file after the repository got a remote brings it along under its new name."""
    wanted = actions(moved)
    git(moved, "remote", "add", "origin", "./remote")
    ran = moved.run("plan", "--ledger", "file")
    assert (ran.code, "reconciler ledger move --ledger file" in ran.err) == (1, True), ran.text
    assert moved.run("ledger", "move", "--auto-approve", "--ledger", "file").code == 0
    assert actions(moved, "--ledger", "file") == wanted


def test_a_branch_is_brought_back_into_a_file(moved):
    """Who goes over from the branch to a file is stopped as well, and brings along what this clone last saw of it."""
    wanted = actions(moved)
    git(moved, "remote", "add", "origin", "./remote")
    assert moved.run("ledger", "move", "--auto-approve").code == 0
    moved.write("reconciler.yaml", "ledger: {backend: file}\n")
    ran = moved.run("plan")
    assert (ran.code, "origin/reconciler-ledger knows 2 resources" in ran.err) == (1, True), ran.text
    assert moved.run("ledger", "move", "--auto-approve").code == 0
    assert actions(moved) == wanted


def test_what_is_there_is_not_written_over(moved):
    """Where the new place has a ledger of its own, nothing is brought there."""
    git(moved, "remote", "add", "origin", "./remote")
    assert moved.run("ledger", "rebuild", "--auto-approve").code == 0
    ran = moved.run("ledger", "move", "--auto-approve")
    assert (ran.code, "one is there already" in ran.err) == (64, True), ran.text


def test_whoever_wants_to_begins_anew(moved):
    """A rebuild leaves the old ledger alone and takes over what agrees."""
    git(moved, "remote", "add", "origin", "./remote")
    assert moved.run("ledger", "rebuild", "--auto-approve").code == 0
    assert actions(moved) == {}
