"""The settings of a channel, one model for each type (everruns-api/orgs-apps-errors.md, 3.2-3.5)."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, Union, get_args, get_origin

from pydantic import AfterValidator, model_validator
from pydantic_core import PydanticCustomError

from reconciler.kinds.channel_auth import ChannelAuth, refusing
from reconciler.kinds.channel_settings import (
    U32,
    Message,
    SessionMode,
    anonymous_field,
    auth_field,
    message_field,
    rate_limit_field,
    session_expiration_field,
    session_mode_field,
)
from reconciler.kinds.fields import EXPOSES, ClearableSecret, Secret, Spec, Text, optional, required, rewrites

if TYPE_CHECKING:
    from collections.abc import Mapping

_HANDSHAKE_BYTES = 8 * 1024
_SHORT_CRON, _LONG_CRON = 5, 7


def _seven_fields(cron: str) -> str:
    """Return a cron expression as the server stores it: seven fields, single spaces (3.2)."""
    fields = cron.split()
    if len(fields) == _SHORT_CRON:
        fields = ["0", *fields, "*"]
    if len(fields) != _LONG_CRON:
        raise PydanticCustomError(
            "cron_fields",
            "a cron expression has either 5 fields (minute hour day month weekday) "
            "or 7 fields (second minute hour day month weekday year), not {count}",
            {"count": len(fields)},
        )
    return " ".join(fields)


def _at_most_8_kib(handshake: str) -> str:
    """Refuse a handshake that is longer than the server takes, counted in UTF-8 (3.3)."""
    if (size := len(handshake.encode())) > _HANDSHAKE_BYTES:
        raise PydanticCustomError(
            "too_many_bytes",
            "the handshake must be at most 8 KiB ({limit} bytes in UTF-8), not {size} bytes",
            {"limit": _HANDSHAKE_BYTES, "size": size},
        )
    return handshake


_Cron = Annotated[str, AfterValidator(rewrites(_seven_fields))]


class SlackConfig(Spec):
    """Settings of a `slack` channel (3.3)."""

    signing_secret: Annotated[Secret, EXPOSES] = required(
        "The Slack app's signing secret, which proves that events come from Slack.",
        example={"env": "SLACK_SIGNING_SECRET"},
    )
    bot_token: Secret = required("The Slack app's bot token.", example={"env": "SLACK_BOT_TOKEN"})
    channel_id: str = optional("The Slack channel.", example="C0123456789")
    team_id: str = optional("The Slack workspace.", example="T0123456789")
    session_strategy: Literal["per_thread", "per_channel", "per_user"] = optional(
        "What a session stands for in Slack.", example="per_channel", default="per_thread"
    )
    reply_mode: Literal["all_messages", "report_progress_only"] = optional(
        "Which of the agent's messages are posted.", example="report_progress_only", default="all_messages"
    )


class _ChatConfig(Spec):
    """What the `ag_ui` and `public_chat` channels have in common (3.3)."""

    anonymous: Annotated[bool, EXPOSES] = anonymous_field()
    token: Secret = optional("The secret that callers share.", example={"env": "CHAT_TOKEN"})
    session_expiration_seconds: int = session_expiration_field()
    rate_limit_per_minute: int = rate_limit_field()
    tool_visibility: Literal["none", "generic", "narrated"] = optional(
        "What callers see of the agent's tool calls.", example="narrated", default="generic"
    )
    generic_tool_text: str = optional(
        "What is shown while a tool runs; not empty unless `tool_visibility` is none.",
        example="Looking it up...",
        default="Working...",
        max_length=120,
    )
    auth: Annotated[ChannelAuth, EXPOSES, refusing("api_key")] = auth_field(
        "Who may use it; `shared_secret` needs `token`.", "anonymous"
    )

    @model_validator(mode="after")
    def _tool_text_says_something(self) -> Self:
        """Refuse an empty `generic_tool_text` that would be shown (3.3)."""
        if self.tool_visibility != "none" and not self.generic_tool_text.strip():
            raise PydanticCustomError(
                "tool_text",
                "generic_tool_text must not be empty when tool_visibility is {visibility}",
                {"visibility": self.tool_visibility, "at": "generic_tool_text"},
            )
        return self

    @model_validator(mode="after")
    def _shared_secret_has_token(self) -> Self:
        """Refuse the mode `shared_secret` without the secret (3.5)."""
        if "auth" in self.model_fields_set and self.auth.mode == "shared_secret" and self.token is None:
            raise PydanticCustomError("auth_token", "auth mode shared_secret needs a token", {"at": "auth"})
        return self


class AgUiConfig(_ChatConfig):
    """Settings of an `ag_ui` channel (3.3, 3.4)."""

    token: ClearableSecret = optional(
        "The secret that callers share; null takes it away.", example={"env": "AG_UI_TOKEN"}
    )
    reasoning_summary_visible: bool = optional(
        "Whether callers see summaries of the model's reasoning.", example=True, default=False
    )


class ScheduleConfig(Spec):
    """Settings of a `schedule` channel (3.2, 3.3)."""

    cron_expression: _Cron = required(
        "When it fires: minute hour day month weekday; or seven fields, the second first and the year last.",
        example="0 9 * * 1-5",
        others=["30 7 * * *"],
        json_schema_extra={"pattern": r"^\s*\S+(?:\s+\S+){4}(?:(?:\s+\S+){2})?\s*$"},
    )
    timezone: str = optional(
        "The IANA time zone that the expression is read in.",
        example="Europe/Berlin",
        default="UTC",
        pattern=r"^\S+$",
    )
    session_mode: SessionMode = session_mode_field()
    message: Message = message_field("Write the daily report.")


class WebhookConfig(Spec):
    """Settings of a `webhook` channel (3.3)."""

    token: Annotated[Secret, EXPOSES] = required("The secret that callers send.", example={"env": "WEBHOOK_TOKEN"})
    message: Message = message_field("New order: {{body.order.id}}")
    session_mode: SessionMode = session_mode_field()
    rate_limit_per_minute: int = rate_limit_field(U32)


class A2aConfig(Spec):
    """Settings of an `a2a` channel, whose key the server makes (3.3, 3.6)."""

    message: Message = message_field("{{text}}")
    session_mode: SessionMode = session_mode_field()
    agent_card_name: str = optional("The name on the agent card; the app's without it.", example="Support")
    agent_card_description: str = optional(
        "The description on the agent card; the app's without it.", example="Answers questions about orders"
    )
    rate_limit_per_minute: int = rate_limit_field()
    signing_secret: ClearableSecret = optional(
        "The secret that calls are signed with, 1 to 4096 bytes; null takes it away.",
        example={"env": "A2A_SIGNING_SECRET"},
    )
    auth: Annotated[ChannelAuth, EXPOSES, refusing("shared_secret")] = auth_field(
        "Who may call it; the generated key without it.", "api_key"
    )


class FcpConfig(Spec):
    """Settings of an `fcp` channel (3.3)."""

    anonymous: Annotated[bool, EXPOSES] = anonymous_field()
    token: Secret = optional("The secret that callers share.", example={"env": "FCP_TOKEN"})
    handshake: Annotated[Text, AfterValidator(_at_most_8_kib)] = optional(
        "What callers are told first, in Markdown, at most 8 KiB; text or {file: path}.",
        example="Ask in plain English about orders.\n",
    )
    session_expiration_seconds: int = session_expiration_field()
    rate_limit_per_minute: int = rate_limit_field()
    response_timeout_seconds: int = optional(
        "Seconds that a caller is kept waiting for the answer.", example=60, default=120, ge=1, le=600
    )


class ApiEndpointConfig(Spec):
    """Settings of an `api_endpoint` channel, whose key the server makes (3.3, 3.6)."""

    session_mode: SessionMode = session_mode_field()
    rate_limit_per_minute: int = rate_limit_field()
    auth: Annotated[ChannelAuth, EXPOSES, refusing("shared_secret")] = auth_field(
        "Who may call it; the generated key without it.", "api_key"
    )


class Branding(Spec):
    """How a public chat page looks (3.3)."""

    display_name: str = optional("The name at the top of the page.", example="Acme Support", max_length=120)
    logo_url: str = optional("The address of the logo.", example="https://www.example.com/logo.svg")
    primary_color: str = optional("The main colour.", example="#0b5fff")
    welcome_message: str = optional("What visitors are greeted with.", example="How can we help?", max_length=2000)


class Captcha(Spec):
    """The puzzle that keeps robots out of a public chat (3.3)."""

    provider: Literal["turnstile"] = optional("Whose puzzle it is.", example="turnstile", default="turnstile")
    enabled: bool = optional("Whether visitors must solve it.", example=True, default=True)
    site_key: str = required("The public key of the site.", example="0x4AAAAAAA", min_length=1)
    secret_key: Secret = optional(
        "The secret key of the site; needed unless `enabled` is false.", example={"env": "TURNSTILE_SECRET"}
    )

    @model_validator(mode="after")
    def _enabled_has_secret(self) -> Self:
        """Refuse a puzzle that nobody can check (3.3)."""
        if self.enabled and self.secret_key is None:
            raise PydanticCustomError("captcha_secret", "an enabled captcha needs a secret_key")
        return self


class PublicChatConfig(_ChatConfig):
    """Settings of a `public_chat` channel (3.3)."""

    branding: Branding = optional("How the page looks.", example={"display_name": "Acme Support"})
    captcha: Captcha = optional(
        "What keeps robots out.",
        example={"site_key": "0x4AAAAAAA", "secret_key": {"env": "TURNSTILE_SECRET"}},
    )


CONFIGS: Mapping[str, type[Spec]] = {
    "slack": SlackConfig,
    "ag_ui": AgUiConfig,
    "schedule": ScheduleConfig,
    "webhook": WebhookConfig,
    "a2a": A2aConfig,
    "fcp": FcpConfig,
    "api_endpoint": ApiEndpointConfig,
    "public_chat": PublicChatConfig,
}
"""The settings that each type of channel takes."""


def with_defaults(config: dict[str, Any], model: type[Spec]) -> dict[str, Any]:
    """Return a config with the server's defaults where it is silent or null, nested ones included (3.2)."""
    filled = dict(config)
    for name, field in model.model_fields.items():
        value = config.get(name)
        if isinstance(value, dict):
            nested = _model_of(value, field.annotation)
            filled[name] = with_defaults(value, nested) if nested else value
        elif value is None and not field.is_required() and (default := field.get_default()) is not None:
            filled[name] = default
    return filled


def _model_of(value: dict[str, Any], annotation: Any) -> type[Spec] | None:
    """Return the model that describes a nested setting, by its `type` where there are several."""
    members = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    for member in members:
        if isinstance(member, type) and issubclass(member, Spec):
            tag = member.model_fields.get("type")
            if tag is None or value.get("type") in get_args(tag.annotation):
                return member
    return None
