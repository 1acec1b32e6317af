"""What looks like a secret: for messages about text that somebody wrote where none should stand."""

from __future__ import annotations

import re

_WORD = re.compile(
    r"token|secret|passw|passphrase|authori[sz]ation|bearer|api[-_]?key|credential|headers|cookie", re.IGNORECASE
)
_USERINFO = re.compile(r"://[^/?#\s]*@")
_PREFIX = re.compile(r"(?<![A-Za-z0-9])(?:xox[A-Za-z]-|gh[pousr]_|github_pat_|sk-|evr_|evra2a_|whk_|AKIA|eyJ)")
_RUN = re.compile(r"[A-Za-z0-9_\-+/=]{24,}")
_LETTER, _DIGIT = re.compile("[A-Za-z]"), re.compile("[0-9]")
_KEY = r"""(?<![\w.-])["']?[\w.-]++["']?\s*+:\s*+"""
_REFERENCE = re.compile(
    rf"""{_KEY}\{{\s*(?:env\s*:\s*["']?[A-Za-z_]\w*|file\s*:\s*(?:[\w./-]+|"[\w ./-]+"|'[\w ./-]+'))["']?\s*\}}"""
)


def looks_secret(text: str) -> bool:
    """Say whether a line or value may hold a secret in clear; references to one are harmless.

    >>> looks_secret("token: hunter2"), looks_secret("token: {env: HOOK_TOKEN}")
    (True, False)
    """
    return holds_secret(text) or _WORD.search(_REFERENCE.sub("", text)) is not None


def holds_secret(text: str) -> bool:
    """Say whether a text has the form of a secret or a part of that form, whatever it speaks of.

    >>> holds_secret("signing_secret"), holds_secret("xoxb-1")
    (False, True)
    """
    return _PREFIX.search(text) is not None or _has_run(text) or _has_login(text)


def is_marked_secret(text: str) -> bool:
    """Say whether a text holds what can hardly be anything but a secret: a known prefix, or a login in an address.

    >>> is_marked_secret("Bearer ghp_x1"), is_marked_secret("ask-me"), is_marked_secret("https://u:p@example.com")
    (True, False, True)
    """
    return _PREFIX.search(text) is not None or has_userinfo(text)


def has_userinfo(url: str) -> bool:
    """Say whether an address names a user before its host.

    >>> has_userinfo("https://user:pass@example.com/a"), has_userinfo("https://example.com/@a")
    (True, False)
    """
    return _USERINFO.search(url) is not None


def _has_run(text: str) -> bool:
    """Find a long word of letters and digits; in one pass, as a text may be a whole file."""
    return any(_LETTER.search(run) and _DIGIT.search(run) for run in _RUN.findall(text))


def _has_login(text: str) -> bool:
    """Find an address with an @ in it, wherever: a password may hold a slash."""
    return any("@" in word.partition("://")[2] for word in text.split())


_MASK = re.compile(r"(?:[*•xX.]{3,}|\[?redacted\]?|<[^>]*>)", re.IGNORECASE)
_SURE_MASK = re.compile(r"[*•]{3,}|\[redacted\]|<(?:redacted|hidden|masked|secret)>", re.IGNORECASE)
_NAME = re.compile(
    r"token|secret|passw|passphrase|authori[sz]ation|bearer|credential|headers|cookie|hash"
    r"|(?:api|private|signing|access|encryption|shared|client|verification|webhook)[-_]?key",
    re.IGNORECASE,
)


def is_mask(text: str) -> bool:
    """Say whether a text is what a log, a form or a server puts in the place of a secret.

    >>> is_mask("********"), is_mask("[redacted]"), is_mask("open")
    (True, True, False)
    """
    return _MASK.fullmatch(text.strip()) is not None


def is_masked(key: str, text: str) -> bool:
    """Say whether a live text is what the platform shows in the place of a secret, told with the key it stands under.

    Dots and crosses are ordinary texts unless the key speaks of a secret.
    """
    return _SURE_MASK.fullmatch(text.strip()) is not None or (names_secret(key) and is_mask(text))


def names_secret(key: str) -> bool:
    """Say whether a member of this name, of which nothing else is known, may hold a secret.

    >>> names_secret("relay_token"), names_secret("client_key"), names_secret("site_key")
    (True, True, False)
    """
    return _NAME.search(key) is not None
