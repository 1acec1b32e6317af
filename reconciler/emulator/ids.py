"""Prefixed public identifiers: `<prefix>_<32 lowercase hex digits>`."""

import secrets
import time
import uuid

DIGITS = 32
HEX = frozenset("0123456789abcdef")
DEFAULT_ORG = "org_00000000000000000000000000000001"


def new(prefix: str) -> str:
    """Make a fresh id: UUIDv4 for organizations, UUIDv7 (ordered by time) for everything else."""
    if prefix == "org":
        return f"org_{uuid.uuid4().hex}"
    milliseconds = time.time_ns() // 1_000_000
    high = f"{milliseconds:012x}7{secrets.randbits(12):03x}"
    return f"{prefix}_{high}{0x8000_0000_0000_0000 | secrets.randbits(62):016x}"


def fault(prefix: str, text: str) -> str | None:
    """Say what is wrong with an id in the server's own words, or None when it is well formed."""
    found, _, digits = text.partition("_")
    if found != prefix or "_" not in text:
        return f"invalid prefix: expected '{prefix}', got '{found}'"
    if len(digits) != DIGITS:
        return f"invalid length: expected {DIGITS}, got {len(digits)}"
    return None if set(digits) <= HEX else f"invalid hex in ID: {text}"


def derived(prefix: str, seed: str) -> str:
    """Make the id that always belongs to `seed`, such as the principal of a user."""
    return f"{prefix}_{uuid.uuid5(uuid.NAMESPACE_URL, f'emulator:{prefix}:{seed}').hex}"
