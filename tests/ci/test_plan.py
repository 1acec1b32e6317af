"""`reconciler ci plan` as a job runs it: one comment, a summary, outputs, annotations, and nothing else written."""

import json
import re

import pytest

from .conftest import RUN_URL
from .github import BOT, COMMENT_LIMIT, limited, stumbled

MARKER = "<!-- reconciler:plan:production:manifests "
NIGHT = """\
apiVersion: everruns.reconciler/v1
kind: Agent
metadata: {name: night}
spec: {system_prompt: {file: ../prompts/night.md}}
---
apiVersion: everruns.reconciler/v1
kind: App
metadata: {name: bot}
spec:
  agent: night
  harness: generic
  channels:
    - {name: hook, type: webhook, config: {message: Hi., token: {file: ../keys/hook}}}
"""


def test_a_plan_is_a_comment_a_summary_and_outputs(yard):
    """Changes are no exit code; the comment says what it was made for, and the platform is only read."""
    yard.agents("triage", "sales")
    head = yard.push()
    ran = yard.plan()
    assert ran.code == 0, ran.text
    assert yard.lines == []
    (comment,) = yard.github.comments[7]
    assert comment["body"].startswith(MARKER)
    assert "## Plan: 1 to create, 1 unchanged." in comment["body"]
    base = yard.git("rev-parse", "main")
    assert f"{head[:12]} merged into main at {base[:12]}" in comment["body"]
    assert "## Plan: 1 to create" in yard.summary
    assert "Not the merge result" not in comment["body"]
    out = yard.output
    assert (out["has_changes"], out["creates"], out["updates"], out["archives"]) == ("true", "1", "0", "0")
    assert (out["exit_class"], out["refused"], out["environment"]) == ("changes_pending", "false", "production")
    assert json.loads(out["counts"]) == {"create": 1}
    assert out["plan_digest"].startswith("sha256:")
    assert {"plan.html", "plan.json"} <= {path.name for path in (yard.folder / out["folder"]).iterdir()}


def test_ten_pushes_are_one_comment(yard):
    """It is found among the comments of others, on whatever page, and written over only when it changes."""
    for number in range(4):
        yard.github.say(7, f"I think {number}")
    for number in range(10):
        yard.agents("triage", f"sales-{number}")
        yard.push()
        assert yard.plan().code == 0
        yard.back()
    (comment,) = yard.github.ours(7)
    assert "sales-9" in comment["body"]
    assert "sales-8" not in comment["body"]
    assert len(yard.github.comments[7]) == 5


def test_each_environment_has_its_own_comment(yard):
    """The name may be anything."""
    yard.push()
    for name in ("staging", "eu --> west", "staging"):
        assert yard.plan("--environment", name).code == 0
    assert len(yard.github.ours(7)) == 2
    assert all(one["body"].index("-->") > one["body"].index("reconciler:plan:") for one in yard.github.ours(7))


def test_what_others_write_is_not_ours(yard):
    """A comment of somebody else is neither written over nor believed, even if it begins like ours."""
    yard.push()
    yard.plan()
    (comment,) = yard.github.comments[7]
    comment["user"]["login"] = "mallory"
    before = comment["body"]
    assert yard.plan().code == 0
    assert comment["body"] == before
    assert len(yard.github.ours(7)) == 1


def test_two_comments_become_one(yard):
    """As two runs at the same time leave behind."""
    yard.push()
    yard.plan()
    yard.github.say(7, yard.github.ours(7)[0]["body"], login=BOT)
    assert yard.plan().code == 0
    assert len(yard.github.ours(7)) == 1


def test_who_the_token_belongs_to_is_asked(yard):
    """A token that was not made for the job has a login of its own."""
    yard.github.logins["pat"] = "robot"
    yard.push()
    for _ in range(2):
        assert yard.plan(GITHUB_TOKEN="pat").code == 0
    assert [one["user"]["login"] for one in yard.github.comments[7]] == ["robot"]


def test_a_limit_is_waited_out(yard):
    """GitHub says for how long."""
    yard.push()
    yard.github.stumbles.append(limited(seconds=1))
    assert yard.plan().code == 0
    assert len(yard.github.ours(7)) == 1


def test_a_comment_that_was_written_though_github_stumbled_is_found(yard):
    """It is looked for again before it is written again."""
    yard.push()
    yard.github.after.append(stumbled())
    assert yard.plan().code == 0
    assert len(yard.github.ours(7)) == 1


