"""Read-ahead: the lists that a plan will surely read are asked for while the manifests are still being read."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.kinds import BY_NAME, TENANT
from reconciler.live.client import ReadClient
from reconciler.live.listing import Query, begin
from reconciler.resource import DEFAULT_ORG, Document


class Ahead:
    """Begins to read the organizations, and each large list as soon as a document shows that it is needed.

    Only requests that `observe` makes anyway are sent; what goes wrong with one is told when its answer is wanted.
    """

    def __init__(self, client: ReadClient, *, org_id: str | None) -> None:
        self._client = client
        self._org_id = org_id
        self._lock = threading.Lock()
        self._documents: Sequence[Document] | None = None
        self._answer: Any = None
        self._begun: set[Query] = set()

    def glance(self, documents: Sequence[Document]) -> None:
        """Look at what has been loaded so far; called again when there is more."""
        first, self._documents = self._documents is None, documents
        if first:
            begin(self._client, Query(TENANT, None, "this key"), then=self._organizations_known)
        elif self._answer is not None:
            self._begin_lists()

    def _organizations_known(self, answer: Any) -> None:
        self._answer = answer
        self._begin_lists()

    def _begin_lists(self) -> None:
        documents = [*(self._documents or ())]
        id_, label = _the_organization(documents, _map(self._answer), org_id=self._org_id)
        names = sorted({str(_map(document.value).get("kind")) for document in documents})
        for kind in (BY_NAME[name] for name in names if id_ is not None and name in BY_NAME):
            query = Query(kind, id_, label)
            with self._lock:
                begun = query in self._begun or not (kind.wire.paged and kind.wire.org_scoped)
                self._begun.add(query)
            if not begun:
                begin(self._client, query)


def _the_organization(
    documents: Sequence[Document], answer: Mapping[str, Any], *, org_id: str | None
) -> tuple[str | None, str]:
    """Return the id and the name here of the only organization of the run; no id unless it is beyond doubt."""
    live = [wire for wire in answer.get("data") or () if isinstance(wire, dict)]
    tenants = [document for document in documents if _map(document.value).get("kind") == TENANT.name]
    named = {_metadata(document).get("org") for document in documents} - {None}
    if named or len(tenants) > 1:
        return None, ""
    if not tenants:
        ids = [wire.get("id") for wire in live if org_id in (None, wire.get("id"))]
        return (ids[0] if len(ids) == 1 else None), DEFAULT_ORG
    (tenant,) = tenants
    below = f"{tenant.folder}/"
    if tenant.folder != "." and not all(f"{document.folder}/".startswith(below) for document in documents):
        return None, ""
    name = str(_metadata(tenant).get("name"))
    title = (tenant.spec or _map(_map(tenant.value).get("spec"))).get("name", name)
    pinned = _metadata(tenant).get("id")
    ids = [wire.get("id") for wire in live if (wire.get("id") == pinned if pinned else wire.get("name") == title)]
    return (ids[0] if len(ids) == 1 and org_id in (None, ids[0]) else None), name


def _metadata(document: Document) -> Mapping[str, Any]:
    return _map(_map(document.value).get("metadata"))


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
