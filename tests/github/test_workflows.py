"""The workflows and the action that a team copies: few rights, everything pinned, nothing half said."""

import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from reconciler.manifest.load import load
from reconciler.manifest.resolve import resolve
from reconciler.plan.change import secrets_in

REPOSITORY = Path(__file__).parents[2]
ACTION = ".github/actions/reconcile/action.yml"
FLEET = ("plan", "apply", "drift")
WORKFLOWS = sorted(str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / ".github/workflows").iterdir())
FILES = [*WORKFLOWS, ACTION]
CALLED = "./.github/actions/reconcile"
DOCUMENT = REPOSITORY / "docs/github-actions.md"


def read(name):
    """Return a file of this repository as YAML; `on` is a key of text there."""
    return yaml.load((REPOSITORY / name).read_text(), Loader=yaml.BaseLoader)


def workflow(verb):
    """Return a workflow of the fleet, and its only job."""
    found = read(f".github/workflows/{verb}.yml")
    (job,) = found["jobs"].values()
    return found, job


def steps(name):
    """Return every step of a file."""
    found = read(name)
    if "runs" in found:
        return found["runs"]["steps"]
    return [step for job in found["jobs"].values() for step in job["steps"]]


def call(verb):
    """Return the step of a workflow that calls the action."""
    (step,) = [step for step in workflow(verb)[1]["steps"] if step.get("uses") == CALLED]
    return step


@pytest.mark.parametrize("name", FILES)
def test_every_action_is_pinned(name):
    """What others publish is named by a commit, with its version beside it; the rest is in this repository."""
    lines = [line.strip() for line in (REPOSITORY / name).read_text().splitlines() if "uses:" in line]
    assert lines
    for line in lines:
        assert re.fullmatch(rf"(- )?uses: ({re.escape(CALLED)}|[\w./-]+@[0-9a-f]{{40}} # v\d+\.\d+\.\d+)", line), line


def test_an_action_has_one_version_in_all_that_a_team_copies():
    """The same action under two commits would be an update forgotten."""
    names = [ACTION, *(f".github/workflows/{verb}.yml" for verb in FLEET)]
    used = {step["uses"] for name in names for step in steps(name) if "@" in step.get("uses", "")}
    assert len(used) == len({one.partition("@")[0] for one in used})


@pytest.mark.parametrize("name", FILES)
def test_every_script_is_one_that_bash_reads(name):
    """A `run:` parses, and no expression stands in it: what comes from GitHub comes by the environment."""
    scripts = [step["run"] for step in steps(name) if "run" in step]
    for script in scripts:
        done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert "${{" not in script
    assert scripts or CALLED in [step.get("uses") for step in steps(name)]


RIGHTS = {
    "plan": {"contents": "read", "pull-requests": "write"},
    "apply": {"contents": "write", "pull-requests": "write"},
    "drift": {"contents": "read", "issues": "write"},
}


@pytest.mark.parametrize("verb", FLEET)
def test_a_job_may_do_what_it_must_and_no_more(verb):
    """A workflow has no right, its job those it needs; only apply can write to the repository."""
    found, job = workflow(verb)
    assert found["permissions"] == {}
    assert job["permissions"] == RIGHTS[verb]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_workflow_runs_the_code_of_strangers_with_secrets(name):
    """Nothing is started by an event that hands secrets to a fork's code; no job has rights that it does not name."""
    found = read(name)
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(found["on"])
    assert found["permissions"] == {}
    assert all(isinstance(job["permissions"], dict) and job["timeout-minutes"] for job in found["jobs"].values())


@pytest.mark.parametrize("name", WORKFLOWS)
def test_runs_do_not_get_in_each_others_way(name):
    """Every workflow has a group of concurrency, or each of its jobs."""
    found = read(name)
    for job in found["jobs"].values():
        assert (found.get("concurrency") or job["concurrency"])["group"]


