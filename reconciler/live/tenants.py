"""Which live organization is meant by each name of a run, and that it is the one that the ledger knows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from reconciler.api_errors import NotFound
from reconciler.errors import Fault, UsageError
from reconciler.kinds import TENANT
from reconciler.live.identify import Matches, Remembered, identify
from reconciler.live.shapes import Wire
from reconciler.plan.owned import Ledger
from reconciler.plan.plan import OrgRef
from reconciler.resource import DEFAULT_ORG, Address, Desired


def organizations(
    live: Sequence[Wire],
    chosen: Sequence[Desired],
    faults: list[Fault],
    *,
    org_id: str | None,
    remembered: Remembered,
) -> tuple[dict[str, OrgRef], Matches]:
    """Find which of the `live` organizations is behind each organization of the run; faults go into `faults`."""
    run = sorted({one.address.org for one in chosen})
    declared = [one for one in chosen if one.address.kind == TENANT.name]
    declared = _bound_to(org_id, declared, run, live)
    matches = identify(TENANT, declared, live, remembered=remembered)
    faults += matches.faults
    titles = {one.address.org: one.title for one in declared}
    ids = {wire["id"]: str(wire.get("name", "")) for wire in live}
    orgs: dict[str, OrgRef] = {}
    for org in run:
        wire = matches.live.get(Address(org, TENANT.name, org))
        if wire is not None:
            orgs[org] = OrgRef(wire["id"], str(wire.get("name", org)))
        elif org in titles:
            orgs[org] = OrgRef(None, titles[org])
        else:
            id_ = org if org.startswith("org_") else _default(org, org_id, live)
            if id_ not in ids:
                raise NotFound(
                    f"organization {id_} is not one of this key's",
                    hint=f"the key's user belongs to: {_listed(live)}",
                )
            orgs[org] = OrgRef(id_, ids[id_])
    _ensure_apart(orgs)
    return orgs, matches


_OWN, _AN_HOUR = 5, 10
"""How many organizations a user may have created, and may create in an hour (everruns-api/orgs-apps-errors.md, 1.3)."""


def crowded(orgs: Mapping[str, OrgRef], live: Sequence[Wire]) -> dict[Address, str]:
    """Say of each organization to be created, where the platform's usual limits may refuse it, what they are."""
    new = sorted(org for org, ref in orgs.items() if ref.id is None)
    if len(live) + len(new) <= _OWN and len(new) <= _AN_HOUR:
        return {}
    note = (
        f"the platform may refuse it: usually a user can create {_OWN} organizations, {_AN_HOUR} in an hour; "
        f"this key has {len(live)}, and this plan creates {len(new)}"
    )
    return {Address(org, TENANT.name, org): note for org in new}


def _ensure_apart(orgs: Mapping[str, OrgRef]) -> None:
    """Refuse one live organization under two names: each would take the other's resources for missing."""
    seen: dict[str, str] = {}
    for org, ref in orgs.items():
        if ref.id is not None and (other := seen.setdefault(ref.id, org)) != org:
            raise UsageError(
                f"{other} and {org} are the same organization ({ref.id})",
                hint="refer to it in one way: by its Organization document, or by its id",
            )


def _bound_to(
    org_id: str | None, declared: Sequence[Desired], run: Sequence[str], live: Sequence[Wire]
) -> list[Desired]:
    """Bind EVERRUNS_ORG_ID to the only declared organization; with several it would be a guess."""
    if org_id is None or not declared or DEFAULT_ORG in run:
        return list(declared)
    if len(run) > 1:
        raise UsageError(
            f"EVERRUNS_ORG_ID names one organization, but this run is about {len(run)}: {', '.join(run)}",
            hint="unset it, or choose one organization with --org",
        )
    if org_id not in {wire["id"] for wire in live}:
        raise NotFound(
            f"EVERRUNS_ORG_ID: {org_id} is not one of this key's organizations",
            hint=f"unset it, or set it to one of these: {_listed(live)}",
        )
    one = declared[0]
    title = next(str(wire.get("name")) for wire in live if wire["id"] == org_id)
    if one.pinned is None and title != one.title:
        raise UsageError(
            f'EVERRUNS_ORG_ID is the organization "{title}", but the manifests declare "{one.title}"',
            hint=f"unset it; or, to rename that organization, write id: {org_id} in the document's metadata",
        )
    return [replace(one, pinned=one.pinned or org_id)]


def _default(org: str, org_id: str | None, live: Sequence[Wire]) -> str:
    """Return the id of the organization that documents without one belong to."""
    if org != DEFAULT_ORG:
        raise UsageError(
            f'organization "{org}" is chosen, but its Organization document is not',
            hint="do not --exclude it",
        )
    if org_id:
        return org_id
    if len(live) == 1:
        return str(live[0]["id"])
    raise UsageError(
        "the manifests do not say which organization they belong to",
        hint=f"declare an Organization, write metadata.org or set EVERRUNS_ORG_ID; this key's are: {_listed(live)}",
    )


def _listed(live: Sequence[Wire]) -> str:
    return ", ".join(f"{wire.get('name')} ({wire['id']})" for wire in live) or "none"


def ensure_same(
    orgs: Mapping[str, OrgRef], declared: Collection[Address], live: Sequence[Wire], ledger: Ledger
) -> None:
    """Refuse an organization that the ledger knows as another one: all that is ours would be made again there.

    A declared one may be another where the known one is out of reach: then it was made anew. Raises UsageError.
    """
    ids = {wire["id"] for wire in live}
    used = {address.org for address in (*ledger.entries, *ledger.begun)}
    for org, ref in orgs.items():
        known = ledger.orgs.get(org)
        if org not in used or known is None or ref.id in (None, known):
            continue
        if known in ids or Address(org, TENANT.name, org) not in declared:
            raise UsageError(
                f'organization "{org}" is {ref.id} in this run, and {known} in the ledger',
                hint="set EVERRUNS_ORG_ID and the key as they were, or give each its own environment in "
                "reconciler.yaml; if the old one is no more: reconciler ledger forget --all",
            )
