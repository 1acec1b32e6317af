"""The stand-in of GitHub's runner is strict: what it does not know is an error, what a job may not do is refused."""

import subprocess

import pytest

from ..ci.github import BOT, GitHub  # noqa: TID252 - tests are found by path
from .expressions import Scope, UnknownFormError
from .hub import Hub
from .runner import Event, Job, Machine, Settings, Steps, fresh, inputs_of, plain_environment, starts
from .uses import known

CONTEXTS = {
    "github": {"ref_name": "main", "event": {"repository": {"default_branch": "main"}}},
    "vars": {"URL": "https://example.com"},
    "inputs": {"replan": True},
    "secrets": {},
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("vars.URL != ''", True),
        ("vars.OTHER != ''", False),
        ("vars.OTHER != '' || github.event.pull_request.head.repo.fork", None),
        ("inputs.replan && '--replan' || ''", "--replan"),
        ("vars.URL != '' && github.ref_name == github.event.repository.default_branch", True),
        ("secrets.NONE", None),
        ("'it''s'", "it's"),
        ("('a' == 'A') == true", True),
        ("always()", True),
    ],
)
def test_an_expression_has_githubs_value(expression, value):
    """`&&` and `||` give one of their sides, what is not there is null, texts are compared without their case."""
    assert Scope(CONTEXTS).value(expression) == value


@pytest.mark.parametrize(
    "expression",
    ["contains('a', 'b')", "nobody.knows", "github.reff", "1 + 1", "vars", "inputs.replan &&", "('a'", "'a' 'b'", "'a"],
)
def test_an_unknown_form_is_an_error(expression):
    """It is never an empty text, by which a mistake in a workflow would go unseen."""
    with pytest.raises(UnknownFormError):
        Scope(CONTEXTS).value(expression)


def test_a_step_runs_after_a_failure_only_if_it_says_so():
    """By `always()`; a condition of its own is not enough."""
    conditions = (None, "${{ vars.URL != '' }}", "${{ always() }}")
    assert [Scope(CONTEXTS, failed=True).holds(one) for one in conditions] == [False, False, True]
    assert [Scope(CONTEXTS).holds(one) for one in conditions] == [True, True, True]
    with pytest.raises(UnknownFormError):
        Scope(CONTEXTS).holds("a ${{ vars.URL }}")


def test_paths_and_branches_decide_what_starts():
    """As they are written: `**` goes through folders, `*` does not."""
    on = {"push": {"branches": ["main"], "paths": ["manifests/**", "docs/*.md"]}}
    workflow = {"name": "x", "on": on, "permissions": {}, "jobs": {}}

    def pushed(path, ref="refs/heads/main"):
        return starts(workflow, Event("push", {}, "0", ref, touched=(path,)))

    assert pushed("manifests/a/b.yaml")
    assert pushed("docs/a.md")
    assert not pushed("docs/a/b.md")
    assert not pushed("other/manifests/a.yaml")
    assert not pushed("manifests/a.yaml", ref="refs/heads/other")
    assert not starts(workflow, Event("schedule", {}, "0", "refs/heads/main"))
    with pytest.raises(UnknownFormError):
        starts({**workflow, "env": {}}, Event("schedule", {}, "0", "refs/heads/main"))


def test_inputs_are_those_that_the_workflow_declares():
    """With their defaults, as booleans; others are an error."""
    workflow = {"on": {"workflow_dispatch": {"inputs": {"replan": {"type": "boolean", "default": "false"}}}}}
    by_hand = Event("workflow_dispatch", {}, "0", "refs/heads/main")
    assert inputs_of(workflow, by_hand) == {"replan": False}
    with pytest.raises(UnknownFormError):
        inputs_of(workflow, Event("workflow_dispatch", {}, "0", "refs/heads/main", inputs={"replann": True}))


@pytest.fixture
def machine(tmp_path):
    """Give the machine of a job."""
    fresh(tmp_path / "machine")
    event = Event("push", {}, "0" * 40, "refs/heads/main")
    env = plain_environment(tmp_path / "machine")
    return Machine(tmp_path / "machine", event, dict(CONTEXTS), Job("staging"), tmp_path / "remote.git", {}, env)


def test_scripts_run_in_order_until_one_fails(machine, tmp_path):
    """With the outputs of those before; the summary and outputs of the one that failed are kept."""
    steps = [
        {"id": "one", "run": 'printf "a=1\\nb<<END\\n2\\n3\\nEND\\n" >>"$GITHUB_OUTPUT"'},
        {
            "env": {"B": "${{ steps.one.outputs.b }}"},
            "run": 'echo "$B" >>"$GITHUB_STEP_SUMMARY"; false | true; echo no',
        },
        {"run": "echo never"},
        {"if": "${{ always() }}", "run": "echo ever"},
    ]
    Steps(machine, known(tmp_path / "artifacts")).run(steps)
    job = machine.job
    assert (job.conclusion, job.code, job.outputs, job.summary) == ("failure", 1, {"a": "1", "b": "2\n3"}, "2\n3\n")
    assert "ever" in job.log
    assert "never" not in job.log


@pytest.mark.parametrize(
    "step",
    [
        {"uses": "actions/cache@0"},
        {"uses": "actions/setup-python@0", "with": {"cache": "pip", "update-environment": "false"}},
        {"run": "true", "continue-on-error": "true"},
        {"run": 'echo "A=1" >>"$GITHUB_ENV"'},
    ],
)
def test_a_step_that_is_not_known_is_an_error(machine, tmp_path, step):
    """An action, an input of one, a member of a step, an effect."""
    with pytest.raises(UnknownFormError):
        Steps(machine, known(tmp_path / "artifacts")).run([step])


@pytest.mark.parametrize(("right", "code"), [("read", 1), ("write", 0)])
def test_a_job_pushes_only_where_it_may(machine, tmp_path, right, code):
    """The remote asks for what the checkout left behind."""
    hub = Hub(tmp_path, GitHub(), "", Settings())
    hub.found({"a": "b"})
    hub.commit("Begin")
    hub.git("push", "-q", "origin", "HEAD:refs/heads/main")
    machine.permissions = {"contents": right}
    machine.event = Event("push", {}, hub.at("main"), "refs/heads/main")
    steps = [{"uses": "actions/checkout@0"}, {"run": "git push origin HEAD:refs/heads/other"}]
    Steps(machine, known(tmp_path / "artifacts")).run(steps)
    assert machine.job.code == code, machine.job.log
    assert ("other" in subprocess.check_output(["git", "branch"], cwd=hub.remote, text=True)) is (code == 0)


def test_a_token_may_do_what_its_job_is_granted():
    """Comments of a pull request are open to both permissions, an issue and its comments to its own."""
    github = GitHub()
    github.raise_issue("x", "y", login=BOT, labels=[])
    said = github.say(7, "Hello", login=BOT)["id"]
    plan, drift = {"contents": "read", "pull-requests": "write"}, {"contents": "read", "issues": "write"}

    def may(rights, method, *words):
        return github._may(rights, method, list(map(str, words)))

    assert may(plan, "POST", "issues", 7, "comments")
    assert may(plan, "PATCH", "issues", "comments", said)
    assert may(plan, "GET", "commits", "0", "pulls")
    assert not may(plan, "POST", "issues", 1, "comments")
    assert not may(plan, "PATCH", "issues", 1)
    assert may(drift, "PATCH", "issues", 1)
    assert not may(drift, "GET", "commits", "0", "pulls")
    assert not may({"pull-requests": "read"}, "POST", "issues", 7, "comments")
