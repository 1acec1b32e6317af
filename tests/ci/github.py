"""A stand-in of GitHub's REST API: the endpoints in use, pages with Link headers, and limits as GitHub sets them."""

import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

REPOSITORY = "acme/fleet"
COMMENT_LIMIT = 65_536
JOB_TOKEN = "ghs_0fTh3J0b"
BOT = "github-actions[bot]"
_HOME = f"/repos/{REPOSITORY}"


@dataclass
class GitHub:
    """One repository. `page` is the most that a page holds; `stumbles` are answers given before it does anything.

    `after` are answers given after it did what was asked, `hindered` are stumbles of a method. `rights` say what a
    token may do, by permission; a token that is not there may do all. `refused` are the requests that went beyond.
    `heads` are the commits that pull requests stand at, `clone` is where their history is.
    """

    page: int = 3
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    issues: list[dict[str, Any]] = field(default_factory=list)
    merged: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    logins: dict[str, str] = field(default_factory=lambda: {JOB_TOKEN: BOT})
    stumbles: list[Response] = field(default_factory=list)
    after: list[Response] = field(default_factory=list)
    hindered: dict[str, list[Response]] = field(default_factory=dict)
    read_only: bool = False
    rights: dict[str, Mapping[str, str]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    heads: dict[int, str] = field(default_factory=dict)
    clone: Path | None = None
    numbers: int = 0
    _next: int = 100

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer one request."""
        request = Request(environ)
        self.requests.append(f"{request.method} {request.path}")
        stumbles = self.hindered.get(request.method) or self.stumbles
        answer = stumbles.pop(0) if stumbles else self._answer(request)
        if request.method != "GET" and self.after:
            answer = self.after.pop(0)
        return answer(environ, start_response)

    def say(self, number: int, body: str, *, login: str = "somebody") -> dict[str, Any]:
        """Write a comment."""
        self._next += 1
        url = f"https://github.example/{REPOSITORY}/pull/{number}#issuecomment-{self._next}"
        made = {"id": self._next, "body": body, "user": {"login": login}, "html_url": url}
        self.comments.setdefault(number, []).append(made)
        return made

    def raise_issue(self, title: str, body: str, *, login: str, labels: list[str], **more: Any) -> dict[str, Any]:
        """Open an issue."""
        number = max([len(self.issues), self.numbers]) + 1
        self.numbers = max(self.numbers, number)
        url = f"https://github.example/{REPOSITORY}/issues/{number}"
        made = {"number": number, "title": title, "body": body, "state": "open", "user": {"login": login}}
        made |= {"labels": [{"name": name} for name in labels], "html_url": url} | more
        self.issues.append(made)
        return made

    def merge(self, number: int, sha: str, *, head: str, base: str = "main") -> None:
        """Note that a pull request brought a commit to a branch."""
        pull = {"number": number, "merged_at": "2026-11-22T12:00:00Z", "base": {"ref": base}, "head": {"sha": head}}
        self.merged.setdefault(sha, []).append(
            pull | {"html_url": f"https://github.example/{REPOSITORY}/pull/{number}"}
        )

    def ours(self, number: int) -> list[dict[str, Any]]:
        """Return the comments that the job wrote."""
        return [one for one in self.comments.get(number, []) if one["user"] and one["user"]["login"] == BOT]

    @property
    def writes(self) -> list[str]:
        """Every request but GET."""
        return [one for one in self.requests if not one.startswith("GET")]

    def _answer(self, request: Request) -> Response:
        token = request.headers.get("Authorization", "").partition(" ")[2]
        login = self.logins.get(token)
        if login is None:
            return _json({"message": "Bad credentials"}, 401)
        if request.path == "/user":
            denied = {"message": "Resource not accessible by integration"}
            return _json(denied, 403) if login == BOT else _json({"login": login})
        if request.method != "GET" and self.read_only:
            return _json({"message": "Resource not accessible by integration"}, 403)
        words = request.path.removeprefix(_HOME).strip("/").split("/")
        if token in self.rights and not self._may(self.rights[token], request.method, words):
            self.refused.append(f"{request.method} {request.path}")
            return _json({"message": "Resource not accessible by integration"}, 403)
        sent = json.loads(request.get_data()) if request.get_data() else {}
        self.texts.append(json.dumps(sent))
        if len(sent.get("body", "")) > COMMENT_LIMIT:
            return _json({"message": "body is too long (maximum is 65536 characters)"}, 422)
        return (
            self._read(request, words) if request.method == "GET" else self._write(request.method, words, sent, login)
        )

    def _may(self, rights: Mapping[str, str], method: str, words: list[str]) -> bool:
        """Say whether a token may do this: comments of a pull request are open to the permission for either kind."""
        match words:
            case ["commits" | "pulls", *_]:
                asked = ["pull-requests"]
            case ["compare", _]:
                asked = ["contents"]
            case ["issues", "comments", one]:
                asked = self._kinds(next(number for number, listed in self.comments.items() if _has(listed, one)))
            case ["issues", number, "comments"]:
                asked = self._kinds(int(number))
            case _:
                asked = ["issues"]
        enough = ("read", "write") if method == "GET" else ("write",)
        return any(rights.get(one) in enough for one in asked)

    def _kinds(self, number: int) -> list[str]:
        return ["issues"] if any(one["number"] == number for one in self.issues) else ["issues", "pull-requests"]

    def _read(self, request: Request, words: list[str]) -> Response:
        match words:
            case ["issues"]:
                return self._paged(request, [one for one in self.issues if _asked_for(one, request)])
            case ["issues", number, "comments"]:
                return self._paged(request, self.comments.get(int(number), []))
            case ["commits", sha, "pulls"]:
                return self._paged(request, self.merged.get(sha, []))
            case ["pulls", number]:
                return _json({"number": int(number), "head": {"sha": self.heads[int(number)]}})
            case ["compare", between]:
                return self._compared(*between.split("..."))
        return _missing()

    def _compared(self, base: str, head: str) -> Response:
        """Say what a commit has that another has not, as `git log base..head` does."""
        counts = self._git("rev-list", "--left-right", "--count", f"{base}...{head}")
        if counts is None:
            return _missing()
        behind, ahead = (int(one) for one in counts.split())
        status = ("diverged" if behind else "ahead") if ahead else ("behind" if behind else "identical")
        touched = (self._git("diff", "--name-only", f"{base}...{head}") or "").splitlines()
        return _json({"status": status, "files": [{"filename": name} for name in touched[:300]]})

    def _git(self, *arguments: str) -> str | None:
        done = subprocess.run(["git", *arguments], cwd=self.clone, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else None

    def _write(self, method: str, words: list[str], sent: dict[str, Any], login: str) -> Response:
        match [method, *words]:
            case ["POST", "issues"]:
                return _json(self.raise_issue(sent["title"], sent["body"], login=login, labels=sent["labels"]), 201)
            case ["PATCH", "issues", number]:
                (issue,) = (one for one in self.issues if one["number"] == int(number))
                issue.update(sent)
                return _json(issue)
            case ["POST", "issues", number, "comments"]:
                return _json(self.say(int(number), sent["body"], login=login), 201)
            case ["PATCH", "issues", "comments", one] if found := self._comment(one):
                found.update(sent)
                return _json(found)
            case ["DELETE", "issues", "comments", one]:
                for listed in self.comments.values():
                    listed[:] = [each for each in listed if each["id"] != int(one)]
                return Response(status=204)
        return _missing()

    def _comment(self, id_: str) -> dict[str, Any]:
        return next((one for listed in self.comments.values() for one in listed if one["id"] == int(id_)), {})

    def _paged(self, request: Request, found: list[dict[str, Any]]) -> Response:
        """Give a page, no larger than was asked for or than this server's pages are."""
        size = min(int(request.args.get("per_page", 30)), self.page)
        number = int(request.args.get("page", 1))
        answer = _json(found[(number - 1) * size : number * size])
        if number * size < len(found):
            query = urlencode({**request.args, "page": number + 1})
            answer.headers["Link"] = f'<{request.base_url}?{query}>; rel="next"'
        return answer


def _has(comments: list[dict[str, Any]], id_: str) -> bool:
    return any(one["id"] == int(id_) for one in comments)


def _asked_for(issue: dict[str, Any], request: Request) -> bool:
    labels = {label["name"] for label in issue["labels"]}
    wanted = {one for one in request.args.get("labels", "").split(",") if one}
    creator = request.args.get("creator", issue["user"]["login"])
    is_by_them = creator == issue["user"]["login"]
    return is_by_them and wanted <= labels and request.args.get("state", "open") in ("all", issue["state"])


def _json(data: Any, status: int = 200) -> Response:
    return Response(json.dumps(data), status, content_type="application/json; charset=utf-8")


def _missing() -> Response:
    return _json({"message": "Not Found"}, 404)


def limited(*, seconds: int, status: int = 403) -> Response:
    """Answer as GitHub does to who writes too fast: the secondary limit, with how long to wait; 403 or 429."""
    message = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
    answer = _json(message, status)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def used_up(*, seconds: int, status: int = 403) -> Response:
    """Answer as GitHub does to who has asked too much: the primary limit, with when it begins anew; 403 or 429."""
    answer = _json({"message": "API rate limit exceeded for installation ID 1."}, status)
    answer.headers["X-RateLimit-Limit"], answer.headers["X-RateLimit-Remaining"] = "1000", "0"
    answer.headers["X-RateLimit-Reset"] = str(int(time.time()) + seconds)
    return answer


def stumbled() -> Response:
    """Answer as GitHub does when something of it is down."""
    return _json({"message": "Server Error"}, 502)