def test_what_writes_is_never_cut_short_nor_pushed_out():
    """An apply is not cancelled by the next one, nor is one that waits by a drift of the same environment."""
    groups = {}
    for verb in ("apply", "drift"):
        groups[verb] = workflow(verb)[1]["concurrency"]
        assert groups[verb]["cancel-in-progress"] == "false"
        assert "matrix.environment" in groups[verb]["group"]
    assert groups["apply"]["group"] != groups["drift"]["group"]


def test_environments_are_the_same_everywhere_and_applied_in_turn():
    """Three matrices name the same environments; an apply goes on only where the one before went well."""
    listed = [workflow(verb)[1]["strategy"]["matrix"]["environment"] for verb in FLEET]
    assert listed[0] == listed[1] == listed[2]
    strategy = workflow("apply")[1]["strategy"]
    assert (strategy["max-parallel"], strategy["fail-fast"]) == ("1", "true")


def test_only_apply_gets_a_key_that_writes_and_the_secrets_of_the_fleet():
    """What a pull request runs in has an environment of its own, whose key reads."""
    places = {verb: workflow(verb)[1]["environment"] for verb in FLEET}
    assert places["apply"] == "${{ matrix.environment }}"
    assert places["plan"] == places["drift"] == "${{ matrix.environment }}-plan"
    assert "env" not in call("plan")
    assert "env" not in call("drift")


def test_apply_has_every_secret_that_the_fleet_names():
    """A secret that is added to a manifest is added to the workflow; one that left is taken out."""
    resolved = resolve(load([str(REPOSITORY / "manifests")]))
    assert not resolved.faults
    named = {ref.name for one in resolved.desired for ref in secrets_in(one.spec) if ref.source == "env"}
    assert len(named) > 20
    assert call("apply")["env"] == {name: f"${{{{ secrets.{name} }}}}" for name in named}


def test_apply_runs_on_the_default_branch_alone():
    """A run by hand on another branch would apply what nobody merged."""
    found, job = workflow("apply")
    assert found["on"]["push"]["branches"] == ["main"]
    assert "github.ref_name == github.event.repository.default_branch" in job["if"]


@pytest.mark.parametrize("verb", FLEET)
def test_a_call_gives_what_the_action_asks_for(verb):
    """Every input that is given exists, every required one is given, and the verb is that of the file."""
    inputs = read(ACTION)["inputs"]
    given = call(verb)["with"]
    assert given["command"] == verb
    assert set(given) <= set(inputs)
    assert {name for name, one in inputs.items() if one.get("required") == "true"} <= set(given)


def test_every_input_and_output_is_documented_and_used():
    """An input without a description, or one that nothing reads, is a promise; so is an output of no step."""
    found, text = read(ACTION), (REPOSITORY / ACTION).read_text()
    for name, one in found["inputs"].items():
        assert one["description"].endswith("."), name
        assert f"${{{{ inputs.{name} }}}}" in text, name
    for name, one in found["outputs"].items():
        assert one["description"].endswith("."), name
        assert one["value"] == f"${{{{ steps.run.outputs.{name} }}}}"


def needed():
    """Yield the name of every package that the action installs, as far down as they need one another."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    open_ = [(one, "") for one in [*project["dependencies"], *project["optional-dependencies"].get("github", [])]]
    seen = set()
    while open_:
        text, extra = open_.pop()
        wanted = Requirement(text)
        if wanted.marker and not wanted.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(wanted.name)
        if (name, *sorted(wanted.extras)) in seen:
            continue
        seen.add((name, *sorted(wanted.extras)))
        yield name
        extras = ["", *wanted.extras]
        open_ += [(more, extra) for more in metadata.requires(name) or () for extra in extras]


def test_the_action_installs_known_versions():
    """Every package that comes with reconciler has one version, so that a run does not depend on its day."""
    lines = (REPOSITORY / ACTION).with_name("constraints.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert set(needed()) <= {canonicalize_name(name) for name in pinned}
    (install,) = [step["run"] for step in steps(ACTION) if step.get("name") == "Install"]
    assert '--constraint "$GITHUB_ACTION_PATH/constraints.txt"' in install


def test_the_versions_of_the_action_are_ones_that_we_allow():
    """A version that pyproject.toml rules out could not be installed."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    lines = (REPOSITORY / ACTION).with_name("constraints.txt").read_text().splitlines()
    pinned = {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in lines if "==" in line}
    asked = [
        Requirement(one) for one in [*project["dependencies"], *project["optional-dependencies"].get("github", [])]
    ]
    assert [str(one) for one in asked if pinned[canonicalize_name(one.name)] not in one.specifier] == []


