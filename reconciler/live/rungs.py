"""What each rung of the ladder does about a refusal: wait, retry, adopt, revive, or say what a person must do."""

from __future__ import annotations

from http import HTTPStatus

from reconciler.api_errors import Conflict, Forbidden, NotFound, Refused
from reconciler.kinds import KINDS
from reconciler.kinds.traits import references
from reconciler.kinds.walk import at
from reconciler.live.climb import Again, Refusal, Settled
from reconciler.live.holder import holder, named_by, settled_with, unarchived
from reconciler.live.known_texts import HIGH_RISK
from reconciler.live.limiter import PATIENCE
from reconciler.live.listing import Query, listed
from reconciler.live.preflight import lost_the_route, role_for
from reconciler.live.readers import SERIAL
from reconciler.live.shapes import shape_from
from reconciler.live.standing import Before, Gone, Moved, Reached, standing, told
from reconciler.plan.change import Action
from reconciler.plan.names_given_up import new_name
from reconciler.plan.outcome import Conflicted, Done, Failed

_PAUSE = 1.0
_PLAN_AGAIN = "plan again and review"


def give_up(refusal: Refusal) -> Settled:
    """Report a refusal as it is."""
    return Failed(refusal.change, refusal.error)


def wait_as_told(refusal: Refusal) -> Settled:
    """Hold everybody back for as long as the platform asks, then try again."""
    seconds = refusal.problem.retry_after or _PAUSE
    if refusal.is_last or seconds > PATIENCE:
        return None
    refusal.climb.client.pause(seconds)
    return Again()


def retry(refusal: Refusal) -> Settled:
    """Try again what the platform wants replayed, if what is to be written is still as the plan saw it."""
    if refusal.is_last:
        return None
    climb = refusal.climb
    if refusal.change.action is Action.CREATE or climb.overwrites:
        return Again()
    found = standing(refusal.change, client=climb.client, ids=climb.ids)
    return Again() if isinstance(found, Before | Reached) else Conflicted(refusal.change, told(found), hint=_PLAN_AGAIN)


def explain_role(refusal: Refusal) -> Settled:
    """Say which role the key's user needs, and for what (everruns-api/orgs-apps-errors.md, 5)."""
    detail = refusal.problem.detail or ""
    if detail.startswith(HIGH_RISK):
        refs = detail.removeprefix(HIGH_RISK)
        way = f"use a key whose user has the admin role, or is an owner; a member's may do it without {refs}"
        return Failed(refusal.change, Forbidden(refusal.error.message, hint=way, problem=refusal.error.problem))
    policy = refusal.change.kind.wire.policy_of.get(refusal.change.action.value, "")
    hint = f"use a key whose user has {role_for(policy)}" if policy else refusal.error.hint
    return Failed(refusal.change, Forbidden(refusal.error.message, hint=hint, problem=refusal.error.problem))


def explain_feature(refusal: Refusal) -> Settled:
    """Say that a feature of the organization must be switched on first (everruns-api/orgs-apps-errors.md, 1.6)."""
    org = refusal.change.address.org
    hint = f"switch it on: feature_flags of Organization {org}, or an admin in its settings; then run again"
    return Failed(refusal.change, NotFound(refusal.error.message, hint=hint, problem=refusal.error.problem))


def has_no_versions(refusal: Refusal) -> bool:
    """Say whether a release met a server that has no versions (everruns-api/agents-memories-sessions.md, 3)."""
    is_release = refusal.change.action is Action.RELEASE
    return is_release and refusal.status == HTTPStatus.NOT_FOUND and "versions" in refusal.problem.detail


def explain_versions(refusal: Refusal) -> Settled:
    """Name the feature flag that must be switched on before anything is published."""
    release = refusal.change.kind.release
    flag, org = release.flag if release else "", refusal.change.address.org
    hint = f"an admin of {org} switches the feature flag {flag} on in the organization's settings; then run again"
    message = f"{refusal.error.message}: the feature flag {flag} is off in {org}"
    return Failed(refusal.change, NotFound(message, hint=hint, problem=refusal.error.problem))


def is_over_a_limit(refusal: Refusal) -> bool:
    """Say whether there are as many as the platform allows (everruns-api/orgs-apps-errors.md, 4.2)."""
    is_told = refusal.problem.detail.partition(" (max ")[0].endswith(" limit reached")
    return refusal.climb.creates and isinstance(refusal.error, Conflict) and is_told


