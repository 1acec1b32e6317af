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
