"""`reconciler ci apply` of a commit that is not the newest, as of an old job that runs again; and of other branches."""

import pytest

from reconciler.ci.behind import last_applied
from reconciler.plan.owned import Entry, Ledger, Owner
from reconciler.resource import Address


def prompt(yard):
    """Return what the agent on the platform is told."""
    return yard.world.one("agents", "triage")["system_prompt"]


@pytest.fixture
def reverted(yard):
    """Give a yard whose first merge was applied, reverted, and that applied too; it stands at the first again."""
    yard.agents("triage", prompt="Bad new.")
    yard.push()
    assert yard.plan().code == 0
    first = yard.merge()
    assert yard.apply().code == 0
    yard.back()
    yard.git("reset", "-q", "--hard", "main")
    yard.agents("triage", prompt="Help.")
    yard.push()
    assert yard.plan(number=8).code == 0
    yard.merge(8)
    assert yard.apply().code == 0
    assert prompt(yard) == "Help."
    yard.git("checkout", "-q", "--detach", first)
    yard.world.forget()
    return yard


def test_an_old_apply_that_runs_again_undoes_nothing(reverted):
    """Though it is exactly what was reviewed then, and with --replan; --even-if-behind goes back on purpose."""
    for flags in ((), ("--replan",)):
        ran = reverted.apply(*flags)
        assert (ran.code, reverted.lines) == (5, []), ran.text
        assert "which was applied last" in ran.err
        assert reverted.output["exit_class"] == "stale_plan"
        assert "which was applied last" in reverted.summary
    assert reverted.apply("--even-if-behind").code == 0
    assert prompt(reverted) == "Bad new."


def test_the_branch_tells_it_where_the_ledger_cannot(yard):
    """What a newer commit took away is in no ledger; a newer commit that touched other files makes no difference."""
    yard.agents("triage", "sales")
    yard.push()
    assert yard.plan().code == 0
    old = yard.merge()
    yard.write("README.md", "Read me.")
    yard.commit("Say more")
    yard.git("checkout", "-q", "--detach", old)
    assert yard.apply().code == 0
    assert yard.lines[-1:] == ["POST /v1/agents"]
    yard.git("checkout", "-q", "main")
    yard.agents("triage")
    yard.commit("Let sales go")
    assert yard.apply("--replan", "--allow-archive", "Agent=1").code == 0
    yard.world.forget()
    yard.git("checkout", "-q", "--detach", old)
    ran = yard.apply("--replan")
    assert (ran.code, yard.lines) == (5, [])
    assert "is behind main, where manifests were changed since" in ran.err


def test_github_knows_what_a_shallow_clone_does_not(reverted):
    """The commit that was applied last need not be in it."""
    reverted.github.clone = reverted.folder.parent / "whole"
    reverted.git("clone", "-q", "--bare", ".", str(reverted.github.clone))
    first = reverted.git("rev-parse", "HEAD")
    reverted.git("branch", "-q", "-D", "main", "change")
    reverted.git("reflog", "expire", "--expire=now", "--all")
    reverted.git("gc", "-q", "--prune=now")
    ran = reverted.apply("--replan")
    assert (ran.code, reverted.lines) == (5, [])
    assert f"{first[:12]} is older than" in ran.err


def test_what_is_in_place_is_well_however_old_the_commit(yard):
    """There is nothing that could be undone."""
    old = yard.git("rev-parse", "main")
    yard.git("checkout", "-q", "main")
    yard.write("manifests/notes.md", "Touched.")
    yard.commit()
    yard.git("checkout", "-q", "--detach", old)
    assert yard.apply().code == 0


def test_only_the_default_branch_is_applied(yard):
    """Another one is named on purpose, and a tag is none."""
    yard.agents("triage", "sales")
    yard.commit()
    for ref in ("refs/heads/change", "refs/tags/v1"):
        ran = yard.apply("--replan", GITHUB_REF=ref)
        assert (ran.code, yard.lines) == (64, []), ran.text
        assert f"merged into main, and this job is about {ref}" in ran.err
    ran = yard.apply("--replan", "--branch", "change", GITHUB_REF="refs/heads/change")
    assert (ran.code, yard.lines) == (0, ["POST /v1/agents"]), ran.text


def test_the_commit_that_was_applied_last():
    """By the clock of who wrote, not by name; nothing is known of what was applied outside of git."""
    entries = {"a": ("2026-11-02T10:00:00Z", "old"), "b": ("2026-11-03T10:00:00Z", "new"), "c": ("2026-11-04", None)}
    made = {Address("acme", "Agent", name): Entry("x", at, commit) for name, (at, commit) in entries.items()}
    owner = Owner("acme/fleet", "manifests", "production")
    assert last_applied(Ledger(owner, entries=made)) == "new"
    assert last_applied(Ledger(owner)) is None
