"""Old names that `moved_from` claims: each one by a single document, and by none while it is still declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.errors import Fault
from reconciler.kinds import TENANT
from reconciler.resource import Address, Desired


def old_address(one: Desired) -> Address | None:
    """Return the address that a Desired says it had, None where it says nothing; a child's is below the same parent."""
    if one.moved_from is None:
        return None
    org = one.moved_from if one.address.kind == TENANT.name else one.address.org
    return one.address._replace(org=org, name=one.moved_from)


def doubtful_moves(desired: Iterable[Desired]) -> Iterator[Fault]:
    """Yield a fault for each old name that is still declared, or that was claimed before."""
    everything = list(desired)
    moved = [(one, old) for one in everything if (old := old_address(one)) is not None]
    if not moved:
        return
    declared = {one.address: one for one in reversed(everything)}
    claims: dict[Address, Desired] = {}
    for one, old in moved:
        path = ("metadata", "moved_from") if one.path == ("spec",) else (*one.path, "moved_from")
        first = claims.setdefault(old, one)
        if old == one.address:
            continue  # told where the document was read
        if old in declared:
            message = f"{old.local} is still declared, and cannot have become {one.address.local}"
            hint = f"{_place(declared[old])}: remove that one, or this line"
            yield Fault(message, one.source, path, hint=hint, on_value=True)
        elif first.address != one.address:  # twice the same address is told elsewhere
            message = f"{old.local} cannot have become both {first.address.local} and {one.address.local}"
            hint = f"the first claim stands in {_spot(first)}: remove one"
            yield Fault(message, one.source, path, hint=hint, on_value=True)


def _place(one: Desired) -> str:
    return f"it stands in {_spot(one)}"


def _spot(one: Desired) -> str:
    return f"{one.source.file.path}, in the document at line {one.source.line}"
