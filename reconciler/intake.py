"""What nobody declares yet: found, written as manifests, and made ours; nothing here writes to the platform."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reconciler.errors import ManifestError
from reconciler.kinds import BY_NAME
from reconciler.kinds.markers import Files
from reconciler.kinds.traits import apart
from reconciler.live.ids import Ids
from reconciler.live.look import look
from reconciler.live.survey import survey
from reconciler.live.whole import with_whole
from reconciler.manifest.amend import REMOVED
from reconciler.manifest.layout import lay_out
from reconciler.manifest.load import load
from reconciler.manifest.rewrite import drafts, why_left
from reconciler.manifest.rewrite import save as save_drafts
from reconciler.manifest.save import in_the_way, save
from reconciler.manifest.substance import Taken
from reconciler.plan.capture import capture_all
from reconciler.plan.change import Action, Change, FieldChange, Record, Side, holds_unknown_secret
from reconciler.plan.claim import record_of
from reconciler.plan.drift import Drifted, What
from reconciler.plan.imported import Imported
from reconciler.plan.outcome import Applied, Done
from reconciler.plan.owned import Ledger, pointer
from reconciler.plan.pick import kinds_of, pick, with_tenants
from reconciler.plan.rules import Known, Rules, moves_of
from reconciler.reconcile import Wanted, read_manifests
from reconciler.writing import learnt

if TYPE_CHECKING:
    from reconciler.ledger.keeper import Keeper
    from reconciler.live.client import ReadClient
    from reconciler.plan.drift import Drift
    from reconciler.plan.imported import Imported
    from reconciler.plan.plan import Plan
    from reconciler.resource import Address, Desired
    from reconciler.settings import Settings


def import_live(settings: Settings, *, client: ReadClient, ledger: Ledger, into: str, words: Sequence[str]) -> Imported:
    """Write manifests below `into` of what is live, chosen by `words` (all for none) and not declared there yet.

    The `ledger` says what declared addresses are remembered by. Reads the platform and writes only new files. Raises
    ManifestError for faults in what is declared already, UsageError for words that mean nothing, ApiError.
    """
    kinds = kinds_of(words)
    declared = read_manifests((into,), may_be_empty=True)
    found = survey(
        client,
        declared,
        orgs=settings.orgs,
        org_id=settings.org_id,
        kinds=kinds,
        parallelism=settings.parallelism,
        remembered=Rules(ledger, moves=moves_of(declared, ledger)).id_of,
    )
    if found.faults:
        raise ManifestError(found.faults)
    chosen = pick([one for one in found.candidates if one.address.kind in kinds], words, archived=found.archived)
    missing = with_tenants([one for one in chosen if one.declared is None], found.candidates, found.homes)
    found, misfits = with_whole(found, missing, client=client, parallelism=settings.parallelism)
    blocked: frozenset[Address] = frozenset()
    for _ in range(2):  # what turns out to get no manifest is referred to by its title the second time
        captured, gaps = capture_all(look(found, missing, without=blocked), beside=declared)
        sheets, unwritable = lay_out(captured, found.homes, declared, root=into)
        blocked = in_the_way(sheets, root=into) | {gap.address for gap in (*gaps, *unwritable) if gap.is_total}
        if not blocked:
            break
    saved = save(sheets, root=into)
    return Imported(
        homes=found.homes,
        saved=tuple(saved),
        gaps=(*gaps, *unwritable, *misfits),
        needed=tuple(one for each in captured for one in each.all_needed),
        suspects=tuple(one for each in captured for one in each.all_suspects),
        declared=tuple(one for one in chosen if one.declared is not None),
        archived=len(found.archived),
    )


def adopt(
    plan: Plan, *, client: ReadClient, keeper: Keeper, chosen: Callable[[Address], bool], also_differing: bool = False
) -> list[Change]:
    """Let the ledger take over what a plan found there and agreeing, or also what differs, if it is chosen.

    What is archived is not: to bring it back takes git's own word. Nothing is written to the platform. Returns what was
    taken over; raises LedgerError.
    """
    actions = {Action.ADOPT, Action.CONFLICT} if also_differing else {Action.ADOPT}
    found = [change for change in plan.changes if change.action in actions and change.record is not None]
    taken = [change for change in found if chosen(change.address)]
    _record(taken, plan, client=client, keeper=keeper)
    return taken


def _record(changes: Sequence[Change], plan: Plan, *, client: ReadClient, keeper: Keeper) -> None:
    """Let the ledger of a plan learn what these changes say, as if they had been applied. Raises LedgerError."""
    if not changes:
        return
    with keeper.held(plan):
        before = keeper.begin(replace(plan, changes=tuple(changes)))
        done = Applied(tuple(Done(change) for change in changes))
        keeper.end(before, learnt(before, done, Ids(plan, client), keeper), changes=len(changes))


def rebuild(plan: Plan, fresh: Ledger, *, client: ReadClient, keeper: Keeper, serial: int) -> list[Change]:
    """Begin the ledger anew with what a plan, made with a `fresh` one, found there and agreeing; return that.

    `serial` is that of the ledger to be replaced, -1 where it could not be read. Raises LedgerError.
    """
    taken = [change for change in plan.changes if change.action is Action.ADOPT]
    done = Applied(tuple(Done(change) for change in taken))
    after = learnt(fresh, done, Ids(plan, client), keeper)
    keeper.restart(after, serial=serial, changes=len(taken))
    return taken


@dataclass(frozen=True, slots=True)
class Captured:
    """What a capture did: the files that changed, what it took in, and what it could not, with the reason."""

    files: tuple[str, ...]
    taken: tuple[Drifted, ...]
    left: tuple[tuple[Drifted, str], ...]


def capture(wanted: Wanted, settings: Settings, drift: Drift) -> Captured:
    """Take live values back into the manifests that declare them, in place; nothing is written to the platform.

    Raises CannotAmend, with no file touched, where a manifest cannot say a value.
    """
    declared = {one.address: one for one in wanted.everything}
    sources = [one.source for one in wanted.everything]
    roots = load(settings.manifests).roots if drift.drifted else {}
    left: list[tuple[Drifted, str]] = []
    taken: list[Drifted] = []
    values: list[Taken] = []
    doubtful = {one.address for one in drift.drifted if one.what is What.UNSETTLED}
    for one in drift.drifted:
        why = _not_capturable(one) or (_DOUBTFUL if one.address in doubtful else None)
        own = [] if why else [*_values(one, declared[one.address])]
        why = why or next((told for value in own if (told := why_left(value, sources=sources, roots=roots))), None)
        if why:
            left.append((one, why))
        else:
            taken.append(one)
            values += own
    changed = drafts(values, sources=sources, roots=roots)
    save_drafts(changed)
    return Captured(tuple(draft.path for draft in changed), tuple(taken), tuple(left))


def _values(one: Drifted, desired: Desired) -> Iterator[Taken]:
    """Yield the live values of a drift with the places that they belong into."""
    for field in one.fields:
        yield Taken(desired.source, (*desired.path, *field.path), _value(field), declared=field.new)


def accept(captured: Captured, wanted: Wanted, plan: Plan, *, client: ReadClient, keeper: Keeper) -> None:
    """Let the ledger take what was captured for last written; `wanted` and `plan` are of the manifests as they are now.

    Raises LedgerError.
    """
    taken = {one.address: one for one in captured.taken}
    changes = [
        Change(
            one.address,
            Action.RECORD,
            one.title,
            id=taken[one.address].id,
            record=_accepted(one, taken[one.address], wanted.rules.known(one.address)),
        )
        for one in wanted.everything
        if one.address in taken
    ]
    _record(changes, plan, client=client, keeper=keeper)


def _accepted(desired: Desired, taken: Drifted, known: Known) -> Record:
    """Return what the ledger learns of captured fields; what is pending in git beside them was not written yet."""
    record, entry = record_of(desired, known), known.entry
    if entry is None:
        return record
    tops = [pointer(field.path) for field in taken.fields]

    def part(fields: Mapping[str, str], *, captured: bool) -> dict[str, str]:
        return {
            path: told
            for path, told in fields.items()
            if captured is any(path == top or path.startswith(f"{top}/") for top in tops)
        }

    fields = part(entry.fields, captured=False) | part(record.fields, captured=True)
    return replace(record, fields=fields, protect=entry.protect)


_DOUBTFUL = "a run that did not end may have written it: an apply has to settle that first"


def _not_capturable(one: Drifted) -> str | None:
    """Say why a drift cannot be written into a manifest, None where it can."""
    match one.what:
        case What.CHANGED:
            secret = next((field.name for field in one.fields if holds_unknown_secret(field.old)), None)
            both = next((field.name for field in one.fields if field.side is Side.BOTH), None)
            if one.is_of_release:
                return "git says when versions are published, not which: the next apply publishes or chooses one"
            files = [field for field in one.fields if _is_file(one, field)]
            if came := next((field.name for field in files if field.old is None or field.new is None), None):
                return f"{came} came or went on the platform: make or remove the file by hand, or apply"
            if both:
                return f"{both} was changed in git as well: make git say what you want, then apply"
            return f"{secret} holds a secret, which the platform does not show" if secret else None
        case What.GONE | What.ARCHIVED:
            return "its document has to be removed by hand"
        case What.UNSYNCED:
            return "there is nothing in git to change"
        case What.UNSETTLED:
            return _DOUBTFUL
        case What.UNMANAGED:
            return "write it with reconciler import"


def _is_file(one: Drifted, field: FieldChange) -> bool:
    """Say whether a field is a file of its resource."""
    known = apart(BY_NAME[one.address.kind]).get(field.path[0])
    return known is not None and isinstance(known.form, Files)


def _value(field: FieldChange) -> Any:
    return REMOVED if field.old is None else field.old