def test_what_github_refuses_is_told_and_fails_the_job(yard):
    """Without the comment nothing is reviewed; summary and outputs are written all the same."""
    yard.push()
    yard.github.read_only = True
    ran = yard.plan()
    assert ran.code == 1
    assert "GitHub answered 403" in ran.err
    assert "pull-requests: write" in ran.err
    assert yard.output["exit_class"] == "error"
    assert yard.summary.startswith("## No changes.")


def test_faults_are_annotations_on_their_lines(yard):
    """Ten at most, the last of which says how many more; the comment says that there is no plan to apply."""
    bad = "".join(f"  k{number}: 1\n" for number in range(13))
    head = "apiVersion: everruns.reconciler/v1\nkind: Agent\nmetadata: {name: bad}\nspec:\n  system_prompt: Hi\n"
    yard.write("manifests/bad.yaml", head + bad)
    yard.push()
    ran = yard.plan()
    assert ran.code == 1
    found = re.findall(r"^::error (.*?)::(.*)$", ran.out, re.MULTILINE)
    assert len(found) == 10
    assert found[0][0] == "title=Manifest,file=manifests/bad.yaml,line=6,col=3"
    assert found[-1] == ("title=And more", "and 4 more: see the summary of this job")
    (comment,) = yard.github.ours(7)
    assert "failed: `13 faults in the manifests`" in comment["body"]
    assert "manifests/bad.yaml:6:3: unknown key" in yard.summary
    assert (yard.output["exit_class"], yard.output["plan_digest"]) == ("error", "")


def test_what_a_plan_prints_is_no_command(yard):
    """Text from a manifest cannot speak to the runner; the annotations of this tool can."""
    yard.agents("triage", prompt="a\n::error::injected\n::add-mask::x")
    yard.push()
    ran = yard.plan()
    start, *_, end = (line for line in ran.out.splitlines() if line.startswith("::"))
    token = start.removeprefix("::stop-commands::")
    assert len(token) == 32
    assert end == f"::{token}::"


def test_events_stay_events(yard):
    """With --json nothing but events is on standard output."""
    yard.push()
    ran = yard.plan("--json")
    assert [json.loads(line)["type"] for line in ran.out.splitlines()][-1] == "finished"


def test_a_plan_that_is_refused_says_so(yard):
    """Exit code 4, an output, and annotations: why, and on the line that is in conflict."""
    assert yard.world.api.post("/v1/agents", json={"name": "sales", "system_prompt": "Theirs."}).is_success
    yard.agents("triage", "sales")
    yard.push()
    ran = yard.plan()
    assert ran.code == 4
    assert "::error title=Refused::" in ran.out
    assert "::warning title=Conflict,file=manifests/agents.yaml,line=6::" in ran.out
    assert (yard.output["refused"], yard.output["exit_class"]) == ("true", "refused")
    assert "> [!CAUTION]" in yard.github.ours(7)[0]["body"]


def test_a_branch_that_is_not_merged_is_noted(yard):
    """A plan for the branch alone may take back what others merged."""
    yard.agents("triage", "sales")
    yard.push()
    yard.git("checkout", "-q", "change")
    assert yard.plan().code == 0
    assert "**Not the merge result:**" in yard.github.ours(7)[0]["body"]


def test_a_fork_gets_an_offline_plan(yard):
    """It has no secrets: it is validated, compared with the base, and no platform is asked, nor a key believed."""
    yard.agents("triage", prompt="Help a lot.")
    yard.agents("sales", file="manifests/sales.yaml")
    yard.push()
    yard.world.forget()
    yard.github.read_only = True
    ran = yard.plan(fork=True)
    assert ran.code == 0, ran.text
    assert yard.world.sent == []
    assert "a fork's pull request has no secrets" in yard.summary
    assert "Offline plan: 1 to create, 1 to update." in yard.summary
    assert "Help a lot." in yard.summary
    assert "Offline plan: a fork's pull request has no secrets" in ran.out
    assert (yard.output["creates"], yard.output["updates"], yard.output["plan_digest"]) == ("1", "1", "")


def test_an_offline_plan_says_what_goes_and_what_is_no_longer_declared(yard):
    """By the manifests of the base, whatever is live; where it may, it writes the same one comment."""
    yard.back()
    (yard.folder / "manifests/agents.yaml").unlink()
    yard.agents("sales")
    yard.push()
    assert yard.plan(fork=True).code == 0
    (comment,) = yard.github.ours(7)
    assert comment["body"].startswith(MARKER)
    assert "1 to create, 1 to archive" in comment["body"]


