"""The three workflows, run as they stand: what a team lives through from the first apply to a drift that comes back."""

import json
from urllib.parse import unquote

import pytest

from ..ci.github import limited, used_up  # noqa: TID252 - tests are found by path
from ..no_secret import leaked  # noqa: TID252 - tests are found by path
from .team import ENVIRONMENTS, FIRST, SECOND, assembled, ended, well

STAGES = []


def stage(act):
    """Add a stage to the story; its docstring says what it shows."""
    STAGES.append(act)
    return act


@pytest.mark.timeout(420)
def test_the_story_of_a_team(tmp_path, open_world):
    """Every stage stands on those before it, so they are one test, and the stage that fails is in the traceback."""
    with assembled(tmp_path, open_world) as team:
        for act in STAGES:
            team.forget()
            act(team)


def of(jobs, environment):
    """Return the job of an environment."""
    (found,) = (job for job in jobs if job.environment == environment)
    return found


def files(job):
    """Return the names of what a job uploaded, all of it under one name."""
    ((_, place),) = job.artifacts.items()
    return {path.name for path in place.iterdir()}


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
    assert len([name for name in team.hub.files("reconciler-ledger") if name.endswith(".json")]) == 2


@stage
def a_pull_request(team):
    """Opened, it has one comment for each environment, behind a hundred of others; platforms are only read."""
    for number in range(104):
        team.github.say(team.github.numbers + 1, f"I think {number}")
    team.agent("triage", "Sort what comes in, by weight.")
    team.agent("sales", "Sell.")
    team.helpdesk("Newest ticket")
    begun = team.hub.open_pull("weights", "Sort by weight")
    assert list(begun) == ["plan"]
    comments = team.comments(team.hub.pulls["weights"].number, "plan")
    assert set(comments) == set(ENVIRONMENTS)
    for job in well(begun["plan"]):
        assert "by weight" in comments[job.environment]
        assert "## Plan: 1 to create, 2 to update" in comments[job.environment]
        assert "## Plan: 1 to create, 2 to update" in job.summary
        assert (job.outputs["has_changes"], job.outputs["exit_class"]) == ("true", "changes_pending")
        assert json.loads(job.outputs["counts"]) == {"create": 1, "update": 2}
        assert job.outputs["plan_digest"].startswith("sha256:")
        assert set(job.artifacts) == {f"reconciler-plan-{job.environment}"}
        assert files(job) == {"plan.html", "plan.json"}
        assert team.writes(job.environment) == []
        assert team.platforms[job.environment].prompt("sales") is None


@stage
def another_push(team):
    """The same two comments say what is new, though GitHub's limits are reached on the way."""
    number = team.hub.pulls["weights"].number
    before = [one["id"] for one in team.github.ours(number)]
    team.github.hindered = {"GET": [used_up(seconds=1), limited(seconds=1)], "PATCH": [limited(seconds=1, status=429)]}
    team.agent("triage", "Sort what comes in, by colour.")
    begun = team.hub.push("weights", "Sort by colour")
    well(begun["plan"])
    assert team.github.hindered == {"GET": [], "PATCH": []}
    assert [one["id"] for one in team.github.ours(number)] == before
    for text in team.comments(number, "plan").values():
        assert "by colour" in text
        assert "by weight" not in text


@stage
def the_merge(team):
    """What was reviewed is applied, staging first, and told on the pull request; the ledger is pushed to its branch."""
    number, before = team.hub.pulls["weights"].number, team.hub.at("reconciler-ledger")
    begun = team.hub.merge("weights")
    assert list(begun) == ["apply"]
    outcomes = team.comments(number, "applied")
    for job in well(begun["apply"]):
        platform = team.platforms[job.environment]
        assert platform.prompt("triage") == "Sort what comes in, by colour."
        assert platform.prompt("sales") == "Sell."
        assert platform.sent == [FIRST]  # with the message of its channel, which is written as a whole
        assert outcomes[job.environment].startswith("## Applied: 3 done.")
        assert "New values" not in outcomes[job.environment]
        assert files(job) == {"applied.plan", "apply.html", "apply.json", "journal.jsonl"}
        reasons = {unquote(one.headers["everruns-change-reason"]) for one in platform.world.writes}
        (reason,) = reasons
        assert f"Merge pull request #{number} from acme/weights (pull request #{number})" in reason
    assert len(team.github.ours(number)) == 4
    assert before != team.hub.at("reconciler-ledger")


