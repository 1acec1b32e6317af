"""The configuration of every channel type, as data: members, refusals, secrets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.emulator import bodies
from reconciler.emulator.bodies import Field
from reconciler.emulator.channel_auth import AUTH

Config = Mapping[str, Any]
RATE_MOST = 1_000_000
TOOL_TEXT_MOST = 120
WELCOME_MOST = 2000
SECRET_BYTES = 4096
HANDSHAKE_BYTES = 8 * 1024
TIMEOUT = range(1, 601)


@dataclass(frozen=True, slots=True)
class Rule:
    """One refusal: it applies when `broken` says so of the typed config."""

    broken: Callable[[Config], bool]
    message: str


@dataclass(frozen=True, slots=True)
class Secret:
    """One write-only member: when a PATCH keeps the stored value, and the marker shown instead.

    kept is `blank` (absent, null or blank), `absent` (only when left out) or `always`.
    """

    name: str
    kept: str = "blank"
    marker: str = ""
    within: str = ""


@dataclass(frozen=True, slots=True)
class ChannelType:
    """One channel type."""

    label: str
    fields: Mapping[str, Field]
    rules: tuple[Rule, ...] = ()
    secrets: tuple[Secret, ...] = ()
    flag: str = ""
    server_kept: tuple[str, ...] = ()


def blank(value: Any) -> bool:
    """Tell whether a text is missing or has nothing in it."""
    return value is None or not str(value).strip()


def _needs(name: str, message: str) -> Rule:
    """Refuse a missing or blank member."""
    return Rule(lambda config: blank(config.get(name)), message)


def _when_set(name: str, message: str) -> Rule:
    """Refuse a member that is there and blank."""
    return Rule(lambda config: config.get(name) is not None and blank(config[name]), message)


def _at_most(name: str, most: int, message: str) -> Rule:
    """Refuse a number over its limit."""
    return Rule(lambda config: (config.get(name) or 0) > most, message)


def _at_most_bytes(name: str, most: int, message: str) -> Rule:
    """Refuse a text over its limit in bytes."""
    return Rule(lambda config: len((config.get(name) or "").encode()) > most, message)


def _tool_text(label: str) -> tuple[Rule, ...]:
    """Refuse a tool text too long, and an empty one where it would be shown."""
    return (
        Rule(
            lambda config: len(config.get("generic_tool_text") or "") > TOOL_TEXT_MOST,
            f"{label} generic_tool_text must be at most {TOOL_TEXT_MOST} characters",
        ),
        Rule(
            lambda config: (
                config.get("tool_visibility", "generic") != "none"
                and config.get("generic_tool_text") is not None
                and blank(config["generic_tool_text"])
            ),
            f"{label} generic_tool_text must not be empty when tool_visibility is generic or narrated",
        ),
    )


def _rate(label: str) -> Rule:
    """Refuse a rate limit beyond reason."""
    message = f"{label} rate_limit_per_minute must be at most 1,000,000"
    return _at_most("rate_limit_per_minute", RATE_MOST, message)


def _keyed(label: str) -> tuple[Rule, ...]:
    """Refuse a channel without the generated key the server goes by."""
    return tuple(
        _needs(name, f"{label} channel config requires a non-empty {name}")
        for name in ("api_key_hash", "api_key_prefix")
    )


TEXT, FLAG, COUNT = Field(bodies.text), Field(bodies.flag), Field(bodies.u32)
SESSION_MODE = Field(bodies.choice("shared_session", "session_per_invocation"))
TOOL_VISIBILITY = Field(bodies.choice("none", "generic", "narrated"))
AUTH_FIELD = Field(bodies.struct(AUTH))
KEY = {"api_key_hash": TEXT, "api_key_prefix": TEXT}
KEY_SECRET = Secret("api_key_hash", kept="always")
TOKEN = Secret("token", marker="token_configured")
BRANDING = {"display_name": TEXT, "logo_url": TEXT, "primary_color": TEXT, "welcome_message": TEXT}
CAPTCHA = {
    "provider": Field(bodies.choice("turnstile")),
    "enabled": FLAG,
    "site_key": TEXT,
    "secret_key": TEXT,
}
CHAT = {
    "anonymous": FLAG,
    "token": TEXT,
    "session_expiration_seconds": COUNT,
    "rate_limit_per_minute": COUNT,
    "tool_visibility": TOOL_VISIBILITY,
    "generic_tool_text": TEXT,
    "auth": AUTH_FIELD,
}


def _captcha(config: Config) -> Config:
    """Take the captcha out of a config, as far as there is one."""
    return config.get("captcha") or {}


TYPES: Mapping[str, ChannelType] = {
    "slack": ChannelType(
        "Slack",
        {
            "signing_secret": TEXT,
            "bot_token": TEXT,
            "channel_id": TEXT,
            "team_id": TEXT,
            "session_strategy": Field(bodies.choice("per_thread", "per_channel", "per_user")),
            "reply_mode": Field(bodies.choice("all_messages", "report_progress_only")),
        },
        tuple(
            _needs(name, "Slack channel config requires non-empty signing_secret and bot_token")
            for name in ("signing_secret", "bot_token")
        ),
        (
            Secret("signing_secret", marker="signing_secret_configured"),
            Secret("bot_token", marker="bot_token_configured"),
        ),
    ),
    "ag_ui": ChannelType(
        "AG-UI",
        {**CHAT, "reasoning_summary_visible": FLAG},
        (
            _when_set("token", "AG-UI token must be non-empty when configured"),
            _rate("AG-UI"),
            *_tool_text("AG-UI"),
        ),
        (Secret("token", kept="absent", marker="token_configured"),),
    ),
    "schedule": ChannelType(
        "schedule",
        {
            "cron_expression": Field(bodies.text, required=True),
            "timezone": TEXT,
            "session_mode": SESSION_MODE,
            "message": TEXT,
        },
        (_needs("message", "Schedule channel config requires a non-empty message"),),
    ),
    "webhook": ChannelType(
        "webhook",
        {"token": TEXT, "message": TEXT, "session_mode": SESSION_MODE, "rate_limit_per_minute": COUNT},
        (
            _needs("token", "Webhook channel config requires a non-empty token"),
            _needs("message", "Webhook channel config requires a non-empty message"),
        ),
        (TOKEN,),
    ),
    "a2a": ChannelType(
        "A2A",
        {
            **KEY,
            "message": TEXT,
            "session_mode": SESSION_MODE,
            "agent_card_name": TEXT,
            "agent_card_description": TEXT,
            "rate_limit_per_minute": COUNT,
            "signing_secret": TEXT,
            "auth": AUTH_FIELD,
        },
        (
            *_keyed("A2A"),
            _needs("message", "A2A channel config requires a non-empty message"),
            _rate("A2A"),
            _when_set("signing_secret", "A2A signing_secret must be non-empty when configured"),
            _at_most_bytes("signing_secret", SECRET_BYTES, "A2A signing_secret must be at most 4096 bytes"),
        ),
        (KEY_SECRET, Secret("signing_secret", kept="absent", marker="signing_secret_configured")),
        server_kept=("api_key_prefix",),
    ),
    "api_endpoint": ChannelType(
        "api_endpoint",
        {**KEY, "session_mode": SESSION_MODE, "rate_limit_per_minute": COUNT, "auth": AUTH_FIELD},
        (*_keyed("api_endpoint"), _rate("api_endpoint")),
        (KEY_SECRET,),
        server_kept=("api_key_prefix",),
    ),
    "fcp": ChannelType(
        "FCP",
        {
            "anonymous": FLAG,
            "token": TEXT,
            "handshake": TEXT,
            "session_expiration_seconds": COUNT,
            "rate_limit_per_minute": COUNT,
            "response_timeout_seconds": COUNT,
        },
        (
            _when_set("token", "FCP token must be non-empty when configured"),
            _at_most_bytes("handshake", HANDSHAKE_BYTES, "FCP handshake must be at most 8 KiB"),
            _rate("FCP"),
            Rule(
                lambda config: (
                    config.get("response_timeout_seconds") is not None
                    and config["response_timeout_seconds"] not in TIMEOUT
                ),
                "FCP response_timeout_seconds must be between 1 and 600",
            ),
        ),
        (TOKEN,),
    ),
    "public_chat": ChannelType(
        "Public Chat",
        {**CHAT, "branding": Field(bodies.struct(BRANDING)), "captcha": Field(bodies.struct(CAPTCHA))},
        (
            _when_set("token", "Public Chat token must be non-empty when configured"),
            _rate("Public Chat"),
            *_tool_text("Public Chat"),
            Rule(
                lambda config: len((config.get("branding") or {}).get("display_name") or "") > TOOL_TEXT_MOST,
                "Public Chat branding display_name must be at most 120 characters",
            ),
            Rule(
                lambda config: len((config.get("branding") or {}).get("welcome_message") or "") > WELCOME_MOST,
                "Public Chat branding welcome_message must be at most 2000 characters",
            ),
            Rule(
                lambda config: bool(_captcha(config)) and blank(_captcha(config).get("site_key")),
                "Public Chat captcha requires a site_key",
            ),
            Rule(
                lambda config: (
                    bool(_captcha(config))
                    and _captcha(config).get("enabled") is not False
                    and blank(_captcha(config).get("secret_key"))
                ),
                "Public Chat captcha requires a secret_key when enabled",
            ),
        ),
        (TOKEN, Secret("secret_key", marker="secret_key_configured", within="captcha")),
        flag="public_chat",
    ),
}
