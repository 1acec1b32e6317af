"""One change as calls: the only code that writes."""

from __future__ import annotations

import shlex
from typing import Any

from reconciler.api_errors import Refused, ServerFault
from reconciler.errors import KeyUndelivered
from reconciler.kinds.key_to import KeyTo, told
from reconciler.kinds.kind import Creation, Shape
from reconciler.kinds.release import Released
from reconciler.kinds.traits import parted, switches
from reconciler.kinds.translate import body_of
from reconciler.live.apart import Place, write_apart
from reconciler.live.client import ReadClient, WriteClient
from reconciler.live.editions import read_released
from reconciler.live.ids import Ids
from reconciler.live.keys import deliver
from reconciler.live.secrets import read_in
from reconciler.live.shapes import Wire, is_id, objects_of, shape_from
from reconciler.plan.change import Action, Change
from reconciler.plan.diff import diff
from reconciler.plan.freshness import is_synced
from reconciler.plan.names_given_up import new_name
from reconciler.plan.outcome import Done
from reconciler.plan.release import chooses, publishes


def perform(change: Change, *, client: WriteClient, ids: Ids) -> Done:
    """Carry out a change: one write where the API allows it. Raises ApiError and SecretUnavailable."""
    match change.action:
        case Action.CREATE:
            return _create(change, client=client, ids=ids)
        case Action.UPDATE | Action.RESTORE:
            return _update(change, client=client, ids=ids)
        case Action.ARCHIVE:
            _send("DELETE", change, client=client, ids=ids)
        case Action.PUBLISH | Action.UNPUBLISH:
            switch = switches(change.kind)[change.fields[0].path[0]]
            call = switch.on if change.action is Action.PUBLISH else switch.off
            _send("POST", change, client=client, ids=ids, below=f"/{call}")
        case Action.RELEASE:
            return _release(change, client=client, ids=ids)
        case Action.ROTATE:
            return Done(change, note=renew(change, client=client, ids=ids))
        case Action.SYNC:
            _resync(change, client=client, ids=ids)
        case _:
            pass
    return Done(change)


def _create(change: Change, *, client: WriteClient, ids: Ids) -> Done:
    """Create, then write what the create does not take; a second attempt makes nothing again, it writes the rest.

    Raises KeyUndelivered at the end: what is left to write has nothing to do with where a key goes.
    """
    own, others = parted(change.kind, change.body)
    creation = change.kind.wire.create(own, collection(change, ids))
    note, undelivered = None, None
    if not ids.has(change.address):
        key = _make(change, creation, client=client, ids=ids)
        if change.key_to is not None:
            try:
                note = _delivered(key, change, change.key_to)
            except KeyUndelivered as error:
                undelivered = error
        elif creation.renewed_by:
            note = (
                "the platform showed its key once, and it was not kept: declare key_to, "
                f"then reconciler apply --rotate '{change.address}'"
            )
    if creation.follow_up:
        _write("PATCH", change, creation.follow_up, client=client, ids=ids)
    _write_others(change, others, client=client, ids=ids)
    if undelivered is not None:
        raise undelivered
    return Done(change, note=note)


def _delivered(key: object, change: Change, key_to: KeyTo) -> str:
    deliver(key, key_to, change.address)
    return f"its key went to {told(key_to)}"


def renew(change: Change, *, client: WriteClient, ids: Ids) -> str:
    """Have a new key made and hand it over; return where it went. Raises ApiError and KeyUndelivered.

    everruns-api/orgs-apps-errors.md, 3.6: the old key dies at once.
    """
    assert change.key_to
    creation = change.kind.wire.create(change.body, collection(change, ids))
    path = f"{creation.path}/{change.id or ids.of(change.address)}{creation.renewed_by}"
    doing = f"making a new key for {change.address}"
    reply = client.send("POST", path, doing=doing, org=org_of(change, ids), one_time=creation.one_time)
    key = reply.get(creation.one_time) if isinstance(reply, dict) else None
    return _delivered(key, change, change.key_to)


