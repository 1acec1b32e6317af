"""`reconciler ci drift` as cron runs it: never more than one issue, and healing that touches nothing else."""

import json
import threading
import time
import xml.etree.ElementTree as ET
from urllib.parse import unquote

import pytest

from .github import BOT, stumbled


def move(yard, name="triage", **body):
    """Change an agent by hand."""
    assert yard.world.api.patch(f"/v1/agents/{yard.world.one('agents', name)['id']}", json=body).is_success


def states(yard):
    """Return the state of each issue."""
    return [one["state"] for one in yard.github.issues]


def test_the_issue_is_opened_updated_closed_and_reopened(yard):
    """Always the same one; a state that changes is told in a comment, as only that notifies."""
    assert yard.drift().code == 0
    assert yard.github.issues == []
    move(yard, system_prompt="Moved.")
    assert yard.drift().code == 0
    (issue,) = yard.github.issues
    assert issue["title"] == "Drift in production"
    assert issue["labels"] == [{"name": "reconciler-drift"}]
    assert "Moved." in issue["body"]
    assert "**Who may apply:**" in issue["body"]
    assert (yard.output["has_drift"], yard.output["drifted"]) == ("true", "1")
    before = len(yard.github.writes)
    assert yard.drift().code == 0
    assert len(yard.github.writes) == before
    move(yard, system_prompt="Moved on.")
    yard.drift()
    assert "Moved on." in issue["body"]
    move(yard, system_prompt="Help.")
    yard.drift()
    assert (states(yard), issue["state_reason"]) == (["closed"], "completed")
    assert "No drift. 1 resource as last written." in issue["body"]
    yard.drift()
    move(yard, system_prompt="Moved again.")
    yard.drift()
    assert states(yard) == ["open"]
    said = [one["body"] for one in yard.github.ours(1)]
    assert said == ["Nothing has drifted any more.", "The platform has drifted again: see the description."]


def test_the_issue_is_found_by_its_marker(yard):
    """On a later page, under another title, without its label."""
    move(yard, system_prompt="Moved.")
    for number in range(7):
        yard.github.raise_issue("Drift in production", f"Mine {number}", login="somebody", labels=[])
    yard.drift()
    issue = yard.github.issues[-1]
    issue["title"], issue["labels"] = "Renamed", []
    yard.drift()
    move(yard, system_prompt="Help.")
    yard.drift()
    assert (len(yard.github.issues), issue["state"]) == (8, "closed")
    assert states(yard)[:7] == ["open"] * 7
    move(yard, system_prompt="Moved.")
    yard.drift()
    assert (len(yard.github.issues), issue["state"]) == (8, "open")


def test_an_issue_of_somebody_else_and_a_pull_request_are_not_ours(yard):
    """Even if they begin like ours."""
    move(yard, system_prompt="Moved.")
    yard.drift()
    body = yard.github.issues[0]["body"]
    yard.github.issues.clear()
    yard.github.raise_issue("x", body, login="mallory", labels=["reconciler-drift"])
    yard.github.raise_issue(
        "x", body, login=BOT, labels=["reconciler-drift"], html_url="https://github.example/acme/fleet/pull/2"
    )
    yard.drift()
    assert len(yard.github.issues) == 3


def test_each_environment_has_its_own_issue(yard):
    """And two of one become one."""
    move(yard, system_prompt="Moved.")
    yard.drift()
    yard.drift("--environment", "staging")
    assert [one["title"] for one in yard.github.issues] == ["Drift in production", "Drift in staging"]
    yard.github.raise_issue("x", yard.github.issues[0]["body"], login=BOT, labels=["reconciler-drift"])
    yard.drift()
    assert states(yard) == ["open", "open", "closed"]


def test_an_issue_that_was_opened_though_github_stumbled_is_found(yard):
    """It is looked for again before another one is opened."""
    move(yard, system_prompt="Moved.")
    yard.github.after.append(stumbled())
    assert yard.drift().code == 0
    assert states(yard) == ["open"]


