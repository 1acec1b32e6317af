"""What GitHub's answers mean where they are not what was asked for: errors of ours, and limits to wait for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from reconciler.errors import ForgeError

_WHEN_NOT_TOLD = 60.0
"""Seconds to wait for a limit that does not say for how long (docs.github.com, "Rate limits for the REST API")."""
_LEAST_WAIT = 1.0


@contextmanager
def told(doing: str) -> Iterator[None]:
    """Turn whatever goes wrong with GitHub into our own error; its text is not repeated, as it may quote a request."""
    from github import BadAttributeException, GithubException
    from requests.exceptions import RequestException

    odd = (ValueError, TypeError, KeyError, AttributeError, AssertionError, RecursionError, BadAttributeException)
    try:
        yield
    except GithubException as error:
        said = error.data.get("message") if isinstance(error.data, dict) else None
        wait = limit_of(error.status, error.headers or {}, str(said), now=time.time())
        message = (
            f"GitHub answered {error.status} ({doing})" if wait is None else f"GitHub's limit is reached ({doing})"
        )
        hint = _HINTS.get(error.status) if wait is None else "run the job again later"
        raise ForgeError(message, hint=hint, status=error.status, wait=wait) from error
    except RequestException as error:
        raise ForgeError(f"GitHub cannot be reached ({doing})", hint="is GITHUB_API_URL right?") from error
    except odd as error:
        hint = "is GITHUB_API_URL right, and is a proxy between?"
        raise ForgeError(f"GitHub gave an answer that makes no sense ({doing})", hint=hint) from error


_REFUSED = (403, 429)


def limit_of(status: int, headers: Mapping[str, str], message: str, *, now: float) -> float | None:
    """Return for how many seconds a limit asks to wait, None for an answer that is about none.

    docs.github.com, "Rate limits for the REST API": 403 or 429; `Retry-After` says it, else the time at which a primary
    limit begins anew; a secondary one that says nothing lasts a minute.
    """
    told = {name.lower(): value for name, value in headers.items()}
    if status not in _REFUSED:
        return None
    if (after := told.get("retry-after", "")).isdecimal():
        return max(float(after), _LEAST_WAIT)
    if told.get("x-ratelimit-remaining") == "0" and (reset := told.get("x-ratelimit-reset", "")).isdecimal():
        return max(float(reset) - now, 0.0) + _LEAST_WAIT  # in which part of that second is not said
    is_limit = status != _REFUSED[0] or "rate limit" in message.lower()
    return _WHEN_NOT_TOLD if is_limit else None


_HINTS = {
    401: "is GITHUB_TOKEN the token of this job?",
    403: "the job needs permissions: pull-requests: write, issues: write, contents: read",
    404: "the job needs permissions: pull-requests: write, issues: write, contents: read",
    410: "issues are switched off in this repository",
}
