"""Links that entities and pages carry: absolute URLs made from the address the request came to."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import orjson


def urls(base: str, path: str, ident: str) -> dict[str, str]:
    """Give self_url (API), view_url (UI) and ui_link (the same again) of an entity."""
    view = f"{base.removesuffix('/api')}/{path}/{ident}"
    return {"self_url": f"{base}/v1/{path}/{ident}", "view_url": view, "ui_link": view}


def action(rel: str, method: str, operation: str, below: str, hint: str, *, href: str) -> dict[str, str]:
    """Write one thing that may be done next with an entity."""
    return {"rel": rel, "method": method, "operation_id": operation, "href": href + below, "hint": hint}


def spliced(text: str, extra: Mapping[str, Any]) -> str:
    """Add members to the JSON text of an object without parsing it."""
    return f"{text[:-1]},{orjson.dumps(extra).decode()[1:]}"


def page(url: str, query: Mapping[str, str], *, offset: int, limit: int, total: int) -> dict[str, Any]:
    """Say which page of a list this is, and where the ones beside it are."""
    around = neighbours(url, query, offset=offset, limit=limit, total=total)
    return {"total": total, "offset": offset, "limit": limit, **around}


def neighbours(url: str, query: Mapping[str, str], *, offset: int, limit: int, total: int) -> dict[str, str]:
    """Give next_url and prev_url, each only when there is a page on that side."""
    found = {}
    if limit and offset + limit < total:
        found["next_url"] = f"{url}?{urlencode({**query, 'offset': offset + limit, 'limit': limit})}"
    if limit and offset > 0:
        found["prev_url"] = f"{url}?{urlencode({**query, 'offset': max(0, offset - limit), 'limit': limit})}"
    return found
