"""Read-ahead: the lists that a plan will surely read are asked for while the manifests are still being read."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.kinds import BY_NAME, TENANT
from reconciler.live.client import ReadClient
from reconciler.live.listing import Query, begin
from reconciler.live.shapes import forget
from reconciler.resource import DEFAULT_ORG, Document


class Ahead:
    """Begins to read the organizations, and each large list as soon as a document shows that it is needed.

    Only requests that `observe` makes anyway are sent; what goes wrong with one is told when its answer is wanted.
    Nothing was checked yet, neither the documents nor the answer: whatever is not plain is left to `observe`.
    """

    def __init__(self, client: ReadClient, *, org_id: str | None) -> None:
        forget()
        self._client = client
        self._org_id = org_id
        self._lock = threading.Lock()
        self._documents: Sequence[Document] = ()
        self._read = 0  # so many documents stand in folders that were read to their end
        self._seen = 0  # so many of them were looked at
        self._tenants: dict[str, list[Document]] = {}
        self._live: list[Mapping[str, Any]] | None = None
        self._has_asked = False
        self._begun: set[tuple[str, str]] = set()

    def glance(self, documents: Sequence[Document]) -> None:
        """Look at the documents so far: those of whole folders, each after the folders above it."""
        with self._lock:
            self._documents, self._read = documents, len(documents)
        if not self._has_asked:
            self._has_asked = True
            begin(self._client, Query(TENANT, None, "this key"), then=self._take)
        elif self._live is not None:
            self._look()

    def _take(self, answer: Any) -> None:
        """Take the answer with the organizations."""
        live = _map(answer).get("data")
        self._live = [_map(wire) for wire in live] if isinstance(live, list) else []
        self._look()

    def _look(self) -> None:
        """Begin the lists that the documents not looked at before make necessary."""
        with self._lock:
            new = self._documents[self._seen : self._read]
            self._seen = self._read
            for document in new:
                if _map(document.value).get("kind") == TENANT.name:
                    self._tenants.setdefault(document.folder, []).append(document)
            places = {(document.folder, _kind(document)) for document in new if "org" not in _metadata(document)}
            queries = [self._query(folder, kind) for folder, kind in sorted(places)]
        for query in filter(None, queries):
            begin(self._client, query)

    def _query(self, folder: str, name: str) -> Query | None:
        """Return the list that a kind of document in a folder needs, if it is plain which and was not begun yet."""
        kind = BY_NAME.get(name)
        if kind is None or not (kind.wire.paged and kind.wire.org_scoped):
            return None
        id_, label = self._organization(folder)
        if id_ is None or (name, id_) in self._begun:
            return None
        self._begun.add((name, id_))
        return Query(kind, id_, label)

    def _organization(self, folder: str) -> tuple[str | None, str]:
        """Return the id and the name here of a folder's organization: the nearest declared upwards."""
        while folder not in self._tenants:
            parent = folder.rpartition("/")[0]
            if not parent:
                return self._default() if "." not in self._tenants else self._declared(".")
            folder = parent
        return self._declared(folder)

    def _default(self) -> tuple[str | None, str]:
        """Return the organization of documents that name none: that of the environment, or the only one."""
        ids = [wire.get("id") for wire in self._live or () if self._org_id in (None, wire.get("id"))]
        return _only(ids), DEFAULT_ORG

    def _declared(self, folder: str) -> tuple[str | None, str]:
        """Return the live organization that the only Organization document of a folder means."""
        if len(self._tenants[folder]) != 1:
            return None, ""
        (tenant,) = self._tenants[folder]
        name, pinned = _metadata(tenant).get("name"), _metadata(tenant).get("id")
        title = (tenant.spec or _map(_map(tenant.value).get("spec"))).get("name", name)
        key, wanted = ("id", pinned) if pinned else ("name", title)
        id_ = _only([wire.get("id") for wire in self._live or () if wire.get(key) == wanted])
        return (id_ if self._org_id in (None, id_) else None), str(name)


def _only(ids: Sequence[Any]) -> str | None:
    return ids[0] if len(ids) == 1 and isinstance(ids[0], str) else None


def _kind(document: Document) -> str:
    return str(_map(document.value).get("kind"))


def _metadata(document: Document) -> Mapping[str, Any]:
    return _map(_map(document.value).get("metadata"))


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