def explain_limit(refusal: Refusal) -> Settled:
    """Say what the limit is about, where the kind knows, and what there is to do."""
    kind = refusal.change.kind
    hint = kind.limited or f"archive {kind.plural} that nobody needs, or have the limit raised"
    return Failed(refusal.change, Conflict(refusal.error.message, hint=hint, problem=refusal.error.problem))


def is_frozen(refusal: Refusal) -> bool:
    """Say whether a route for writing is missing where one for reading is (everruns-api/agent-channels.md, 6)."""
    return refusal.status in (404, 405) and bool(refusal.change.kind.wire.frozen) and lost_the_route(refusal.problem)


def explain_frozen(refusal: Refusal) -> Settled:
    """Say that the server takes no writes of this kind any more."""
    why = refusal.change.kind.wire.frozen or ""
    return Failed(
        refusal.change, Refused(why, hint="--exclude '*/App/*' leaves them out", problem=refusal.error.problem)
    )


def unarchive(refusal: Refusal) -> Settled:
    """Restore what the platform offers to unarchive."""
    action = refusal.problem.action("unarchive")
    return unarchived(action, refusal.climb, refusal.problem) if action else None


def fetch_existing(refusal: Refusal) -> Settled:
    """Fetch what the platform says exists, compare, and adopt it or report the conflict."""
    action = refusal.problem.action("get-existing")
    found = named_by(action, refusal.climb) if action else None
    if found is None or isinstance(found, Conflicted):
        return found
    return settled_with(found, refusal.climb, refusal.problem)


def find_holder(refusal: Refusal) -> Settled:
    """Find by name what stands in the way of a create: the common 409 says nothing of it."""
    found = holder(refusal.climb)
    return settled_with(found, refusal.climb, refusal.problem) if found is not None else None


def is_renaming(refusal: Refusal) -> bool:
    """Say whether a write that gives a new name met a conflict."""
    renames = not refusal.climb.creates and new_name(refusal.change) is not None
    return renames and isinstance(refusal.error, Conflict)


def report_holder(refusal: Refusal) -> Settled:
    """Name the resource that holds the name which another is to get."""
    name, own = new_name(refusal.change) or "", refusal.change.id
    others = [wire for wire in refusal.climb.namesakes(name) if wire["id"] != own]
    if not others:
        return None
    archived = " and is archived" if refusal.change.kind.wire.archived(others[0]) else ""
    message = f'{others[0]["id"]} has the name "{name}" by now{archived}'
    return Conflicted(refusal.change, message, hint="plan again: who has which name is settled there")


def find_users(refusal: Refusal) -> Settled:
    """Name what still refers to a resource that is to be archived (everruns-api/orgs-apps-errors.md, 2.6)."""
    users = sorted(_users(refusal))
    if not users:
        return None
    hint = "archive or change those first: what is not in git is nobody's to change but its owner's"
    return Conflicted(refusal.change, f"it is still used by {', '.join(users)}", hint=hint)


def _users(refusal: Refusal) -> list[str]:
    """Read who refers to the resource: everything live of the kinds that can."""
    change, climb = refusal.change, refusal.climb
    paths = {
        kind: [path for path, reference in references(kind) if reference.kind == change.address.kind]
        for kind in KINDS
        if kind.managed and kind.parent is None
    }
    found = []
    for kind, own in paths.items():
        if not own or not kind.wire.org_scoped:
            continue
        query = Query(kind, climb.org, change.address.org)
        for wire in listed(climb.client, [query], pool=SERIAL)[query]:
            shape = shape_from(kind, wire) if kind.wire.usable(wire) else {}
            ids = [holder[key] for path in own for holder, key, _ in at(shape, path)]
            if change.id in ids:
                found.append(f'{kind.name.lower()} "{wire.get("name")}" ({wire["id"]})')
    return found


def look_again(refusal: Refusal) -> Settled:
    """Read what a refused write was about: it may be done already, be gone, or have been changed by others."""
    change, climb = refusal.change, refusal.climb
    if change.action is Action.CREATE:
        return None
    found = standing(change, client=climb.client, ids=climb.ids)
    match found:
        case Reached() if not change.secrets:
            return Done(change, adopted=not climb.is_in_doubt, note="it was so already")
        case Gone() if change.action is Action.ARCHIVE:
            return Done(change, adopted=not climb.is_in_doubt, note="it was gone already")
        case Moved() | Gone():
            return Conflicted(change, told(found), hint=_PLAN_AGAIN)
    return None
