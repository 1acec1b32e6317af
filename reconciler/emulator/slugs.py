"""Names of agents and harnesses: slugs, asked for, taken, and made up for copies and examples."""

import re
import secrets
from collections.abc import Callable

from reconciler.emulator import ids
from reconciler.emulator.call import Call, Reply
from reconciler.emulator.problems import bad_request

LENGTH = 64
SLUG = re.compile(r"[a-z0-9-]+")
SUFFIX_BYTES = 3


def fault(noun: str, name: str) -> str | None:
    """Say what is wrong with the name of an agent or harness, or None."""
    if not name:
        return f"{noun} name must not be empty"
    if len(name) > LENGTH:
        return f"{noun} name must be at most {LENGTH} characters"
    if not SLUG.fullmatch(name):
        return f"{noun} name must contain only lowercase letters, digits, and hyphens"
    if name.startswith("-") or name.endswith("-"):
        return f"{noun} name must not start or end with a hyphen"
    return f"{noun} name must not contain consecutive hyphens" if "--" in name else None


def check(noun: str, name: str) -> None:
    """Refuse a name that is no slug."""
    told = fault(noun, name)
    if told:
        raise bad_request(told)


def availability(call: Call, prefix: str, collection: str, *, fault: Callable[[str], str | None]) -> Reply:
    """Answer whether a name is free; a hopeless one is not, before `exclude_id` is looked at."""
    name = call.text("name")
    if fault(name) is not None:
        return Reply(value={"available": False})
    exclude = call.request.args.get("exclude_id")
    malformed = ids.fault(prefix, exclude) if exclude is not None else None
    if malformed:
        raise bad_request(f"Invalid exclude_id: {malformed}")
    holder = call.store.named(call.org, collection, name)
    return Reply(value={"available": holder is None or holder.id == exclude})


def of_copy(call: Call, collection: str, name: str) -> str:
    """Find the first free name for a copy."""
    candidate, number = f"{name}-copy", 1
    while call.store.named(call.org, collection, candidate) is not None:
        number += 1
        candidate = f"{name}-copy-{number}"
    return candidate


def of_example(call: Call, collection: str, name: str) -> str:
    """Give the name of an example or, where it is taken, the same with a random suffix."""
    candidate = name
    while call.store.named(call.org, collection, candidate) is not None:
        candidate = f"{name}-{secrets.token_hex(SUFFIX_BYTES)[:5]}"
    return candidate
