"""The change history: who asked for a change and why, as told in the Everruns-Change-Reason header."""

import re
import unicodedata
from urllib.parse import unquote_to_bytes

from werkzeug.wrappers import Request

from reconciler.emulator.problems import ProblemError, bad_request

HEADER = "Everruns-Change-Reason"
MOST = 1000
MUTATING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
CREDENTIALS = (
    ("an Everruns token", re.compile(r"evr(_pat|_app|a2a)_[0-9a-zA-Z]{8,}")),
    ("a GitHub token", re.compile(r"\b(gh[pousr]_[0-9A-Za-z]{20,}|github_pat_[0-9A-Za-z_]{20,})")),
    ("an API key", re.compile(r"\bsk-[0-9A-Za-z_-]{16,}")),
    ("an AWS access key", re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a Slack token", re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{10,}")),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("a bearer token", re.compile(r"\bBearer\s+[0-9A-Za-z._~+/=-]{16,}", re.IGNORECASE)),
)


def reason(request: Request, *, is_lenient: bool) -> str | None:
    """Read and check the reason for a change; reads carry none, whatever the header says.

    The header is era C's, and older servers ignore it (everruns-api/orgs-apps-errors.md, 6): a lenient server records a
    good reason, which harms nobody, and drops a bad one without a word.
    """
    raw = request.headers.get(HEADER)
    if raw is None or request.method not in MUTATING:
        return None
    try:
        return _checked(_decoded(raw).strip())
    except ProblemError:
        if is_lenient:
            return None
        raise


def _checked(text: str) -> str:
    """Refuse a reason that is empty, too long, unprintable or a secret."""
    if not text:
        raise _refused("Change reason must not be empty; omit it instead")
    if len(text) > MOST:
        raise _refused(f"Change reason is longer than {MOST} characters")
    if any(unicodedata.category(character) == "Cc" and character not in "\n\t" for character in text):
        raise _refused("Change reason must not contain control characters")
    for kind, pattern in CREDENTIALS:
        if pattern.search(text):
            raise _refused(
                f"Change reason looks like it contains {kind}. Reasons are stored in entity history; "
                "describe the change without the credential"
            )
    return text


def _decoded(raw: str) -> str:
    """Undo percent-encoding; text that is not UTF-8 afterwards is kept as it came."""
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return raw


def _refused(detail: str) -> ProblemError:
    """Refuse a reason; nothing has been changed yet."""
    return bad_request(detail, code="invalid_change_reason")
