"""The hooks for pre-commit: what they start, on which files, and that they fail where they should."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())}
AGENT = "apiVersion: everruns.reconciler/v1\nkind: Agent\nmetadata: {name: triage}\nspec: {system_prompt: Hi.}\n"


@pytest.fixture
def run(tmp_path):
    """Run a hook in a repository of manifests, as pre-commit does: from its top, without file names."""
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests/agent.yaml").write_text(AGENT)

    def start(name, *arguments):
        verb = shlex.split(HOOKS[name]["entry"])
        assert verb.pop(0) == "reconciler"
        assert HOOKS[name]["pass_filenames"] is False
        command = [sys.executable, "-m", "reconciler", *verb, *arguments]
        env = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        return subprocess.run(command, cwd=tmp_path, env=env, text=True, capture_output=True, check=False)

    return start


def test_validate_stops_a_commit_with_a_fault(run, tmp_path):
    """A manifest with a fault fails the hook, with its place."""
    assert run("reconciler-validate").returncode == 0
    (tmp_path / "manifests/agent.yaml").write_text(AGENT.replace("system_prompt", "sytem_prompt"))
    done = run("reconciler-validate")
    assert done.returncode == 1
    assert "manifests/agent.yaml:4" in done.stderr


def test_validate_takes_the_arguments_of_a_team(run, tmp_path):
    """A team with another folder says so in `args`."""
    (tmp_path / "manifests").rename(tmp_path / "fleet")
    assert run("reconciler-validate").returncode == 64
    assert run("reconciler-validate", "-f", "fleet").returncode == 0


def test_a_stale_schema_stops_a_commit(run, tmp_path):
    """The schema in the repository is that of the version in use, or the hook fails and says what to run."""
    schema = tmp_path / "schemas/manifest.schema.json"
    schema.parent.mkdir()
    schema.write_text("{}")
    done = run("reconciler-schema")
    assert done.returncode == 1
    assert "stale: run reconciler schema" in done.stdout
    schema.write_bytes((REPOSITORY / "schemas/manifest.schema.json").read_bytes())
    assert run("reconciler-schema").returncode == 0


def begins(name, changed):
    """Say whether pre-commit starts a hook, from what a commit does to files by name: `git diff --name-status`.

    What is deleted is no file of the commit (pre-commit asks for `--diff-filter=ACMRTUXB`).
    """
    hook = HOOKS[name]
    names = [file for file, letter in changed.items() if letter != "D"]
    return hook.get("always_run", False) or any(re.search(hook.get("files", ""), file) for file in names)


@pytest.mark.parametrize(
    ("name", "changed", "starts"),
    [
        ("reconciler-validate", {"manifests/acme/agents/triage.yaml": "M"}, True),
        ("reconciler-validate", {"manifests/acme/prompts/triage.md": "D"}, True),
        ("reconciler-validate", {"manifests/acme/knowledge/prices.csv": "A"}, True),
        ("reconciler-schema", {"schemas/manifest.schema.json": "M"}, True),
        ("reconciler-schema", {".pre-commit-config.yaml": "M"}, True),
        ("reconciler-schema", {"manifests/acme/agents/triage.yaml": "M"}, False),
    ],
)
def test_a_hook_starts_for_what_it_is_about(name, changed, starts):
    """A hook starts for what it can say something of, a new version of itself and a file that goes included."""
    assert begins(name, changed) is starts


def test_validate_stops_a_commit_that_only_deletes(run, tmp_path):
    """A text that a manifest still reads is missed."""
    prompt = tmp_path / "manifests/triage.md"
    prompt.write_text("Hi.")
    (tmp_path / "manifests/agent.yaml").write_text(AGENT.replace("Hi.", "{file: triage.md}"))
    assert run("reconciler-validate").returncode == 0
    prompt.unlink()
    done = run("reconciler-validate")
    assert done.returncode == 1
    assert "triage.md" in done.stderr