@stage
def a_new_value_of_a_secret(team):
    """It is sent when somebody runs the workflow by hand; no review is asked for, and the outcome tells of it."""
    team.rotate(SECOND)
    for job in well(team.hub.dispatch("apply")):
        assert team.platforms[job.environment].sent == [SECOND]
        assert len(team.writes(job.environment)) == 1
        assert "**New values of secrets:**" in job.summary
        assert "App/helpdesk/Channel/tickets (env NORTHWIND_HELPDESK_WEBHOOK_TOKEN)" in job.summary
    for told in team.comments(team.hub.pulls["weights"].number, "applied").values():
        assert told.startswith("## Applied: 3 done.")  # what the merge did, and not what was run later


@stage
def somebody_clicks(team):
    """Drift is one issue for the environment concerned, found again among a hundred of others and written over."""
    for number in range(101):
        team.github.raise_issue(f"Drift in production {number}", "Mine", login="somebody", labels=[])
    well(team.hub.tick()["drift"])
    assert team.issues() == {}
    production = team.platforms["production"]
    production.click("triage", "Sort as you like.")
    begun = team.hub.tick()
    assert list(begun) == ["drift"]
    jobs = well(begun["drift"])
    assert [of(jobs, name).outputs["has_drift"] for name in ENVIRONMENTS] == ["false", "true"]
    ((issue,),) = team.issues().values()
    assert (issue["title"], issue["state"]) == ("Drift in production", "open")
    assert "Sort as you like." in issue["body"]
    assert of(jobs, "production").outputs["issue"] == issue["html_url"]
    production.click("triage", "Sort as they like.")
    team.github.hindered = {"PATCH": [used_up(seconds=1, status=429)]}
    well(team.hub.tick()["drift"])
    assert team.github.hindered == {"PATCH": []}
    ((issue,),) = team.issues().values()
    assert "Sort as they like." in issue["body"]
    assert team.writes("production") == []


@stage
def drift_that_is_taken_back(team):
    """By an apply; the next look closes the issue, one more opens the same one again."""
    production = team.platforms["production"]
    well(team.hub.dispatch("apply", replan=True))
    assert production.prompt("triage") == "Sort what comes in, by colour."
    well(team.hub.tick()["drift"])
    ((issue,),) = team.issues().values()
    assert (issue["state"], issue["state_reason"]) == ("closed", "completed")
    production.click("triage", "Sort by size.")
    well(team.hub.tick()["drift"])
    ((issue,),) = team.issues().values()
    assert (issue["state"], issue["state_reason"]) == ("open", "reopened")
    said = [one["body"] for one in team.github.ours(issue["number"])]
    assert said == ["Nothing has drifted any more.", "The platform has drifted again: see the description."]


@stage
def drift_that_is_kept(team):
    """By a pull request that says the same: the platform that has it is left alone, the other one gets it."""
    team.begin()
    team.agent("triage", "Sort by size.")
    well(team.hub.open_pull("size", "Sort by size")["plan"])
    number = team.hub.pulls["size"].number
    assert "1 to update" in team.comments(number, "plan")["staging"]
    team.forget()
    well(team.hub.merge("size")["apply"])
    assert [team.writes(name) for name in ENVIRONMENTS] == [["PATCH /v1/agents/agent_"], []]
    assert team.platforms["staging"].prompt("triage") == "Sort by size."
    well(team.hub.tick()["drift"])
    assert [issue["state"] for issue in team.issues()["Drift in production"]] == ["closed"]


@stage
def two_at_once(team):
    """Two pull requests that were planned beside each other are both as reviewed, one merged after the other."""
    team.begin()
    team.agent("night", "Answer at night.")
    well(team.hub.open_pull("night", "Answer at night")["plan"])
    team.begin()
    team.agent("sales", "Sell well.")
    well(team.hub.open_pull("well", "Sell well")["plan"])
    well(team.hub.merge("night")["apply"])
    well(team.hub.merge("well")["apply"])
    for platform in team.platforms.values():
        assert (platform.prompt("night"), platform.prompt("sales")) == ("Answer at night.", "Sell well.")


