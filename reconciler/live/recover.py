"""The conflict ladder: what to do about a write that was refused.

1. `allowed_actions` of the answer, where the server sends any: retry-later, retry, unarchive, get-existing.
2. Otherwise a refused create is settled by reading: list, match exactly, compare (design, section 6).

What is found is adopted only when every declared field agrees; anything else is a conflict for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from reconciler.errors import AllowedAction, ApiError, Conflict, Problem, Throttled
from reconciler.kinds.kind import Identity, Shape, Twin, kept_by_replace
from reconciler.live.client import PATIENCE, WriteClient, is_ambiguous
from reconciler.live.ids import Ids
from reconciler.live.listing import Query, listed
from reconciler.live.perform import collection, perform
from reconciler.live.readers import SERIAL
from reconciler.live.shapes import Wire, shape_from
from reconciler.plan.change import Action, Change, covered, holds_unknown_secret
from reconciler.plan.diff import diff
from reconciler.plan.names_given_up import is_on_detour
from reconciler.plan.outcome import Conflicted, Done, Failed, Outcome

TRIES = 4
"""Most attempts at one change, the first included."""
_UNARCHIVING = ("POST", "PUT", "PATCH")
_PORTS = {"https": 443, "http": 80}


def carry_out(change: Change, *, client: WriteClient, ids: Ids) -> Outcome:
    """Perform a change and climb the ladder when it is refused. Raises SecretUnavailable."""
    for attempt in range(TRIES):
        try:
            return perform(change, client=client, ids=ids)
        except ApiError as error:
            outcome = _settle(change, error, client=client, ids=ids, last=attempt == TRIES - 1)
            if outcome is not None:
                return outcome
    raise AssertionError("the last attempt always has an outcome")


def _settle(change: Change, error: ApiError, *, client: WriteClient, ids: Ids, last: bool) -> Outcome | None:
    """Return the outcome of a refused write, or None to try again."""
    problem = error.problem
    if problem is None or is_ambiguous(error) or isinstance(error, Throttled):
        return Failed(change, error)
    try:
        if not last and problem.action("retry-later") and (problem.retry_after or 1.0) <= PATIENCE:
            client.pause(problem.retry_after or 1.0)
            return None
        if not last and problem.action("retry"):
            return _conflict_if_moved(change, client=client, ids=ids)
        if change.action is not Action.CREATE or change.address in ids.known():
            return Failed(change, error)  # what stands in the way of another write is not the thing itself
        if action := problem.action("unarchive"):
            return _unarchive(change, action, problem, client=client, ids=ids)
        action = problem.action("get-existing")
        if action or isinstance(error, Conflict):
            return _existing(change, action, problem, error, client=client, ids=ids)
    except ApiError as second:
        return Failed(change, second)
    return Failed(change, error)


def _conflict_if_moved(change: Change, *, client: WriteClient, ids: Ids) -> Conflicted | None:
    """Read again before a retry: only what is still as the plan saw it may be written."""
    if change.id is None or change.pre.digest is None:
        return None
    wire = next((w for w in _siblings(change, client=client, ids=ids) if w["id"] == change.id), None)
    if wire is None:
        return Conflicted(change, "it is gone from the platform", hint="plan again")
    shape = shape_from(change.kind, wire)
    if is_on_detour(change, str(wire.get("name", ""))):
        shape |= {field.path[0]: field.old for field in change.fields if field.path == (change.kind.named_by,)}
    now = covered(change.kind, shape, change.pre, updated_at=wire.get("updated_at"))
    if now != change.pre.digest:
        return Conflicted(change, "it was changed on the platform meanwhile", hint="plan again and review")
    return None


def _siblings(change: Change, *, client: WriteClient, ids: Ids) -> Sequence[Wire]:
    """List what stands beside a change's resource."""
    kind = change.kind
    if kind.wire.inside:
        above = change.address.above
        parent = client.get(
            collection(change, ids).rpartition("/")[0],
            doing=f"reading {above}",
            org=ids.org(change.address.org),
        )
        children: Sequence[Wire] = parent.get(kind.wire.inside) or []
        return children
    query = Query(kind, ids.org(change.address.org) if kind.wire.org_scoped else None, change.address.org)
    return listed(client, [query], pool=SERIAL)[query]


def _existing(
    change: Change,
    action: AllowedAction | None,
    problem: Problem,
    error: ApiError,
    *,
    client: WriteClient,
    ids: Ids,
) -> Outcome:
    """Fetch what stands in the way, compare, and adopt it or report the conflict."""
    if action and action.href:
        path = own_path(action.href, base=client.base)
        if path is None:
            message = f"the platform points at {action.href[:200]!r}, which is not its own address: not followed"
            return Conflicted(change, message, hint="find out why the platform does that before you go on")
        wire = client.get(path, doing=f"reading what stands in the way of {change.address}", org=_org(change, ids))
    else:
        wire = _holder(change, client=client, ids=ids)
    if not isinstance(wire, dict) or not isinstance(wire.get("id"), str):
        return Failed(change, error)
    if change.kind.wire.archived(wire):
        return _revive(change, wire, problem, client=client, ids=ids)
    return _adopted(change, wire, problem, ids=ids)


