"""`reconciler ci apply` as a job runs it: what was reviewed is applied, anything else is not, and both are told."""

from urllib.parse import unquote

import pytest

from .conftest import RUN_URL
from .github import limited


@pytest.fixture
def merged(yard):
    """Give a yard where a pull request that adds an agent was planned and merged."""
    yard.agents("triage", "sales")
    yard.push(message="Add a desk for sales")
    assert yard.plan().code == 0
    yard.merge()
    yard.world.forget()
    return yard


def outcome(yard):
    """Return the comment that tells what became of it, by its beginning."""
    (found,) = (one["body"] for one in yard.github.ours(7) if one["body"].startswith("<!-- reconciler:applied:"))
    return found.partition("\n")[2]


def test_what_was_reviewed_is_applied(merged):
    """With the outcome on the pull request, in the summary and in outputs, and files to upload."""
    ran = merged.apply()
    assert ran.code == 0, ran.text
    assert merged.lines == ["POST /v1/agents"]
    assert outcome(merged).startswith("## Applied: 1 done.")
    assert merged.summary.startswith("## Applied: 1 done.\n\n| Environment | Organization | done |")
    assert (merged.output["exit_class"], merged.output["creates"]) == ("done", "1")
    files = {path.name for path in (merged.folder / merged.output["folder"]).iterdir()}
    assert files >= {"applied.plan", "apply.html", "apply.json", "journal.jsonl"}
    assert len(merged.github.comments[7]) == 2


def test_the_outcome_of_a_merge_stays(merged):
    """A run that is started later, against drift, is told in its summary, and not over what became of the merge."""
    merged.apply()
    assert merged.apply().code == 0
    assert merged.summary.startswith("## No changes.")
    assert outcome(merged).startswith("## Applied: 1 done.")


def test_every_write_says_why(merged):
    """Commit, subject, pull request and run, where the platform keeps it."""
    merged.apply()
    (write,) = merged.world.writes
    said = unquote(write.headers["everruns-change-reason"])
    sha = merged.git("rev-parse", "HEAD")
    assert said == f"{sha[:12]} Merge pull request #7 (pull request #7) {RUN_URL}"


def test_a_subject_that_looks_like_a_credential_is_not_sent(merged):
    """The platform would refuse every write."""
    merged.git("commit", "-q", "--amend", "-m", "Rotate sk-0123456789abcdef")
    merged.github.merge(7, merged.git("rev-parse", "HEAD"), head="0" * 40)
    assert merged.apply().code == 0
    (write,) = merged.world.writes
    assert "sk-0123" not in unquote(write.headers["everruns-change-reason"])
    assert "looks like a credential" in unquote(write.headers["everruns-change-reason"])


def test_what_moved_since_the_review_is_not_applied(merged):
    """Exit code 5 with the difference, on the pull request as well; --replan applies it all the same."""
    triage = merged.world.one("agents", "triage")["id"]
    merged.world.api.patch(f"/v1/agents/{triage}", json={"system_prompt": "Moved."})
    merged.world.forget()
    ran = merged.apply()
    assert ran.code == 5
    assert merged.lines == []
    assert "default/Agent/triage update: was not in the plan that was reviewed" in ran.err
    assert "default/Agent/sales" not in ran.err
    assert "Agent/triage: update: was not in the plan that was reviewed" in outcome(merged)
    assert merged.output["exit_class"] == "stale_plan"
    assert merged.apply("--replan").code == 0
    assert len(merged.lines) == 2
    assert outcome(merged).startswith("## Applied: 2 done.")
    assert len(merged.github.comments[7]) == 2


def test_a_step_that_is_reviewed_with_other_content_is_named(merged):
    """Somebody pushed to main meanwhile."""
    merged.agents("triage", "sales", prompt="Other.")
    merged.commit("Sneak")
    merged.github.merge(7, merged.git("rev-parse", "HEAD"), head="0" * 40)
    ran = merged.apply()
    assert ran.code == 5
    assert "default/Agent/sales create: was reviewed with other content" in ran.err
    assert f"it shows {merged.git('rev-parse', 'change')[:12]}, and 000000000000 was merged" in ran.err


def test_what_nobody_reviewed_is_not_applied(yard):
    """A commit that was pushed without a pull request."""
    yard.git("checkout", "-q", "main")
    yard.agents("triage", "sales")
    yard.commit("Push")
    ran = yard.apply()
    assert ran.code == 5
    assert "nobody reviewed its plan" in ran.err
    assert yard.lines == []
    assert yard.apply("--replan").code == 0
    assert yard.lines == ["POST /v1/agents"]


def test_a_plan_that_somebody_else_wrote_is_no_review(merged):
    """Whoever may comment could otherwise let anything through."""
    for comment in merged.github.comments[7]:
        comment["user"]["login"] = "mallory"
    ran = merged.apply()
    assert ran.code == 5
    assert "#7 has no comment with a plan for production" in ran.err


def test_an_offline_plan_is_no_review(yard):
    """A fork's plan did not look at the platform."""
    yard.agents("triage", "sales")
    yard.push()
    assert yard.plan(fork=True).code == 0
    yard.merge()
    ran = yard.apply()
    assert ran.code == 5
    assert "what #7 shows is no plan of the platform" in ran.err


