"""What the platform answered, and the errors that this comes to; their place in the tree is drawn in `errors.py`."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.errors import ReconcilerError


@dataclass(frozen=True, slots=True)
class AllowedAction:
    """A recovery action of an error answer (everruns-api/orgs-apps-errors.md, 4.3)."""

    rel: str
    href: str | None = None
    method: str | None = None
    operation_id: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """An error answer, parsed tolerantly: most carry no `code` (everruns-api/orgs-apps-errors.md, 4.1).

    An answer that is no document at all comes from something else than an operation of the API. `withheld` says why
    the server's words are not shown, `sent` refers to the secrets that the request carried.
    """

    status: int
    title: str = ""
    detail: str = ""
    code: str | None = None
    retry_after: float | None = None
    allowed_actions: tuple[AllowedAction, ...] = ()
    request_id: str | None = None
    is_document: bool = True
    withheld: str | None = None
    sent: tuple[str, ...] = ()

    def action(self, rel: str) -> AllowedAction | None:
        """Return the recovery action with this relation, if the server offers it."""
        return next((action for action in self.allowed_actions if action.rel == rel), None)

    def __str__(self) -> str:
        """Say status and detail in one line, as `409 Conflict: Agent name 'x' is already taken`."""
        text = f"{self.status} {self.title}".strip()
        text = f"{text}: {self.detail}" if self.detail else text
        return f"{text} ({self.withheld})" if self.withheld else text


class ApiError(ReconcilerError):
    """The platform did not do what was asked; `problem` is its answer, if there was one."""

    def __init__(self, message: str, *, hint: str | None = None, problem: Problem | None = None) -> None:
        super().__init__(message, hint=hint)
        self.problem = problem

    @property
    def may_come_late(self) -> bool:
        """Whether the request may still be carried out, though nobody waits for its answer any more."""
        return self.problem is not None and self.problem.status in _GIVEN_UP_WAITING


_GIVEN_UP_WAITING = (502, 504)


class Unreachable(ApiError):
    """No answer: the host is unknown, refuses, or the connection broke or timed out.

    `ambiguous` is true when the request may have been carried out all the same, or still may be.
    """

    def __init__(self, message: str, *, hint: str | None = None, ambiguous: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.ambiguous = ambiguous

    @property
    def may_come_late(self) -> bool:
        """Whether the connection ended while the platform may still be at work."""
        return self.ambiguous


class Unauthorized(ApiError):
    """401: the key is missing, wrong or expired."""


class Forbidden(ApiError):
    """403: the key's role may not do this."""


class NotFound(ApiError):
    """404: no such thing, or not in this organization."""


class Conflict(ApiError):
    """409: something that is already there stands in the way."""


class Throttled(ApiError):
    """429 that outlasted our patience."""


class Refused(ApiError):
    """Any other 4xx: the server does not accept the request as it is."""


class ServerFault(ApiError):
    """5xx, or an answer that is not what the API promises; a write may have been carried out."""


def is_ambiguous(error: ApiError) -> bool:
    """Say whether a failed write may have been carried out all the same."""
    return isinstance(error, ServerFault) or (isinstance(error, Unreachable) and error.ambiguous)
