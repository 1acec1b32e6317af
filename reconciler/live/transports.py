"""What carries requests: the network or an application in this process, and what they are held to on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from reconciler.errors import UsageError
from reconciler.live.endpoint import Endpoint, is_loopback
from reconciler.live.http import httpx

UNTIL = "until"
"""The extension of a request that says by when its answer must be whole."""
MOST_BYTES = 256 * 2**20
"""Larger answers are no answers: a page of a hundred agents with all their files is smaller."""


def transport_for(endpoint: Endpoint, base: str, *, read_only: bool) -> httpx.BaseTransport:
    """Open the way to the platform; raises UsageError for a proxy that cannot be used."""
    way = (
        httpx.WSGITransport(app=_in_bytes(endpoint.app()))
        if endpoint.app
        else _network(base, connections=endpoint.connections)
    )
    way = Ending(way, endpoint.clock.monotonic)
    if endpoint.log:
        way = _logged(way, endpoint.log)
    return ReadOnly(way) if read_only else way


def _in_bytes(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Hand an application its path as WSGI wants it, bytes as Latin-1 (PEP 3333): httpx gives it characters."""

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return app(environ | {"PATH_INFO": environ["PATH_INFO"].encode().decode("latin-1")}, start_response)

    return call


def _logged(inner: httpx.BaseTransport, tell: Callable[[str], None]) -> httpx.BaseTransport:
    from reconciler.live.debug import Logged

    return Logged(inner, tell)


class ReadOnly(httpx.BaseTransport):
    """A transport that lets nothing through but GET: a verb that reads cannot write, whatever its code does."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a GET on; raises AssertionError for anything else."""
        if request.method != "GET":
            raise AssertionError(f"a reading verb tried to {request.method} {request.url.path}")
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Close every connection."""
        self._inner.close()


class Ending(httpx.BaseTransport):
    """A transport whose answers end, in time and in size: a timeout of httpx begins anew with each piece."""

    def __init__(self, inner: httpx.BaseTransport, monotonic: Callable[[], float]) -> None:
        self._inner = inner
        self._monotonic = monotonic

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on; its answer raises httpx.ReadTimeout when it is too late, DecodingError when too large."""
        response = self._inner.handle_request(request)
        until = request.extensions.get(UNTIL)
        if until is not None and isinstance(response.stream, httpx.SyncByteStream):
            response.stream = _Pieces(response.stream, lambda: self._monotonic() > until)
        return response

    def close(self) -> None:
        """Close every connection."""
        self._inner.close()


class _Pieces(httpx.SyncByteStream):
    def __init__(self, inner: httpx.SyncByteStream, is_late: Callable[[], bool]) -> None:
        self._inner = inner
        self._is_late = is_late

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._inner:
            size += len(piece)
            if self._is_late():
                raise httpx.ReadTimeout("the answer was not whole in time")
            if size > MOST_BYTES:
                raise httpx.DecodingError(f"the answer is larger than {MOST_BYTES // 2**20} MiB")
            yield piece

    def close(self) -> None:
        self._inner.close()


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