def test_what_cannot_be_told_fails_the_job(yard):
    """Nobody would learn of it otherwise."""
    move(yard, system_prompt="Moved.")
    yard.github.read_only = True
    ran = yard.drift()
    assert ran.code == 1
    assert "issues: write" in ran.err


def test_healing_takes_back_what_drifted_and_nothing_else(yard):
    """What git wants and was not applied yet stays; the issue tells what is left, here nothing."""
    yard.agents("triage", "sales", prompt="Help.")
    path = yard.folder / "manifests/agents.yaml"
    path.write_text(path.read_text().replace('"Help."}', '"Help.", description: "Pending."}', 1))
    move(yard, system_prompt="Moved.")
    yard.world.forget()
    assert yard.drift("--heal", "--detailed-exitcode").code == 0
    assert yard.lines == ["PATCH /v1/agents/agent_"]
    (write,) = yard.world.writes
    assert write.body == {"system_prompt": "Help."}
    assert unquote(write.headers["everruns-change-reason"]).startswith("Drift healed: ")
    assert (yard.output["healed"], yard.output["has_drift"]) == ("1", "false")
    assert yard.github.issues == []
    yard.world.forget()
    ran = yard.run("plan")
    assert "you changed" in ran.out
    assert "1 to create, 1 to update" in ran.out
    assert "Moved." not in ran.out


def test_what_cannot_be_healed_is_left_to_the_issue(yard):
    """A resource that is gone would come back with another id; a field that git changes as well is for apply."""
    yard.agents("triage", "sales")
    yard.converge()
    yard.agents("triage", "sales", prompt="Git moved too.")
    move(yard, system_prompt="Moved.")
    assert yard.world.api.delete(f"/v1/agents/{yard.world.one('agents', 'sales')['id']}").is_success
    yard.world.forget()
    assert yard.drift("--heal", "--detailed-exitcode").code == 3
    assert yard.lines == []
    (issue,) = yard.github.issues
    assert "Agent/sales" in issue["body"]
    assert "changed in git as well" in issue["body"]
    assert yard.output["healed"] == "0"


def test_drift_for_other_tools(yard):
    """SARIF with the line of the manifest, JUnit with a failed case; both are there when nothing drifted."""
    flags = ("--sarif", "drift.sarif", "--junit", "drift.xml")
    yard.drift(*flags)
    assert json.loads((yard.folder / "drift.sarif").read_text())["runs"][0]["results"] == []
    assert ET.parse(yard.folder / "drift.xml").getroot()[0].attrib["failures"] == "0"
    move(yard, system_prompt="Moved.")
    assert yard.drift(*flags).code == 0
    log = json.loads((yard.folder / "drift.sarif").read_text())
    (result,) = log["runs"][0]["results"]
    assert (log["version"], result["ruleId"]) == ("2.1.0", "drift/changed")
    assert "system_prompt" in result["message"]["text"]
    (place,) = result["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "manifests/agents.yaml"
    assert place["physicalLocation"]["region"] == {"startLine": 1}
    (suite,) = ET.parse(yard.folder / "drift.xml").getroot()
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("2", "1")
    assert suite[0].attrib["name"] == "default/Agent/triage"
    assert suite[0][0].attrib["type"] == "drift/changed"


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (("--sarif", "nowhere/drift.sarif"), "there is no folder nowhere"),
        (("--junit", "manifests"), "not a place for a file"),
        (("--sarif", ""), "not a place for a file"),
        (("--sarif", "drift.out", "--junit", "./drift.out"), "another format goes into this file"),
        (("--format", "html=drift.out", "--sarif", "drift.out"), "another format goes into this file"),
    ],
)
def test_a_file_that_cannot_be_written_is_told_before_anything_is_healed(yard, flags, why):
    """So are two for one place; the job fails, and the issue is left alone."""
    move(yard, system_prompt="Moved.")
    yard.world.forget()
    ran = yard.drift("--heal", *flags)
    assert ran.code == 64, ran.text
    assert why in ran.text
    assert why in yard.summary
    assert yard.world.sent == []
    assert yard.github.issues == []
    assert not (yard.folder / "drift.out").exists()


