"""Error answers as our own errors: which class a status is, and what to do about it."""

from __future__ import annotations

from reconciler.api_errors import (
    ApiError,
    Conflict,
    Forbidden,
    NotFound,
    Problem,
    Refused,
    ServerFault,
    Throttled,
    Unauthorized,
)

_NOT_THERE = {
    "Capability not found": "a ref in its capabilities is none that the platform has: GET /v1/capabilities lists them",
    "MCP server not found": "a ref in its capabilities is no MCP server of the organization: GET /v1/mcp-servers",
    "Skill not found": "a ref in its capabilities is no skill of the organization: GET /v1/skills lists them",
}
"""What to do where a body refers to what is not there (everruns-api/agents-memories-sessions.md, 2.5)."""


def from_problem(problem: Problem, *, doing: str) -> ApiError:
    """Turn an error answer into our own class, with a sentence on what to do.

    `doing` says what was tried, as `listing agents of acme`.
    """
    by_status: dict[int, tuple[type[ApiError], str]] = {
        401: (Unauthorized, "check EVERRUNS_API_KEY: it must be a valid, unexpired personal access token"),
        403: (
            Forbidden,
            "use a key whose user has the role this needs (publishing and archiving need owner)",
        ),
        404: (
            NotFound,
            "check the organization (EVERRUNS_ORG_ID, --org) and that the key's user is a member",
        ),
        409: (Conflict, "plan again to see what is in the way"),
        429: (Throttled, "run again later, or with a lower --parallelism"),
    }
    fallback: tuple[type[ApiError], str | None] = (Refused, None)
    if problem.status >= 500:  # noqa: PLR2004 - the meaning of 5xx is fixed
        fallback = (
            ServerFault,
            "run again: what was already done is read back first, nothing is repeated blindly",
        )
    found: tuple[type[ApiError], str | None] = by_status.get(problem.status, fallback)
    error, hint = found
    hint = _NOT_THERE.get(problem.detail or "", hint) if error is NotFound else hint
    if error is NotFound and not problem.is_document:
        hint = "is EVERRUNS_API_URL the address of an Everruns API? it usually ends in /api"
    if problem.withheld:
        asks = f"the platform's operator can look up request {problem.request_id}" if problem.request_id else None
        checks = "check that the values of these secrets are what the field takes" if problem.sent else None
        hint = "; ".join(filter(None, (hint, checks, asks))) or None
    trace = f" (request {problem.request_id})" if problem.request_id else ""
    return error(f"{doing}: {problem}{trace}", hint=hint, problem=problem)
