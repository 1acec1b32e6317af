"""REPLACEMENT: what must be taken away to be made anew, and what forbids it; git says so, or nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.plan.change import Change
from reconciler.plan.rules import Rules
from reconciler.plan.verdict import Refusal
from reconciler.resource import Address, Desired


def unwanted_replacements(changes: Iterable[Change], wanted: Iterable[Desired], rules: Rules) -> Iterator[Refusal]:
    """Yield a refusal for each replacement that git did not allow, or that protection forbids."""
    replaced = {change.address: change for change in changes if change.replaces}
    declared: Mapping[Address, Desired] = {one.address: one for one in wanted} if replaced else {}
    for address, change in replaced.items():
        one, entry = declared[address], rules.known(address).entry
        if one.protect or (one.protect is None and entry and entry.protect):
            yield Refusal(
                f"{address} is protected, and would be replaced: {change.notes[0]}",
                "write protect: false and replace: true in its metadata if it is meant: what it holds is lost",
            )
        elif not one.replace:
            yield Refusal(
                f"{address} would be replaced: {change.notes[0]}",
                "write replace: true in its metadata if it is meant: what it holds is lost",
            )
