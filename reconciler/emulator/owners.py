"""Who owns what is made: the principals behind users and agent identities."""

from typing import Any

from reconciler.emulator import ids
from reconciler.emulator.call import Call


def owned(call: Call, identity: str | None = None) -> dict[str, Any]:
    """Derive the owner: the identity where there is one, else the user who makes the thing."""
    user = ids.derived("principal", call.caller.user)
    owner = ids.derived("principal", identity) if identity else user
    return {
        "owner_principal_id": owner,
        "resolved_owner_user_id": user_uuid(call),
        "owner": {"id": owner, "kind": "agent_identity" if identity else "user"},
        "effective_owner": {"id": user, "kind": "user"},
    }


def user_uuid(call: Call) -> str:
    """Write the caller's id the way users are known: a UUID with dashes."""
    digits = call.caller.user.partition("_")[2]
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
