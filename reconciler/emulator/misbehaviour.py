"""What each fault does to a request; a request that none happens to never comes here."""

import itertools
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Request

from reconciler.emulator import fault_conflicts, fault_targets
from reconciler.emulator.answers import Answer
from reconciler.emulator.fault_book import Struck
from reconciler.emulator.fault_targets import Target
from reconciler.emulator.inside import Inside
from reconciler.emulator.problems import ProblemError, internal
from reconciler.emulator.store import Store

Deliver = Callable[[bytes], Iterable[bytes]]
Outcome = tuple[Answer, Deliver]
APPLIED = "emulator.faults"
"""Where the WSGI environment tells which faults happened to a request."""
PIECES = 10
logger = logging.getLogger(__name__)


class CutError(ConnectionError):
    """The connection is cut: by the server on a socket, by this exception where there is none."""

    def __init__(self, *, how: str) -> None:
        super().__init__("the emulator cut the connection, as it was asked to")
        self.how = how


@dataclass(frozen=True, slots=True)
class Strike:
    """One request that a fault happens to, and the means to act on it."""

    struck: Struck
    request: Request
    carry_out: Callable[[], Answer]
    refuse: Callable[[ProblemError], Answer]
    inside: Inside
    store: Store

    @property
    def options(self) -> Mapping[str, Any]:
        """The options of the fault."""
        return self.struck.fault.options


def whole(body: bytes) -> Iterable[bytes]:
    """Deliver a body in one piece."""
    return [body]


def strike(strikes: Sequence[Strike], carry_out: Callable[[], Answer]) -> Outcome:
    """Let the faults happen to a request: the delays first, then what else there is."""
    for one in strikes:
        if one.struck.fault.name == "latency":
            time.sleep(one.struck.seconds)
    others = [one for one in strikes if one.struck.fault.name != "latency"]
    return EFFECTS[others[0].struck.fault.name](others[0]) if others else (carry_out(), whole)


def _throttled(strike: Strike) -> Outcome:
    """429 as the limiter sends it (everruns-api/orgs-apps-errors.md, 4.3 and 4.5)."""
    wait = strike.options["retry-after"]
    actions = [{"rel": "retry-later", "hint": "Wait retry_after_seconds before retrying."}] if wait is not None else []
    detail = "Too many requests. Please try again later."
    return strike.refuse(ProblemError(429, detail, code="rate_limited", retry_after=wait, actions=actions)), whole


def _failed(strike: Strike) -> Outcome:
    """500, 502 and 503 with their codes (everruns-api/orgs-apps-errors.md, 4.2)."""
    if strike.options["when"] == "after":
        strike.carry_out()
    return strike.refuse(FAILURES[strike.struck.fault.name]()), whole


