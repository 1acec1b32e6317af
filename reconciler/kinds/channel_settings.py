"""The settings that several types of channel share (everruns-api/orgs-apps-errors.md, 3.2-3.5)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from reconciler.kinds.fields import NOT_BLANK, Text, optional, required

U32 = 2**32 - 1
_MOST_PER_MINUTE = 1_000_000


def _not_blank(message: str) -> str:
    """Refuse a message that says nothing (3.3)."""
    if not message.strip():
        raise PydanticCustomError("blank", "the message must not be empty")
    return message


Message = Annotated[Text, AfterValidator(_not_blank)]
SessionMode = Literal["shared_session", "session_per_invocation"]


def session_mode_field() -> Any:
    """Declare how calls share sessions."""
    return optional(
        "Whether all calls share one session or each opens its own.",
        example="session_per_invocation",
        default="shared_session",
    )


def message_field(example: str) -> Any:
    """Declare what the agent is told."""
    return required(
        "What the agent is told; {{dotted.path}} stands for a part of the call; text or {file: path}.",
        example=example,
        json_schema_extra=NOT_BLANK,
    )


def rate_limit_field(most: int = _MOST_PER_MINUTE) -> Any:
    """Declare how many calls a minute may bring."""
    return optional("Most calls in a minute; 0 means no limit.", example=60, default=0, ge=0, le=most)


def anonymous_field() -> Any:
    """Declare whether anybody may call."""
    return optional("Whether callers need no credentials.", example=False, default=True)


def session_expiration_field() -> Any:
    """Declare when a session ends."""
    return optional(
        "Seconds after which a session expires; 0 means never.",
        example=3600,
        default=21600,
        ge=0,
        le=U32,
    )


def auth_field(description: str, mode: str) -> Any:
    """Declare who may call; `mode` is that of the example."""
    return optional(description, example={"mode": mode, "requirements": {"scopes": ["app:invoke"]}})
