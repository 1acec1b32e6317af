"""A repository on a stand-in of GitHub, whose jobs run as processes of their own against a served emulator."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ..cli.conftest import KEY, Ran, Site, serving  # noqa: TID252 - tests are found by path
from .github import JOB_TOKEN, REPOSITORY, GitHub

NUMBER = 7
RUN_URL = "https://github.example/acme/fleet/actions/runs/4711"


@dataclass
class Yard(Site):
    """A checkout, what GitHub knows of it, and jobs that run in it."""

    github: GitHub = field(default_factory=GitHub)
    github_url: str = ""

    def git(self, *arguments: str) -> str:
        """Run git in the checkout."""
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, message: str = "Change something") -> str:
        """Commit everything and return the commit."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def job(self, *arguments: str, event: str, payload: dict[str, Any], **env: str) -> Ran:
        """Run a verb as a step of a job would."""
        place = self.folder.parent / "runner"
        place.mkdir(exist_ok=True)
        (place / "event.json").write_text(json.dumps(payload), encoding="utf-8")
        for name in ("summary", "output"):
            (place / name).write_text("", encoding="utf-8")
        told = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_API_URL": self.github_url,
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_RUN_ID": "4711",
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(place / "event.json"),
            "GITHUB_STEP_SUMMARY": str(place / "summary"),
            "GITHUB_OUTPUT": str(place / "output"),
            "GITHUB_SHA": self.git("rev-parse", "HEAD"),
            "GITHUB_TOKEN": JOB_TOKEN,
            "GITHUB_WORKSPACE": str(self.folder),
        }
        return self.run("ci", *arguments, **{**told, **env})

    @property
    def summary(self) -> str:
        """What the last job wrote into its summary."""
        return (self.folder.parent / "runner" / "summary").read_text(encoding="utf-8")

    @property
    def output(self) -> dict[str, str]:
        """The outputs of the last job."""
        lines = iter((self.folder.parent / "runner" / "output").read_text(encoding="utf-8").splitlines())
        found = {}
        for line in lines:
            name, _, end = line.partition("<<")
            found[name] = "\n".join(iter(lambda: next(lines), end))
        return found

    def push(self, *, message: str = "Change something") -> str:
        """Commit on the branch of the pull request, and check out what merging it would give, as GitHub does."""
        head = self.commit(message)
        self.git("checkout", "-q", "--detach", "main")
        self.git("merge", "-q", "--no-ff", "-m", "Merge", "change")
        return head

    def plan(self, *arguments: str, fork: bool = False, number: int = NUMBER, **env: str) -> Ran:
        """Run `ci plan` for the pull request, as its newest push does."""
        self.github.heads[number] = self.git("rev-parse", "change")
        return self.plan_again(*arguments, fork=fork, number=number, **env)

    def plan_again(self, *arguments: str, fork: bool = False, number: int = NUMBER, **env: str) -> Ran:
        """Run `ci plan` for the pull request, wherever GitHub says that it stands."""
        base = {"ref": "main", "sha": self.git("rev-parse", "main"), "repo": {"full_name": REPOSITORY}}
        repo = {"full_name": "mallory/fleet" if fork else REPOSITORY}
        head = {"ref": "change", "sha": self.git("rev-parse", "change"), "repo": repo}
        payload = {"pull_request": {"number": number, "base": base, "head": head}}
        return self.job("plan", *arguments, event="pull_request", payload=payload, **env)

    def back(self) -> None:
        """Go on with the branch of the pull request."""
        self.git("checkout", "-q", "change")

    def merge(self, number: int = NUMBER) -> str:
        """Merge the pull request into main."""
        self.git("checkout", "-q", "main")
        self.git("merge", "-q", "--no-ff", "-m", f"Merge pull request #{number}", "change")
        sha = self.git("rev-parse", "HEAD")
        self.github.merge(number, sha, head=self.git("rev-parse", "change"))
        return sha

    def apply(self, *arguments: str, **env: str) -> Ran:
        """Run `ci apply` for what was pushed to main."""
        payload = {"repository": {"default_branch": "main"}}
        return self.job("apply", *arguments, event="push", payload=payload, **{"GITHUB_REF": "refs/heads/main", **env})

    def drift(self, *arguments: str, **env: str) -> Ran:
        """Run `ci drift` as by cron."""
        payload = {"schedule": "0 6 * * *"}
        return self.job("drift", *arguments, event="schedule", payload=payload, GITHUB_REF="refs/heads/main", **env)


@pytest.fixture
def yard(tmp_path: Path, open_world: Any) -> Iterator[Yard]:
    """Give a checkout on main whose one agent was applied, with a branch `change` checked out."""
    folder = tmp_path / "fleet"
    folder.mkdir()
    github = GitHub(clone=folder)
    with open_world() as world, serving(world.meddler) as url, serving(github) as github_url:
        env = {"EVERRUNS_API_URL": url, "EVERRUNS_API_KEY": KEY}
        yard = Yard(folder, env, world=world, url=url, github=github, github_url=github_url)
        yard.git("init", "-q", "-b", "main")
        yard.write(".gitignore", ".reconciler/\nreconciler-ci/\n")
        yard.write("manifests/reconciler.yaml", "environment: production\nledger: {backend: file}\n")
        yard.agents("triage")
        yard.commit("Begin")
        yard.converge()
        yard.git("checkout", "-q", "-b", "change")
        yield yard
