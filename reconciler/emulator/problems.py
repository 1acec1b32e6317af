"""Refusals: RFC 9457 problem details from the commands, plain text from the web framework underneath."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus

from reconciler.emulator.store import TakenError

PROBLEM_TYPE = "application/problem+json"
PLAIN_TYPE = "text/plain; charset=utf-8"


class ProblemError(Exception):
    """A refusal with a problem document: title is the reason phrase, `code` only where the server has one."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str | None = None,
        retry_after: int | None = None,
        actions: Sequence[Mapping[str, str]] = (),
        allow: str | None = None,
        is_filled: bool = True,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.code = code
        self.retry_after = retry_after
        self.actions = actions
        self.allow = allow
        self.is_filled = is_filled

    def body(self) -> bytes:
        """Render the document; members that are unset are left out, never null."""
        document: dict[str, object] = {
            "title": HTTPStatus(self.status).phrase if self.is_filled else "",
            "status": self.status if self.is_filled else 0,
            "detail": self.detail,
        }
        if self.code is not None:
            document["code"] = self.code
        if self.actions:
            document["allowed_actions"] = list(self.actions)
        if self.retry_after is not None:
            document["retry_after_seconds"] = self.retry_after
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


class RejectionError(Exception):
    """A refusal by the web framework: plain text or nothing, never a problem document."""

    def __init__(self, status: int, text: str = "", *, allow: str | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.allow = allow


def bad_request(detail: str, *, code: str | None = None) -> ProblemError:
    """Refuse with 400; commands send no code."""
    return ProblemError(HTTPStatus.BAD_REQUEST, detail, code=code)


def unauthorized(detail: str) -> ProblemError:
    """Refuse with 401, which always carries the code `unauthorized`."""
    return ProblemError(HTTPStatus.UNAUTHORIZED, detail, code="unauthorized")


def forbidden(detail: str, *, code: str | None = None) -> ProblemError:
    """Refuse with 403."""
    return ProblemError(HTTPStatus.FORBIDDEN, detail, code=code)


def not_found(resource: str, *, code: str | None = None) -> ProblemError:
    """Refuse with 404 `<Resource> not found`; domain commands send no code, other handlers `not_found`."""
    return ProblemError(HTTPStatus.NOT_FOUND, f"{resource} not found", code=code)


def feature_off(flag: str) -> ProblemError:
    """Refuse a command whose feature flag is off."""
    return ProblemError(HTTPStatus.NOT_FOUND, f"Feature '{flag}' is not enabled", code="feature_not_enabled")


def conflict(detail: str) -> ProblemError:
    """Refuse with 409 and no code."""
    return ProblemError(HTTPStatus.CONFLICT, detail)


def already_exists(detail: str = "Resource already exists") -> ProblemError:
    """Refuse with 409 as the storage does on a violated unique index."""
    return ProblemError(HTTPStatus.CONFLICT, detail, code="already_exists")


@contextmanager
def unique(detail: str = "Resource already exists") -> Iterator[None]:
    """Refuse what the storage does not take, as its id or its name is held by another document."""
    try:
        yield
    except TakenError as error:
        raise already_exists(detail) from error


def rate_limited(seconds: int) -> ProblemError:
    """Refuse with 429 what came too often, and say how long to wait."""
    detail = "Too many requests. Please try again later."
    return ProblemError(HTTPStatus.TOO_MANY_REQUESTS, detail, code="rate_limited", retry_after=seconds)


def unfilled(status: int, detail: str) -> ProblemError:
    """Refuse as the file routes of memories do: no title, 0 for a status (agents-memories-sessions.md, 4.6)."""
    return ProblemError(status, detail, is_filled=False)


def internal() -> ProblemError:
    """Answer 500 without saying why."""
    return ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error", code="internal_error")


def malformed(resource: str, fault: str) -> ProblemError:
    """Refuse a path id that does not parse, in the words of the resource."""
    return bad_request(f"Invalid {resource} ID: {fault}")
