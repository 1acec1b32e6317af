"""`reconciler ci` on a bad day: odd answers, full disks, cancelled jobs, other authors, folders of others."""

import time

import pytest
from werkzeug.wrappers import Response

from .github import BOT, limited

NO_SUCH = Response('{"message": "Not Found"}', 404, content_type="application/json")
ODD = {
    "html": Response("<html>proxy</html>", content_type="text/html"),
    "cut": Response('[{"id": 1', content_type="application/json"),
    "null": Response("null", content_type="application/json"),
}


@pytest.fixture
def merged(yard):
    """Give a yard where a pull request that adds an agent was planned and merged."""
    yard.agents("triage", "sales")
    yard.push()
    assert yard.plan().code == 0
    yard.merge()
    yard.world.forget()
    return yard


def left(yard):
    """Return the names of the files to upload."""
    return {path.name for path in (yard.folder / "reconciler-ci").iterdir()} - {".gitignore"}


def test_a_comment_of_an_account_that_is_gone_is_not_ours(merged):
    """GitHub says null for its author."""
    merged.github.say(7, "hi")["user"] = None
    assert merged.apply().code == 0
    assert len(merged.github.ours(7)) == 2


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_answer_before_the_apply_ends_it(merged, odd):
    """As an error that names GitHub, with summary and outputs; nothing was written."""
    merged.github.hindered["GET"] = [ODD[odd]] * 9
    ran = merged.apply()
    assert (ran.code, merged.lines) == (1, [])
    assert "GitHub gave an answer that makes no sense" in ran.err
    assert merged.output["exit_class"] == "error"
    assert "makes no sense" in merged.summary


def test_an_odd_answer_after_the_apply_hides_nothing(merged):
    """What was done is told by summary, outputs, files and exit code; the comment alone is missing."""
    merged.github.hindered["POST"] = [ODD["html"]] * 9
    ran = merged.apply()
    assert (ran.code, merged.lines) == (0, ["POST /v1/agents"])
    assert merged.output["exit_class"] == "done"
    assert merged.summary.startswith("## Applied: 1 done.")
    assert left(merged) >= {"apply.html", "apply.json", "journal.jsonl"}


@pytest.mark.parametrize("place", ["/nonexistent/summary", "/dev/full"])
def test_a_summary_that_cannot_be_written_takes_nothing_along(merged, place):
    """Outputs, files and the comment are there; the job fails, as nobody would see the summary."""
    ran = merged.apply(GITHUB_STEP_SUMMARY=place)
    assert (ran.code, merged.lines) == (1, ["POST /v1/agents"])
    assert f"cannot write {place}" in ran.err
    assert merged.output["exit_class"] == "error"
    assert left(merged) >= {"apply.html", "apply.json", "journal.jsonl"}
    assert len(merged.github.ours(7)) == 2


def test_outputs_that_cannot_be_written_take_nothing_along(merged):
    """An apply that was refused stays refused for that."""
    merged.world.api.patch(f"/v1/agents/{merged.world.one('agents', 'triage')['id']}", json={"system_prompt": "Moved."})
    ran = merged.apply(GITHUB_OUTPUT="/dev/full")
    assert ran.code == 5
    assert "not what was reviewed" in merged.summary
    assert len(merged.github.ours(7)) == 2


def test_a_job_that_is_cancelled_while_it_waits_for_github_has_told_the_rest(merged):
    """GitHub's limits may take minutes: all else is written before, and the exit code is that of the apply."""
    merged.github.hindered["POST"] = [limited(seconds=60)] * 9
    begun = merged.start

    def cancelled(*arguments, **env):
        process = begun(*arguments, **env)
        until = time.monotonic() + 40
        while len(merged.github.hindered["POST"]) == 9 and time.monotonic() < until:
            time.sleep(0.02)
        process.terminate()
        out, err = process.communicate(timeout=40)
        return type(ran)(process.returncode, out, err)

    ran = merged.run("version")
    merged.run = cancelled
    ran = merged.apply()
    assert (ran.code, merged.lines) == (0, ["POST /v1/agents"]), ran.text
    assert "interrupted" in ran.err
    assert merged.output["exit_class"] == "done"
    assert merged.summary.startswith("## Applied: 1 done.")
    assert left(merged) >= {"apply.html", "apply.json", "journal.jsonl"}


def test_a_gitignore_of_somebody_else_stays(yard):
    """A folder that was there already is not ours."""
    before = (yard.folder / ".gitignore").read_text()
    yard.push()
    assert yard.plan("--folder", ".").code == 0
    assert (yard.folder / ".gitignore").read_text() == before
    assert yard.plan("--folder", "new/place").code == 0
    assert (yard.folder / "new/place/.gitignore").read_text() == "*\n"


