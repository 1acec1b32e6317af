"""Roles and what each may do."""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.emulator.problems import ProblemError, forbidden

RANK = {"member": 1, "admin": 2, "owner": 3}


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy: the permission it asks for and the lowest role that has it."""

    id: str
    permission: str
    role: str


def _family(noun: str, permission: str, *, manage: str) -> dict[str, Policy]:
    """Declare view, manage and dangerous of a resource; dangerous belongs to owners alone."""
    roles = {"view": "member", "manage": manage, "dangerous": "owner"}
    return {
        f"{noun}.{verb}": Policy(f"{noun}.{verb}", f"org:{permission}:{verb}", role) for verb, role in roles.items()
    }


POLICIES: Mapping[str, Policy] = {
    **_family("agent", "agents", manage="member"),
    **_family("app", "apps", manage="member"),
    **_family("harness", "harnesses", manage="admin"),
    **_family("agent_identity", "agent_identities", manage="member"),
    "session.view": Policy("session.view", "org:sessions:manage", "member"),
    "session.manage": Policy("session.manage", "org:sessions:manage", "member"),
    "memory.view": Policy("memory.view", "org:settings:view", "member"),
    "memory.manage": Policy("memory.manage", "org:settings:manage", "admin"),
    **_family("mcp_server", "mcp_servers", manage="member"),
    "capability.view": Policy("capability.view", "org:capabilities:view", "member"),
    **_family("skill", "skills", manage="member"),
    "provider.view": Policy("provider.view", "org:providers:view", "member"),
    "model.view": Policy("model.view", "org:models:view", "member"),
    "model.manage": Policy("model.manage", "org:models:manage", "admin"),
}


def at_least(role: str, wanted: str) -> bool:
    """Tell whether a role includes another one."""
    return RANK[role] >= RANK[wanted]


def allowed(role: str, policy_id: str) -> bool:
    """Tell whether a role satisfies a policy."""
    return at_least(role, POLICIES[policy_id].role)


def denied(policy_id: str) -> ProblemError:
    """Refuse for want of a permission, in the server's words and without a code."""
    policy = POLICIES[policy_id]
    return forbidden(f"Access denied: policy '{policy.id}' requires '{policy.permission}'")


def overview(noun: str, role: str) -> dict[str, dict[str, bool]]:
    """Answer `GET /v1/<resource>/config`: every policy of the resource and whether the caller has it."""
    return {
        "policies": {
            policy.id: allowed(role, policy.id) for policy in POLICIES.values() if policy.id.startswith(f"{noun}.")
        }
    }
