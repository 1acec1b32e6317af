"""What looks like a secret, and what only speaks of one."""

import time

import pytest

from reconciler.kinds.secrecy import has_userinfo, holds_secret, looks_secret

FORMS = [
    "https://user:pass@host/a",
    "see postgres://u:p/w@db now",
    "xoxb-1",
    "xoxP-1",
    *(f"gh{letter}_1" for letter in "pousr"),
    "github_pat_1",
    "sk-1",
    "evr_1",
    "evra2a_1",
    "whk_1",
    "AKIA1",
    "eyJh",
    "a: [sk-1]",
    "0123456789abcdef01234567",
    "aGVsbG8/d29+bGQ=aGVsbG8=1",
]
WORDS = (
    "BOT_TOKEN: x",
    "secret: x",
    "Password: x",
    "passwd: x",
    "Authorization: x",
    "a: Bearer x",
    "apikey: x",
    "api_key: x",
    "API-Key: x",
    "credentials: x",
    "headers: {a: b}",
    "Cookie: x",
)
HARMLESS = [
    "",
    "name: triage",
    "task-1: desk-2",
    "https://example.com/a",
    "mail ops@example.com",
    "x" * 300,
    "0" * 300,
    "a very long sentence of 24 words and more that is none",
]
REFERENCES = [
    "token: {env: HOOK_TOKEN}",
    "  - token : { env : HOOK_TOKEN }",
    '"token": {env: "HOOK_TOKEN"}',
    "token: {file: ../secrets/bot-token}",
    "token: {file: 'my secrets/a'}",
    "config: {token: {env: A}, signing_secret: {file: b}}",
]


@pytest.mark.parametrize("text", FORMS)
def test_forms(text):
    """A form is a secret wherever it stands."""
    assert holds_secret(text)
    assert looks_secret(text)


@pytest.mark.parametrize("text", WORDS)
def test_words(text):
    """A word says that a secret may stand beside it, not that it is one."""
    assert looks_secret(text)
    assert not holds_secret(text)


@pytest.mark.parametrize("text", HARMLESS + REFERENCES)
def test_what_is_none(text):
    """Ordinary text, and references to a secret."""
    assert not looks_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "token: {env: HOOK_TOKEN}, password: hunter2",
        "token: {env: hunter-2}",
        "token: {env: ghp_1}",
        "token: {env: a0123456789abcdef01234567}",
        "token: {file: https://u:p@h}",
        "token: {env: A, file: b}",
        "token: {env: A} # the secret is hunter2",
    ],
)
def test_references_hide_nothing(text):
    """Beside or inside what is written as a reference may stand a secret too."""
    assert looks_secret(text)


@pytest.mark.parametrize(
    ("url", "has"),
    [
        ("https://user:pass@host", True),
        ("https://token@host/a", True),
        ("http://@host", True),
        ("https://host/@a", False),
        ("https://host?a=b@c", False),
        ("https://host#@", False),
        ("git@github.com:a/b", False),
    ],
)
def test_userinfo(url, has):
    """What stands before the host, and nowhere else."""
    assert has_userinfo(url) is has


@pytest.mark.parametrize("piece", ["a", "a-", "1", "://", "://a", "token:{", "a: ", "'a': {file: ", " ", "@"])
def test_a_long_text_takes_no_longer(piece):
    """A text may be a whole file."""
    start = time.process_time()
    looks_secret(piece * 200_000)
    assert time.process_time() - start < 5
