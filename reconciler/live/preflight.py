"""PREFLIGHT: whether this key may do all of it, and this server still takes it, before the first write."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from http import HTTPStatus

from reconciler.api_errors import Forbidden, NotFound, Problem, Refused
from reconciler.live.client import ReadClient
from reconciler.plan.plan import Plan


def ensure_allowed(plan: Plan, *, client: ReadClient) -> None:
    """Ask the server what the key may do with the kinds that a plan writes, one read per kind and organization.

    Raises Forbidden with the step and the role it needs, or Refused for a server that takes no changes to such a kind
    any more. One that has no way to ask is left to say it itself.
    """
    wanted: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    frozen = {change.kind.wire.policies: change.kind.wire.frozen for change in plan.writes}
    for change in plan.writes:
        policy = change.kind.wire.policy_of.get(change.action.value)
        org = plan.orgs.get(change.address.org)
        if policy and change.kind.wire.policies and org and org.id:
            wanted[org.id, change.kind.wire.policies].setdefault(policy, change.step)
    for (org_id, path), policies in sorted(wanted.items()):
        allowed = _policies(client, path, org_id, frozen=frozen[path])
        for policy, step in policies.items():
            if allowed.get(policy) is False:
                raise Forbidden(
                    f"this key may not do {step}: {policy} is denied",
                    hint=f"use a key whose user has {role_for(policy)}; nothing was written",
                )


def role_for(policy: str) -> str:
    """Say which role a policy is given to (everruns-api/orgs-apps-errors.md, 5)."""
    if policy.endswith(".dangerous"):
        return "the owner role"
    return _ROLES.get(policy, "a role that may manage them")


_ROLES = {"memory.manage": "the admin role, or is an owner", "harness.manage": "the admin role, or is an owner"}


def _policies(client: ReadClient, path: str, org_id: str, *, frozen: str | None) -> Mapping[str, bool]:
    try:
        answer = client.get(path, doing=f"asking what the key may do at {path}", org=org_id)
    except (NotFound, Refused) as error:
        if not lost_the_route(error.problem):
            raise
        if frozen is None:
            return {}
        raise Refused(
            frozen, hint="nothing was written; --exclude '*/App/*' leaves them out", problem=error.problem
        ) from error
    policies = answer.get("policies") if isinstance(answer, dict) else None
    return policies if isinstance(policies, dict) else {}


def lost_the_route(problem: Problem | None) -> bool:
    """Say whether a server has no such route any more: no details, a wrong method, or the word read as an id."""
    if problem is None or problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
        return problem is not None
    return not problem.detail or problem.detail.startswith(("Invalid ", "the answer is a web page"))