def test_an_offline_plan_reads_the_base_as_git_checks_it_out(yard):
    """What attributes say of archives is nothing to it: nothing is left out, nothing is put in."""
    yard.git("checkout", "-q", "main")
    yard.write(".gitattributes", "manifests/agents.yaml export-ignore\n*.yaml export-subst\n")
    yard.agents("triage", prompt="Say $Format:%H$.")
    yard.commit()
    yard.git("checkout", "-q", "-B", "change")
    yard.agents("sales", file="manifests/sales.yaml")
    yard.push()
    assert yard.plan(fork=True).code == 0
    assert "Offline plan: 1 to create, 1 unchanged." in yard.summary


def test_an_offline_plan_reads_the_manifests_alone(yard):
    """A large file beside them is not even opened: here it cannot be, as in a clone that has not fetched it."""
    yard.git("checkout", "-q", "main")
    yard.write("model.bin", "Very large.")
    yard.commit()
    yard.git("checkout", "-q", "-B", "change")
    yard.agents("triage", prompt="Help a lot.")
    yard.push()
    name = yard.git("rev-parse", "main:model.bin")
    (yard.folder / ".git/objects" / name[:2] / name[2:]).unlink()
    assert yard.plan(fork=True).code == 0
    assert "Offline plan: 1 to update." in yard.summary


def test_an_offline_plan_of_one_file_finds_its_text_and_its_secret(yard):
    """They lie beside the folder of the manifest, at the base as now; the place of a secret's file is the same one."""
    yard.git("checkout", "-q", "main")
    yard.write("prompts/night.md", "Answer.")
    yard.write("keys/hook", "not-a-secret")
    yard.write("night/fleet.yaml", NIGHT)
    yard.commit()
    yard.git("checkout", "-q", "-B", "change")
    yard.write("prompts/night.md", "Answer at night.")
    yard.push()
    assert yard.plan("-f", "night/fleet.yaml", fork=True).code == 0
    assert "Offline plan: 1 to update, 2 unchanged." in yard.summary
    assert "Answer at night." in yard.summary


def test_a_folder_of_manifests_that_is_new_is_created_offline(yard):
    """What the base has not got, it declares nothing in."""
    yard.agents("sales", file="other/agents.yaml")
    yard.push()
    assert yard.plan("-f", "other", fork=True).code == 0
    assert "Offline plan: 1 to create." in yard.summary


def test_a_link_out_of_the_repository_is_nothing_to_an_offline_plan(yard):
    """Beside the manifests it is not made; a folder of theirs that became one is not written through."""
    yard.git("checkout", "-q", "main")
    (yard.folder / "hosts").symlink_to("/etc/hosts")
    (yard.folder / "up").symlink_to("../../elsewhere")
    (yard.folder / "manifests/up").symlink_to("../../elsewhere")
    yard.commit("Link")
    yard.back()
    yard.agents("triage", prompt="Help a lot.")
    yard.push()
    ran = yard.plan(fork=True)
    assert ran.code == 0, ran.text
    assert "Offline plan: 1 to update." in yard.summary


def test_an_offline_plan_without_its_base_says_that_it_only_validated(yard):
    """As in a clone that is too shallow."""
    yard.push()
    payload = {"ref": "main", "sha": "1" * 40, "repo": {"full_name": "acme/fleet"}}
    head = {"sha": "2" * 40, "repo": None}
    pull = {"pull_request": {"number": 7, "base": payload, "head": head}}
    assert yard.job("plan", event="pull_request", payload=pull).code == 0
    assert "fetch-depth: 2" in yard.summary
    assert "the manifests are valid" in yard.summary


def test_a_fault_in_a_fork_fails(yard):
    """Validation needs no secrets."""
    yard.write("manifests/bad.yaml", "apiVersion: everruns.reconciler/v1\nkind: Agnt\n")
    yard.push()
    ran = yard.plan(fork=True)
    assert ran.code == 1
    assert "file=manifests/bad.yaml" in ran.out


def test_a_huge_plan_fits_in_the_comment(yard):
    """With a link to the run, where all of it is."""
    yard.agents("triage", *(f"agent-{number}" for number in range(900)))
    yard.push()
    assert yard.plan().code == 0
    (comment,) = yard.github.ours(7)
    assert 20_000 < len(comment["body"].encode()) <= COMMENT_LIMIT
    assert RUN_URL in comment["body"]


@pytest.mark.parametrize("missing", ["GITHUB_REPOSITORY", "GITHUB_TOKEN"])
def test_outside_of_a_job_it_says_what_is_missing(yard, missing):
    """By name."""
    yard.push()
    ran = yard.plan(**{missing: ""})
    assert ran.code == (64 if missing == "GITHUB_REPOSITORY" else 1)
    assert missing in ran.err