def _cut(strike: Strike) -> Outcome:
    """A cut before the request is looked at, after it was carried out, or half-way through the body."""
    how = strike.options["how"]
    if strike.options["when"] == "before":
        raise CutError(how=how)
    answer = strike.carry_out()
    if strike.options["when"] == "after" or not answer[1]:
        raise CutError(how=how)

    def deliver(body: bytes) -> Iterator[bytes]:
        yield body[: len(body) // 2]
        raise CutError(how=how)

    return answer, deliver


def _slow(strike: Strike) -> Outcome:
    """A body that comes in pieces."""
    pause = strike.struck.seconds / PIECES

    def deliver(body: bytes) -> Iterator[bytes]:
        size = max(1, -(-len(body) // PIECES))
        for start in range(0, len(body), size):
            time.sleep(pause)
            yield body[start : start + size]

    return strike.carry_out(), deliver


def _truncated(strike: Strike) -> Outcome:
    """Half of a body, whose Content-Length agrees."""
    status, body, headers = strike.carry_out()
    return (status, body[: len(body) // 2], headers), whole


def _shifted(strike: Strike) -> Outcome:
    """A page, after which the list moves on by one."""
    answer = strike.carry_out()
    target = fault_targets.target_of(strike.request, strike.store)
    if target is not None and answer[0] < 400:  # noqa: PLR2004 - a refused list is no page
        _insert(strike, target) if strike.options["by"] == "insert" else _archive_first(strike, target)
    return answer, whole


def _insert(strike: Strike, target: Target) -> None:
    """Create an item, as somebody else would."""
    taken = {body["name"] for body in fault_targets.bodies(strike.store, target)}
    name = next(name for number in itertools.count(1) if (name := f"intruder-{number}") not in taken)
    body = {"name": name}
    if target.path == "agents":
        body["system_prompt"] = ""
    if target.path == "apps":
        body["harness_id"] = strike.inside.send("GET", "/v1/harnesses/generic", org=target.org)[1]["id"]
    _send(strike, "POST", f"/v1/{target.path}", org=target.org, body=body)


def _archive_first(strike: Strike, target: Target) -> None:
    """Archive the newest item, as somebody else would."""
    live = [body for body in fault_targets.bodies(strike.store, target) if not fault_targets.is_gone(body)]
    if live:
        _send(strike, "DELETE", f"/v1/{target.path}/{live[0]['id']}", org=target.org)


def _edited(strike: Strike) -> Outcome:
    """A change by somebody else between a read and a write."""
    if strike.request.method != "GET":
        _edit(strike)
        return strike.carry_out(), whole
    answer = strike.carry_out()
    _edit(strike)
    return answer, whole


def _edit(strike: Strike) -> None:
    """Change a text field of the item in the path, or of one in the list."""
    target = fault_targets.target_of(strike.request, strike.store)
    body = _chosen(strike, target) if target else None
    if target is None or body is None:
        return
    value = strike.options["value"]
    text = f"Edited by somebody else ({strike.struck.number})" if value is None else value
    field = strike.options["field"] or ("name" if target.path == "orgs" else "description")
    _send(strike, "PATCH", f"/v1/{target.path}/{body['id']}", org=target.org, body={field: text})


def _chosen(strike: Strike, target: Target) -> dict[str, Any] | None:
    """Find the item to edit: the one in the path, the one with the name asked for, else the newest."""
    wanted = target.item or strike.options["name"]
    live = [body for body in fault_targets.bodies(strike.store, target) if not fault_targets.is_gone(body)]
    return next((body for body in live if wanted is None or wanted in (body["id"], body["name"])), None)


def _send(strike: Strike, method: str, path: str, *, org: str, body: Any = None) -> None:
    """Send what somebody else would; what the server refuses them is only worth a note."""
    status, told = strike.inside.send(method, path, org=org, body=body)
    if status >= 400:  # noqa: PLR2004 - a refusal
        logger.warning("fault %s: %s %s was refused (%s): %s", strike.struck.fault.text, method, path, status, told)


def _conflicting(strike: Strike) -> Outcome:
    """409 although the request was in order."""
    refusal = fault_conflicts.CONFLICTS[strike.struck.fault.name](
        fault_conflicts.Create(
            request=strike.request,
            action=strike.options["action"],
            carry_out=strike.carry_out,
            inside=strike.inside,
            store=strike.store,
        )
    )
    return (strike.refuse(refusal) if isinstance(refusal, ProblemError) else refusal), whole


FAILURES: Mapping[str, Callable[[], ProblemError]] = {
    "500": internal,
    "502": lambda: ProblemError(502, "Bad gateway", code="bad_gateway"),
    "503": lambda: ProblemError(
        503, "Database capacity is temporarily unavailable", code="database_pool_exhausted", retry_after=1
    ),
}
EFFECTS: Mapping[str, Callable[[Strike], Outcome]] = {
    "429": _throttled,
    **dict.fromkeys(FAILURES, _failed),
    "cut": _cut,
    "slow": _slow,
    "truncate": _truncated,
    "shift": _shifted,
    "edit": _edited,
    "conflict": _conflicting,
    "archived": _conflicting,
}
