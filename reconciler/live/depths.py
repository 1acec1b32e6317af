"""DEPTHS: what is read beside lists, where git says something of it: versions, and what stands apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from reconciler.errors import Fault
from reconciler.kinds.traits import apart
from reconciler.live.apart import joined, listing, place_of
from reconciler.live.client import ReadClient
from reconciler.live.editions import Editions, owners_wanted, read_editions
from reconciler.live.identify import Matches
from reconciler.live.names import Names
from reconciler.live.readers import readers
from reconciler.live.seen import AT_STAKE
from reconciler.live.shapes import shape_from
from reconciler.plan.owned import steps
from reconciler.plan.plan import OrgRef
from reconciler.plan.release import asked_for, pins
from reconciler.plan.rules import Rules
from reconciler.resource import Desired


def editions_of(
    bound: Sequence[Desired],
    matches: Matches,
    names: Names,
    orgs: Mapping[str, OrgRef],
    *,
    client: ReadClient,
    parallelism: int,
) -> Editions:
    """Read the versions that git says something of; nothing is asked where it does not."""
    wanting = [one for one in bound if asked_for(one) or pins(one)]
    if not wanting:
        return Editions()
    with readers(parallelism) as pool:
        return read_editions(
            owners_wanted(wanting, {**matches.twins, **matches.live}, names, orgs), client=client, pool=pool
        )


def with_apart(
    chosen: Sequence[Desired],
    matches: Matches,
    orgs: Mapping[str, OrgRef],
    *,
    rules: Rules,
    client: ReadClient,
    parallelism: int,
) -> list[Fault]:
    """Join to what is live what stands apart of it, where git declares that; what left git and was ours, too.

    Return what is declared and cannot be there for what others keep there.
    """
    faults: list[Fault] = []
    _with_stakes(chosen, matches, orgs, client=client)
    asking = [one for one in chosen if one.address in matches.live and not apart(one.kind).keys().isdisjoint(one.spec)]
    with readers(parallelism) as pool:
        for one in asking:
            wire = matches.live[one.address]
            entry = rules.known(one.address).entry
            owned = [steps(path) for path in (entry.fields if entry else ())]
            wanted = {
                name: {*one.spec[name], *(path[1] for path in owned if path[0] == name and len(path) > 1)}
                for name in apart(one.kind)
                if name in one.spec
            }
            org = orgs[one.address.org].id if one.kind.wire.org_scoped else None
            at = place_of(one.kind, wire, org=org, called=str(one.address))
            told = partial(_note, faults, one)
            matches.live[one.address] = joined(one.kind, wire, wanted, at=at, client=client, pool=pool, in_the_way=told)
    return faults


def _note(faults: list[Fault], one: Desired, path: str, obstacle: str) -> None:
    """Note a file that git declares where it cannot be; one that left git is gone that way."""
    name = next((name for name in apart(one.kind) if path in one.spec.get(name, ())), None)
    if name is None or one.archive:
        return
    what = "a folder on the platform" if obstacle == path else f"below {obstacle}, which is a file on the platform"
    hint = "remove what stands there, or declare it under another path"
    faults.append(Fault(f"{path} cannot be a file: it is {what}", one.source, (*one.path, name), hint=hint))


def _with_stakes(
    chosen: Sequence[Desired], matches: Matches, orgs: Mapping[str, OrgRef], *, client: ReadClient
) -> None:
    """Join to what is live what lies in it and would be lost by what git wants, as far as its top folder tells."""
    for one in chosen:
        wire, kind = matches.live.get(one.address), one.kind
        name = kind.discards(one.spec, shape_from(kind, wire)) if wire and kind.discards and not one.archive else None
        if wire is None or name is None:
            continue
        org = orgs[one.address.org].id if kind.wire.org_scoped else None
        at = place_of(kind, wire, org=org, called=str(one.address))
        there = listing(apart(kind)[name], "", at=at, client=client)
        matches.live[one.address] = {**wire, AT_STAKE: sorted(entry["path"] for entry in there)}