def key_note(change: Change, id_: str, ids: Ids, *, base: str) -> str | None:
    """Say how to get another key for what was created, None for what has none.

    everruns-api/orgs-apps-errors.md, 3.1 and 3.6: a key is shown once, and can only be made anew.
    """
    creation = change.kind.wire.create(change.body, collection(change, ids))
    if creation.renewed_by is None:
        return None
    url = shlex.quote(f"{base}{creation.path}/{id_}{creation.renewed_by}")
    org = f' -H "X-Org-Id: {ids.org(change.address.org)}"' if change.kind.wire.org_scoped else ""
    return f'for a new one: curl -X POST -H "Authorization: Bearer $EVERRUNS_API_KEY"{org} {url}'


def _make(change: Change, creation: Creation, *, client: WriteClient, ids: Ids) -> object:
    """Send the create itself, and remember what was made; return the key that the answer shows, if it shows one."""
    kind, org = change.kind, org_of(change, ids)
    if change.frees:
        free_name(change, change.frees, client=client, ids=ids, org=org)
    shape = ids.filled(kind, change.address.org, creation.body)
    body = read_in(shape if creation.raw else body_of(kind, shape))
    if kind.wire.id_prefix:
        body["id"] = ids.choose(change.address, kind.wire.id_prefix)
    doing = f"creating {change.address}"
    reply = client.send("POST", creation.path, doing=doing, org=org, body=body, one_time=creation.one_time)
    made = reply.get(creation.unwrap) if creation.unwrap and isinstance(reply, dict) else reply
    if not isinstance(made, dict) or not isinstance(made.get("id"), str) or not is_id(made["id"]):
        raise ServerFault(f"creating {change.address}: the answer does not say what was created")
    if creation.finds:
        _taken_over(change, made, client=client, ids=ids)
    ids.created(change.address, made["id"])
    return reply.get(creation.one_time) if creation.one_time and isinstance(reply, dict) else None


def _taken_over(change: Change, made: Wire, *, client: WriteClient, ids: Ids) -> None:
    """Deal with what a get-or-create found instead of creating it, by the rule of adoption; raises Refused.

    What differs from what was asked for was there, and so was what the plan saw.
    """
    kind = change.kind
    found = diff(kind, kind.canonical(ids.filled(kind, change.address.org, change.body)), shape_from(kind, made))
    if not found and (change.adopt != "never" or made["id"] not in change.pre.beside):
        return
    if change.adopt == "overwrite":
        path = f"{collection(change, ids)}/{made['id']}"
        body = body_of(kind, ids.filled(kind, change.address.org, change.body))
        client.send("PATCH", path, doing=f"completing {change.address}", org=org_of(change, ids), body=body)
        return
    names = ", ".join(one.name for one in found)
    why = f"and differs in {names}" if found else "and adopt: never forbids to take it over"
    hint = "make git agree, or write adopt: overwrite in its metadata"
    raise Refused(f"{made['id']} was there already, {why}: it was left as it is", hint=hint)


def free_name(change: Change, holder: str, *, client: WriteClient, ids: Ids, org: str | None) -> None:
    """Rename what holds a name out of the way, if it still does (everruns-api/agents-memories-sessions.md, 4.2)."""
    kind = change.kind
    name = change.detour or f"{change.title[:230]} (archived {holder[-8:]})"
    path = f"{kind.wire.collection}/{holder}"
    found = client.get(path, doing=f"reading what holds the name of {change.address}", org=org)
    (wire,) = objects_of(kind, [found], doing=f"reading {holder}")
    ids.renamed(holder, name, before=str(wire["name"]))
    if kind.folded(str(wire["name"])) == kind.folded(new_name(change) or change.title):
        doing = f"renaming what holds the name of {change.address}"
        client.send("PATCH", path, doing=doing, org=org, body={"name": name})


def _update(change: Change, *, client: WriteClient, ids: Ids) -> Done:
    if change.frees:
        free_name(change, change.frees, client=client, ids=ids, org=org_of(change, ids))
    own, others = parted(change.kind, change.body)
    if change.replace:
        _write("PUT", change, own, client=client, ids=ids)
    elif own:
        _write("PATCH", change, own, client=client, ids=ids)
    if change.then:
        _write("PATCH", change, change.then, client=client, ids=ids)
    _write_others(change, others, client=client, ids=ids)
    return Done(change)


