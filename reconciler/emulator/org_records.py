"""Organizations as they are stored: found among those of the caller."""

from typing import Any

from reconciler.emulator.call import Call
from reconciler.emulator.problems import not_found
from reconciler.emulator.store import Record


def mine(call: Call) -> tuple[Record, dict[str, Any]]:
    """Find the organization in the path; malformed, unknown and foreign look the same."""
    record = call.store.get("", "orgs", call.args["org"])
    org = record.body() if record else None
    if record is None or org is None or call.caller.role_in(org) is None:
        raise not_found("Organization", code="not_found")
    return record, org
