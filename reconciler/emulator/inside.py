"""Requests that the emulator sends to itself: past faults and frozen apps, as an owner, through the same handlers."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from werkzeug.wrappers import Request

from reconciler.emulator import ids
from reconciler.emulator.answers import Answer
from reconciler.emulator.call import Caller

PREFIX = "/api"
CALLER = "emulator.caller"
OWNER = Caller(user=ids.derived("user", "owner"), role="owner", is_session=True)


def split(path: str) -> tuple[str, str]:
    """Take the optional `/api` in front of a path apart from it."""
    if path.startswith(PREFIX + "/"):
        return PREFIX, path[len(PREFIX) :]
    return "", path


def base_of(request: Request) -> str:
    """Give the address of the API as the request spelled it."""
    return request.host_url.rstrip("/") + split(request.path)[0]


def is_inside(request: Request) -> bool:
    """Tell whether the emulator sent a request to itself; a client cannot say so."""
    return CALLER in request.environ


@dataclass(frozen=True, slots=True)
class Inside:
    """The way in: `send` runs a request through the handlers and gives its status and JSON."""

    answer: Callable[[Request], Answer]

    def send(self, method: str, path: str, *, org: str = "", body: Any = None) -> tuple[int, Any]:
        """Send a request in an organization; raises nothing, a refusal comes back as its status and body."""
        status, content, _ = self.answer(Request(_environ(method, path, org=org, body=body)))
        try:
            return status, json.loads(content) if content else None
        except ValueError:
            return status, {"detail": content.decode()}


def _environ(method: str, path: str, *, org: str, body: Any) -> dict[str, Any]:
    """Write the WSGI environment of a request that no socket carried."""
    content = b"" if body is None else json.dumps(body).encode()
    where, _, query = path.partition("?")
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": where,
        "QUERY_STRING": query,
        "SERVER_NAME": "emulator",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(content),
        CALLER: OWNER,
        **({"HTTP_X_ORG_ID": org} if org else {}),
    }
