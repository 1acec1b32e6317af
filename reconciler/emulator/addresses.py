"""Which URLs a server may be sent to: public hosts only."""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

LOCAL_SUFFIXES = (".localhost", ".local", ".internal", ".lan")


def is_public_host(url: str, *, schemes: Sequence[str] = ("https",)) -> bool:
    """Tell whether a URL is absolute, of an allowed scheme, and aimed at a public host."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower().rstrip(".")
    except ValueError:
        return False
    return parts.scheme in schemes and is_public(host)


def is_public(host: str) -> bool:
    """Tell whether a host name or address is public; names are judged by their text alone."""
    if not host or host == "localhost" or host.endswith(LOCAL_SUFFIXES):
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host
