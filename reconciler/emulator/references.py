"""References to resources: what a path means, what may be pointed at, what keeps a resource from being archived."""

from typing import Any

from reconciler.emulator import ids
from reconciler.emulator.call import Call
from reconciler.emulator.problems import bad_request, conflict, malformed, not_found
from reconciler.emulator.store import Record

GONE = frozenset({"archived", "deleted"})


def check_id(call: Call, prefix: str) -> str:
    """Give the id in the path, which must be well formed."""
    ident = call.args[prefix]
    fault = ids.fault(prefix, ident)
    if fault:
        raise malformed(prefix, fault)
    return ident


def in_path(call: Call, prefix: str, collection: str, *, noun: str) -> Record:
    """Find what the id in the path means, whatever its status; a name there is a malformed id."""
    record = call.store.get(call.org, collection, check_id(call, prefix))
    if record is None:
        raise not_found(noun)
    return record


def assignable(call: Call, collection: str, ident: str, *, noun: str, plural: str) -> dict[str, Any]:
    """Find a resource that is about to be referred to: it must exist (404) and be active (400)."""
    record = call.store.get(call.org, collection, ident)
    if record is None:
        raise not_found(noun)
    body = record.body()
    if body["status"] != "active":
        raise bad_request(f"Archived or deleted {plural}")
    return body


def check_model(call: Call, ident: str | None) -> None:
    """Insist that a default model exists in the organization."""
    if ident is not None and call.store.get(call.org, "models", ident) is None:
        raise not_found("Model")


def check_identity(call: Call, ident: str | None) -> None:
    """Insist on an active identity."""
    if ident is not None:
        assignable(call, "identities", ident, noun="Agent identity", plural="agent identities cannot be assigned")


def guard_apps(call: Call, field: str, ident: str, noun: str) -> None:
    """Refuse to archive or delete what an app that is not archived still uses."""
    bodies = [record.body() for record in call.store.apps_by(call.org, field, ident)]
    names = [body["name"] for body in bodies if body["status"] not in GONE]
    if names:
        raise conflict(f"Cannot archive or delete {noun} while apps still reference it: {', '.join(names)}")


def default_harness(call: Call) -> str | None:
    """Give the harness of those who name none: the organization's default, else the built-in `generic`."""
    record = call.store.get("", "orgs", call.org)
    chosen: str | None = record.body()["default_harness_id"] if record else None
    if chosen is None:
        generic = call.store.named(call.org, "harnesses", "generic")
        return generic.id if generic else None
    return chosen