def _adopted(change: Change, wire: Wire, problem: Problem, *, ids: Ids) -> Outcome:
    """Take over what is there when it is called as git wants it and agrees in every declared field."""
    if not _is_called(change, wire):
        return Conflicted(change, f"the platform points at {wire['id']}, which is not called {change.title}")
    wanted = ids.filled(change.kind, change.address.org, change.body)
    fields = tuple(diff(change.kind, wanted, shape_from(change.kind, wire)))
    if fields:
        message = f"{wire['id']} is already there and differs ({problem})"
        return Conflicted(
            change,
            message,
            fields,
            hint="plan again: it is compared with what is there, and the difference shown",
        )
    ids.created(change.address, wire["id"])
    return Done(change, adopted=True, note=f"was already there as {wire['id']}")


def _is_called(change: Change, wire: Wire) -> bool:
    fold = str.lower if change.kind.identity is Identity.CASELESS else str
    return fold(str(wire.get("name", ""))) == fold(change.title)


def _holder(change: Change, *, client: WriteClient, ids: Ids) -> Wire | None:
    """Find the one resource that holds the name which a create wanted; several, or none, settle nothing."""
    if change.kind.identity is Identity.POSITION:
        return None
    found = [wire for wire in _siblings(change, client=client, ids=ids) if _is_called(change, wire)]
    alive = [wire for wire in found if not change.kind.wire.archived(wire)]
    one = alive or found
    return one[0] if len(one) == 1 else None


def _unarchive(change: Change, action: AllowedAction, problem: Problem, *, client: WriteClient, ids: Ids) -> Outcome:
    """Restore what the platform says is archived, then bring it to what git wants."""
    if action.href:
        path, method = own_path(action.href, base=client.base), action.method or "POST"
        if path is None:
            return Conflicted(
                change, "the platform offers to unarchive at an address that is not its own: not followed"
            )
        if method not in _UNARCHIVING:
            return Conflicted(change, f"the platform offers to unarchive by {method}: not followed")
        client.send(method, path, doing=f"unarchiving {change.address}", org=_org(change, ids))
    wire = _holder(change, client=client, ids=ids)
    if wire is None:
        return Conflicted(change, f"it is archived and cannot be found by name ({problem})", hint="plan again")
    if change.kind.wire.archived(wire):
        return _revive(change, wire, problem, client=client, ids=ids)
    ids.created(change.address, wire["id"])
    update = replace(change, action=Action.UPDATE, id=wire["id"])
    return Done(change, note=perform(update, client=client, ids=ids).note or "was archived; restored")


def _revive(change: Change, wire: Wire, problem: Problem, *, client: WriteClient, ids: Ids) -> Outcome:
    """Bring back an archived holder of the name by PUT, where the kind knows that; what is undeclared stays."""
    holder = f"an archived {change.kind.name.lower()} ({wire['id']}) holds the name ({problem})"
    live = shape_from(change.kind, wire)
    body = {key: value for key, value in (live | change.body).items() if value is not None}
    if change.kind.twin is not Twin.REVIVE or holds_unknown_secret(body):
        return Conflicted(change, holder, hint="plan again: an archived twin is seen and dealt with there")
    ids.created(change.address, wire["id"])
    kept = [str(path[0]) for path in kept_by_replace(change.kind)]
    then: Shape = {name: [] for name in kept if body.get(name) == [] and live.get(name)}
    perform(
        replace(change, action=Action.RESTORE, body=body, then=then, id=wire["id"], replace=True),
        client=client,
        ids=ids,
    )
    return Done(change, note="was archived; restored")


def _org(change: Change, ids: Ids) -> str | None:
    return ids.org(change.address.org) if change.kind.wire.org_scoped else None


def own_path(href: Any, *, base: str) -> str | None:
    """Return the path of a link below the API's base, or None when it leads to another origin.

    >>> own_path("/api/v1/agents/x", base="https://a.test/api")
    '/v1/agents/x'
    >>> own_path("https://evil.test/v1/agents/x", base="https://a.test/api") is None
    True
    """
    home = urlsplit(base)
    try:
        link = urlsplit(urljoin(base + "/", str(href)))
        own = _origin(link) == _origin(home) and not link.username
    except ValueError:
        return None
    path = link.path.removeprefix(home.path) if home.path and link.path.startswith(home.path + "/") else link.path
    if not own or not path.startswith("/v1/") or "\\" in path or ".." in unquote(path).split("/"):
        return None
    return path + (f"?{link.query}" if link.query else "")


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or _PORTS.get(url.scheme)
