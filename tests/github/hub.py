"""What GitHub is to a team: a remote with pull requests that are merged, events, settings, and runs of workflows."""

import json
import secrets
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..ci.github import BOT, REPOSITORY, GitHub  # noqa: TID252 - tests are found by path
from .expressions import Scope
from .runner import (
    Event,
    Job,
    Machine,
    Settings,
    Steps,
    fresh,
    inputs_of,
    plain_environment,
    read,
    starts,
    values_of,
)
from .uses import known

MAIN = "refs/heads/main"
_HOOK = """#!/bin/sh
[ "$MAY_PUSH" = yes ] || { echo "Permission to the repository denied to github-actions[bot]." >&2; exit 1; }
"""


@dataclass
class Pull:
    """A pull request: its branch, in the repository or in a fork of it."""

    number: int
    branch: str
    head: str
    is_fork: bool = False


@dataclass
class Run:
    """A run of a workflow, as often as it was tried: always for the event that began it."""

    number: int
    workflow: Mapping[str, Any]
    event: Event
    attempt: int = 1


@dataclass
class Hub:
    """One repository with its remote, the clone that a person works in, and the machine that jobs run on."""

    folder: Path
    github: GitHub
    github_url: str
    settings: Settings
    pulls: dict[str, Pull] = field(default_factory=dict)
    logs: list[str] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    machine: Machine | None = None

    @property
    def desk(self) -> Path:
        """The clone that a person works in."""
        return self.folder / "desk"

    @property
    def remote(self) -> Path:
        """The bare repository that everybody pushes to."""
        return self.folder / "remote.git"

    def git(self, *arguments: str) -> str:
        """Run git in the clone, as a person with the right to push."""
        return _git(self.desk, *arguments)

    def found(self, files: Mapping[str, str | Path]) -> None:
        """Begin the repository with files, or folders that are copied."""
        _git(self.folder, "init", "-q", "--bare", "-b", "main", str(self.remote))
        self.github.clone = self.remote
        hook = self.remote / "hooks/pre-receive"
        hook.write_text(_HOOK, encoding="utf-8")
        hook.chmod(0o755)
        _git(self.folder, "clone", "-q", str(self.remote), str(self.desk))
        for name, content in files.items():
            place = self.desk / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                place.write_text(content, encoding="utf-8")
            elif content.is_dir():
                shutil.copytree(content, place)
            else:
                shutil.copyfile(content, place)

    def commit(self, message: str) -> str:
        """Commit all that a person wrote."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def push_main(self, message: str) -> dict[str, list[Job]]:
        """Commit on main and push it."""
        before = self.at("main")
        sha = self.commit(message)
        self.git("push", "-q", "origin", "HEAD:refs/heads/main")
        return self._pushed(before, sha)

    def at(self, branch: str) -> str:
        """Return the commit of a branch of the remote; the empty tree, where it is not there."""
        found = _git(self.remote, "for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")
        return found or _git(self.remote, "hash-object", "-t", "tree", "/dev/null")

    def files(self, branch: str) -> list[str]:
        """Return the names of all files of a branch of the remote."""
        return _git(self.remote, "ls-tree", "-r", "--name-only", f"refs/heads/{branch}").splitlines()

    def open_pull(self, branch: str, message: str, *, is_fork: bool = False) -> dict[str, list[Job]]:
        """Commit what a person wrote on a new branch, push it, and open a pull request."""
        self.git("checkout", "-q", "-b", branch)
        self.github.numbers += 1
        self.pulls[branch] = Pull(self.github.numbers, branch, "", is_fork)
        return self.push(branch, message)

    def push(self, branch: str, message: str) -> dict[str, list[Job]]:
        """Push to a pull request what a person wrote; GitHub makes the merge with main, and tells of it."""
        pull = self.pulls[branch]
        self.github.heads[pull.number] = pull.head = self.commit(message)
        refs = [f"HEAD:refs/pull/{pull.number}/head", *([] if pull.is_fork else [f"HEAD:refs/heads/{branch}"])]
        self.git("push", "-q", "origin", *refs)
        base = self.at("main")
        self.git("checkout", "-q", "--detach", base)
        self.git("merge", "-q", "--no-ff", "-m", f"Merge {pull.head} into {base}", pull.head)
        merge = self.git("rev-parse", "HEAD")
        self.git("push", "-q", "--force", "origin", f"HEAD:refs/pull/{pull.number}/merge")
        self.git("checkout", "-q", branch)
        touched = self._touched(f"{base}...{pull.head}")
        home = {"full_name": "mallory/fleet" if pull.is_fork else REPOSITORY, "fork": pull.is_fork}
        told = {
            "number": pull.number,
            "head": {"ref": branch, "sha": pull.head, "repo": home},
            "base": {"ref": "main", "sha": base, "repo": {"full_name": REPOSITORY, "fork": False}},
        }
        ref = f"refs/pull/{pull.number}/merge"
        return self.deliver(Event("pull_request", {"pull_request": told}, merge, ref, "main", touched))

    def merge(self, branch: str) -> dict[str, list[Job]]:
        """Press the button."""
        pull, before = self.pulls[branch], self.at("main")
        self.git("checkout", "-q", "-B", "main", before)
        self.git("merge", "-q", "--no-ff", "-m", f"Merge pull request #{pull.number} from acme/{branch}", pull.head)
        sha = self.git("rev-parse", "HEAD")
        self.git("push", "-q", "origin", "HEAD:refs/heads/main")
        for commit in (sha, pull.head):
            self.github.merge(pull.number, commit, head=pull.head)
        return self._pushed(before, sha)

    def dispatch(self, workflow: str, **inputs: Any) -> list[Job]:
        """Run a workflow by hand, on main."""
        (jobs,) = self.deliver(
            Event("workflow_dispatch", {}, self.at("main"), MAIN, inputs=inputs), [workflow]
        ).values()
        return jobs

    def cancel(self, number: int) -> None:
        """Cancel the job that runs: of its step only the process that the runner started gets the signal.

        GitHub sends SIGINT, 7.5 s later SIGTERM, and ends all processes 2.5 s after that.
        """
        assert self.machine
        assert self.machine.process
        self.machine.process.send_signal(number)

    def tick(self) -> dict[str, list[Job]]:
        """Let the clock start what it starts."""
        return self.deliver(Event("schedule", {"schedule": "17 */2 * * *"}, self.at("main"), MAIN))

    def _pushed(self, before: str, sha: str) -> dict[str, list[Job]]:
        touched = self._touched(f"{before}..{sha}" if self._is_commit(before) else f"{before} {sha}")
        return self.deliver(Event("push", {"before": before, "after": sha, "ref": MAIN}, sha, MAIN, touched=touched))

    def _is_commit(self, name: str) -> bool:
        return _git(self.remote, "cat-file", "-t", name) == "commit"

    def _touched(self, between: str) -> tuple[str, ...]:
        return tuple(self.git("diff", "--name-only", *between.split()).splitlines())

    def deliver(self, event: Event, names: Iterable[str] = ()) -> dict[str, list[Job]]:
        """Start every workflow that an event starts, or those of the given names; return their jobs by name."""
        files = _git(self.remote, "ls-tree", "--name-only", event.sha, ".github/workflows/").splitlines()
        begun = {}
        for file in files:
            path = self.folder / "workflow.yml"
            path.write_text(_git(self.remote, "show", f"{event.sha}:{file}"), encoding="utf-8")
            workflow = read(path)
            if (not names or workflow["name"] in names) and starts(workflow, event):
                self.runs.append(Run(len(self.runs) + 1, workflow, event))
                begun[workflow["name"]] = self._run(self.runs[-1])
        return begun

    def rerun(self, run: Run) -> list[Job]:
        """Run all jobs again: for the commit, ref and payload of the first time, with the settings of now.

        Whatever was pushed meanwhile: docs.github.com/actions/managing-workflow-runs/re-running-workflows-and-jobs.
        """
        run.attempt += 1
        return self._run(run)

    def _run(self, run: Run) -> list[Job]:
        workflow, event = run.workflow, run.event
        ((_, job),) = workflow["jobs"].items()
        strategy, done = job["strategy"], list[Job]()
        values = values_of(job)
        is_fork = bool(event.payload.get("pull_request", {}).get("head", {}).get("repo", {}).get("fork"))
        shared = self._shared(event) | {"inputs": inputs_of(workflow, event)}
        variables = {} if is_fork else self.settings.variables
        if not Scope(shared | {"vars": variables}).holds(job.get("if")):
            return [Job(value["environment"], "skipped") for value in values]
        for value in values:
            if strategy["fail-fast"] == "true" and any(one.conclusion == "failure" for one in done):
                done.append(Job(value["environment"], "cancelled"))
            else:
                done.append(self._job(job, value, run, shared | {"matrix": value}, is_fork=is_fork))
        return done

    def _job(
        self,
        job: Mapping[str, Any],
        value: Mapping[str, str],
        run: Run,
        contexts: Mapping[str, Any],
        *,
        is_fork: bool,
    ) -> Job:
        place = self.folder / "machine"
        fresh(place)
        environment = Scope(contexts).said(job["environment"])
        granted = {one: "read" if is_fork else how for one, how in job["permissions"].items()}
        token = f"ghs_{secrets.token_hex(18)}"
        self.github.logins[token], self.github.rights[token] = BOT, granted
        own = {} if is_fork else self.settings.of_environment.get(environment, {})
        secret = {} if is_fork else self.settings.secrets.get(environment, {})
        became = Job(value["environment"])
        seen = dict(contexts) | {
            "github": {**contexts["github"], "token": token},
            "vars": {} if is_fork else self.settings.variables | own,
            "secrets": secret,
            "runner": {"temp": str(place / "temp"), "os": "Linux"},
        }
        told = self._told(run)
        machine = Machine(place, run.event, seen, became, self.remote, granted, plain_environment(place) | told)
        (machine.temp / "event.json").write_text(json.dumps(contexts["github"]["event"]), encoding="utf-8")
        machine.env["GITHUB_EVENT_PATH"] = str(machine.temp / "event.json")
        self.machine = machine
        Steps(machine, known(self.folder / "artifacts" / str(run.number))).run(job["steps"])
        self.logs += [became.log, became.summary, *became.outputs.values()]
        return became

    def _shared(self, event: Event) -> dict[str, Any]:
        home = {"full_name": REPOSITORY, "default_branch": "main"}
        github = {
            "event": {**event.payload, "repository": home, "inputs": dict(event.inputs)},
            "event_name": event.name,
            "ref": event.ref,
            "ref_name": event.ref.removeprefix("refs/heads/").removeprefix("refs/pull/"),
            "repository": REPOSITORY,
            "sha": event.sha,
            "actor": event.actor,
        }
        return {"github": github}

    def _told(self, run: Run) -> dict[str, str]:
        github = self._shared(run.event)["github"]
        names = ("event_name", "ref", "ref_name", "repository", "sha", "actor")
        return {f"GITHUB_{name.upper()}": github[name] for name in names} | {
            "GITHUB_API_URL": self.github_url,
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_RUN_ID": str(4700 + run.number),
            "GITHUB_RUN_ATTEMPT": str(run.attempt),
            "GITHUB_BASE_REF": run.event.base_ref,
        }


def _git(place: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
    env = {**plain_environment(place), "HOME": "/nonexistent", "MAY_PUSH": "yes"}
    done = subprocess.run(["git", *who, *arguments], cwd=place, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return done.stdout.strip()
