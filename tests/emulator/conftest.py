"""Clients of a fresh stand-in, without a socket."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.emulator import create_app

Open = Callable[..., httpx.Client]


@pytest.fixture
def open_api() -> Iterator[Open]:
    """Start a stand-in and give a client of it; `token` chooses who calls."""
    opened: list[Any] = []

    def start(*, token: str = "evr_pat_local", base: str = "http://emulator", **options: Any) -> httpx.Client:
        options.setdefault("default_org", True)
        app = options.pop("app", None) or create_app(**options)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client = httpx.Client(transport=httpx.WSGITransport(app=app), base_url=base, headers=headers)
        client.app = app  # type: ignore[attr-defined]
        opened.extend((client, app))
        return client

    yield start
    for thing in opened:
        thing.close()


@pytest.fixture
def api(open_api: Open) -> httpx.Client:
    """Give an owner's client of a stand-in with one organization."""
    return open_api()


@pytest.fixture
def roles(open_api: Open) -> dict[str, httpx.Client]:
    """Give one client per role, all of the same stand-in."""
    names = ("owner", "admin", "member", "stranger")
    first = open_api(token="evr_pat_owner", tokens={f"evr_pat_{name}": name for name in names})
    app = first.app  # type: ignore[attr-defined]
    return {name: open_api(token=f"evr_pat_{name}", app=app) for name in names}


@pytest.fixture
def check() -> Callable[..., dict[str, Any]]:
    """Assert status, detail and code of a refusal; a code not named must be absent."""

    def assert_refused(response: httpx.Response, status: int, detail: str, code: str | None = None) -> dict[str, Any]:
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        body: dict[str, Any] = response.json()
        assert body["detail"] == detail
        assert body.get("code") == code
        assert "allowed_actions" not in body
        assert body["status"] == status
        return body

    return assert_refused


@pytest.fixture
def made() -> Callable[..., dict[str, Any]]:
    """POST and insist on success; gives the body."""

    def post(api: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
        response = api.post(path, json=body)
        assert response.status_code in (200, 201), response.text
        result: dict[str, Any] = response.json()
        return result

    return post


@pytest.fixture
def harness(api: httpx.Client) -> str:
    """Give the id of the built-in generic harness."""
    return str(api.get("/v1/harnesses/generic").json()["id"])


class Repositories:
    """Bare repositories below one directory, as `git_base` wants them."""

    def __init__(self, folder: Path) -> None:
        self.base = folder / "base"
        self.base.mkdir()
        self._environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}

    def commit(
        self, name: str, files: Mapping[str | bytes, str | bytes | tuple[str, str]], branch: str = "main"
    ) -> None:
        """Commit exactly these files; a tuple is a mode (symlink, submodule) with its target."""
        if not (self.base / f"{name}.git").exists():
            self.git("init", "--quiet", "--bare", "--template=", str(self.base / f"{name}.git"))
        head = f"refs/heads/{branch}"
        exists = self.git("for-each-ref", head, name=name)
        lines = [f"commit {head}\ncommitter T <t@example.com> 0 +0000\ndata 0\n".encode()]
        lines += [f"from {head}^0\n".encode()] if exists else []
        lines += [b"deleteall\n", *(_change(path, what) for path, what in files.items())]
        self.git("fast-import", "--quiet", name=name, stdin=b"".join(lines))

    def git(self, *arguments: str, name: str = "", stdin: bytes = b"") -> str:
        """Run git, in one of the repositories where it is named."""
        inside = ["--git-dir", str(self.base / f"{name}.git")] if name else []
        ended = subprocess.run(
            ["git", *inside, *arguments], input=stdin, env=self._environment, check=True, capture_output=True
        )
        return ended.stdout.decode().strip()


def _change(path: str | bytes, what: str | bytes | tuple[str, str]) -> bytes:
    """Write one file of a commit the way fast-import reads it."""
    mode, content = what if isinstance(what, tuple) else ("100644", what)
    place, data = (text.encode() if isinstance(text, str) else text for text in (path, content))
    if mode == "160000":
        return b"M 160000 " + data + b" " + place + b"\n"
    return f"M {mode} inline ".encode() + place + f"\ndata {len(data)}\n".encode() + data + b"\n"


@pytest.fixture
def repositories(tmp_path: Path) -> Repositories:
    """Give a directory of bare repositories to commit to."""
    return Repositories(tmp_path)


@pytest.fixture
def synced(repositories: Repositories, open_api: Open, made: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
    """Give a function that makes a memory of a source, does one step of the worker, and shows the memory."""
    api = open_api(git_base=str(repositories.base))

    def sync(**source: Any) -> dict[str, Any]:
        wanted = {"type": "github", "repository": "acme/docs", **source}
        memory = made(api, "/v1/memories", name=f"m{time.monotonic_ns()}", source=wanted)
        assert api.app.sync.step() == memory["id"]  # type: ignore[attr-defined]
        shown: dict[str, Any] = api.get(f"/v1/memories/{memory['id']}").json()
        return shown

    sync.api = api  # type: ignore[attr-defined]
    return sync
