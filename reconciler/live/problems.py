"""Error answers as Problems, parsed tolerantly (everruns-api/orgs-apps-errors.md, 4.1)."""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import orjson

from reconciler.errors import AllowedAction, Problem
from reconciler.live.http import httpx
from reconciler.live.shapes import is_too_deep

_SHOWN = 300


def problem_of(response: httpx.Response, *, hide: Iterable[str] = ()) -> Problem:
    """Read an error answer of any shape: problem details, `{"error": ...}`, plain text, or nothing.

    `hide` are the secrets of the request: a server that repeats them is not quoted on them.
    """
    spellings = [text for secret in hide for text in (secret, json.dumps(secret)[1:-1], _quoted(secret))]
    raw = _without(_json(response.content), spellings)
    status = response.status_code
    detail = _text(raw.get("detail")) or _text(raw.get("error")) or _text(raw.get("message"))
    if not raw:
        detail = _without(_plain(response), spellings)
    return Problem(
        status=status,
        title=_line(_text(raw.get("title"))) or _phrase(status),
        detail=_line(detail),
        code=_text(raw.get("code")) or None,
        retry_after=_retry_after(response, raw),
        allowed_actions=tuple(_actions(raw.get("allowed_actions"))),
        request_id=_line(response.headers.get("x-request-id", "")) or None,
        is_document=bool(raw),
    )


def _json(content: bytes) -> dict[str, Any]:
    try:
        raw = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return raw if isinstance(raw, dict) and not is_too_deep(raw) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _quoted(text: str) -> str:
    """Spell a text as it stands between the quotes of JSON that is not ASCII alone."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _without(value: Any, secrets: Iterable[str]) -> Any:
    """Return a value with every secret in its texts replaced by a mask."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "***")
        return value
    if isinstance(value, dict):
        return {key: _without(item, secrets) for key, item in value.items()}
    return [_without(item, secrets) for item in value] if isinstance(value, list) else value


def _plain(response: httpx.Response) -> str:
    """Return a text answer; a web page says nothing worth showing."""
    if "html" in response.headers.get("content-type", ""):
        return "the answer is a web page, not the API's"
    return response.content.decode(errors="replace")


def _line(text: str) -> str:
    """Return a text of the server's as one line that cannot move the cursor, cut where nobody reads on."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[: _SHOWN * 4]).split())[:_SHOWN]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


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


def _actions(raw: Any) -> list[AllowedAction]:
    """Keep the actions that say what they are; the published example has one without `rel` (4.3)."""
    found = []
    for item in raw if isinstance(raw, list) else []:
        if isinstance(item, dict) and isinstance(item.get("rel"), str):
            texts = {
                key: item[key] for key in ("href", "method", "operation_id", "hint") if isinstance(item.get(key), str)
            }
            found.append(AllowedAction(rel=item["rel"], **texts))
    return found
