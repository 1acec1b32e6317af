"""What a fingerprint says of a secret: that it is the same, and nothing else."""

import hashlib
import time
from base64 import b64encode

import pytest

from reconciler.ledger.fingerprint import fingerprint, is_fingerprint, matches, matching

from .conftest import tainted


def test_a_fingerprint_is_of_one_value():
    """Equal secrets look different; each is known again, and no other is taken for it."""
    one, two = fingerprint(tainted("s3cret")), fingerprint(tainted("s3cret"))
    assert one != two
    same = tainted("s3cret")
    pairs = [(one, same), (two, same), (one, tainted("s3cret ")), (two, tainted(""))]
    assert matching(pairs) == [True, True, False, False]
    assert matches(fingerprint(tainted("\ud800ü")), tainted("\ud800ü"))
    assert is_fingerprint(one)


def test_a_fingerprint_keeps_its_cost():
    """A fingerprint of another cost is still known, so that the cost can be raised one day."""
    assert matches("scrypt$16$8$1$AAAAAAAAAAAAAAAAAAAAAA==$" + _hash_of("s3cret", n=16), tainted("s3cret"))


@pytest.mark.parametrize(
    "odd", ["", "s3cret", "sha256:00", "scrypt$15$8$1$", "scrypt$1048576$64$16$", "scrypt$0$8$1$", "scrypt$16$0$1$"]
)
def test_a_malformed_fingerprint_is_nobodys(odd):
    """What is no fingerprint, or costs more than anybody should pay, matches nothing."""
    odd = odd + "AAAAAAAAAAAAAAAAAAAAAA==$" + "A" * 43 + "=" if odd.endswith("$") else odd
    assert not is_fingerprint(odd)
    assert not matches(odd, tainted("s3cret"))


def _hash_of(value, *, n):
    return b64encode(hashlib.scrypt(value.encode(), salt=bytes(16), n=n, r=8, p=1, dklen=32)).decode()


def test_two_hundred_secrets_are_not_felt():
    """All the secrets of a large fleet are looked at in well under a second of any one processor."""
    pairs = [(fingerprint(tainted("s3cret")), tainted("s3cret"))] * 200
    started = time.process_time()
    assert all(matching(pairs))
    assert time.process_time() - started < 2