def _release(change: Change, *, client: WriteClient, ids: Ids) -> Done:
    """Publish what the resource is now unless the newest version holds it, and make the newest the default.

    Both are looked at first: published twice, the same would be there twice (agents-memories-sessions.md, 3).
    """
    release = change.kind.release
    assert release is not None
    id_, notes = change.id or ids.of(change.address), []
    known = released_now(change, id_, client=client, ids=ids)
    if publishes(change) is not None:
        if known.newest and known.is_current:
            if known.newest.number != publishes(change):
                notes.append(f"version {known.newest.number} holds what it is: nothing was published")
        else:
            _send("POST", change, client=client, ids=ids, below=f"/{release.publish}", body=dict(change.body))
            known = released_now(change, id_, client=client, ids=ids)
    newest = known.newest
    if newest is not None and chooses(change) is not None and newest.id != known.chosen:
        _send("POST", change, client=client, ids=ids, below=f"/{release.choose}", body={"version_id": newest.id})
    return Done(change, note="; ".join(notes) or None)


def _resync(change: Change, *, client: WriteClient, ids: Ids) -> None:
    """Ask for a sync; the answer says that it is due (everruns-api/agents-memories-sessions.md, 4.5).

    Nothing else tells later a sync that failed again from one that never began.
    """
    reply = _send("POST", change, client=client, ids=ids, below=f"/{change.kind.resync}")
    now = change.kind.sync(reply) if change.kind.sync and isinstance(reply, dict) else None
    if not is_synced(change, now):
        raise ServerFault(f"{_DOING[change.action]} {change.address}: by the answer none is due")


def released_now(change: Change, id_: str, *, client: ReadClient, ids: Ids) -> Released:
    """Read how the resource of a change is released. Raises ApiError."""
    doing, org = f"reading the versions of {change.address}", org_of(change, ids)
    found = client.get(f"{collection(change, ids)}/{id_}", doing=doing, org=org)
    (wire,) = objects_of(change.kind, [found], doing=doing)
    return read_released(change.kind, wire, client=client, org=org, doing=doing)


def _write_others(change: Change, others: Shape, *, client: WriteClient, ids: Ids) -> None:
    """Write what stands apart, if there is any."""
    if others:
        path = f"{collection(change, ids)}/{change.id or ids.of(change.address)}"
        write_apart(change.kind, others, at=Place(path, org_of(change, ids), str(change.address)), client=client)


def _write(method: str, change: Change, shape: Shape, *, client: WriteClient, ids: Ids) -> None:
    body = read_in(body_of(change.kind, ids.filled(change.kind, change.address.org, shape)))
    _send(method, change, client=client, ids=ids, body=body)


def _send(method: str, change: Change, *, client: WriteClient, ids: Ids, below: str = "", body: Any = None) -> Any:
    path = f"{collection(change, ids)}/{change.id or ids.of(change.address)}{below}"
    doing = f"{_DOING[change.action]} {change.address}"
    return client.send(method, path, doing=doing, org=org_of(change, ids), body=body)


_DOING = {
    Action.CREATE: "completing",
    Action.UPDATE: "updating",
    Action.RESTORE: "restoring",
    Action.ARCHIVE: "archiving",
    Action.PUBLISH: "publishing",
    Action.UNPUBLISH: "unpublishing",
    Action.RELEASE: "publishing a version of",
    Action.SYNC: "asking for a sync of",
}


def collection(change: Change, ids: Ids) -> str:
    """Return the path of the collection that a change's resource stands in."""
    path = change.kind.wire.collection
    above = change.address.above
    return path.replace("{parent}", ids.of(above)) if above else path


def org_of(change: Change, ids: Ids) -> str | None:
    """Return the id of the organization that a change's calls are made in, None above organizations."""
    return ids.org(change.address.org) if change.kind.wire.org_scoped else None
