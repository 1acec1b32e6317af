"""The three workflows, run as they stand: what a team lives through from the first apply to a drift that comes back."""

import json

import pytest

from ..ci.github import limited, used_up  # noqa: TID252 - tests are found by path
from ..no_secret import leaked  # noqa: TID252 - tests are found by path
from .team import ENVIRONMENTS, FIRST, SECOND, assembled, ended, well

STAGES = []


def stage(act):
    """Add a stage to the story; its docstring says what it shows."""
    STAGES.append(act)
    return act


@pytest.mark.timeout(300)
def test_the_story_of_a_team(tmp_path, open_world, subtests):
    """Every stage stands on those before it, so they are one test; a failure names the stage."""
    with assembled(tmp_path, open_world) as team:
        for act in STAGES:
            with subtests.test(msg=act.__name__):
                act(team)


def of(jobs, environment):
    """Return the job of an environment."""
    (found,) = (job for job in jobs if job.environment == environment)
    return found


@stage
def the_first_apply(team):
    """What was pushed without a pull request nobody reviewed; by hand, with replan, everything is made."""
    team.agent("triage", "Sort what comes in.")
    team.helpdesk("New ticket")
    begun = team.hub.push_main("Begin")
    assert list(begun) == ["apply"]
    first, second = ended(begun["apply"], "failure", "cancelled")
    assert (first.code, second.log) == (5, "")
    assert "nobody reviewed its plan" in first.log
    assert team.writes("staging") == []
    for job in well(team.hub.dispatch("apply", replan=True)):
        platform = team.platforms[job.environment]
        assert platform.prompt("triage") == "Sort what comes in."
        assert platform.sent == [FIRST]
        assert "## Applied: " in job.summary
        assert job.outputs["exit_class"] == "done"
    files = team.hub.git("ls-tree", "-r", "--name-only", team.hub.at("reconciler-ledger"))
    assert len([name for name in files.splitlines() if name.endswith(".json")]) == 2
