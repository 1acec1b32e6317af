"""Which URLs a server may be sent to: public hosts only."""

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

LOCAL_SUFFIXES = (".localhost", ".local", ".internal", ".lan")
# No host has these (WHATWG URL, "forbidden domain code point").
FORBIDDEN = re.compile(r"[\x00-\x20\x7f#/:<>?@\[\\\]^|%]")
# As the last label it makes an address of the whole host (WHATWG URL, "ends in a number"): 127.1, 0x7f.1, 2130706433.
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def is_public_host(url: str, *, schemes: Sequence[str] = ("https",)) -> bool:
    """Tell whether a URL is absolute, of an allowed scheme, and aimed at a public host."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in schemes and is_public(host)


def is_public(host: str) -> bool:
    """Tell whether a host name or address is public; names are judged by their text alone."""
    try:
        name = unquote(host).encode("idna").decode().lower().removesuffix(".")
    except UnicodeError:
        return False
    if name.endswith(LOCAL_SUFFIXES):
        return False
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return _is_public_name(name)
    return address.is_global and not address.is_multicast


def _is_public_name(name: str) -> bool:
    """Tell whether a name has a domain, no label is empty, and none of it is an address in another spelling."""
    labels = name.split(".")
    return len(labels) > 1 and all(labels) and not NUMBER.fullmatch(labels[-1]) and not FORBIDDEN.search(name)
