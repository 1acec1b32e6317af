"""The conflict ladder: what is done about a write that was refused or whose fate is unknown, rung by rung.

LADDER below is the whole of it, in order: the first rung that is about a refusal and settles it decides. Recovery is by
reading wherever that can tell; the server's `allowed_actions` are followed where it sends any (design, section 6).
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace

from reconciler.api_errors import ApiError, Conflict, Forbidden, Throttled, Unreachable, is_ambiguous
from reconciler.live import rungs
from reconciler.live.beforehand import beforehand
from reconciler.live.client import WriteClient
from reconciler.live.climb import Again, Climb, Refusal, Settled
from reconciler.live.doubt import settle_doubt
from reconciler.live.ids import Ids
from reconciler.live.perform import perform
from reconciler.plan.change import Action, Change
from reconciler.plan.outcome import Conflicted, Done, Failed, Outcome

_UNKNOWN = "run again when the platform can be read: what was done is found, nothing is done twice"
TRIES = 4
"""Most attempts at one change, the first included."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to be refused, and the way on; `climb` settles it, or returns None for the next rung to try."""

    name: str
    is_about: Callable[[Refusal], bool]
    climb: Callable[[Refusal], Settled]


def _offers(rel: str) -> Callable[[Refusal], bool]:
    return lambda refusal: refusal.problem.action(rel) is not None


def _create_offers(rel: str) -> Callable[[Refusal], bool]:
    return lambda refusal: refusal.climb.creates and refusal.problem.action(rel) is not None


LADDER: tuple[Rung, ...] = (
    Rung("told to come later than we wait", lambda r: isinstance(r.error, Throttled), rungs.give_up),
    Rung("its fate is unknown", lambda r: r.was_sent and is_ambiguous(r.error), settle_doubt),
    Rung("not heard", lambda r: r.status == 0, rungs.give_up),
    Rung("retry-later", _offers("retry-later"), rungs.wait_as_told),
    Rung("retry", _offers("retry"), rungs.retry),
    Rung("no role for it", lambda r: isinstance(r.error, Forbidden), rungs.explain_role),
    Rung("feature switched off", lambda r: r.problem.code == "feature_not_enabled", rungs.explain_feature),
    Rung("versions switched off", rungs.has_no_versions, rungs.explain_versions),
    Rung("apps are frozen", rungs.is_frozen, rungs.explain_frozen),
    Rung("unarchive", _create_offers("unarchive"), rungs.unarchive),
    Rung("get-existing", _create_offers("get-existing"), rungs.fetch_existing),
    Rung("limit reached", rungs.is_over_a_limit, rungs.explain_limit),
    Rung("name taken", lambda r: r.climb.creates and isinstance(r.error, Conflict), rungs.find_holder),
    Rung("new name taken", rungs.is_renaming, rungs.report_holder),
    Rung("still used", lambda r: isinstance(r.error, Conflict) and r.change.action is Action.ARCHIVE, rungs.find_users),
    Rung("not as it was", lambda r: not r.climb.creates, rungs.look_again),
)


def carry_out(change: Change, *, client: WriteClient, ids: Ids, overwrites: bool = False) -> Outcome:
    """Perform a change, and climb the ladder when it is refused.

    Raises SecretUnavailable, JournalError, and Interrupted and Stopped when nothing more may be sent.

    Before what exists is written, it is read: what others changed since the plan is a conflict, unless it `overwrites`.
    """
    climb = Climb(change, client, ids, overwrites)
    try:
        settled = beforehand(climb)
    except ApiError as error:
        return Failed(change, error)
    if settled is not None:
        return settled
    for number in range(1, TRIES + 1):
        before = client.written
        try:
            return _told(change, perform(climb.change, client=client, ids=ids), climb)
        except ApiError as error:
            was_sent = client.written != before
            outcome = settle(Refusal(climb, error, is_last=number == TRIES, was_sent=was_sent))
            if not isinstance(outcome, Again):
                return _told(change, outcome, climb)
    raise RuntimeError("the last attempt always has an outcome")


def settle(refusal: Refusal) -> Outcome | Again:
    """Climb: the first rung that settles a refusal decides; where none does, the change failed."""
    try:
        for rung in LADDER:
            if rung.is_about(refusal):
                settled = rung.climb(refusal)
                if isinstance(settled, Again) and refusal.is_last:
                    break
                if isinstance(settled, Failed):
                    return replace(settled, in_doubt=settled.in_doubt or refusal.climb.may_have_made)
                if settled is not None:
                    return settled
    except ApiError as second:
        if not refusal.climb.is_in_doubt:
            return Failed(refusal.change, second, in_doubt=refusal.climb.may_have_made)
        message = f"{refusal.error.message}; whether it was done could not be read ({second.message})"
        return Failed(refusal.change, Unreachable(message, hint=_UNKNOWN, ambiguous=True), in_doubt=True)
    return Failed(refusal.change, refusal.error, in_doubt=refusal.climb.may_have_made)


def _told(change: Change, outcome: Outcome, climb: Climb) -> Outcome:
    """Tell an outcome of the plan's change, and of one that is done what people are to know of the way there."""
    match outcome:
        case Done(note=note):
            notes = [*climb.notes, *([note] if note else [])]
            return replace(outcome, change=change, note="; ".join(notes) or None)
        case Conflicted():
            return replace(outcome, change=change, in_doubt=climb.may_have_made)
        case Failed(error=error) if change.action is Action.CREATE and climb.ids.has(change.address):
            error = copy(error)
            error.message = f"created, but not completed: {error.message}"
            return replace(outcome, change=change, error=error, made=True)
    return replace(outcome, change=change)
