"""VERDICT: what policy says of a plan; its words stand in the plan, and a refused plan is not applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.plan.change import Action, Change
from reconciler.plan.owned import Ledger
from reconciler.resource import Address

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Limit:
    """How many resources of a kind one run may archive: `percent` of those owned, and `floor` in any case."""

    percent: int = 30
    floor: int = 5

    def of(self, owned: int) -> int:
        """Return how many may go of so many."""
        return max(self.floor, owned * self.percent // 100)


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of a run: limits of removal, what was allowed by its number, and whether anything is removed at all."""

    limit: Limit = field(default_factory=Limit)
    limits: Mapping[str, Limit] = field(default_factory=dict)
    allowed: Mapping[str, int] = field(default_factory=dict)
    prune: bool = True

    def limit_of(self, kind: str) -> Limit:
        """Return the limit of a kind."""
        return self.limits.get(kind, self.limit)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason not to apply a plan, and the way out."""

    message: str
    hint: str


def judge(
    changes: Iterable[Change],
    ledger: Ledger,
    policy: Policy,
    *,
    leaving: Collection[Address],
    protected: Iterable[Address],
    replaced: Iterable[Refusal] = (),
) -> tuple[Refusal, ...]:
    """Return every reason not to apply these changes, none when they may be.

    Budgets are about what is `leaving`, not declared any more: what git says is to be archived was said.
    """
    return (*replaced, *_refusals(list(changes), ledger, policy, leaving=leaving, protected=protected))


def _refusals(
    changes: list[Change],
    ledger: Ledger,
    policy: Policy,
    *,
    leaving: Collection[Address],
    protected: Iterable[Address],
) -> Iterator[Refusal]:
    for address in sorted(protected):
        yield Refusal(
            f"{address} is protected, and is no longer in git",
            "bring its document back with protect: false and apply; then remove it",
        )
    conflicts = [change.address for change in changes if change.action is Action.CONFLICT]
    if conflicts:
        more = f" and {len(conflicts) - _NAMED} more" if len(conflicts) > _NAMED else ""
        named = ", ".join(map(str, conflicts[:_NAMED])) + more
        yield Refusal(
            f"{named}: there already, not ours, and different",
            "write adopt: overwrite, make git agree, choose another name, or leave it out with --exclude",
        )
    gone = [change.address for change in changes if change.action is Action.ARCHIVE and change.address in leaving]
    going = Counter(address.kind for address in gone)
    owned = Counter(address.kind for address in ledger.entries)
    emptied = _emptied(gone, changes, ledger)
    for kind, count in sorted(going.items()):
        yield from _over(kind, count, owned[kind], emptied.get(kind, []), policy)
    for kind in sorted(policy.allowed.keys() - going.keys()):
        yield Refusal(
            f"--allow-archive {kind}={policy.allowed[kind]}: this plan archives no {kind}",
            "leave the flag out, or see what has changed since you wrote it",
        )


def _emptied(gone: Iterable[Address], changes: Iterable[Change], ledger: Ledger) -> dict[str, list[str]]:
    """Return, by kind, the organizations in which nothing of it would be left, nor is anything new."""
    going = Counter((address.kind, address.org) for address in gone)
    owned = Counter((address.kind, address.org) for address in ledger.entries)
    arriving = (Action.CREATE, Action.ADOPT, Action.RESTORE)
    new = {(change.address.kind, change.address.org) for change in changes if change.action in arriving}
    emptied: dict[str, list[str]] = {}
    for kind, org in sorted(going):
        if going[kind, org] >= owned[kind, org] and (kind, org) not in new:
            emptied.setdefault(kind, []).append(org)
    return emptied


def _over(kind: str, count: int, owned: int, emptied: Sequence[str], policy: Policy) -> Iterator[Refusal]:
    """Yield why so many of a kind may not go: another number was allowed, all of it goes, or too much."""
    way_out = f"if it is meant: --allow-archive {kind}={count}"
    if kind in policy.allowed:
        if policy.allowed[kind] != count:
            yield Refusal(
                f"--allow-archive {kind}={policy.allowed[kind]}: this plan archives {count}", f"review it; {way_out}"
            )
        return
    if emptied:
        where = ", ".join(emptied)
        yield Refusal(f"{kind}: every one that is ours in {where} would be archived ({count} in all)", way_out)
        return
    limit = policy.limit_of(kind)
    if count > limit.of(owned):
        most = f"more than {limit.percent} percent and more than {limit.floor}"
        message = f"{kind}: {count} of {owned} would be archived, {most}"
        yield Refusal(message, f"{way_out}; the limit stands in reconciler.yaml, under removal")
