"""PLAN: the ordered changes with what a reader and an apply need to know; a value that can be compared and stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError

from reconciler.errors import Fault
from reconciler.kinds.key_to import spelled
from reconciler.kinds.kind import Origin
from reconciler.kinds.release import Released
from reconciler.plan.change import Action, Change
from reconciler.plan.circles import circular, completed, entangled
from reconciler.plan.claim import claim
from reconciler.plan.derived import followed
from reconciler.plan.digest import digest, plain
from reconciler.plan.found import Found
from reconciler.plan.freshness import Head, with_sync, with_waiting
from reconciler.plan.names_given_up import Holders, settle_names
from reconciler.plan.order import ordered, targets
from reconciler.plan.owned import Ledger, Owner
from reconciler.plan.release import edition_made, pinned, pins, warned
from reconciler.plan.remarks import lost, noted, told_of_itself
from reconciler.plan.removal import Leaving, outlasting, removals, shielded, still_needed
from reconciler.plan.renewal import with_keys
from reconciler.plan.replacement import unwanted_losses, unwanted_replacements
from reconciler.plan.rules import Known, Rules
from reconciler.plan.secrecy import SecretState
from reconciler.plan.verdict import Refusal, judge
from reconciler.resource import Address, Desired


@dataclass(frozen=True, slots=True)
class OrgRef:
    """An organization of the run: its id (None when the plan creates it) and what the platform calls it."""

    id: str | None
    title: str


@dataclass(frozen=True)
class Plan:
    """What would be done, in order.

    `bindings` gives the id behind each name that a change refers to, where there is one already. `unchanged` counts,
    by kind, what is in sync. `partial` says which addresses were left out on request, in words. `owner` and `serial`
    are those of the ledger that it was made with. `refusals` are the verdict of policy, none when it may be applied.
    `secrets` counts the declared secrets by what is known of them.
    """

    changes: tuple[Change, ...]
    orgs: Mapping[str, OrgRef] = field(default_factory=dict)
    bindings: Mapping[Address, str] = field(default_factory=dict)
    unchanged: Mapping[str, int] = field(default_factory=dict)
    partial: str | None = None
    owner: Owner | None = None
    serial: int = 0
    refusals: tuple[Refusal, ...] = ()
    secrets: Mapping[SecretState, int] = field(default_factory=dict)

    @cached_property
    def writes(self) -> tuple[Change, ...]:
        """The changes that send something to the platform."""
        return tuple(change for change in self.changes if change.action.writes)

    @cached_property
    def steps(self) -> tuple[Change, ...]:
        """The changes that do something, be it to the ledger alone."""
        return tuple(change for change in self.changes if change.action.is_step)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do, and nothing that was refused."""
        return not self.steps and not self.refusals

    @cached_property
    def counts(self) -> Mapping[Action, int]:
        """How many changes there are of each action."""
        return Counter(change.action for change in self.changes)

    @property
    def in_sync(self) -> int:
        """How many declared resources are as git wants them."""
        return sum(self.unchanged.values())

    @cached_property
    def digest(self) -> str:
        """Return the digest of what would be written, and to what; independent of where the manifests lie."""
        return digest([described(change) for change in self.steps])


def described(change: Change) -> dict[str, object]:
    """Spell a change as plain data, less what does not bear on its effect."""
    return {
        "address": str(change.address),
        "action": change.action.value,
        "title": change.title,
        "fields": [{"path": list(f.path), "old": plain(f.old), "new": plain(f.new)} for f in change.fields],
        "body": plain(change.body),
        "then": plain(change.then),
        **({"holds": plain(change.holds)} if change.holds else {}),
        "replace": change.replace,
        "completes": change.completes,
        **({"replaces": True} if change.replaces else {}),
        "frees": change.frees,
        "detour": change.detour,
        "id": change.id,
        "patience": change.patience,
        "precondition": {
            "id": change.pre.id,
            "digest": change.pre.digest,
            "covers": None if change.pre.covers is None else list(change.pre.covers),
            "with_time": change.pre.with_time,
            "beside": list(change.pre.beside),
        },
        "after": list(change.after),
        "notes": list(change.notes),
        "key_to": None if change.key_to is None else spelled(change.key_to),
    }


@dataclass(frozen=True, slots=True)
class Situation:
    """What was found: for each desired address its live side, what else to report, and the id behind a name.

    `leaving` is what is ours and no longer declared. `holders` gives all that hold names, by organization and kind; it
    is asked only where a name is to be had. `beside` is what is declared and not part of this run. `editions` tells of
    the versions of what is live and has some that matter here. `told` says what a reader of the plan must know of
    an address that is written, `heads` are the last commits of branches that content is fetched from, where git wants
    it told and it could be had.
    """

    found: Mapping[Address, Found]
    orgs: Mapping[str, OrgRef]
    id_of: Callable[[Address], str | None]
    reports: tuple[Change, ...] = ()
    leaving: Mapping[Address, Leaving] = field(default_factory=dict)
    holders: Holders = lambda _org, _kind: ()
    beside: Sequence[Desired] = ()
    editions: Mapping[Address, Released] = field(default_factory=dict)
    told: Mapping[Address, str] = field(default_factory=dict)
    heads: Mapping[Origin, Head] = field(default_factory=dict)


_NOTHING = Found()


