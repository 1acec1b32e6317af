"""Runs a workflow as GitHub does: its triggers, its jobs for each value of the matrix, their steps in order, for real.

`hub.py` has what GitHub is beside that. What is not real: the machine is this one, jobs of a matrix run one after the
other, `concurrency` and timeouts are not kept, and of actions there are those of `uses.py`. What this does not know
of a workflow is an error: nothing in a file is passed over.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .expressions import Scope, UnknownFormError

PATIENCE = 90
_WORKFLOW = {"name", "on", "permissions", "concurrency", "jobs"}
_JOB = {
    "if", "runs-on", "timeout-minutes", "strategy", "environment", "permissions", "steps", "concurrency"
}  # fmt: skip
_STEP = {"name", "id", "if", "uses", "with", "env", "run", "shell"}
_STRATEGY = {"fail-fast", "max-parallel", "matrix"}


@dataclass(frozen=True)
class Event:
    """What happened: its name and payload, the commit and ref that runs are for, and the paths that it touched."""

    name: str
    payload: Mapping[str, Any]
    sha: str
    ref: str
    base_ref: str = ""
    touched: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)
    actor: str = "ada"


@dataclass
class Settings:
    """What a repository's settings give a job: variables of the repository, of environments, and their secrets."""

    variables: dict[str, str] = field(default_factory=dict)
    of_environment: dict[str, dict[str, str]] = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass
class Job:
    """What became of one job: `success`, `failure`, `cancelled` or `skipped`, and all that it left behind."""

    environment: str
    conclusion: str = "success"
    log: str = ""
    summary: str = ""
    code: int = 0
    outputs: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)


@dataclass
class Machine:
    """One job's machine: its folders, its token, what it may do, and the contexts of expressions."""

    place: Path
    event: Event
    contexts: dict[str, Any]
    job: Job
    remote: Path
    permissions: Mapping[str, str]
    env: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def workspace(self) -> Path:
        """Where the repository is checked out."""
        return self.place / "work"

    @property
    def temp(self) -> Path:
        """What RUNNER_TEMP names."""
        return self.place / "temp"

    def scope(self, **more: Any) -> Scope:
        """Return what an expression sees now."""
        return Scope(self.contexts | more, failed=self.job.conclusion == "failure")

    def say(self, text: str) -> None:
        """Write into the job's log."""
        self.job.log += text


Action = Callable[[Machine, Mapping[str, str]], Mapping[str, str]]
"""An action of others: from its inputs to its outputs; it raises ActionError when the step fails."""


class ActionError(Exception):
    """A step failed."""


def read(path: Path) -> dict[str, Any]:
    """Read a workflow or an action; every scalar is a text, as `on` and `yes` are words there."""
    loaded: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    return loaded


def starts(workflow: Mapping[str, Any], event: Event) -> bool:
    """Say whether an event starts a workflow: by its name, the branch, and the paths that were touched."""
    _only(workflow, _WORKFLOW, "workflow")
    if event.name not in workflow["on"]:
        return False
    rules = workflow["on"][event.name] or {}
    if event.name in ("schedule", "workflow_dispatch"):
        return True
    _only(rules, {"branches", "paths"}, event.name)
    branch = event.base_ref or event.ref.removeprefix("refs/heads/")
    if "branches" in rules and not any(_pattern(one).fullmatch(branch) for one in rules["branches"]):
        return False
    return "paths" not in rules or any(
        _pattern(one).fullmatch(path) for one in rules["paths"] for path in event.touched
    )


def _pattern(text: str) -> re.Pattern[str]:
    if re.search(r"[?+!\[\]]", text):
        raise UnknownFormError(f"a pattern that is not known: {text}")
    parts = re.split(r"(\*\*|\*)", text)
    return re.compile("".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts))


def inputs_of(workflow: Mapping[str, Any], event: Event) -> Mapping[str, Any]:
    """Return what a run by hand is given, defaults included; booleans are such. Other events have no inputs."""
    if event.name != "workflow_dispatch":
        return {}
    declared = (workflow["on"]["workflow_dispatch"] or {}).get("inputs", {})
    _only(event.inputs, set(declared), "inputs")
    found = {}
    for name, one in declared.items():
        if one["type"] != "boolean":
            raise UnknownFormError(f"an input of type {one['type']}")
        found[name] = event.inputs.get(name, one["default"] == "true")
    return found


