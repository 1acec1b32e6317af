"""What the platform offers an organization: read when a plan is known that would write such a name, and once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from reconciler.api_errors import Forbidden, NotFound, ServerFault
from reconciler.kinds.markers import Listed
from reconciler.live.client import ReadClient
from reconciler.live.listing import PAGE
from reconciler.plan.offers import Offered
from reconciler.plan.plan import OrgRef

_MOST = 10_000
"""More than anybody offers: such a total is nonsense, and must not be asked for page by page."""


def offers(client: ReadClient, orgs: Mapping[str, OrgRef]) -> Offered:
    """Return what reads a list when it is asked for, and keeps it; None where it is withheld or not there.

    An organization that is yet to be made has no list. What it returns raises ApiError for any other answer.
    """

    @cache
    def offered(org: str, listed: Listed) -> frozenset[str] | None:
        id_ = orgs[org].id
        if id_ is None:
            return None
        try:
            return _ids(client, listed, id_, doing=f"listing what {org} can choose from")
        except (Forbidden, NotFound):
            return None

    return offered


def _ids(client: ReadClient, listed: Listed, org_id: str, *, doing: str) -> frozenset[str]:
    """Read all pages; raises ServerFault for an answer that is not such a list."""
    ids: set[str] = set()
    start = total = 0
    while start == 0 or start < total:
        params = {"limit": str(PAGE), "offset": str(start)}
        page = client.get(listed.collection, doing=doing, org=org_id, params=params)
        items, total = _read(page, doing=doing)
        ids.update(items)
        start += PAGE
    return frozenset(ids)


def _read(page: Any, *, doing: str) -> tuple[list[str], int]:
    """Return the ids of a page, and how many there are in all."""
    match page:
        case {"data": list(items), "total": int(total)} if 0 <= total <= _MOST and not isinstance(total, bool):
            ids = [item["id"] for item in items if isinstance(item, dict) and isinstance(item.get("id"), str)]
            if len(ids) == len(items):
                return ids, total
    raise ServerFault(
        f"{doing}: the answer is not such a list", hint="is EVERRUNS_API_URL the address of an Everruns API?"
    )
