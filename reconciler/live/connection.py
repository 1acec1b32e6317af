"""Requests over one httpx.Client: headers, pacing, retries of what is safe, answers as data or our own errors."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

import orjson

from reconciler import __version__
from reconciler.errors import Interrupted, Problem, ServerFault, Throttled, Unreachable, UsageError, from_problem
from reconciler.live.client import PATIENCE
from reconciler.live.endpoint import Endpoint, checked_url, is_loopback
from reconciler.live.http import httpx
from reconciler.live.problems import problem_of

READ_TRIES = 3
_PAUSE = 0.25
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_SERVER_FAULT = 500
_TOO_MANY = 429
_NO_API = "is EVERRUNS_API_URL the address of an Everruns API? it usually ends in /api"


class _ReadOnly(httpx.BaseTransport):
    """A transport that lets nothing through but GET: a verb that reads cannot write, whatever its code does."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "GET":
            raise AssertionError(f"a reading verb tried to {request.method} {request.url.path}")
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


class _Gate:
    """Holds every worker back while the server wants quiet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0
        self._is_shut = False
        self.waited = 0.0

    def pass_through(self) -> None:
        """Wait until the gate is open; raises Interrupted when it was shut meanwhile."""
        while (rest := self._until - time.monotonic()) > 0 and not self._is_shut:
            time.sleep(min(rest, 1.0))
        if self._is_shut:
            raise Interrupted("interrupted before it was sent")

    def shut(self) -> None:
        """Let nobody through any more."""
        self._is_shut = True

    def close_for(self, seconds: float) -> bool:
        """Close for this long, unless it already is for longer; say whether it was open."""
        with self._lock:
            now = time.monotonic()
            was_open = self._until <= now
            self.waited += max(0.0, now + seconds - max(self._until, now))
            self._until = max(self._until, now + seconds)
            return was_open


class Connection:
    """Requests with headers, pacing, retries of what is safe, and answers as data or our own errors."""

    def __init__(self, endpoint: Endpoint, *, read_only: bool) -> None:
        self.base = checked_url(endpoint.url)
        inner = (
            httpx.WSGITransport(app=endpoint.app())
            if endpoint.app
            else _network(self.base, connections=endpoint.connections)
        )
        self._http = httpx.Client(
            transport=_ReadOnly(inner) if read_only else inner,
            timeout=_TIMEOUT,
            follow_redirects=False,
            headers={
                "Authorization": f"Bearer {endpoint.key}",
                "Accept": "application/json",
                "User-Agent": f"everruns-reconciler/{__version__}",
            },
        )
        self._reason = {"Everruns-Change-Reason": quote(endpoint.reason, safe=" ")} if endpoint.reason else {}
        self._waiting = endpoint.waiting
        self.gate = _Gate()

    def request(  # noqa: PLR0913 - a request has so many parts
        self,
        method: str,
        path: str,
        *,
        doing: str,
        org: str | None,
        params: Mapping[str, str] | None,
        body: Any,
        hide: Collection[str] = (),
        request_id: str | None = None,
    ) -> Any:
        """Send one request and return its JSON (None for an empty answer); raises ApiError otherwise.

        `hide` are the secrets in the body, which no error may repeat. The server calls the request by `request_id`.
        """
        hide = (*hide, self._http.headers["Authorization"].removeprefix("Bearer "))
        headers = {"X-Org-Id": org} if org else {}
        headers |= {"X-Request-ID": request_id} if request_id else {}
        content = None
        if method != "GET":
            headers |= self._reason
            if body is not None:
                content = orjson.dumps(body)
                headers["Content-Type"] = "application/json"
        url = self.base + path
        tries = READ_TRIES if method == "GET" else 1
        attempt = 0
        waited = 0.0
        while True:
            attempt += 1
            self.gate.pass_through()
            try:
                response = self._http.request(method, url, params=params, headers=headers, content=content)
            except httpx.TransportError as error:
                never_sent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))
                if attempt < (READ_TRIES if never_sent else tries):
                    time.sleep(_PAUSE * attempt)
                    continue
                raise self._unreachable(error, doing=doing, ambiguous=not never_sent and method != "GET") from error
            except httpx.DecodingError as error:
                raise ServerFault(f"{doing}: the answer cannot be decoded ({error})", hint=_NO_API) from error
            if response.status_code == _TOO_MANY:
                waited = self._throttled(problem_of(response, hide=hide), doing=doing, waited=waited)
                attempt -= 1
                continue
            if response.status_code >= _SERVER_FAULT and attempt < tries:
                pause = problem_of(response, hide=hide).retry_after or _PAUSE * attempt
                if pause <= PATIENCE:
                    self._wait(pause, doing=doing)
                    continue
            try:
                return _answer(response, doing=doing, hide=hide)
            except ServerFault:
                if method != "GET" or attempt >= tries or not _begins_well(response):
                    raise
                time.sleep(_PAUSE * attempt)

    def _throttled(self, problem: Problem, *, doing: str, waited: float) -> float:
        """Close the gate for as long as the server asks; raise when that is more than our patience."""
        seconds = problem.retry_after or 1.0
        if waited + seconds > PATIENCE:
            message = f"{doing}: the platform asks to wait {seconds:.0f} s ({problem})"
            raise Throttled(message, hint="run again after that; nothing was done by this request", problem=problem)
        self._wait(seconds, doing=doing)
        return waited + seconds

    def _wait(self, seconds: float, *, doing: str) -> None:
        """Hold every worker back, and say so once: the others find the gate closed."""
        if self.gate.close_for(seconds):
            self._waiting(seconds, doing)

    def _unreachable(self, error: httpx.TransportError, *, doing: str, ambiguous: bool) -> Unreachable:
        what = "did not answer in time" if isinstance(error, httpx.TimeoutException) else "cannot be reached"
        hint = "check EVERRUNS_API_URL (--api-url) and the network; reconciler emulator serves a stand-in"
        if ambiguous:
            what, hint = "broke off", "the write may have been carried out: run again, it is read back first"
        return Unreachable(
            f"{doing}: {self.base} {what} ({str(error) or type(error).__name__})", hint=hint, ambiguous=ambiguous
        )

    def close(self) -> None:
        """Close every connection."""
        self._http.close()


def _network(base: str, *, connections: int) -> httpx.BaseTransport:
    """Open the network: through the environment's proxy where it applies, over TLS except on this machine."""
    parts = urlsplit(base)
    host = parts.hostname or ""
    exempt = is_loopback(host) or bool(proxy_bypass(host))
    proxies = {} if exempt else getproxies()
    limits = httpx.Limits(
        max_connections=connections + 2, max_keepalive_connections=connections + 2, keepalive_expiry=4.0
    )
    try:
        proxy = proxies.get(parts.scheme) or proxies.get("all")
        return httpx.HTTPTransport(verify=parts.scheme == "https", limits=limits, proxy=proxy)
    except (ValueError, ImportError):
        raise UsageError(
            "the proxy of the environment (HTTPS_PROXY, ALL_PROXY) cannot be used",
            hint="write it as http://host:port; socks is not supported",
        ) from None


def _begins_well(response: httpx.Response) -> bool:
    """Say whether a good answer begins as JSON does; one that makes no sense all the same was cut short."""
    return response.is_success and response.content[:1] in (b"{", b"[")


def _answer(response: httpx.Response, *, doing: str, hide: Collection[str]) -> Any:
    """Return the JSON of a good answer; raise what an error answer means."""
    status = response.status_code
    if status >= 400:  # noqa: PLR2004 - the meaning of 4xx and 5xx is fixed
        raise from_problem(problem_of(response, hide=hide), doing=doing)
    if 300 <= status < 400:  # noqa: PLR2004
        raise ServerFault(
            f"{doing}: the server redirects elsewhere ({status})",
            hint="EVERRUNS_API_URL must be the API's own address: redirects are not followed, they could leak the key",
        )
    if not response.content:
        return None
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        raise ServerFault(f"{doing}: the answer is not JSON ({error})", hint=_NO_API) from error