def build(
    desired: Iterable[Desired], situation: Situation, rules: Rules, *, partial: str | None = None
) -> Plan | list[Fault]:
    """Decide every address and order the changes; return the plan, or every fault that stands in the way."""
    wanted = list(desired)
    decided = _decided(wanted, situation, rules)
    faults = decided.faults
    changes = [*situation.reports, *decided.changes]
    changes += lost([*wanted, *situation.beside], rules.ledger) if rules.ledger.begun else []
    leaving = {address: one for address, one in situation.leaving.items() if address not in decided.moved}
    leaving = outlasting(leaving, changes)
    removed = removals(leaving, prune=rules.policy.prune)
    going = {change.address for change in removed if change.action is Action.ARCHIVE}
    faults += still_needed([*wanted, *situation.beside], going)
    faults += circular(wanted, lambda address: situation.found.get(address, _NOTHING).observed)
    if faults:
        return faults
    gone = {address: one.observed for address, one in leaving.items() if one.observed}
    changes += removed
    if gone:
        from reconciler.plan.hints import hinted

        changes = hinted(changes, gone)
    names = settle_names(changes, wanted, situation.holders)
    if names.faults:
        return names.faults
    observed = {address: found.observed for address, found in situation.found.items() if found.observed}
    observed |= gone
    positions = {one.address: one.position for one in wanted if one.address.parent}
    try:
        sequence = ordered(completed(names.changes), observed, positions=positions, names=names.after)
    except CycleError as error:
        return [entangled(error.args[1], names.changes, wanted)]
    protected = shielded(leaving, prune=rules.policy.prune)
    replaced = [*unwanted_replacements(sequence, wanted, rules), *unwanted_losses(sequence, wanted, observed)]
    return Plan(
        sequence,
        situation.orgs,
        _bindings(sequence, situation.id_of),
        dict(decided.unchanged),
        partial,
        owner=rules.ledger.owner,
        serial=rules.ledger.serial,
        refusals=judge(sequence, rules.ledger, rules.policy, leaving=leaving, protected=protected, replaced=replaced),
        secrets=dict(Counter(rules.secrets.values())),
    )


@dataclass(slots=True)
class _Decided:
    """What comes of every address: changes, faults, how many are as they should be, and which were ours elsewhere."""

    changes: list[Change] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unchanged: Counter[str] = field(default_factory=Counter)
    moved: set[Address] = field(default_factory=set)


def _decided(wanted: Sequence[Desired], situation: Situation, rules: Rules) -> _Decided:
    """Decide every address by itself."""
    parents = {one.address.above for one in wanted if one.address.parent and not one.archive}
    before = {one.entry.id: (address, one.entry) for address, one in situation.leaving.items()}
    decided, made = _Decided(), list[Address]()
    for one, as_written in _pinned(wanted, situation, made, decided.faults):
        address = one.address
        found = situation.found.get(address, _NOTHING)
        known = rules.known(address)
        if before and known.entry is None and found.observed and found.observed.id in before:
            old, entry = before[found.observed.id]  # ours under another name, which nobody declares any more
            known = Known(entry, moved_from=old)
            decided.moved.add(old)
        result = claim(one, found, known, adopt=rules.adopt, has_desired_children=address in parents)
        if isinstance(result, Fault):
            decided.faults.append(result)
            continue
        is_lost = known.is_begun and known.entry is None
        result = followed(result, as_written, known.entry)
        result = with_keys(one, result, found.observed, renews=address in rules.renew, is_lost=is_lost)
        result = with_sync(one, result, found.observed, situation.heads)
        result = with_waiting(one, result, found.observed)
        if all(step.action is Action.REPORT for step in result):
            decided.unchanged[address.kind] += 1
        result = noted(told_of_itself(one, result, rules.ledger.owner), situation.told.get(address))
        told = warned(one, result, found.observed or found.twin)
        decided.changes.extend(told)
        made += [new for change in told if (new := edition_made(change))]
    return decided


def _pinned(
    wanted: Iterable[Desired], situation: Situation, made: Sequence[Address], faults: list[Fault]
) -> Iterator[tuple[Desired, Desired]]:
    """Yield the desired, and each as git spells it; those that refer to versions last.

    By then `made` has those that this plan publishes.
    """
    later = []
    for one in wanted:
        if pins(one):
            later.append(one)
        else:
            yield one, one
    for one in later:
        found = situation.found.get(one.address)
        meant = pinned(one, found.observed if found else None, situation.editions, made)
        if isinstance(meant, Fault):
            faults.append(meant)
        else:
            yield meant, one


def build_from(
    changes: Iterable[Change], orgs: Mapping[str, OrgRef], id_of: Callable[[Address], str | None], ledger: Ledger
) -> Plan:
    """Make a plan of changes that were decided elsewhere."""
    sequence = ordered(changes, {})
    return Plan(sequence, orgs, _bindings(sequence, id_of), owner=ledger.owner, serial=ledger.serial)


def _bindings(changes: Iterable[Change], id_of: Callable[[Address], str | None]) -> dict[Address, str]:
    """Return the ids behind what the changes refer to and stand below, where there is one already."""
    needed: set[Address] = set()
    for change in changes:
        needed.update(targets(change.kind, change.address.org, change.body))
        if change.address.above:
            needed.add(change.address.above)
    ids = {address: id_of(address) for address in needed}
    return {address: id_ for address, id_ in sorted(ids.items()) if id_ is not None}
