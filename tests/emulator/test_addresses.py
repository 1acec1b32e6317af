"""Which hosts are public."""

import pytest

from reconciler.emulator import addresses


@pytest.mark.parametrize(
    "host",
    [
        "git.example.com",
        "Git.Example.Com.",
        "8.8.8.8",
        "2001:4860:4860::8888",
        "xn--bcher-kva.example",
        "b\u00fccher.example",
        "a.0xyz",
    ],
)
def test_public_hosts(host):
    """A name with a domain is public, and so is an address of the public internet."""
    assert addresses.is_public(host)


@pytest.mark.parametrize(
    "host",
    [
        *("", ".", "..", "a..b", ".a.b", "a.b..", "intranet", "localhost", "x.localhost.", "x.local", "a b.c", "a%.b"),
        *("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fe80::1%eth0", "224.0.0.1"),
        *("127.1", "0x7f.1", "0x7F.0.0.0X1", "127.0.0.0x1", "0177.0.0.01", "2130706433", "x.0x", "127.0.0.1.", "a.1"),
        *("%31%32%37.1", "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021", "x.%6cocal", "[::1"),
    ],
)
def test_memories_4_3_hosts_that_are_not_public(host):
    """Loopback and private addresses are not public in any spelling; names need a domain and no empty label."""
    assert not addresses.is_public(host)


def test_urls_are_judged_by_scheme_and_host():
    """A URL is of an allowed scheme and aimed at a public host, or it is refused."""
    assert addresses.is_public_host("https://example.com/x")
    assert addresses.is_public_host("http://example.com/x", schemes=("http", "https"))
    for url in ("http://example.com/x", "https://0x7f.1/x", "https://[x", "example.com", "https:///x"):
        assert not addresses.is_public_host(url)
