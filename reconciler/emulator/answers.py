"""How an answer is written: status, body and headers of a reply, of a problem, of what the framework refuses."""

from http import HTTPStatus
from typing import Any

from reconciler.emulator.call import Reply
from reconciler.emulator.problems import PLAIN_TYPE, PROBLEM_TYPE, ProblemError, RejectionError
from reconciler.emulator.store import dumps

Answer = tuple[int, bytes, dict[str, str]]
JSON_TYPE = "application/json"


def success(reply: Reply) -> Answer:
    """Write a reply; 204 has no body and no content type."""
    if reply.status == HTTPStatus.NO_CONTENT:
        return reply.status, b"", {}
    if reply.raw is not None:
        return reply.status, reply.raw, dict(reply.headers)
    text = reply.text if reply.text is not None else dumps(reply.value)
    return reply.status, text.encode(), {"Content-Type": JSON_TYPE, **reply.headers}


def refusal(problem: ProblemError) -> Answer:
    """Write a problem document; a wait is also told in Retry-After, the methods there are in Allow."""
    headers: dict[str, Any] = {"Content-Type": PROBLEM_TYPE}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if problem.allow is not None:
        headers["Allow"] = problem.allow
    return problem.status, problem.body(), headers


def rejection(rejected: RejectionError) -> Answer:
    """Write what the web framework refuses by itself: plain text or nothing."""
    headers = {"Content-Type": PLAIN_TYPE} if rejected.text else {}
    if rejected.allow:
        headers["Allow"] = rejected.allow
    return rejected.status, rejected.text.encode(), headers
