"""Where the platform is, and whether a key may travel there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from reconciler.errors import UsageError
from reconciler.live.clock import SYSTEM, Clock


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the platform is and how to speak to it.

    `key` is never shown. `app` gives a WSGI application that stands in for the network (the embedded emulator);
    `reason` is recorded by the platform beside every write. `waiting` is told when the platform makes us wait, for how
    many seconds and at what. `log` gets a line for each request and each answer (see `debug.py`).
    many seconds and at what. At most `connections` requests are under way at once; `timeout` is how many seconds there
    are for all of them, from the moment the client is made; `clock` measures them.
    """

    url: str
    key: str
    reason: str | None = None
    app: Callable[[], Any] | None = None
    connections: int = 8
    waiting: Callable[[float, str], None] = lambda _seconds, _doing: None
    log: Callable[[str], None] | None = None
    timeout: float | None = None
    clock: Clock = SYSTEM

    def __repr__(self) -> str:
        """Leave the key out."""
        return f"Endpoint({self.url})"


def checked_url(url: str) -> str:
    """Return the base URL without a trailing slash; refuse plain http except on this machine."""
    try:
        parts = urlsplit(url)
        well_formed = (parts.port is None or parts.port > 0) and url.isprintable() and " " not in url
    except ValueError:
        well_formed = False
    if not well_formed or parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"the API address {url!r} is not a URL", hint="for example https://app.everruns.com/api")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(
            "the API address must not carry credentials, a query or a fragment",
            hint="put the key into EVERRUNS_API_KEY",
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise UsageError(f"the API address {url} is not https: the key would travel in clear", hint="use https://")
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