def test_what_an_earlier_call_left_is_not_told_as_ours(merged):
    """A run that had nothing to do has no journal and no plan that was applied; files of others stay."""
    assert merged.apply().code == 0
    merged.write("reconciler-ci/mine.txt", "Mine")
    assert left(merged) == {"plan.html", "plan.json", "apply.html", "apply.json", "applied.plan", "journal.jsonl"} | {
        "mine.txt"
    }
    assert merged.apply().code == 0
    assert left(merged) == {"plan.html", "plan.json", "apply.html", "apply.json", "mine.txt"}


def test_a_token_of_another_author_is_told_at_its_first_write(yard):
    """Else every push would have a comment of its own; what was written is taken back."""
    yard.github.logins["ghs_own"] = "my-app[bot]"
    yard.push()
    ran = yard.plan(GITHUB_TOKEN="ghs_own")
    assert ran.code == 1
    assert "GITHUB_TOKEN writes as my-app[bot]" in ran.err
    assert "--author 'my-app[bot]'" in ran.err
    assert yard.github.comments[7] == []
    for _ in range(2):
        assert yard.plan("--author", "my-app[bot]", GITHUB_TOKEN="ghs_own").code == 0
    assert len(yard.github.comments[7]) == 1
    yard.world.api.patch(f"/v1/agents/{yard.world.one('agents', 'triage')['id']}", json={"system_prompt": "Moved."})
    assert yard.drift(GITHUB_TOKEN="ghs_own").code == 1
    assert [one["state"] for one in yard.github.issues] == ["closed"]
    assert yard.drift("--author", "my-app[bot]", GITHUB_TOKEN="ghs_own").code == 0
    assert [one["state"] for one in yard.github.issues] == ["open"]


def test_a_comment_that_is_deleted_meanwhile_is_written_anew(yard):
    """It is looked for again, and a right that is missing is still told as one."""
    yard.push()
    assert yard.plan().code == 0
    yard.back()
    yard.agents("triage", "sales")
    yard.push()
    yard.github.hindered["PATCH"] = [NO_SUCH]
    assert yard.plan().code == 0
    assert "sales" in yard.github.ours(7)[0]["body"]
    yard.back()
    yard.agents("triage", "desk")
    yard.push()
    yard.github.hindered["PATCH"] = [NO_SUCH] * 9
    ran = yard.plan()
    assert ran.code == 1
    assert "pull-requests: write" in ran.err


def test_an_old_plan_that_runs_again_leaves_the_comment_to_the_newer_one(yard):
    """What it shows is what an apply is compared with; the summary says so."""
    yard.agents("triage", prompt="One.")
    yard.push()
    assert yard.plan().code == 0
    old = yard.git("rev-parse", "HEAD"), yard.git("rev-parse", "change")
    yard.back()
    yard.agents("triage", prompt="Two.")
    yard.push()
    assert yard.plan().code == 0
    merge, head = old
    newer = yard.git("rev-parse", "change")
    yard.git("checkout", "-q", "--detach", merge)
    yard.git("branch", "-f", "change", head)
    assert yard.plan_again().code == 0
    (comment,) = yard.github.ours(7)
    assert "Two." in comment["body"]
    assert f"the pull request has moved on to {newer[:12]}" in yard.summary
    assert "One." in yard.summary


@pytest.mark.parametrize("form", ["markdown", "html", "json"])
def test_no_format_stands_between_commands(yard, form):
    """A prompt could have a line that GitHub takes for a command."""
    yard.push()
    ran = yard.plan("--format", form)
    assert ran.code == 64
    assert f"--format {form}=FILE" in ran.err


def test_events_are_guarded_beside_them(yard):
    """Standard output is for events alone; GitHub reads standard error for commands as well."""
    yard.push()
    ran = yard.plan("--json")
    assert ran.code == 0
    assert ran.err.startswith("::stop-commands::")
    assert all(line.startswith("{") for line in ran.out.splitlines())


def test_what_is_told_elsewhere_names_the_platform(yard):
    """Who reads an issue has no EVERRUNS_API_URL of the job."""
    yard.world.api.patch(f"/v1/agents/{yard.world.one('agents', 'triage')['id']}", json={"system_prompt": "Moved."})
    assert yard.drift().code == 0
    (issue,) = yard.github.issues
    assert issue["user"]["login"] == BOT
    told = f"--api-url {yard.env['EVERRUNS_API_URL']}"
    for text in (issue["body"], yard.summary, (yard.folder / "reconciler-ci/drift.html").read_text()):
        assert told in text
