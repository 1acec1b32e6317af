"""Clients of a fresh stand-in, without a socket."""

from collections.abc import Callable, Iterator
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