def test_a_file_for_other_tools_may_lie_in_the_folder_to_upload(yard):
    """It is made by then."""
    assert yard.drift("--sarif", "reconciler-ci/drift.sarif").code == 0
    assert (yard.folder / "reconciler-ci/drift.sarif").is_file()


def test_a_drift_that_cannot_be_told_leaves_the_issue_alone(yard):
    """The job fails, the summary says why, and nothing is closed."""
    move(yard, system_prompt="Moved.")
    yard.drift()
    yard.world.meddler.instead("GET", "/v1/agents", (400, {"title": "Bad Request", "status": 400}), times=None)
    ran = yard.drift()
    assert ran.code == 1
    assert states(yard) == ["open"]
    assert yard.output["exit_class"] == "error"
    assert "> [!CAUTION]" in yard.summary


def test_a_look_at_a_part_neither_closes_nor_writes_over_what_it_did_not_look_at(yard):
    """It keeps an issue about the same part; a look at everything keeps any."""
    yard.agents("triage", "sales")
    yard.commit()
    yard.converge()
    move(yard, system_prompt="Moved.")
    part = ("--target", "Agent/sales")
    assert yard.drift().code == 0
    before = yard.github.issues[0]["body"]
    for prompt in (None, "Sold."):
        if prompt:
            move(yard, "sales", system_prompt=prompt)
        ran = yard.drift(*part)
        assert ran.code == 0
        assert "left to a run that looks at everything" in ran.out
        assert (states(yard), yard.github.issues[0]["body"]) == (["open"], before)
    move(yard, system_prompt="Help.")
    move(yard, "sales", system_prompt="Help.")
    yard.drift()
    assert states(yard) == ["closed"]
    move(yard, "sales", system_prompt="Sold again.")
    yard.drift(*part)
    assert states(yard) == ["open"]
    move(yard, "sales", system_prompt="Help.")
    yard.drift(*part)
    assert states(yard) == ["closed"]


def test_an_open_issue_without_its_label_is_found_beside_a_closed_one_with_it(yard):
    """Whoever sorts issues takes labels off."""
    move(yard, system_prompt="Moved.")
    yard.drift()
    (issue,) = yard.github.issues
    issue["labels"] = []
    yard.github.raise_issue("x", issue["body"], login=BOT, labels=["reconciler-drift"])["state"] = "closed"
    move(yard, system_prompt="Help.")
    yard.drift()
    assert states(yard) == ["closed", "closed"]


def test_issues_of_others_are_not_read(yard):
    """A repository may have thousands of them."""
    for number in range(30):
        yard.github.raise_issue("x", f"Mine {number}", login="somebody", labels=[])
    yard.github.requests.clear()
    assert yard.drift().code == 0
    assert len(yard.github.requests) == 2


def test_a_heal_whose_write_met_no_clear_answer_leaves_the_issue_open(yard):
    """What stands changed is told by every later look, and healed by the next heal that comes through."""
    move(yard, system_prompt="Moved.")
    yard.drift()
    agent = f"/v1/agents/{yard.world.one('agents', 'triage')['id']}"
    yard.world.meddler.instead("PATCH", agent, (502, {"title": "Bad Gateway", "status": 502}), times=None)
    assert yard.drift("--heal").code == 1
    yard.world.meddler.rules.clear()
    assert yard.world.one("agents", "triage")["system_prompt"] == "Moved."
    assert (states(yard), yard.output["has_drift"]) == (["open"], "true")
    assert yard.drift().code == 0
    assert (states(yard), yard.output["has_drift"], yard.output["watched"]) == (["open"], "true", "1")
    assert "perhaps by a run that did not end" in yard.github.issues[0]["body"]
    move(yard, system_prompt="Moved on.")
    yard.drift()
    assert "Moved on." in yard.github.issues[0]["body"]
    assert yard.drift("--heal").code == 0
    assert (states(yard), yard.output["has_drift"], yard.output["healed"]) == (["closed"], "false", "1")
    assert yard.world.one("agents", "triage")["system_prompt"] == "Help."


