"""Requests over one httpx.Client: headers, pacing, retries of what is safe, answers as data or our own errors."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from reconciler import __version__
from reconciler.api_errors import ServerFault, Throttled, Unreachable
from reconciler.kinds.taint import opened
from reconciler.live.answer import NO_API, SERVER_FAULT, TOO_MANY, answer_of, begins_well, verdict_of, whole, why_none
from reconciler.live.endpoint import Endpoint, checked_url
from reconciler.live.hearsay import ASKED, Asked
from reconciler.live.http import httpx
from reconciler.live.limiter import LEAST, PATIENCE, Limiter, Turn
from reconciler.live.problems import problem_of
from reconciler.live.transports import UNTIL, transport_for
from reconciler.live.window import Verdict

READ_TRIES = 3
_PAUSE = 0.25
_WAIT = 1.0
"""Seconds to wait after a 429 that does not say how long."""
_LEAST_WAIT = 0.25
"""Seconds to wait after a 429 in any case: less, again and again, would be a spin until our patience is over."""
_ANSWER, _CONNECT = 30.0, 10.0
_TIMEOUT = httpx.Timeout(_ANSWER, connect=_CONNECT)
_WHOLE = 120.0
"""Seconds for an answer to come in, however many pieces it has."""
_LEAST_OF_A_READ = 0.05
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, slots=True)
class _Message:
    """One request as it is sent, as often as it is; `doing` says what for, `asked` what it was made from."""

    method: str
    url: str
    params: Mapping[str, str] | None
    headers: Mapping[str, str]
    content: bytes | None
    doing: str
    asked: Asked

    @property
    def reads(self) -> bool:
        """Whether nothing changes when it is sent again."""
        return self.method == "GET"


class _Written(threading.local):
    """How many writes of a thread were carried out, or may have been."""

    count = 0


class Connection:
    """Requests with headers, pacing, retries of what is safe, and answers as data or our own errors."""

    def __init__(self, endpoint: Endpoint, *, limiter: Limiter, read_only: bool) -> None:
        self.base = checked_url(endpoint.url)
        self._http = httpx.Client(
            transport=transport_for(endpoint, self.base, read_only=read_only),
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
        self._monotonic = endpoint.clock.monotonic
        self._limiter = limiter
        self._written = _Written()

    @property
    def written(self) -> int:
        """How many writes of the calling thread were carried out, or may have been."""
        return self._written.count

    def request(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        org: str | None,
        params: Mapping[str, str] | None,
        body: Any,
        request_id: str | None = None,
    ) -> Any:
        """Send one request and return its JSON (None for an empty answer).

        Raises ApiError, and Stopped and Interrupted when it is not sent any more. Secrets in the body are tainted until
        its bytes are made. The server calls the request by `request_id`.
        """
        asked = Asked(method, path, self.base, org, body)
        headers = {"X-Org-Id": org} if org else {}
        headers |= {"X-Request-ID": request_id} if request_id else {}
        content = None
        if method != "GET":
            headers |= self._reason
            if body is not None:
                content = _encoded(body)
                headers["Content-Type"] = "application/json"
        return self._insist(_Message(method, self.base + path, params, headers, content, doing, asked))

    def _insist(self, message: _Message) -> Any:
        """Send a request, again where that is safe, until there is an answer to return or to raise."""
        tries = READ_TRIES if message.reads else 1
        attempt = 0
        waited = 0.0
        while True:
            attempt += 1
            try:
                response, quiet = self._exchange(message)
            except httpx.TransportError as error:
                self._give_up_or_rest(message, error, attempt=attempt)
                continue
            except httpx.DecodingError as error:
                why = "is too large" if "larger than" in str(error) else "cannot be decoded"
                raise ServerFault(f"{message.doing}: the answer {why}", hint=NO_API) from error
            if response.status_code == TOO_MANY:
                waited = self._with_patience(response, message, quiet=quiet, waited=waited)
                attempt -= 1
                continue
            if response.status_code >= SERVER_FAULT and attempt < tries and quiet <= PATIENCE:
                if not quiet:
                    self._limiter.rest(_PAUSE * attempt)
                continue
            try:
                return answer_of(response, message.asked, doing=message.doing)
            except ServerFault:
                if not message.reads or attempt >= tries or not begins_well(response):
                    raise
                self._limiter.rest(_PAUSE * attempt)

    def _exchange(self, message: _Message) -> tuple[httpx.Response, float]:
        """Send a request once, when it is its turn; return the answer, and the seconds of quiet that it asks for."""
        turn = self._limiter.enter(doing=message.doing)
        verdict, what, quiet = Verdict.BROKEN, message.doing, 0.0
        may_be_done = True
        try:
            response = self._sent(message, turn)
            verdict = verdict_of(response.status_code)
            may_be_done = response.status_code < 400 or verdict.is_fault  # noqa: PLR2004 - a refusal is 4xx
            if verdict is not Verdict.ANSWERED:
                problem = problem_of(response, message.asked)
                what = f"{message.doing}: {problem}"
                quiet = problem.retry_after or 0.0
                if verdict is Verdict.REFUSED:
                    quiet = max(quiet or _WAIT, _LEAST_WAIT)
        except httpx.TransportError as error:
            what = f"{message.doing}: {why_none(error)}"
            may_be_done = not isinstance(error, _NEVER_SENT)
            raise
        except httpx.DecodingError:
            verdict = Verdict.ANSWERED
            raise
        finally:
            self._written.count += may_be_done and not message.reads
            begins = self._limiter.leave(turn, verdict, what=what, quiet=quiet, is_write=not message.reads)
        if begins and quiet <= PATIENCE and not self._limiter.ends_within(quiet):
            self._waiting(quiet, f"as the platform asks ({message.doing})")
        return response, quiet

    def _sent(self, message: _Message, turn: Turn) -> httpx.Response:
        """Send a request at once; it gets what is left of the run's time, a write a little more."""
        timeout = _TIMEOUT
        extensions: dict[str, Any] = {ASKED: message.asked, UNTIL: self._monotonic() + _WHOLE}
        if turn.rest is not None:
            least = _LEAST_OF_A_READ if message.reads else LEAST
            timeout = httpx.Timeout(turn.time_for(_ANSWER, least=least), connect=turn.time_for(_CONNECT, least=least))
            extensions |= {UNTIL: self._monotonic() + max(turn.rest, least)}
        with self._http.stream(
            message.method,
            message.url,
            params=message.params,
            headers=message.headers,
            content=message.content,
            timeout=timeout,
            extensions=extensions,
        ) as response:
            return whole(response)

    def _give_up_or_rest(self, message: _Message, error: httpx.TransportError, *, attempt: int) -> None:
        """Wait a moment before a request that got no answer is sent again; raises Unreachable when it must not be."""
        never_sent = isinstance(error, _NEVER_SENT)
        if attempt < READ_TRIES and (never_sent or message.reads):
            self._limiter.rest(_PAUSE * attempt)
            return
        if message.reads:
            self._limiter.ensure_going()
        raise self._unreachable(error, doing=message.doing, ambiguous=not never_sent and not message.reads) from error

    def _with_patience(self, response: httpx.Response, message: _Message, *, quiet: float, waited: float) -> float:
        """Return how long a refused request will have waited; raises Throttled when that is more than our patience."""
        if waited + quiet > PATIENCE and not self._limiter.ends_within(PATIENCE - waited):
            problem = problem_of(response, message.asked)
            raise Throttled(
                f"{message.doing}: the platform asks to wait {quiet:.0f} s ({problem})",
                hint="run again after that; nothing was done by this request",
                problem=problem,
            )
        return waited + quiet

    def _unreachable(self, error: httpx.TransportError, *, doing: str, ambiguous: bool) -> Unreachable:
        what = "did not answer in time" if isinstance(error, httpx.TimeoutException) else "cannot be reached"
        hint = "check EVERRUNS_API_URL (--api-url) and the network; reconciler emulator serves a stand-in"
        if ambiguous:
            what, hint = "broke off", "the write may have been carried out: run again, it is read back first"
        return Unreachable(f"{doing}: {self.base} {what} ({why_none(error)})", hint=hint, ambiguous=ambiguous)

    def close(self) -> None:
        """Close every connection."""
        self._http.close()


def _encoded(body: Any) -> bytes:
    """Make the bytes of a request: where secrets are opened, and nowhere before."""
    return orjson.dumps(body, default=opened)
