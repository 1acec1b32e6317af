"""Error answers as Problems, parsed tolerantly (everruns-api/orgs-apps-errors.md, 4.1), and their words as hearsay."""

from __future__ import annotations

import email.utils
import re
import time
from http import HTTPStatus
from typing import Any, Final

import orjson

from reconciler.api_errors import AllowedAction, Problem
from reconciler.live.hearsay import Asked, plainly
from reconciler.live.http import httpx
from reconciler.live.known_texts import known
from reconciler.live.shapes import is_too_deep
from reconciler.plan.journal import told_code

NOT_SHOWN: Final = "(an address that is not shown)"
"""Stands for a link that may hold a secret; it leads nowhere on the platform, and so is not followed."""

_SHOWN = 300
_ABOUT_THE_KEY = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)
_WEB_PAGE = "the answer is a web page, not the API's"
_MOST_NAMED = 3
_RELATIONS = frozenset({"retry-later", "retry", "get-existing", "unarchive"})
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"})
_OPERATION = re.compile(
    "(?:get|list|create|update|unarchive|restore|publish|unpublish)_"
    "(?:agent|app|memory|organization|org|harness|channel|manager_context)s?"
)
_SEGMENTS = frozenset(
    "api v1 orgs agents apps channels memories harnesses models agent-identities versions config unarchive restore "
    "publish unpublish".split()
)
_SEGMENT_ID = re.compile("[a-z]{2,12}_[0-9a-f]{32}")
_ELSEWHERE = re.compile("(https?://[a-z0-9.-]{1,100}(?::[0-9]{1,5})?)(/.*)?")
_REQUEST_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z]{1,7}-[0-9]{1,9}")


def problem_of(response: httpx.Response, asked: Asked) -> Problem:
    """Read an error answer of any shape: problem details, `{"error": ...}`, plain text, or nothing.

    Of its words only those are kept that cannot hold what the request carried (see `hearsay.py`).
    """
    raw = _json(response.content)
    status = response.status_code
    words = next(filter(None, (_text(raw.get(name)) for name in ("detail", "error", "message"))), "")
    words = _line(words if raw else _plain(response))
    secrets = asked.secrets()
    is_strict = bool(secrets) or status in _ABOUT_THE_KEY
    detail = (known(words, asked) or "") if is_strict and words != _WEB_PAGE else plainly(words, asked)
    return Problem(
        status=status,
        title=_phrase(status),
        detail=detail[:_SHOWN],
        code=_code(raw.get("code"), is_strict=is_strict),
        retry_after=_retry_after(response, raw),
        allowed_actions=tuple(_actions(raw.get("allowed_actions"), asked, is_strict=is_strict)),
        request_id=request_id(response),
        is_document=bool(raw),
        withheld=_why(secrets) if words and not detail else None,
        sent=tuple(map(str, secrets)),
    )


def _why(secrets: tuple[Any, ...]) -> str:
    """Say why the server's words are not shown."""
    more = f" and {len(secrets) - _MOST_NAMED} more" if len(secrets) > _MOST_NAMED else ""
    named = ", ".join(map(str, secrets[:_MOST_NAMED])) + more if secrets else "the key"
    return f"its words are not shown: they may repeat {named}"


def _json(content: bytes) -> dict[str, Any]:
    try:
        raw = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return raw if isinstance(raw, dict) and not is_too_deep(raw) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _plain(response: httpx.Response) -> str:
    """Return a text answer; a web page says nothing worth showing."""
    if "html" in response.headers.get("content-type", ""):
        return _WEB_PAGE
    return response.content.decode(errors="replace")


def _line(text: str) -> str:
    """Return a text of the server's as one line that cannot move the cursor, cut where nobody reads on."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[: _SHOWN * 4]).split())


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _code(raw: Any, *, is_strict: bool) -> str | None:
    """Return a code that is known (4.2), or that is at least a name where only the key could be repeated."""
    if not isinstance(raw, str):
        return None
    return told_code(raw) or (raw if not is_strict and plainly(raw, Asked()) == raw else None)


def request_id(response: httpx.Response) -> str | None:
    """Return the id that the server gave the request, if it has the form of one."""
    id_ = response.headers.get("x-request-id", "")
    return id_ if _REQUEST_ID.fullmatch(id_) else None


def _retry_after(response: httpx.Response, raw: dict[str, Any]) -> float | None:
    """Return how long to wait, from the body or the header (seconds or a date), never negative."""
    seconds = raw.get("retry_after_seconds")
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool):
        return max(0.0, float(seconds))
    header = response.headers.get("retry-after", "").strip()
    try:
        if header.isdigit():
            return float(header)
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time()) if header else None
    except (ValueError, OverflowError):
        return None


def _actions(raw: Any, asked: Asked, *, is_strict: bool) -> list[AllowedAction]:
    """Keep the actions that say what they are; the published example has one without `rel` (4.3)."""
    found = []
    for item in raw if isinstance(raw, list) else []:
        if isinstance(item, dict) and isinstance(item.get("rel"), str) and item["rel"] in _RELATIONS:
            method, operation = _text(item.get("method")), _text(item.get("operation_id"))
            hint = _line(_text(item.get("hint")))
            found.append(
                AllowedAction(
                    rel=item["rel"],
                    href=_link(item.get("href"), asked, is_strict=is_strict),
                    method=(method if method.upper() in _METHODS else "another method") if method else None,
                    operation_id=operation if _OPERATION.fullmatch(operation) else None,
                    hint=(None if is_strict else plainly(hint, asked)) if hint else None,
                )
            )
    return found


def _link(href: Any, asked: Asked, *, is_strict: bool) -> str | None:
    """Return a link as it is when each part of it is a known one, an id, or was sent in clear."""
    if not isinstance(href, str):
        return None
    origin, path = "", href
    if found := _ELSEWHERE.fullmatch(href):
        origin, path = found[1], found[2] or ""
    if is_strict and origin and not asked.base.startswith(origin):
        return NOT_SHOWN
    parts = [part for part in path.split("/") if part not in _SEGMENTS and not _SEGMENT_ID.fullmatch(part)]
    return href if {part for part in parts if part} <= set(asked.in_clear()) else NOT_SHOWN
