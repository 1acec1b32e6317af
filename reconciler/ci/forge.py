"""The door to GitHub's REST API: comments, issues and the pull request behind a commit, as values of our own.

PyGithub speaks to it, waits as GitHub asks when a limit is reached, and turns pages. Only this module imports it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from reconciler.errors import ForgeError, UsageError

if TYPE_CHECKING:
    from github.Issue import Issue as TheirIssue
    from github.Repository import Repository

    from reconciler.ci.environment import Workflow

WORKFLOW_AUTHOR = "github-actions[bot]"
"""Who speaks when a job uses the token that GitHub made for it."""
_MADE_FOR_A_JOB = "ghs_"
_LONGEST_WAIT = 120.0
"""Seconds for which a limit is waited out; after that the run says what it could not say."""
_TRIES = 4
"""So often a request is sent that a limit refused; one that may have been carried out is never sent again blindly."""
_TIMEOUT = 30
_AN_ISSUE = "/issues/"
"""What the address of an issue has in it: pull requests are listed among them, and asking each would be a request."""
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Post:
    """A comment."""

    id: int
    body: str
    url: str


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue."""

    number: int
    body: str
    is_open: bool
    url: str


@dataclass(frozen=True, slots=True)
class Merged:
    """A pull request that was merged; `head_sha` is the last commit of its branch."""

    number: int
    head_sha: str
    url: str


class Forge:
    """One repository on GitHub, as the token of a job sees it; all that is read here was written by that token.

    What others wrote is not looked at: anybody may write a comment that begins like one of ours. Raises ForgeError.
    """

    def __init__(self, workflow: Workflow, *, author: str | None = None) -> None:
        try:
            from github import Auth, Github, GithubRetry
        except ImportError as error:
            raise UsageError(
                f"speaking to GitHub needs a package that is not installed ({error.name})",
                hint="pip install 'everruns-reconciler[github]'",
            ) from error
        if not workflow.token:
            raise UsageError("GITHUB_TOKEN is not set", hint="env: {GITHUB_TOKEN: ${{ github.token }}}")
        self._workflow = workflow
        self._author = author
        self._github = Github(
            auth=Auth.Token(workflow.token),
            base_url=workflow.api_url,
            timeout=_TIMEOUT,
            per_page=_PAGE,
            retry=GithubRetry(total=_TRIES, read=0, status_forcelist=[], max_rate_limit_wait=_LONGEST_WAIT),
            seconds_between_requests=0,
            lazy=True,
        )

    def close(self) -> None:
        """Close the connection."""
        self._github.close()

    @cached_property
    def author(self) -> str:
        """The login under which this token speaks: GitHub does not say it to a token that was made for a job."""
        if self._author:
            return self._author
        if self._workflow.token.startswith(_MADE_FOR_A_JOB):
            return WORKFLOW_AUTHOR
        with _told("asking who the token belongs to"):
            return self._github.get_user().login

    @cached_property
    def _repository(self) -> Repository:
        return self._github.get_repo(self._workflow.repository)

    def comments(self, number: int) -> Iterator[Post]:
        """Yield our comments on an issue or pull request, oldest first."""
        with _told(f"reading the comments of #{number}"):
            for one in self._issue(number).get_comments():
                if one.user.login == self.author:
                    yield Post(one.id, one.body or "", one.html_url)

    def comment(self, number: int, body: str) -> Post:
        """Write a comment."""
        with _told(f"commenting on #{number}"):
            made = self._issue(number).create_comment(body)
            return Post(made.id, made.body or "", made.html_url)

    def edit(self, post: Post, number: int, body: str) -> None:
        """Replace the text of a comment."""
        with _told(f"changing the comment on #{number}"):
            self._issue(number).get_comment(post.id).edit(body)

    def remove(self, post: Post, number: int) -> None:
        """Delete a comment."""
        with _told(f"deleting a comment on #{number}"):
            self._issue(number).get_comment(post.id).delete()

    def issues(self, *, state: Literal["open", "all"], labels: Sequence[str] = ()) -> Iterator[Issue]:
        """Yield our issues, oldest first; pull requests are none."""
        from github.GithubObject import NotSet

        only = list(labels) or NotSet
        with _told("reading the issues"):
            for one in self._repository.get_issues(state=state, sort="created", direction="asc", labels=only):
                if _AN_ISSUE in one.html_url and one.user.login == self.author:
                    yield _issue(one)

    def open(self, title: str, body: str, *, labels: Sequence[str]) -> Issue:
        """Open an issue."""
        with _told("opening an issue"):
            return _issue(self._repository.create_issue(title, body, labels=list(labels)))

    def change(self, issue: Issue, body: str, *, is_open: bool) -> None:
        """Replace the text of an issue, and open or close it."""
        with _told(f"changing issue #{issue.number}"):
            if is_open == issue.is_open:
                self._issue(issue.number).edit(body=body)
            elif is_open:
                self._issue(issue.number).edit(body=body, state="open", state_reason="reopened")
            else:
                self._issue(issue.number).edit(body=body, state="closed", state_reason="completed")

    def merged(self, sha: str, *, branch: str) -> Merged | None:
        """Return the pull request that brought a commit to a branch, None for a commit that was pushed."""
        with _told(f"asking for the pull request of {sha[:12]}"):
            for one in self._repository.get_commit(sha).get_pulls():
                if one.merged_at is not None and one.base.ref == branch:
                    return Merged(one.number, one.head.sha, one.html_url)
        return None

    def _issue(self, number: int) -> TheirIssue:
        return self._repository.get_issue(number)


def _issue(one: TheirIssue) -> Issue:
    return Issue(one.number, one.body or "", one.state == "open", one.html_url)


@contextmanager
def _told(doing: str) -> Iterator[None]:
    """Turn whatever goes wrong with GitHub into our own error; its text is not repeated, as it may quote a request."""
    from github import GithubException
    from github.GithubException import RateLimitExceededException
    from requests.exceptions import RequestException

    try:
        yield
    except RateLimitExceededException as error:
        raise ForgeError(f"GitHub's limit is reached ({doing})", hint="run the job again later") from error
    except GithubException as error:
        hint = _HINTS.get(error.status)
        raise ForgeError(f"GitHub answered {error.status} ({doing})", hint=hint, status=error.status) from error
    except RequestException as error:
        raise ForgeError(f"GitHub cannot be reached ({doing})", hint="is GITHUB_API_URL right?") from error


_HINTS = {
    401: "is GITHUB_TOKEN the token of this job?",
    403: "the job needs permissions: pull-requests: write, issues: write, contents: read",
    404: "the job needs permissions: pull-requests: write, issues: write, contents: read",
    410: "issues are switched off in this repository",
}
