"""A team: a fleet in a repository, two platforms that are served, and what GitHub's settings say of both."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..ci.github import GitHub  # noqa: TID252 - tests are found by path
from ..cli.conftest import REPOSITORY, serving  # noqa: TID252 - tests are found by path
from .hub import Hub
from .runner import Job, Settings

ENVIRONMENTS = ("staging", "production")
WEBHOOK = "NORTHWIND_HELPDESK_WEBHOOK_TOKEN"
FIRST, SECOND = "sesame-number-one-5d0c", "sesame-number-two-91fe"
_AGENT = """apiVersion: everruns.reconciler/v1
kind: Agent
metadata: {{name: {name}}}
spec:
  system_prompt: {{file: ../prompts/{name}.md}}
"""
_HELPDESK = """apiVersion: everruns.reconciler/v1
kind: App
metadata: {{name: helpdesk}}
spec:
  harness: generic
  agent: triage
  channels:
    - name: tickets
      type: webhook
      config: {{token: {{env: {secret}}}, message: "{message}"}}
"""


class Platform:
    """A platform of one environment: a key that can write, and one that can only read; not real is how it says so."""

    def __init__(self, world: Any, *, reads: str, writes: str) -> None:
        self.world = world
        self.reads = reads
        self.writes = writes
        self.denied: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Let a request through that its key may make."""
        key = environ.get("HTTP_AUTHORIZATION", "").partition(" ")[2]
        if key == self.writes or (key == self.reads and environ["REQUEST_METHOD"] == "GET"):
            return self.world.meddler(environ, start_response)
        self.denied.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        start_response("403 Forbidden", [("Content-Type", "application/problem+json")])
        return [json.dumps({"title": "Forbidden", "status": 403}).encode()]

    def prompt(self, name: str) -> str | None:
        """Return what an agent is told, None where there is none of that name."""
        found = [one for one in self.world.live("agents") if one["name"] == name]
        return found[0]["system_prompt"] if found else None

    def click(self, name: str, prompt: str) -> None:
        """Change an agent as somebody does in the platform's own pages."""
        id_ = self.world.one("agents", name)["id"]
        assert self.world.api.patch(f"/v1/agents/{id_}", json={"system_prompt": prompt}).is_success
        self.world.forget()

    @property
    def sent(self) -> list[str]:
        """Every secret value that was sent to it since the last `forget`."""
        return [value for value in (FIRST, SECOND) for one in self.world.writes if value in str(one.body)]


@dataclass
class Team:
    """The hub, and the platform of each environment."""

    hub: Hub
    platforms: dict[str, Platform] = field(default_factory=dict)

    @property
    def github(self) -> GitHub:
        """What is written on GitHub."""
        return self.hub.github

    def agent(self, name: str, prompt: str) -> None:
        """Write a manifest of an agent, with its prompt beside it."""
        self.write(f"manifests/agents/{name}.yaml", _AGENT.format(name=name))
        self.write(f"manifests/prompts/{name}.md", prompt)

    def helpdesk(self, message: str) -> None:
        """Write the manifest of an app that has a secret."""
        self.write("manifests/apps/helpdesk.yaml", _HELPDESK.format(secret=WEBHOOK, message=message))

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        path = self.hub.desk / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def begin(self, branch: str = "main") -> None:
        """Go to the newest of a branch."""
        self.hub.git("fetch", "-q", "origin")
        self.hub.git("checkout", "-q", "-B", branch, f"origin/{branch}")

    def rotate(self, value: str) -> None:
        """Write another value of the fleet's secret into the settings of the environments that write."""
        for name in ENVIRONMENTS:
            self.hub.settings.secrets[name][WEBHOOK] = value

    def forget(self) -> None:
        """Forget what was sent to the platforms."""
        for platform in self.platforms.values():
            platform.world.forget()

    def writes(self, name: str) -> list[str]:
        """Return every write to a platform since the last `forget`."""
        lines: list[str] = self.platforms[name].world.lines
        return lines

    def comments(self, number: int, purpose: str) -> dict[str, str]:
        """Return our comments on a pull request by environment, without their markers; there is one for each."""
        found: dict[str, str] = {}
        for one in self.github.ours(number):
            mark, _, text = one["body"].partition("\n")
            _, kind, environment, _ = mark.split(" ")[1].split(":")
            if kind == purpose:
                assert environment not in found, f"two comments about {purpose} in {environment}"
                found[environment] = text
        return found

    def issues(self) -> dict[str, list[dict[str, Any]]]:
        """Return our issues by title."""
        found: dict[str, list[dict[str, Any]]] = {}
        for one in self.github.issues:
            if one["user"]["login"].endswith("[bot]"):
                found.setdefault(one["title"], []).append(one)
        return found


def ended(jobs: list[Job], *conclusions: str) -> list[Job]:
    """Insist on how the jobs ended, in the order of the matrix, and say what they said where they did not."""
    told = {job.environment: job.conclusion for job in jobs}
    said = "\n".join(f"--- {job.environment}\n{job.log}" for job in jobs)
    assert told == dict(zip(ENVIRONMENTS, conclusions, strict=True)), said
    assert "Traceback" not in said, said
    return jobs


def well(jobs: list[Job]) -> list[Job]:
    """Insist that every job went well."""
    return ended(jobs, "success", "success")


@contextmanager
def assembled(folder: Path, open_world: Any) -> Iterator[Team]:
    """Serve GitHub and two platforms, and give a team whose repository has the workflows, the action and no fleet."""
    with ExitStack() as until:
        github = GitHub(page=100)
        settings = Settings()
        team = Team(Hub(folder, github, until.enter_context(serving(github)), settings))
        for name in ENVIRONMENTS:
            reads, writes = f"evr_pat_{name}_reads_4c1", f"evr_pat_{name}_writes_8a7"
            world = until.enter_context(open_world())
            team.platforms[name] = Platform(world, reads=reads, writes=writes)
            url = until.enter_context(serving(team.platforms[name]))
            for place, key in ((f"{name}-plan", reads), (name, writes)):
                settings.of_environment[place] = {"EVERRUNS_API_URL": url}
                settings.secrets[place] = {"EVERRUNS_API_KEY": key}
            settings.variables["EVERRUNS_API_URL"] = url
        team.rotate(FIRST)
        names = ["pyproject.toml", ".github/actions/reconcile"]
        names += [f".github/workflows/{verb}.yml" for verb in ("plan", "apply", "drift")]
        team.hub.found({name: REPOSITORY / name for name in names} | {".gitignore": ".reconciler/\n"})
        yield team
