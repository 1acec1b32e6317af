"""SELECT: `--target` and `--exclude`; what is chosen brings what it stands on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from reconciler.errors import UsageError
from reconciler.kinds import TENANT
from reconciler.plan.order import targets
from reconciler.resource import Address, Desired


def select(
    desired: Sequence[Desired],
    *,
    orgs: Sequence[str] = (),
    target: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> tuple[list[Desired], str | None]:
    """Return what a run is about, and in words what was left out; None when nothing was.

    Patterns are globs on addresses, with or without the organization: `acme/Agent/*`, `Agent/triage`. A target
    brings the declared resources it refers to, its parent, its children and its organization. A pattern that
    matches nothing is a UsageError: a selection must never silently be empty.
    """
    chosen = [one for one in desired if not orgs or one.address.org in orgs]
    unknown = sorted(set(orgs) - {one.address.org for one in desired})
    if unknown:
        known = ", ".join(sorted({one.address.org for one in desired}))
        raise UsageError(f"--org {unknown[0]}: no manifest belongs to it", hint=f"known: {known}")
    if target:
        chosen = _with_support(chosen, _matching(chosen, target, flag="--target"))
    if exclude:
        dropped = _matching(chosen, exclude, flag="--exclude")
        chosen = [one for one in chosen if one.address not in dropped and one.address.above not in dropped]
        if not chosen:
            raise UsageError("--exclude leaves nothing", hint="leave something to be planned")
    return chosen, _in_words(desired, chosen, orgs=orgs, target=target, exclude=exclude)


def _matching(desired: Iterable[Desired], patterns: Sequence[str], *, flag: str) -> set[Address]:
    """Return the addresses that any pattern matches; each must match something."""
    found: set[Address] = set()
    addresses = [one.address for one in desired]
    for pattern in patterns:
        hits = {a for a in addresses if fnmatchcase(str(a), pattern) or fnmatchcase(a.local, pattern)}
        if not hits:
            example = f", for example {addresses[0]}" if addresses else ""
            raise UsageError(
                f"{flag} {pattern}: matches no declared resource",
                hint=f"addresses are org/Kind/name{example}; * matches any text",
            )
        found |= hits
    return found


def _with_support(desired: Sequence[Desired], wanted: set[Address]) -> list[Desired]:
    """Add what the wanted resources stand on, and their children."""
    by_address = {one.address: one for one in desired}
    chosen, open_ = set(wanted), list(wanted)
    for one in desired:
        if one.address.above in wanted and one.address not in chosen:
            chosen.add(one.address)
            open_.append(one.address)
    while open_:
        one = by_address[open_.pop()]
        needs = set(targets(one.kind, one.address.org, one.spec))
        needs.add(Address(one.address.org, TENANT.name, one.address.org))
        if one.address.above:
            needs.add(one.address.above)
        new = (needs & by_address.keys()) - chosen
        chosen |= new
        open_.extend(new)
    return [one for one in desired if one.address in chosen]


def _in_words(
    desired: Sequence[Desired],
    chosen: Sequence[Desired],
    *,
    orgs: Sequence[str],
    target: Sequence[str],
    exclude: Sequence[str],
) -> str | None:
    left = len(desired) - len(chosen)
    if not left:
        return None
    flags = [
        f"{flag} {value}"
        for flag, values in (("--org", orgs), ("--target", target), ("--exclude", exclude))
        for value in values
    ]
    return f"{left} of {len(desired)} declared resources left out by {' '.join(flags)}"
