"""Lists: one paged read per kind and organization; never a GET per resource."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypedDict

from reconciler.api_errors import Forbidden, NotFound, ServerFault
from reconciler.kinds.kind import Kind
from reconciler.live.client import ReadClient
from reconciler.live.shapes import Wire, foresee, objects_of

PAGE = 100
"""The largest page the API gives (everruns-api/agents-memories-sessions.md, 1.3)."""
_READS = 3
_MOST = 1_000_000
"""More items than any list has: a larger total is nonsense, and must not be asked for page by page."""


@dataclass(frozen=True, slots=True)
class Query:
    """One list to read: a kind in an organization (`org` is its id, None for what stands above organizations)."""

    kind: Kind
    org: str | None
    label: str


class _Asked(TypedDict):
    path: str
    doing: str
    org: str | None
    params: dict[str, str] | None


def listed(client: ReadClient, queries: Iterable[Query], *, pool: Executor) -> dict[Query, Sequence[Wire]]:
    """Read several lists at once; each whole, deduplicated, newest first as the server has it.

    A list that may be withheld, and is, is left out of the result.
    """
    todo = list(queries)
    firsts = {query: pool.submit(_page, client, query, 0) for query in todo}
    result: dict[Query, Sequence[Wire]] = {}
    for query in todo:
        try:
            first = firsts[query].result()
        except (Forbidden, NotFound):
            if query.kind.wire.may_be_withheld:
                continue
            raise
        wires = _whole(client, query, first, pool=pool) if query.kind.wire.paged else _items(first, query)
        holds = query.kind.wire.holds
        result[query] = [wire for wire in wires if holds(wire)] if holds else wires
    return result


def _whole(client: ReadClient, query: Query, first: Any, *, pool: Executor) -> list[Wire]:
    """Read the other pages at once; read all again when something came or went meanwhile and an item was missed."""
    for _ in range(_READS):
        total = _total(first, query)
        starts = range(PAGE, total, PAGE)
        pages = [first, *pool.map(lambda start: _page(client, query, start), starts)]
        unique = {item["id"]: item for page in pages for item in _items(page, query)}
        shrank = any(_total(page, query) < total for page in pages)
        if not shrank and len(unique) >= total:
            return list(unique.values())
        first = _page(client, query, 0)
    raise ServerFault(
        f"listing {query.kind.plural} of {query.label}: the list kept changing while it was read",
        hint="run again when fewer things are being created or archived",
    )


def begin(client: ReadClient, query: Query, *, then: Callable[[Any], None] = lambda _answer: None) -> None:
    """Send the requests that `listed` will make for a query; `then` sees the first answer before anybody else."""

    def foreseen(page: Any) -> None:
        if query.kind.wire.paged:
            foresee(query.kind, page)

    def the_rest(page: Any) -> None:
        then(page)
        total = page.get("total") if query.kind.wire.paged and isinstance(page, dict) else None
        if isinstance(total, int) and total <= _MOST:
            for start in range(PAGE, total, PAGE):
                client.begin(**_asked(query, start), then=foreseen)
        foreseen(page)

    client.begin(**_asked(query, 0), then=the_rest)


def _page(client: ReadClient, query: Query, start: int) -> Any:
    return client.get(**_asked(query, start))


def _asked(query: Query, start: int) -> _Asked:
    params = dict(query.kind.wire.query)
    if query.kind.wire.paged:
        params |= {"limit": str(PAGE), "offset": str(start)}
    doing = f"listing {query.kind.plural}" + (f" of {query.label}" if query.label else "")
    return {"path": query.kind.wire.collection, "doing": doing, "org": query.org, "params": params or None}


def _items(page: Any, query: Query) -> Sequence[Wire]:
    """Return the items of an answer; anything but a list of such objects is not this API."""
    items = page.get("data") if isinstance(page, dict) else None
    return objects_of(query.kind, items, doing=f"listing {query.kind.plural} of {query.label}")


def _total(page: Any, query: Query) -> int:
    total = page.get("total") if isinstance(page, dict) else None
    if not isinstance(total, int) or isinstance(total, bool) or not 0 <= total <= _MOST:
        raise ServerFault(f"listing {query.kind.plural} of {query.label}: the answer has no usable total")
    return total
