"""The door to GitHub's REST API: comments, issues and the pull request behind a commit, as values of our own.

PyGithub speaks to it and turns pages. Only this module and `answers.py` import it. When a limit is reached, it is
waited out here: PyGithub would send no PATCH again, know no 429, and wait for as long as an answer says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeVar

from reconciler.ci.answers import told
from reconciler.errors import ForgeError, UsageError

if TYPE_CHECKING:
    from github.Issue import Issue as TheirIssue
    from github.IssueComment import IssueComment
    from github.NamedUser import NamedUser
    from github.Repository import Repository

    from reconciler.ci.environment import Workflow

WORKFLOW_AUTHOR = "github-actions[bot]"
"""Who speaks when a job uses the token that GitHub made for it."""
_MADE_FOR_A_JOB = "ghs_"
_LONGEST_WAIT = 120.0
"""Seconds for which limits are waited out for one request; after that the run says what it could not say."""
_TIMEOUT = 30
_GONE = (404, 410)
"""What GitHub answers about a comment or an issue that somebody deleted since it was read."""
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
        pages, author = self._issue(number).get_comments(), self.author
        yield from self._ask(
            f"reading the comments of #{number}", lambda: [_post(one) for one in pages if _login(one) == author]
        )

    def comment(self, number: int, body: str) -> Post:
        """Write a comment; one that is not ours once it is written is taken back."""

        def write() -> tuple[Post, str]:
            made = self._issue(number).create_comment(body)
            return _post(made), _login(made)

        post, author = self._ask(f"commenting on #{number}", write)
        if author != self.author:
            with suppress(ForgeError):
                self.remove(post, number)
            raise _somebody_else(author, believed=self.author)
        return post

    def edit(self, post: Post, number: int, body: str) -> None:
        """Replace the text of a comment."""
        theirs = self._issue(number).get_comment(post.id)
        self._ask(f"changing the comment on #{number}", lambda: theirs.edit(body), gone=_GONE)

    def remove(self, post: Post, number: int) -> None:
        """Delete a comment."""
        self._ask(f"deleting a comment on #{number}", self._issue(number).get_comment(post.id).delete, gone=_GONE)

    def issues(self, *, state: Literal["open", "all"], labels: Sequence[str] = ()) -> Iterator[Issue]:
        """Yield our issues, oldest first; pull requests are none. GitHub is asked for those of this author alone."""
        from github.GithubObject import NotSet

        only, author = list(labels) or NotSet, self.author
        pages = self._repository.get_issues(
            state=state, sort="created", direction="asc", labels=only, creator=self._user(author)
        )
        yield from self._ask(
            "reading the issues",
            lambda: [_issue(one) for one in pages if _AN_ISSUE in one.html_url and _login(one) == author],
        )

    def open(self, title: str, body: str, *, labels: Sequence[str]) -> Issue:
        """Open an issue; one that is not ours once it is there is closed again."""

        def write() -> tuple[Issue, str]:
            made = self._repository.create_issue(title, body, labels=list(labels))
            return _issue(made), _login(made)

        issue, author = self._ask("opening an issue", write)
        if author != self.author:
            with suppress(ForgeError):
                self.change(issue, body, is_open=False)
            raise _somebody_else(author, believed=self.author)
        return issue

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

        self._ask(f"changing issue #{issue.number}", change, gone=_GONE)

    def merged(self, sha: str, *, branch: str) -> Merged | None:
        """Return the pull request that brought a commit to a branch, None for a commit that was pushed."""
        pages = self._repository.get_commit(sha).get_pulls()

        def look() -> Merged | None:
            fitting = (one for one in pages if one.merged_at is not None and one.base.ref == branch)
            return next((Merged(one.number, one.head.sha, one.html_url) for one in fitting), None)

        return self._ask(f"asking for the pull request of {sha[:12]}", look)

    def head_of(self, number: int) -> str:
        """Return the commit that a pull request's branch stands at."""
        return self._ask(f"asking for #{number}", lambda: self._repository.get_pull(number).head.sha)

    def touched_since(self, sha: str, *, by: str) -> Sequence[str] | None:
        """Return the files that a branch or commit touched since a commit that it stands on, 300 at most.

        None where it does not stand on it, or is it; a commit that GitHub does not know is none that it stands on.
        """

        def compare() -> Sequence[str] | None:
            found = self._repository.compare(sha, by, comparison_commits_per_page=1)
            if found.status != "ahead":
                return None
            return [name for one in found.files for name in (one.filename, one.previous_filename) if name]

        try:
            return self._ask(f"comparing {by} with {sha[:12]}", compare)
        except ForgeError as error:
            if error.status in _GONE:
                return None
            raise

    def _ask(self, doing: str, act: Callable[[], T], *, gone: Sequence[int] = ()) -> T:
        """Do it, again when a limit that refused it is over; pages that were read are not asked for again.

        `gone` are the answers that say that what was read before is no longer there.
        """
        waited = 0.0
        while True:
            try:
                with told(doing):
                    return act()
            except ForgeError as error:
                error.is_gone = error.status in gone
                if error.wait is None or waited + error.wait > _LONGEST_WAIT:
                    raise
                self._sleep(error.wait)
                waited += error.wait

    def _issue(self, number: int) -> TheirIssue:
        return self._repository.get_issue(number)

    def _user(self, login: str) -> NamedUser:
        from github.NamedUser import NamedUser

        return NamedUser(self._github.requester, attributes={"login": login}, completed=True)


def _login(one: IssueComment | TheirIssue) -> str:
    """Return who wrote it, empty for an account that is gone: GitHub says null for some."""
    return str(getattr(one.user, "login", None) or "")


def _post(one: IssueComment) -> Post:
    return Post(one.id, one.body or "", one.html_url)


def _somebody_else(author: str, *, believed: str) -> ForgeError:
    """Say that the token speaks as somebody else than was believed: what it wrote would never be found again."""
    return ForgeError(
        f"GITHUB_TOKEN writes as {author}, and was taken for {believed}",
        hint=f"give --author '{author}' to every ci verb (the action's input author)",
        status=_WRITTEN,
    )


_WRITTEN = 201


def _issue(one: TheirIssue) -> Issue:
    return Issue(one.number, one.body or "", one.state == "open", one.html_url)