def values_of(job: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the values of a job's matrix, of one dimension."""
    _only(job, _JOB, "job")
    _only(job["strategy"], _STRATEGY, "strategy")
    ((name, values),) = job["strategy"]["matrix"].items()
    return [{name: value} for value in values]


class Steps:
    """Carries out the steps of a job; an action of this repository is read from what was checked out."""

    def __init__(self, machine: Machine, actions: Mapping[str, Action]) -> None:
        self.machine = machine
        self.actions = actions

    def run(self, steps: list[dict[str, Any]]) -> None:
        """Carry out a job's steps; once one has failed the others are left out, but those that are always run."""
        self._all(steps, {}, {}, action=None)

    def _all(
        self, steps: list[dict[str, Any]], contexts: Mapping[str, Any], env: Mapping[str, str], *, action: Path | None
    ) -> dict[str, dict[str, Any]]:
        done: dict[str, dict[str, Any]] = {}
        for step in steps:
            _only(step, _STEP, "step")
            scope = self.machine.scope(**contexts, steps=done)
            if not scope.holds(step.get("if")):
                continue
            given = {name: scope.said(value) for name, value in step.get("env", {}).items()}
            self.machine.say(f"##[group]{step.get('name') or step.get('uses') or step.get('id')}\n")
            try:
                outputs = self._one(step, scope, {**env, **given}, action=action)
            except ActionError as error:
                self.machine.say(f"##[error]{error}\n")
                self.machine.job.conclusion = "failure"
                outputs = getattr(error, "outputs", {})
            if name := step.get("id"):
                done[name] = {"outputs": outputs}
        return done

    def _one(
        self, step: Mapping[str, Any], scope: Scope, env: Mapping[str, str], *, action: Path | None
    ) -> Mapping[str, str]:
        if "run" in step:
            return self._script(scope.said(step["run"]), env, action=action)
        used = step["uses"].partition("@")[0]
        given = {name: scope.said(value) for name, value in step.get("with", {}).items()}
        if used.startswith("./"):
            return self._composite(self.machine.workspace / used, given, env)
        if used not in self.actions:
            raise UnknownFormError(f"an action that is not known here: {used}")
        return self.actions[used](self.machine, given)

    def _composite(self, place: Path, given: Mapping[str, str], env: Mapping[str, str]) -> Mapping[str, str]:
        action = read(place / "action.yml")
        declared = action["inputs"]
        _only(given, set(declared), "with")
        missing = [name for name, one in declared.items() if one.get("required") == "true" and name not in given]
        if missing or action["runs"]["using"] != "composite":
            raise UnknownFormError(f"{place}: {missing or action['runs']}")
        scope = self.machine.scope()
        inputs = {name: given.get(name, scope.said(one.get("default", ""))) for name, one in declared.items()}
        done = self._all(action["runs"]["steps"], {"inputs": inputs}, env, action=place)
        told = self.machine.scope(steps=done)
        return {name: told.said(one["value"]) for name, one in action["outputs"].items()}

    def _script(self, script: str, env: Mapping[str, str], *, action: Path | None) -> Mapping[str, str]:
        """Run a script as `shell: bash` does, as it stands."""
        machine = self.machine
        files = {name: machine.temp / f"_runner_{name.lower()}" for name in ("OUTPUT", "STEP_SUMMARY", "ENV", "PATH")}
        for file in files.values():
            file.write_text("", encoding="utf-8")
        told = {f"GITHUB_{name}": str(file) for name, file in files.items()}
        told |= {"GITHUB_ACTION_PATH": str(action)} if action else {}
        program = machine.temp / "_runner_script.sh"
        program.write_text(script, encoding="utf-8")
        with subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(program)],
            cwd=machine.workspace,
            env={**machine.env, **told, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            machine.process = process
            try:
                printed, _ = process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
        machine.say(printed.decode(errors="replace"))
        machine.job.summary += files["STEP_SUMMARY"].read_text(encoding="utf-8")
        if files["ENV"].read_text() or files["PATH"].read_text():
            raise UnknownFormError("GITHUB_ENV and GITHUB_PATH are not kept here")
        outputs = dict(_outputs(files["OUTPUT"].read_text(encoding="utf-8")))
        machine.job.outputs |= outputs
        if process.returncode:
            machine.job.code = process.returncode
            failed = ActionError(f"Process completed with exit code {process.returncode}.")
            failed.outputs = outputs  # type: ignore[attr-defined]
            raise failed
        return outputs


def _outputs(text: str) -> Iterator[tuple[str, str]]:
    """Yield what a step wrote into GITHUB_OUTPUT: `name=value`, or `name<<END`, lines, `END`."""
    lines = iter(text.splitlines())
    for line in lines:
        name, sign, rest = re.split("(=|<<)", line, maxsplit=1)
        yield name, rest if sign == "=" else "\n".join(iter(lambda end=rest: _next(lines, end), rest))


def _next(lines: Iterator[str], end: str) -> str:
    line = next(lines, None)
    if line is None:
        raise UnknownFormError(f"an output that does not end with {end}")
    return line


def _only(found: Mapping[str, Any], known: set[str], what: str) -> None:
    if strange := set(found) - known:
        raise UnknownFormError(f"{what}: {', '.join(sorted(strange))}")


def fresh(place: Path) -> None:
    """Empty a machine: every job gets a new one."""
    if place.exists():
        shutil.rmtree(place)
    for name in ("work", "temp", "home"):
        (place / name).mkdir(parents=True)


def plain_environment(place: Path) -> dict[str, str]:
    """Return what every runner has in its environment; nothing of the tests' own but where programs are."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(place / "home"),
        "LANG": "C.UTF-8",
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "RUNNER_OS": "Linux",
        "RUNNER_TEMP": str(place / "temp"),
        "GITHUB_WORKSPACE": str(place / "work"),
    }
