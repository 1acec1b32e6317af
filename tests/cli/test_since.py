"""--since on the command line: what a pull request touches, and no more."""

import subprocess

import pytest

APP = """\
apiVersion: everruns.reconciler/v1
kind: App
metadata: {name: bot}
spec: {harness: generic, agent: one, channels: [{name: chat, type: ag_ui}]}
"""
RULED = "apiVersion: everruns.reconciler/v1\nkind: Agent\nmetadata: {name: faulty}\nspec: {colour: red}\n"


@pytest.fixture
def fleet(site, git):
    """Commit and apply two agents, one of which an app stands on."""
    git("init", "--quiet", "--initial-branch=main")
    for name in ("one", "two"):
        site.agents(name, file=f"manifests/{name}.yaml")
    site.write("manifests/app.yaml", APP)
    site.write(".gitignore", ".reconciler/\n")
    git("add", "-A")
    git("commit", "--quiet", "-m", "A fleet")
    site.converge()
    return site


@pytest.fixture
def git(site):
    """Run git in the folder of the site."""
    who = {f"GIT_{role}_{field}": "ada@acme.example" for role in ("AUTHOR", "COMMITTER") for field in ("NAME", "EMAIL")}

    def run(*words):
        subprocess.run(["git", *words], cwd=site.folder, env=site.environment(**who), check=True, capture_output=True)

    return run


def addresses(ran):
    """Return the addresses that a plan in events is about, within the organization."""
    return [event["address"].removeprefix("default/") for event in ran.of("change")]


def test_a_plan_is_about_what_was_touched_and_what_stands_on_it(fleet):
    """What was touched comes with its dependants; the plan says that it is partial, and since when."""
    fleet.agents("one", prompt="Help more.", file="manifests/one.yaml")
    ran = fleet.run("plan", "--since", "main", "--json")
    assert addresses(ran) == ["Agent/one"]
    text = fleet.run("plan", "--since", "main").out
    assert "Partial plan: 1 of 4 declared resources left out by --since main" in text
    assert "Plan: 1 to update, 2 unchanged." in text


def test_what_others_changed_elsewhere_is_no_part_of_it(fleet):
    """Drift of a resource that nobody touched in git is not planned away by a pull request."""
    two = fleet.world.one("agents", "two")
    fleet.world.api.patch(f"/v1/agents/{two['id']}", json={"system_prompt": "Meddled."}).raise_for_status()
    fleet.agents("one", prompt="Help more.", file="manifests/one.yaml")
    assert addresses(fleet.run("plan", "--json")) == ["Agent/one", "Agent/two"]
    assert addresses(fleet.run("plan", "--json", "--since", "HEAD")) == ["Agent/one"]


def test_what_was_removed_since_is_archived_and_nothing_else(fleet, git):
    """A removal before the commit is no part of the plan, one since then is."""
    (fleet.folder / "manifests/app.yaml").unlink()
    git("add", "-A")
    git("commit", "--quiet", "-m", "No app")
    (fleet.folder / "manifests/two.yaml").unlink()
    ran = fleet.run("plan", "--since", "HEAD", "--json")
    assert [(event["action"], event["address"]) for event in ran.of("change")] == [("archive", "default/Agent/two")]
    ran = fleet.run("plan", "--since", "HEAD~1", "--json")
    assert sorted(event["address"] for event in ran.of("change") if event["action"] == "archive") == [
        "default/Agent/two",
        "default/App/bot",
    ]


def test_nothing_touched_is_nothing_to_do(fleet):
    """A change of other files is no mistake, and is told as what it is."""
    fleet.write("README.md", "Words.\n")
    ran = fleet.run("plan", "--since", "HEAD", "--detailed-exitcode")
    assert ran.code == 0, ran.text
    assert "4 of 4 declared resources left out by --since HEAD" in ran.out
    ran = fleet.run("validate", "--since", "HEAD")
    assert (ran.code, ran.out) == (0, "Valid: nothing that is declared was touched since HEAD.\n")


def test_a_saved_plan_of_what_was_touched_can_be_applied(fleet):
    """A plan limited to what was touched is saved and applied as any other."""
    fleet.agents("one", prompt="Help more.", file="manifests/one.yaml")
    assert fleet.run("plan", "--since", "HEAD", "--out", "plan.json").code == 0
    ran = fleet.run("apply", "plan.json")
    assert ran.code == 0, ran.text
    assert fleet.lines == ["PATCH /v1/agents/agent_"]


def test_validate_counts_what_was_touched(fleet):
    """How many of how many were looked at is told."""
    fleet.agents("one", prompt="Help more.", file="manifests/one.yaml")
    ran = fleet.run("validate", "--since", "HEAD")
    expected = "Valid: 3 of 4 resources, touched since HEAD or tied to what was (1 app, 1 channel, 1 agent).\n"
    assert (ran.code, ran.out) == (0, expected)


def test_validate_tells_new_faults_alone_and_a_plan_all(fleet, git):
    """An old fault does not hold up a pull request that does not touch it; a plan needs every document."""
    fleet.write("manifests/faulty.yaml", RULED)
    git("add", "-A")
    git("commit", "--quiet", "-m", "A fault")
    fleet.agents("one", prompt="Help more.", file="manifests/one.yaml")
    assert fleet.run("validate").code == 1
    assert fleet.run("validate", "--since", "HEAD").code == 0
    assert "colour" in fleet.run("plan", "--since", "HEAD").err
    ran = fleet.run("validate", "--since", "HEAD~1")
    assert ran.code == 1
    assert "manifests/faulty.yaml:4" in ran.err


def test_an_unknown_commit_is_wrong_usage(fleet):
    """What git does not know ends with 64 and a way out, before the platform is asked anything."""
    fleet.world.forget()
    for verb in ("plan", "validate"):
        ran = fleet.run(verb, "--since", "nope")
        assert ran.code == 64
        assert "error: --since nope: git knows no such commit\nhint: name a branch" in ran.err
    assert fleet.reads == []


def test_without_git_it_says_so(fleet):
    """Where git is not installed, the flag says so and nothing breaks."""
    ran = fleet.run("validate", "--since", "HEAD", PATH="/nonexistent")
    assert ran.code == 64
    assert "--since needs git, which is not installed" in ran.err
