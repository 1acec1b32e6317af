"""One door to the platform: a client that can only read, and one that can write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from reconciler.api_errors import Unauthorized
from reconciler.errors import Stopped
from reconciler.kinds.taint import shown_once
from reconciler.live.endpoint import Endpoint, checked_url
from reconciler.live.limiter import PATIENCE, Limiter

if TYPE_CHECKING:
    from reconciler.live.connection import Connection
    from reconciler.live.journal import Journal
    from reconciler.live.runs import Runs


class ReadClient:
    """Reads, and has no way to write."""

    def __init__(self, endpoint: Endpoint, *, read_only: bool = True) -> None:
        self._endpoint = endpoint
        self._read_only = read_only
        self._opening = threading.Lock()
        self._opened: Connection | None = None
        self._begun: dict[Hashable, Future[Any]] = {}
        self._ahead = threading.Lock()
        self._may_begin = True
        self._limiter = Limiter(endpoint.connections, clock=endpoint.clock, patience=PATIENCE, timeout=endpoint.timeout)

    def get(self, path: str, *, doing: str, org: str | None = None, params: Mapping[str, str] | None = None) -> Any:
        """GET a path below the API's base, or take the answer of the same read begun before; raises ApiError."""
        with self._ahead:
            begun = self._begun.pop(_asked(path, org, params), None)
        return begun.result() if begun else self._read(path, doing=doing, org=org, params=params)

    def begin(
        self,
        path: str,
        *,
        doing: str,
        org: str | None = None,
        params: Mapping[str, str] | None = None,
        then: Callable[[Any], None] = lambda _answer: None,
    ) -> None:
        """Send a GET at once, for the next `get` of the same to take; `then` sees the answer before anybody else.

        What `then` makes of an answer is nobody's concern but its own: who wants the answer judges it.
        """

        def read() -> Any:
            answer = self._read(path, doing=doing, org=org, params=params)
            with suppress(Exception):
                then(answer)
            return answer

        with self._ahead:
            if self._may_begin:
                self._begun[_asked(path, org, params)] = self._pool.submit(read)

    def end_ahead(self) -> None:
        """Leave what was begun and not taken, and begin nothing more: whatever is read later must be read anew."""
        with self._ahead:
            self._may_begin = False
            if "_pool" in vars(self):
                self._pool.shutdown(wait=False, cancel_futures=True)
            self._begun.clear()

    def _read(self, path: str, *, doing: str, org: str | None, params: Mapping[str, str] | None) -> Any:
        return self._connection.request("GET", path, doing=doing, org=org, params=params, body=None)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=self._endpoint.connections, thread_name_prefix="ahead")

    @property
    def _connection(self) -> Connection:
        """Open on first use: what speaks HTTP takes a while to import, and a run may end before it is needed."""
        with self._opening:
            if self._opened is None:
                from reconciler.live.connection import Connection

                self._opened = Connection(_with_key(self._endpoint), limiter=self._limiter, read_only=self._read_only)
            return self._opened

    @property
    def base(self) -> str:
        """The API's address; raises UsageError when it is not one."""
        return checked_url(self._endpoint.url)

    @property
    def throttled_for(self) -> float:
        """How many seconds the server made us wait."""
        return self._limiter.waited

    @property
    def stopped(self) -> Stopped | None:
        """Why nothing more is sent though something was to be: time is up, or too much went wrong in a row."""
        return self._limiter.stopped

    def close(self) -> None:
        """Close every connection."""
        self.end_ahead()
        if self._opened:
            self._opened.close()


def _asked(path: str, org: str | None, params: Mapping[str, str] | None) -> Hashable:
    return path, org, tuple(sorted((params or {}).items()))


class WriteClient(ReadClient):
    """Reads and writes; what it sends is noted in the `journal` of the run, which is kept in `runs`, if anywhere."""

    journal: Journal | None = None
    _late: Mapping[str, float] = MappingProxyType({})
    runs: Runs | None = None

    def send(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        org: str | None = None,
        body: Any = None,
        one_time: str | None = None,
    ) -> Any:
        """Send a write; never repeated unless it certainly was not carried out. Raises ApiError and JournalError.

        `one_time` names a member of the answer that is a secret, which is tainted from then on.
        """
        from uuid import uuid4

        request_id = str(uuid4())

        def request() -> Any:
            answer = self._connection.request(
                method, path, doing=doing, org=org, params=None, body=body, request_id=request_id
            )
            return shown_once(answer, one_time) if one_time else answer

        if self.journal is None:
            return request()
        return self.journal.around(request, method=method, path=path, body=body, request_id=request_id)

    def stop(self) -> None:
        """Send nothing more: what waits to be sent raises Interrupted, what was sent is still answered."""
        self._limiter.stop()

    def expect(self, late: Mapping[str, float]) -> None:
        """Know of creates of earlier runs that may still arrive: by step, for how many seconds from now."""
        now = self._endpoint.clock.monotonic()
        self._late = {step: now + seconds for step, seconds in late.items()}

    def may_arrive(self, step: str) -> float:
        """Return for how many seconds an earlier create of a step may still arrive, 0 for none."""
        return max(0.0, self._late.get(step, 0.0) - self._endpoint.clock.monotonic()) if self._late else 0.0

    def now(self) -> float:
        """Return the time by the clock that waiting moves on, in seconds from anywhere."""
        return self._endpoint.clock.monotonic()

    def tell(self, seconds: float, why: str) -> None:
        """Say why nothing seems to happen for so long."""
        self._endpoint.waiting(seconds, why)

    def rest(self, seconds: float) -> None:
        """Let the calling worker alone wait; raises Interrupted or Stopped when nothing more is to be sent."""
        self._limiter.rest(seconds)

    def pause(self, seconds: float) -> None:
        """Hold every worker back, as the server asked."""
        self._limiter.hold(min(seconds, PATIENCE))

    @property
    def has_ended(self) -> bool:
        """Whether nothing may be sent any more: asked before something new is started."""
        return self._limiter.has_ended

    @property
    def written(self) -> int:
        """How many writes of the calling thread were carried out, or may have been."""
        return self._opened.written if self._opened else 0


def open_reader(endpoint: Endpoint) -> ReadClient:
    """Make a client whose transport refuses everything but GET.

    Its first request raises UsageError or Unauthorized for an address or a key that is none.
    """
    return ReadClient(endpoint)


def open_writer(endpoint: Endpoint, *, runs: Runs | None = None) -> WriteClient:
    """Make a client that can write, and keeps the journal of its run in `runs`; errors as with `open_reader`."""
    client = WriteClient(endpoint, read_only=False)
    client.runs = runs
    return client


def _with_key(endpoint: Endpoint) -> Endpoint:
    if not endpoint.key:
        raise Unauthorized(
            "no API key: EVERRUNS_API_KEY is not set",
            hint="export EVERRUNS_API_KEY=evr_pat_..., or try --local for the embedded emulator",
        )
    if not (endpoint.key.isascii() and endpoint.key.isprintable()) or " " in endpoint.key:
        raise Unauthorized("EVERRUNS_API_KEY contains spaces or characters no key has", hint="copy the key again")
    return endpoint