def test_what_cannot_be_told_keeps_the_issue_open_until_an_apply(yard):
    """It is counted apart, neither as drift nor as watched, and the issue says why it stays open."""
    move(yard, system_prompt="Moved.")
    yard.drift()
    move(yard, system_prompt="Help.")
    yard.agents("triage", "sales")
    may_post = threading.Event()
    yard.world.meddler.before("POST", "/v1/agents", may_post.wait)
    run = yard.start("apply", "--auto-approve")
    while not yard.lines:
        time.sleep(0.001)
    run.kill()
    run.communicate()
    may_post.set()
    while not any(one["name"] == "sales" for one in yard.world.live("agents")):
        time.sleep(0.001)
    assert yard.drift("--detailed-exitcode").code == 3
    assert states(yard) == ["open"]
    assert [yard.output[name] for name in ("has_drift", "drifted", "unsettled", "watched")] == ["true", "0", "1", "1"]
    body = yard.github.issues[0]["body"]
    assert "cannot be told of 1 that is not settled" in body
    assert "a run that did not end may have made it: cannot be told until an apply has settled it" in body
    yard.converge()
    assert yard.drift().code == 0
    assert (states(yard), yard.output["unsettled"], yard.output["watched"]) == (["closed"], "0", "2")


def test_hand_edits_after_a_run_was_killed_are_told(yard):
    """Each of them, and nothing of what the run wrote or was about to write."""
    names = [f"a{number}" for number in range(20)]
    yard.agents(*names)
    yard.converge("--allow-archive", "Agent=1")
    yard.agents(*names, prompt="New.")
    run = yard.start("apply", "--auto-approve", "--parallelism", "1")
    while not yard.world.lines and run.poll() is None:
        time.sleep(0.001)
    run.kill()
    run.communicate()
    for name in names[10:]:
        move(yard, name, system_prompt="Hacked.")
    yard.drift()
    assert (yard.output["drifted"], yard.output["unsettled"], yard.output["watched"]) == ("10", "0", "20")
    assert states(yard) == ["open"]


@pytest.fixture
def two(yard):
    """Give a yard where two fleets are applied to the one environment."""
    yard.write("other/reconciler.yaml", "environment: production\nledger: {backend: file}\n")
    yard.agents("ops", file="other/agents.yaml")
    yard.converge("-f", "other")
    return yard


def test_each_fleet_of_an_environment_has_its_own_issue(two):
    """What is well with one closes nothing of the other."""
    move(two, system_prompt="Moved.")
    two.drift()
    two.drift("-f", "other")
    assert states(two) == ["open"]
    move(two, "ops", system_prompt="Moved.")
    two.drift("-f", "other")
    assert [one["title"] for one in two.github.issues] == ["Drift in production", "Drift in production, other"]
    move(two, system_prompt="Help.")
    two.drift()
    two.drift("-f", "other")
    assert states(two) == ["closed", "open"]


def test_an_issue_of_an_earlier_version_is_taken_over(yard):
    """It names no manifests; it is updated, and named anew."""
    move(yard, system_prompt="Moved.")
    yard.drift()
    (issue,) = yard.github.issues
    issue["body"] = issue["body"].replace("drift:production:manifests ", "drift:production ")
    move(yard, system_prompt="Moved on.")
    yard.drift()
    assert states(yard) == ["open"]
    assert issue["body"].startswith("<!-- reconciler:drift:production:manifests ")
