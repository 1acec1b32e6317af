"""What GitHub tells a job about itself: variables and the event's payload, as one frozen value.

The names are those of docs.github.com/actions, "Default environment variables" and "Webhook events and payloads".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.errors import UsageError

_NOT_HERE = "this verb runs in GitHub Actions; elsewhere use reconciler plan, apply or drift"
_WITHOUT_SECRETS = "dependabot[bot]"
_BRANCH = "refs/heads/"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """The pull request that an event is about; `base_sha` is its base as the event saw it."""

    number: int
    base_ref: str
    base_sha: str
    head_sha: str
    is_fork: bool


@dataclass(frozen=True, slots=True)
class Workflow:
    """One job: where it runs, for which commit, and where its summary and outputs go."""

    repository: str
    api_url: str
    server_url: str
    event: str
    sha: str
    ref: str
    actor: str
    run_id: str
    default_branch: str
    token: str = field(repr=False)
    summary: Path | None = None
    output: Path | None = None
    pull_request: PullRequest | None = None

    @property
    def run_url(self) -> str:
        """Where a person sees this run, with its artifacts; empty when nothing says which it is."""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}" if self.run_id else ""

    @property
    def branch(self) -> str:
        """The branch that was pushed, empty for anything else."""
        return self.ref.removeprefix(_BRANCH) if self.ref.startswith(_BRANCH) else ""

    @property
    def why_offline(self) -> str | None:
        """Say why the job has no secrets, None when it has; a fork never gets them, whatever the event hands out."""
        if self.pull_request is None:
            return None
        if self.pull_request.is_fork:
            return "a fork's pull request has no secrets"
        if self.actor == _WITHOUT_SECRETS:
            return "a pull request of Dependabot has no secrets"
        return None


def read_environment(env: Mapping[str, str]) -> Workflow:
    """Read what GitHub tells a job. Raises UsageError outside of one, and for a payload that is none."""
    repository = env.get("GITHUB_REPOSITORY", "")
    if repository.count("/") != 1:
        raise UsageError(f"GITHUB_REPOSITORY is not owner/name: {repository or 'it is not set'}", hint=_NOT_HERE)
    payload = _payload(env.get("GITHUB_EVENT_PATH"))
    try:
        default = str(payload.get("repository", {}).get("default_branch", ""))
        pull_request = _pull_request(payload)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError("GITHUB_EVENT_PATH: not the payload of an event", hint=_NOT_HERE) from error
    return Workflow(
        repository=repository,
        api_url=(env.get("GITHUB_API_URL") or "https://api.github.com").rstrip("/"),
        server_url=(env.get("GITHUB_SERVER_URL") or "https://github.com").rstrip("/"),
        event=env.get("GITHUB_EVENT_NAME", ""),
        sha=env.get("GITHUB_SHA", ""),
        ref=env.get("GITHUB_REF", ""),
        actor=env.get("GITHUB_ACTOR", ""),
        run_id=env.get("GITHUB_RUN_ID", ""),
        default_branch=default,
        token=env.get("GITHUB_TOKEN", ""),
        summary=_file(env.get("GITHUB_STEP_SUMMARY")),
        output=_file(env.get("GITHUB_OUTPUT")),
        pull_request=pull_request,
    )


def _file(name: str | None) -> Path | None:
    return Path(name) if name else None


def _payload(name: str | None) -> Mapping[str, Any]:
    if not name:
        return {}
    try:
        found = json.loads(Path(name).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"GITHUB_EVENT_PATH: cannot read {name} as JSON", hint=_NOT_HERE) from error
    return found if isinstance(found, dict) else {}


def _pull_request(payload: Mapping[str, Any]) -> PullRequest | None:
    told = payload.get("pull_request")
    if not told:
        return None
    head, base = told["head"], told["base"]
    home = head.get("repo") or {}  # a fork that was deleted since is null
    return PullRequest(
        number=int(told["number"]),
        base_ref=str(base["ref"]),
        base_sha=str(base["sha"]),
        head_sha=str(head["sha"]),
        is_fork=home.get("full_name") != base["repo"]["full_name"],
    )
