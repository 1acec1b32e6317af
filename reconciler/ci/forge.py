"""The door to GitHub's REST API: comments, issues and the pull request behind a commit, as values of our own.

PyGithub speaks to it and turns pages. Only this module imports it. When a limit is reached, it is waited out here:
PyGithub would send no PATCH again, know no 429, and wait for as long as an answer says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeVar

from reconciler.errors import ForgeError, UsageError

if TYPE_CHECKING:
    from github.Issue import Issue as TheirIssue
    from github.Repository import Repository

    from reconciler.ci.environment import Workflow

WORKFLOW_AUTHOR = "github-actions[bot]"
"""Who speaks when a job uses the token that GitHub made for it."""
_MADE_FOR_A_JOB = "ghs_"
_LONGEST_WAIT = 120.0
"""Seconds for which limits are waited out for one request; after that the run says what it could not say."""
_WHEN_NOT_TOLD = 60.0
"""Seconds to wait for a limit that does not say for how long (docs.github.com, "Rate limits for the REST API")."""
_LEAST_WAIT = 1.0
_TIMEOUT = 30
_AN_ISSUE = "/issues/"
"""What the address of an issue has in it: pull requests are listed among them, and asking each would be a request."""
_PAGE = 100
T = TypeVar("T")


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

    What others wrote is not looked at: anybody may write a comment that begins like one of ours. What a limit refused
    was not carried out, and is asked for again. Raises ForgeError.
    """

    def __init__(
        self, workflow: Workflow, *, author: str | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        try:
            from github import Auth, Github
        except ImportError as error:
            raise UsageError(
                f"speaking to GitHub needs a package that is not installed ({error.name})",
                hint="pip install 'everruns-reconciler[github]'",
            ) from error
        if not workflow.token:
            raise UsageError("GITHUB_TOKEN is not set", hint="env: {GITHUB_TOKEN: ${{ github.token }}}")
        self._workflow = workflow
        self._author = author
        self._sleep = sleep
        self._github = Github(
            auth=Auth.Token(workflow.token),
            base_url=workflow.api_url,
            timeout=_TIMEOUT,
            per_page=_PAGE,
            retry=None,
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
        return self._ask("asking who the token belongs to", lambda: self._github.get_user().login)

    @cached_property
    def _repository(self) -> Repository:
        return self._github.get_repo(self._workflow.repository)

    def comments(self, number: int) -> Iterator[Post]:
        """Yield our comments on an issue or pull request, oldest first."""
        pages = self._issue(number).get_comments()
        for one in self._ask(f"reading the comments of #{number}", lambda: list(pages)):
            if one.user.login == self.author:
                yield Post(one.id, one.body or "", one.html_url)

    def comment(self, number: int, body: str) -> Post:
        """Write a comment."""
        made = self._ask(f"commenting on #{number}", lambda: self._issue(number).create_comment(body))
        return Post(made.id, made.body or "", made.html_url)

    def edit(self, post: Post, number: int, body: str) -> None:
        """Replace the text of a comment."""
        theirs = self._issue(number).get_comment(post.id)
        self._ask(f"changing the comment on #{number}", lambda: theirs.edit(body))

    def remove(self, post: Post, number: int) -> None:
        """Delete a comment."""
        self._ask(f"deleting a comment on #{number}", self._issue(number).get_comment(post.id).delete)

    def issues(self, *, state: Literal["open", "all"], labels: Sequence[str] = ()) -> Iterator[Issue]:
        """Yield our issues, oldest first; pull requests are none."""
        from github.GithubObject import NotSet

        only = list(labels) or NotSet
        pages = self._repository.get_issues(state=state, sort="created", direction="asc", labels=only)
        for one in self._ask("reading the issues", lambda: list(pages)):
            if _AN_ISSUE in one.html_url and one.user.login == self.author:
                yield _issue(one)

    def open(self, title: str, body: str, *, labels: Sequence[str]) -> Issue:
        """Open an issue."""
        make = self._repository.create_issue
        return _issue(self._ask("opening an issue", lambda: make(title, body, labels=list(labels))))

    def change(self, issue: Issue, body: str, *, is_open: bool) -> None:
        """Replace the text of an issue, and open or close it."""
        theirs = self._issue(issue.number)

        def change() -> None:
            if is_open == issue.is_open:
                theirs.edit(body=body)
            elif is_open:
                theirs.edit(body=body, state="open", state_reason="reopened")
            else:
                theirs.edit(body=body, state="closed", state_reason="completed")

        self._ask(f"changing issue #{issue.number}", change)

    def merged(self, sha: str, *, branch: str) -> Merged | None:
        """Return the pull request that brought a commit to a branch, None for a commit that was pushed."""
        pages = self._repository.get_commit(sha).get_pulls()
        for one in self._ask(f"asking for the pull request of {sha[:12]}", lambda: list(pages)):
            if one.merged_at is not None and one.base.ref == branch:
                return Merged(one.number, one.head.sha, one.html_url)
        return None

    def _ask(self, doing: str, act: Callable[[], T]) -> T:
        """Do it, again when a limit that refused it is over; pages that were read are not asked for again."""
        waited = 0.0
        while True:
            try:
                with _told(doing):
                    return act()
            except ForgeError as error:
                if error.wait is None or waited + error.wait > _LONGEST_WAIT:
                    raise
                self._sleep(error.wait)
                waited += error.wait

    def _issue(self, number: int) -> TheirIssue:
        return self._repository.get_issue(number)


def _issue(one: TheirIssue) -> Issue:
    return Issue(one.number, one.body or "", one.state == "open", one.html_url)


@contextmanager
def _told(doing: str) -> Iterator[None]:
    """Turn whatever goes wrong with GitHub into our own error; its text is not repeated, as it may quote a request."""
    from github import GithubException
    from requests.exceptions import RequestException

    try:
        yield
    except GithubException as error:
        said = error.data.get("message") if isinstance(error.data, dict) else None
        wait = limit_of(error.status, error.headers or {}, str(said), now=time.time())
        message = (
            f"GitHub answered {error.status} ({doing})" if wait is None else f"GitHub's limit is reached ({doing})"
        )
        hint = _HINTS.get(error.status) if wait is None else "run the job again later"
        raise ForgeError(message, hint=hint, status=error.status, wait=wait) from error
    except RequestException as error:
        raise ForgeError(f"GitHub cannot be reached ({doing})", hint="is GITHUB_API_URL right?") from error


_REFUSED = (403, 429)


def limit_of(status: int, headers: Mapping[str, str], message: str, *, now: float) -> float | None:
    """Return for how many seconds a limit asks to wait, None for an answer that is about none.

    docs.github.com, "Rate limits for the REST API": 403 or 429; `Retry-After` says it, else the time at which a primary
    limit begins anew; a secondary one that says nothing lasts a minute.
    """
    told = {name.lower(): value for name, value in headers.items()}
    if status not in _REFUSED:
        return None
    if (after := told.get("retry-after", "")).isdecimal():
        return max(float(after), _LEAST_WAIT)
    if told.get("x-ratelimit-remaining") == "0" and (reset := told.get("x-ratelimit-reset", "")).isdecimal():
        return max(float(reset) - now, 0.0) + _LEAST_WAIT  # in which part of that second is not said
    is_limit = status != _REFUSED[0] or "rate limit" in message.lower()
    return _WHEN_NOT_TOLD if is_limit else None


_HINTS = {
    401: "is GITHUB_TOKEN the token of this job?",
    403: "the job needs permissions: pull-requests: write, issues: write, contents: read",
    404: "the job needs permissions: pull-requests: write, issues: write, contents: read",
    410: "issues are switched off in this repository",
}
