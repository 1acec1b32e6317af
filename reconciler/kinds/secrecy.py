"""What looks like a secret: for messages about text that somebody wrote where none should stand."""

from __future__ import annotations

import re

_WORD = re.compile(
    r"token|secret|passw|passphrase|authori[sz]ation|bearer|api[-_]?key|credential|headers|cookie", re.IGNORECASE
)
_USERINFO = re.compile(r"://[^/\s]*@")
_PREFIX = re.compile(r"\b(?:xox[a-z]-|gh[pousr]_|github_pat_|sk-|evr_|evra2a_|whk_|AKIA|eyJ)")
_RUN = re.compile(r"(?=[A-Za-z_\-+/=]*[0-9])(?=[0-9_\-+/=]*[A-Za-z])[A-Za-z0-9_\-+/=]{24,}")
_REFERENCE = re.compile(r"[\w.-]+\s*:\s*\{\s*(?:env|file)\s*:\s*[\w./-]+\s*\}")


def looks_secret(text: str) -> bool:
    """Say whether a line or value may hold a secret in clear; references to one are harmless.

    >>> looks_secret("token: hunter2"), looks_secret("token: {env: HOOK_TOKEN}")
    (True, False)
    """
    rest = _REFERENCE.sub("", text)
    return any(pattern.search(rest) for pattern in (_WORD, _USERINFO, _PREFIX, _RUN))
