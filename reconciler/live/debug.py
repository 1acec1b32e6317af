"""The HTTP log of `--debug`: a line for each request and for each answer, with nothing in it that could be a secret.

A request is shown as it was before its secrets were opened; of an answer there is only what was measured of it.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from reconciler.live.hearsay import ASKED, Asked
from reconciler.live.http import httpx
from reconciler.live.problems import request_id


class Logged(httpx.BaseTransport):
    """A transport that tells of what goes through another one; each line is given to `tell` as it comes up."""

    def __init__(self, inner: httpx.BaseTransport, tell: Callable[[str], None]) -> None:
        self._inner = inner
        self._tell = tell
        self._lock = threading.Lock()
        self._attempts: WeakKeyDictionary[Asked, int] = WeakKeyDictionary()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on, and read its answer to the end; raises what the inner transport does."""
        asked: Asked = request.extensions[ASKED]
        line = _line_of(request, asked)
        self._tell(f"{_now()} > {line} attempt {self._attempt(asked)} {_body(request, asked)}")
        began = time.perf_counter()
        try:
            response = self._inner.handle_request(request)
            response.read()
        except httpx.HTTPError as error:
            self._tell(f"{_now()} < {type(error).__name__} {line} {_since(began)}")
            raise
        size = response.num_bytes_downloaded or len(response.content)
        id_ = request_id(response) or "-"
        self._tell(f"{_now()} < {response.status_code} {line} {_since(began)} request {id_} {size} B")
        return response

    def close(self) -> None:
        """Close the inner transport."""
        self._inner.close()

    def _attempt(self, asked: Asked) -> int:
        with self._lock:
            self._attempts[asked] = attempt = self._attempts.get(asked, 0) + 1
            return attempt


def _line_of(request: httpx.Request, asked: Asked) -> str:
    """Return method, path with its query, and organization."""
    path = request.url.raw_path.decode("ascii", errors="replace")
    return f"{request.method} {path} {asked.org or '-'}"


def _body(request: httpx.Request, asked: Asked) -> str:
    """Return the size of what is sent and, where there is anything, the body with secrets as `{env: NAME}`."""
    size = request.headers.get("content-length", "0")
    return f"{size} B" if asked.body is None else f"{size} B {json.dumps(asked.body, default=repr)}"


def _since(began: float) -> str:
    return f"{(time.perf_counter() - began) * 1000:.0f} ms"


def _now() -> str:
    return datetime.now(UTC).strftime("%H:%M:%S.%f")[:-3]