@stage
def a_base_that_moved(team):
    """Run again, the plan of a pull request stands on the base that it stood on; a push brings the new one."""
    team.begin()
    old = team.hub.at("main")
    team.agent("sales", "Sell with care.")
    well(team.hub.open_pull("care", "Sell with care")["plan"])
    planned = team.hub.runs[-1]
    team.begin()
    team.write("NOTES.md", "Take care.")
    assert team.hub.push_main("Note") == {}
    new = team.hub.at("main")
    for job in well(team.hub.rerun(planned)):
        assert f"main at {old[:12]}" in job.summary
    assert planned.attempt == 2
    team.begin("care")
    team.agent("sales", "Sell with more care.")
    for job in well(team.hub.push("care", "More care")["plan"]):
        assert f"main at {new[:12]}" in job.summary
    for told in team.comments(team.hub.pulls["care"].number, "plan").values():
        assert f"main at {new[:12]}" in told


@stage
def what_nobody_reviewed(team):
    """A platform that moves between plan and merge: nothing is written, and replan by hand does both."""
    team.begin()
    team.agent("sales", "Sell more.")
    well(team.hub.open_pull("more", "Sell more")["plan"])
    number = team.hub.pulls["more"].number
    team.platforms["staging"].click("triage", "Sort nothing.")
    first, _ = ended(team.hub.merge("more")["apply"], "failure", "cancelled")
    assert (first.code, first.outputs["exit_class"]) == (5, "stale_plan")
    assert files(first) == {"apply.html", "apply.json"}  # uploaded though the step before failed
    assert [team.writes(name) for name in ENVIRONMENTS] == [[], []]
    outcomes = team.comments(number, "applied")
    assert set(outcomes) == {"staging"}
    assert "Agent/triage: update: was not in the plan that was reviewed" in outcomes["staging"]
    assert "Agent/triage: update: was not in the plan that was reviewed" in first.summary
    well(team.hub.dispatch("apply", replan=True))
    for name, told in team.comments(number, "applied").items():
        assert team.platforms[name].prompt("triage") == "Sort by size."
        assert team.platforms[name].prompt("sales") == "Sell more."
        assert told.startswith("## Applied: ")


@stage
def a_mistake(team):
    """The job fails with a remark on the line, the comment says so, and nothing is touched."""
    team.begin()
    team.agent("sales", "Sell.")
    team.write("manifests/agents/night.yaml", "apiVersion: everruns.reconciler/v1\nkind: Agnt\n")
    for job in ended(team.hub.open_pull("typo", "Mistype")["plan"], "failure", "failure"):
        assert "::error title=Manifest,file=manifests/agents/night.yaml,line=2" in job.log
        assert (job.outputs["exit_class"], job.outputs["plan_digest"]) == ("error", "")
        assert "failed: " in team.comments(team.hub.pulls["typo"].number, "plan")[job.environment]
        assert team.writes(job.environment) == []


@stage
def a_fork(team):
    """It has no secrets and no right to comment: its plan is offline, and its job goes well."""
    team.begin()
    team.agent("sales", "Sell everything.")
    number = team.github.numbers + 1
    refused = len(team.github.refused)
    for job in well(team.hub.open_pull("fork", "Sell everything", is_fork=True)["plan"]):
        assert "a fork's pull request has no secrets" in job.summary
        assert "Offline plan: 1 to update" in job.summary
        assert "Sell everything." in job.summary
        assert job.outputs["plan_digest"] == ""
        assert team.platforms[job.environment].world.sent == []
    assert team.github.ours(number) == []
    assert len(team.github.refused) > refused


@stage
def what_starts_nothing(team):
    """A change beside the manifests, and a repository that is not set up."""
    team.begin()
    team.write("README.md", "Read me.")
    assert team.hub.open_pull("words", "Say it") == {}
    assert team.hub.merge("words") == {}
    team.hub.settings.variables.clear()
    ended(team.hub.tick()["drift"], "skipped", "skipped")
    ended(team.hub.dispatch("apply", replan=True), "skipped", "skipped")


@stage
def what_was_not_done(team):
    """No key that reads was used to write, no job asked for more than its rights, and no secret came out anywhere."""
    assert [platform.denied for platform in team.platforms.values()] == [[], []]
    assert all(one.startswith(("GET", "POST")) for one in team.github.refused)
    kept = [path.read_bytes().decode(errors="replace") for path in (team.hub.folder / "artifacts").rglob("*.*")]
    said = "\n".join([*team.hub.logs, *team.github.texts, *kept])
    assert len(kept) > 20
    keys = [key for platform in team.platforms.values() for key in (platform.reads, platform.writes)]
    assert leaked(said, [FIRST, SECOND, *keys, *team.github.rights]) == []
