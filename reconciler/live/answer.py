"""What came back over HTTP: read to its end, as data, as our own errors, and as what it means for the next request."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

import orjson

from reconciler.api_errors import ServerFault
from reconciler.live.hearsay import Asked
from reconciler.live.http import httpx
from reconciler.live.problems import problem_of
from reconciler.live.refusals import from_problem
from reconciler.live.transports import MOST_BYTES
from reconciler.live.window import Verdict

SERVER_FAULT = 500
TOO_MANY = 429
NO_API = "is EVERRUNS_API_URL the address of an Everruns API? it usually ends in /api"
_UNAVAILABLE = 503


def whole(response: httpx.Response) -> httpx.Response:
    """Read an answer to its end; raises DecodingError for one that is too large once it is unpacked."""
    content = bytearray()
    for piece in response.iter_bytes():
        content += piece
        if len(content) > MOST_BYTES:
            raise httpx.DecodingError(f"the answer is larger than {MOST_BYTES // 2**20} MiB")
    headers = [(name, value) for name, value in response.headers.multi_items() if name not in _PACKED]
    return httpx.Response(response.status_code, headers=headers, content=bytes(content))


_PACKED = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def verdict_of(status: int) -> Verdict:
    """Return what a status means for the next request."""
    if status == TOO_MANY:
        return Verdict.REFUSED
    if status == _UNAVAILABLE:
        return Verdict.UNAVAILABLE
    return Verdict.FAULTED if status >= SERVER_FAULT else Verdict.ANSWERED


def why_none(error: httpx.TransportError) -> str:
    """Say why there was no answer, by the kind of error alone: its text may quote headers and what came in."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not accepted: {cause.verify_message}"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.RemoteProtocolError) and any(word in str(error) for word in _CLOSED):
        return "it closed the connection before its answer was complete"
    return _WHY.get(type(error), "it does not speak HTTP as it should")


_CLOSED = ("disconnected", "closed connection")
"""What httpx says of a server that ends while it answers, as one that is killed or restarted does."""
_WHY: Mapping[type[httpx.TransportError], str] = {
    httpx.ConnectError: "no connection",
    httpx.ConnectTimeout: "no connection in time",
    httpx.PoolTimeout: "no connection was free in time",
    httpx.ReadTimeout: "nothing came in time",
    httpx.WriteTimeout: "nothing could be sent in time",
    httpx.ReadError: "the connection was lost",
    httpx.WriteError: "the connection was lost",
    httpx.CloseError: "the connection was lost",
    httpx.ProxyError: "the proxy refused",
}


def begins_well(response: httpx.Response) -> bool:
    """Say whether a good answer begins as JSON does; one that makes no sense all the same was cut short."""
    return response.is_success and response.content[:1] in (b"{", b"[")


def answer_of(response: httpx.Response, asked: Asked, *, doing: str) -> Any:
    """Return the JSON of a good answer; raise what an error answer means."""
    status = response.status_code
    if status >= 400:  # noqa: PLR2004 - the meaning of 4xx and 5xx is fixed
        raise from_problem(problem_of(response, asked), doing=doing)
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
        where = f"line {error.lineno} column {error.colno}"
        raise ServerFault(f"{doing}: the answer is not JSON ({where})", hint=NO_API) from error
