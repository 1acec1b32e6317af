"""REMEMBER: what the ledger learns from a run, from the outcomes of its steps alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.kinds.fields import SecretRef
from reconciler.kinds.taint import Tainted
from reconciler.ledger.fingerprint import fingerprint
from reconciler.plan.change import Action, Change, Record
from reconciler.plan.leaves import secret_refs
from reconciler.plan.outcome import Done, Failed, Outcome, Remainder
from reconciler.plan.owned import Entry, Ledger, pointer
from reconciler.resource import Address


@dataclass(frozen=True, slots=True)
class Memory:
    """What a run knows beside its outcomes: its name, the ids there are, time and commit, and how to read a secret."""

    run: str
    ids: Mapping[Address, str]
    orgs: Mapping[str, str | None]
    at: str
    commit: str | None
    value_of: Callable[[SecretRef], Tainted]


def announced(ledger: Ledger, changes: Iterable[Change]) -> Ledger:
    """Return the ledger with every creation announced, and every write to what is ours, before the first is sent."""
    return ledger.with_begun(
        change.address
        for change in changes
        if change.action is Action.CREATE or (change.record is not None and change.address in ledger.entries)
    )


def remembered(
    ledger: Ledger,
    outcomes: Iterable[Outcome],
    memory: Memory,
    *,
    may_exist: Callable[[Outcome], bool],
    remainders: Iterable[Remainder] = (),
) -> Ledger:
    """Return the ledger with everything that was done.

    What was begun and whose key nobody got yet stays begun: the next run makes another one.
    What surely was not written is announced no more; `may_exist` tells which failed write may have been carried out.
    What `remainders` say is still there, though it was to go, stays ours: the next run has it go again.
    """
    left = {one.address: [pointer(field.path) for field in one.fields] for one in remainders}
    seen = [one for one in outcomes if not _stayed(one, left)]
    for outcome in seen:
        if isinstance(outcome, Done) and (record := outcome.change.record) and record.moved_from:
            ledger = _renamed(ledger, record.moved_from, outcome.change.address)
    applied: dict[Address, Entry] = {}
    gone: set[Address] = set()
    doubtful: set[Address] = set()
    kept = {one.change.address for one in seen if one.change.replaces and not isinstance(one, Done)}
    keyless = {one.change.address for one in seen if one.change.action is Action.ROTATE and not isinstance(one, Done)}
    for outcome in sorted(seen, key=_adds):  # what a switch adds comes on top of the rest
        change = outcome.change
        if not isinstance(outcome, Done):
            if may_exist(outcome):
                doubtful.add(change.address)
                if isinstance(outcome, Failed) and outcome.made and (half := _half_made(change, memory)):
                    applied[change.address] = half
            elif change.action is Action.CREATE:
                gone.add(change.address)
        elif change.action in (Action.ARCHIVE, Action.FORGET):
            gone |= {known for known in ledger.entries if change.address in (known, known.above)} | {change.address}
        elif change.record is not None and not (change.action is Action.ADOPT and change.address in keyless):
            known = applied.get(change.address) or ledger.get(change.address)
            entry = _entry(change, change.record, known, memory)
            if entry is not None:
                applied[change.address] = _with_left(entry, known, left.get(change.address, ()))
    farewell = {
        outcome.change.address: outcome.change.id
        for outcome in seen
        if isinstance(outcome, Done)
        and outcome.change.action is Action.ARCHIVE
        and outcome.change.id
        and not outcome.change.kind.archive_is_final
    }
    ledger = (
        ledger.without(gone - applied.keys() - kept)
        .with_applied(applied)
        .with_archived(memory.run, memory.at, farewell)
    )
    ledger = replace(ledger, begun=(ledger.begun - {outcome.change.address for outcome in seen}) | doubtful)
    return _placed(ledger, memory)


def _stayed(outcome: Outcome, left: Collection[Address]) -> bool:
    """Say whether what was archived is there all the same; what was made in its place has the address by now."""
    change = outcome.change
    return change.action is Action.ARCHIVE and not change.replaces and change.address in left


def _with_left(entry: Entry, known: Entry | None, left: Collection[str]) -> Entry:
    """Return what is remembered with what left git and is still there: its digests are what was last written."""
    if not left or known is None or known.id != entry.id:
        return entry
    kept = {
        path: told
        for path, told in known.fields.items()
        if path not in entry.fields and any(path == top or path.startswith(f"{top}/") for top in left)
    }
    return replace(entry, fields={**entry.fields, **kept})


def _adds(outcome: Outcome) -> bool:
    return outcome.change.record is not None and outcome.change.record.adds


def _renamed(ledger: Ledger, old: Address, new: Address) -> Ledger:
    return ledger.renamed(old, new) if old in ledger.entries and new not in ledger.entries else ledger


def _entry(change: Change, record: Record, known: Entry | None, memory: Memory) -> Entry | None:
    """Return what is remembered of an address after a step of it."""
    if record.adds:
        if known is None:
            return None
        return replace(known, fields={**known.fields, **record.fields}, applied_at=memory.at, commit=memory.commit)
    id_ = change.id or memory.ids.get(change.address)
    if id_ is None:
        return None
    return Entry(
        id=id_,
        applied_at=memory.at,
        commit=memory.commit,
        protect=record.protect,
        fields=record.fields,
        secrets=_secrets(change, record, known if known and known.id == id_ else None, memory),
    )


def _half_made(change: Change, memory: Memory) -> Entry | None:
    """Return what is remembered of what was created and not completed, if it could not be taken away again: its id."""
    if change.kind.can_archive or change.record is None:
        return None
    return _entry(change, Record(protect=change.record.protect), None, memory)


def _secrets(change: Change, record: Record, known: Entry | None, memory: Memory) -> dict[str, str]:
    """Return the fingerprints of the secrets that were sent, and of those that are as they were."""
    sent = {pointer(path) for path, _ in secret_refs(change.body)}
    found = {}
    for path, ref in record.secrets.items():
        if path in sent:
            found[path] = fingerprint(memory.value_of(ref))
        elif known and path in known.secrets:
            found[path] = known.secrets[path]
    return found


def _placed(ledger: Ledger, memory: Memory) -> Ledger:
    """Add the ids of the organizations that entries stand in."""
    gone = [address for run in ledger.runs.values() for address in run.archived]
    used = {address.org for address in (*ledger.entries, *ledger.begun, *gone)}
    known = {org: id_ for org, id_ in memory.orgs.items() if id_ is not None}
    return replace(ledger, orgs={org: id_ for org, id_ in {**ledger.orgs, **known}.items() if org in used})
