"""SELECT: `--target`, `--exclude` and `--since`; what is chosen brings what it stands on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from reconciler.errors import UsageError
from reconciler.kinds import TENANT
from reconciler.plan.order import targets
from reconciler.resource import Address, Desired


@dataclass(frozen=True, slots=True)
class Since:
    """What was touched since a commit, called `ref`: declared anew, declared otherwise, or declared no more."""

    ref: str
    touched: frozenset[Address] = frozenset()


@dataclass(frozen=True, slots=True)
class Selection:
    """What a run is about: organizations, globs on addresses that choose or leave out, what was touched.

    Empty for everything. Globs are with or without the organization: `acme/Agent/*`, `Agent/triage`.
    """

    orgs: Sequence[str] = ()
    target: Sequence[str] = ()
    exclude: Sequence[str] = ()
    since: Since | None = None

    def takes(self, address: Address) -> bool:
        """Say whether an address is chosen by what the flags say of it alone."""
        return (
            (not self.orgs or address.org in self.orgs)
            and (not self.target or is_matched(address, self.target))
            and (self.since is None or address in self.since.touched)
            and not (self.exclude and (is_matched(address, self.exclude) or _is_below(address, self.exclude)))
        )

    def __str__(self) -> str:
        """Spell the flags."""
        flags = (("--org", self.orgs), ("--target", self.target), ("--exclude", self.exclude))
        given = [f"{flag} {value}" for flag, values in flags for value in values]
        return " ".join([*given, f"--since {self.since.ref}"] if self.since else given)


def is_matched(address: Address, patterns: Iterable[str]) -> bool:
    """Say whether any pattern matches an address."""
    return any(fnmatchcase(str(address), pattern) or fnmatchcase(address.local, pattern) for pattern in patterns)


def _is_below(address: Address, patterns: Iterable[str]) -> bool:
    return address.above is not None and is_matched(address.above, patterns)


def select(
    desired: Sequence[Desired], selection: Selection, *, leaving: Collection[Address] = ()
) -> tuple[list[Desired], str | None]:
    """Return what a run is about, and in words what was left out; None when nothing was.

    A target brings the declared resources it refers to, its parent, its children and its organization. What was touched
    brings in addition all that stands on it, and may be nothing. `leaving` is what is ours and no longer declared. A
    pattern that matches nothing is a UsageError: a selection must never silently be empty.
    """
    orgs = selection.orgs
    candidates = [one for one in desired if not orgs or one.address.org in orgs]
    known = {one.address.org for one in desired} | {address.org for address in leaving}
    if unknown := sorted(set(orgs) - known):
        hint = f"known: {', '.join(sorted(known))}"
        raise UsageError(f"--org {unknown[0]}: no manifest belongs to it", hint=hint)
    chosen = candidates
    if selection.target or selection.since:
        chosen = _with_support(candidates, _asked_for(candidates, selection, leaving))
    if selection.exclude:
        dropped = _matching(candidates if selection.since else chosen, selection.exclude, leaving, flag="--exclude")
        chosen = [one for one in chosen if one.address not in dropped and one.address.above not in dropped]
        if not chosen and not selection.since and not any(map(selection.takes, leaving)):
            raise UsageError("--exclude leaves nothing", hint="leave something to be planned")
    left = len(desired) - len(chosen) + sum(not selection.takes(address) for address in leaving)
    if not left:
        return chosen, None
    return chosen, f"{left} of {len(desired) + len(leaving)} declared resources left out by {selection}"


def _asked_for(desired: Sequence[Desired], selection: Selection, leaving: Collection[Address]) -> set[Address]:
    """Return the declared addresses that a target matches, that were touched, or both where both are asked for."""
    found = {one.address for one in desired}
    if selection.target:
        found &= _matching(desired, selection.target, leaving, flag="--target")
    if selection.since:
        found &= _with_dependants(desired, selection.since.touched)
    return found


def _matching(
    desired: Iterable[Desired], patterns: Sequence[str], leaving: Collection[Address], *, flag: str
) -> set[Address]:
    """Return the declared addresses that any pattern matches; each must match something."""
    found: set[Address] = set()
    addresses = [one.address for one in desired]
    for pattern in patterns:
        hits = {address for address in addresses if is_matched(address, (pattern,))}
        if not hits and not any(is_matched(address, (pattern,)) for address in leaving):
            example = f", for example {addresses[0]}" if addresses else ""
            raise UsageError(
                f"{flag} {pattern}: matches no declared resource",
                hint=f"addresses are org/Kind/name{example}; * matches any text",
            )
        found |= hits
    return found


def _with_dependants(desired: Sequence[Desired], touched: Collection[Address]) -> set[Address]:
    """Return what was touched, and all that stands on it: what refers to it, its children, what is in it."""
    users: defaultdict[Address, list[Address]] = defaultdict(list)
    addresses = _by_name(desired)
    for one in desired:
        for need in _needs(one):
            users[addresses.get(need, need)].append(one.address)
    found, open_ = set(touched), list(touched)
    while open_:
        new = set(users[open_.pop()]) - found
        found |= new
        open_.extend(new)
    return found


def _with_support(desired: Sequence[Desired], wanted: set[Address]) -> list[Desired]:
    """Add what the wanted resources stand on, and their children."""
    by_address = {one.address: one for one in desired}
    addresses = _by_name(desired)
    chosen, open_ = set(wanted), list(wanted)
    for one in desired:
        if one.address.above in wanted and one.address not in chosen:
            chosen.add(one.address)
            open_.append(one.address)
    while open_:
        needs = {addresses.get(need, need) for need in _needs(by_address[open_.pop()])}
        new = (needs & by_address.keys()) - chosen
        chosen |= new
        open_.extend(new)
    return [one for one in desired if one.address in chosen]


def _needs(one: Desired) -> set[Address]:
    """Return what a resource stands on: what it refers to, its organization, its parent."""
    needs = {*targets(one.kind, one.address.org, one.spec), Address(one.address.org, TENANT.name, one.address.org)}
    if one.address.above:
        needs.add(one.address.above)
    return needs - {one.address}


def _by_name(desired: Iterable[Desired]) -> Mapping[Address, Address]:
    """Return the address of each name that a reference may say: a title as well as an address, which wins."""
    desired = list(desired)
    titles = {one.address._replace(name=one.title): one.address for one in desired if not one.address.parent}
    return titles | {one.address: one.address for one in desired}