RUNS = [
    ({"COMMAND": "plan", "MORE_FLAGS": ""}, ["ci", "plan"]),
    ({"COMMAND": "apply", "MORE_FLAGS": "--lock-timeout 5m "}, ["ci", "apply", "--lock-timeout", "5m"]),
    ({"COMMAND": "drift", "MORE_FLAGS": " --target 'App/*'\n--unmanaged\n"}, None),
    ({"COMMAND": "drift", "MORE_FLAGS": "--target App/*\n--unmanaged; $(touch pwned)"}, None),
]


@pytest.mark.parametrize(("env", "expected"), RUNS)
def test_flags_reach_the_verb_as_words(tmp_path, env, expected):
    """The flags are split at white space, and neither globbed nor run."""
    (script,) = [step["run"] for step in steps(ACTION) if step.get("id") == "run"]
    program = tmp_path / "reconciler/bin/reconciler"
    program.parent.mkdir(parents=True)
    program.write_text('#!/usr/bin/env bash\nprintf "%s\\n" "$@"\nexit 5\n')
    program.chmod(0o755)
    (tmp_path / "App").mkdir()
    (tmp_path / "App/one").touch()
    fixed = {"PATH": "/usr/bin:/bin", "RUNNER_TEMP": str(tmp_path), "ENVIRONMENT": "staging", "MANIFESTS": "my fleet"}
    fixed["GITHUB_OUTPUT"] = str(tmp_path / "output")
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    done = subprocess.run(command, env=fixed | env, cwd=tmp_path, text=True, capture_output=True, check=False)
    assert done.returncode == 5
    shared = ["--environment", "staging", "-f", "my fleet", "--folder", f"{tmp_path}/reconciler-ci"]
    words = done.stdout.splitlines()
    flags = expected[2:] if expected else env["MORE_FLAGS"].split()
    assert words == ["ci", env["COMMAND"], *shared, *flags]
    assert not (tmp_path / "pwned").exists()
    told = (tmp_path / "output").read_text(encoding="utf-8")
    assert told == f"artifact=reconciler-{env['COMMAND']}-staging-my-fleet\n"


def copied(verb):
    """Return a workflow as a team copies it: with the action from where it is published, and secrets of their own."""
    lines = (REPOSITORY / f".github/workflows/{verb}.yml").read_text().splitlines()
    secrets = [line for line in lines if re.match(r" +NORTHWIND_", line)]
    for line in lines:
        if line in secrets[1:] or ".github/actions/reconcile/**" in line:
            continue
        yield line.replace(CALLED, "OWNER/reconciler/.github/actions/reconcile@COMMIT")


@pytest.mark.parametrize("verb", FLEET)
def test_the_document_shows_the_workflow_that_runs_here(verb):
    """A text to copy is the one that is in use, but for where the action comes from and for whose secrets they are."""
    assert "```yaml\n" + "\n".join(copied(verb)) + "\n```\n" in DOCUMENT.read_text()


@pytest.mark.parametrize("name", ["inputs", "outputs"])
def test_the_document_lists_what_the_action_takes_and_gives(name):
    """Every input and output is in the document."""
    text = DOCUMENT.read_text()
    assert [one for one in read(ACTION)[name] if f"`{one}`" not in text] == []


def test_what_ci_runs_checks_the_workflows():
    """The linters of workflows are part of what every change must pass."""
    recipe = (REPOSITORY / "Makefile").read_text()
    assert re.search(r"^lint:.*\n(\t.*\n)*\t\$\(BIN\)/actionlint .*\n\t\$\(BIN\)/zizmor ", recipe, re.MULTILINE)
    assert "make lint" in (REPOSITORY / ".ci/run").read_text()
