"""Fingerprints of secrets: enough to tell a value from another one, too dear to guess it from.

scrypt with a salt of its own for each, so that equal secrets look different. The cost is a compromise: a plan takes
every known secret's fingerprint anew, and 200 of them must not be felt (about 3 ms and 1 MiB each). That makes
guessing a human's password slow, not impossible; a token of a machine has nothing to guess.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from reconciler.kinds.taint import Tainted, opened

_N: Final = 2**10
_R: Final = 8
_P: Final = 1
_SALT: Final = 16
_LENGTH: Final = 32
_FORM: Final = re.compile(
    r"scrypt\$([0-9]{1,7})\$([0-9]{1,2})\$([0-9]{1,2})\$([A-Za-z0-9+/]{22}==)\$([A-Za-z0-9+/]{43}=)"
)
_MOST_MEMORY: Final = 128 * 2**20  # a damaged document must not make us work for hours


def fingerprint(value: Tainted) -> str:
    """Return `scrypt$n$r$p$salt$hash` of a secret, another one at each call."""
    salt = os.urandom(_SALT)
    return f"scrypt${_N}${_R}${_P}${_spelled(salt)}${_spelled(_hash(value, salt, _N, _R, _P))}"


def matches(known: str, value: Tainted) -> bool:
    """Say whether a fingerprint is that of a value, at the cost it was made with; a malformed one is nobody's."""
    found = _FORM.fullmatch(known)
    if found is None or not is_fingerprint(known):
        return False
    n, r, p = (int(number) for number in found.groups()[:3])
    return hmac.compare_digest(_hash(value, b64decode(found[4]), n, r, p), b64decode(found[5]))


def matching(pairs: Iterable[tuple[str, Tainted]]) -> list[bool]:
    """Do the same for many pairs of fingerprint and value, on all processors."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:  # hashing does not hold the interpreter
        return list(pool.map(lambda pair: matches(*pair), pairs))


def is_fingerprint(text: str) -> bool:
    """Say whether a text has the form of a fingerprint, at a cost that can be paid."""
    found = _FORM.fullmatch(text)
    if found is None:
        return False
    n, r, p = (int(number) for number in found.groups()[:3])
    return n > 1 and not n & (n - 1) and r > 0 and p > 0 and 128 * n * r * p <= _MOST_MEMORY


def _hash(value: Tainted, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(
        opened(value).encode(errors="surrogatepass"), salt=salt, n=n, r=r, p=p, maxmem=2 * _MOST_MEMORY, dklen=_LENGTH
    )


def _spelled(data: bytes) -> str:
    return b64encode(data).decode()