def test_nothing_to_do_is_well_whoever_reviewed_it(yard):
    """As when the job runs again."""
    yard.git("checkout", "-q", "main")
    ran = yard.apply()
    assert ran.code == 0
    assert (yard.output["has_changes"], yard.output["exit_class"]) == ("false", "done")


def test_what_cannot_be_told_does_not_hide_what_was_done(merged):
    """The apply is over; that the comment failed is said beside it."""
    merged.github.read_only = True
    ran = merged.apply()
    assert ran.code == 0
    assert merged.lines == ["POST /v1/agents"]
    assert "GitHub answered 403" in ran.err


def test_a_limit_is_waited_out_before_anything_is_written(merged):
    """It is GitHub's, not the platform's."""
    merged.github.stumbles.append(limited(seconds=1))
    assert merged.apply().code == 0
    assert merged.lines == ["POST /v1/agents"]


def test_a_failed_apply_is_told(merged):
    """With its exit code, and on the pull request."""
    merged.world.meddler.instead("POST", "/v1/agents", (400, {"title": "Bad Request", "status": 400}), times=None)
    ran = merged.apply()
    assert ran.code == 1
    assert "1 failed" in outcome(merged)
    assert merged.output["exit_class"] == "error"


def test_a_pull_request_is_not_applied(yard):
    """It is not merged yet."""
    yard.push()
    payload = {"repository": {"default_branch": "main"}}
    ran = yard.job("apply", event="pull_request_target", payload=payload)
    assert ran.code == 64
    assert "about a pull request" in ran.err


BOT = """apiVersion: everruns.reconciler/v1
kind: App
metadata: {name: bot}
spec:
  harness: generic
  agent: triage
  channels: [{name: in, type: webhook, config: {token: {env: DESK_TOKEN}, message: MESSAGE}}]
"""
CHANNEL = "PATCH /v1/apps/app_/channels/appchan_"


@pytest.fixture
def keyed(yard):
    """Give a yard where an app with a secret was planned by a job without its value, merged, and applied with it."""
    yard.write("manifests/bot.yaml", BOT.replace("MESSAGE", "Go."))
    yard.push()
    assert yard.plan().code == 0
    yard.merge()
    ran = yard.apply(DESK_TOKEN="sesame-number-one")
    assert ran.code == 0, ran.text
    assert "New values" not in outcome(yard)
    yard.world.forget()
    return yard


def test_a_plan_without_the_values_of_secrets_is_a_review(keyed):
    """What is sent is known by the names of its secrets, and a value that is as it was makes no difference."""
    keyed.back()
    keyed.write("manifests/bot.yaml", BOT.replace("MESSAGE", "Run."))
    keyed.push()
    assert keyed.plan().code == 0
    keyed.merge()
    assert keyed.apply(DESK_TOKEN="sesame-number-one").code == 0
    assert keyed.lines == [CHANNEL]
    assert "New values" not in outcome(keyed)


def test_a_new_value_goes_with_what_was_reviewed_and_is_told(keyed):
    """Nobody can review a value; that one was sent is said where the outcome is."""
    keyed.back()
    keyed.agents("triage", "sales")
    keyed.push()
    assert keyed.plan().code == 0
    reviewed = keyed.output["plan_digest"]
    keyed.merge()
    assert keyed.apply(DESK_TOKEN="sesame-number-two").code == 0
    assert sorted(keyed.lines) == [CHANNEL, "POST /v1/agents"]
    assert keyed.output["plan_digest"] == reviewed
    for text in (outcome(keyed), keyed.summary):
        assert "**New values of secrets:** `sent, as they are not those last sent" in text
        assert "`default/App/bot/Channel/in (env DESK_TOKEN)`" in text


def test_a_new_value_alone_needs_no_review(keyed):
    """Who may write the secrets of the environment runs the job by hand; a change beside it is refused as ever."""
    keyed.world.api.patch(f"/v1/agents/{keyed.world.one('agents', 'triage')['id']}", json={"system_prompt": "Moved."})
    keyed.world.forget()
    ran = keyed.apply(DESK_TOKEN="sesame-number-two")
    assert (ran.code, keyed.lines) == (5, [])
    assert "Agent/triage update" in ran.err
    assert "Channel/in update" not in ran.err
    keyed.world.api.patch(f"/v1/agents/{keyed.world.one('agents', 'triage')['id']}", json={"system_prompt": "Help."})
    keyed.world.forget()
    assert keyed.apply(DESK_TOKEN="sesame-number-two").code == 0
    assert keyed.lines == [CHANNEL]
    assert "New values of secrets" in keyed.summary
    assert "New values of secrets" not in outcome(keyed)


def test_a_plan_that_sees_a_new_value_is_the_same_review(keyed):
    """Whether the job that plans is given the values makes no other digest."""
    keyed.back()
    keyed.agents("triage", "sales")
    keyed.push()
    digests = []
    for values in ({}, {"DESK_TOKEN": "sesame-number-one"}, {"DESK_TOKEN": "sesame-number-two"}):
        assert keyed.plan(**values).code == 0
        digests.append(keyed.output["plan_digest"])
    assert len(set(digests)) == 1
    assert "App/bot/Channel/in" in keyed.github.ours(7)[0]["body"]
