"""Links that the platform offers: followed on its own origin, below its own API, and nowhere else."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

_PORTS = {"https": 443, "http": 80}


def own_path(href: Any, *, base: str) -> str | None:
    """Return the path of a link below the API's base, or None when it leads to another origin.

    >>> own_path("/api/v1/agents/x", base="https://a.test/api")
    '/v1/agents/x'
    >>> own_path("https://evil.test/v1/agents/x", base="https://a.test/api") is None
    True
    """
    home = urlsplit(base)
    try:
        link = urlsplit(urljoin(base + "/", str(href)))
        own = _origin(link) == _origin(home) and not link.username
    except ValueError:
        return None
    path = link.path.removeprefix(home.path) if home.path and link.path.startswith(home.path + "/") else link.path
    if not own or not path.startswith("/v1/") or "\\" in path or ".." in unquote(path).split("/"):
        return None
    return path + (f"?{link.query}" if link.query else "")


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or _PORTS.get(url.scheme)
