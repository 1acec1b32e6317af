"""Channel: one way into an app; a child of it, without a name on the platform (everruns-api/orgs-apps-errors.md, 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from reconciler.kinds.canonical import Shape, masked, sorted_set, veiled
from reconciler.kinds.channel_auth import one_spelling
from reconciler.kinds.channel_config import (
    CONFIGS,
    A2aConfig,
    AgUiConfig,
    ApiEndpointConfig,
    FcpConfig,
    PublicChatConfig,
    ScheduleConfig,
    SlackConfig,
    WebhookConfig,
    with_defaults,
)
from reconciler.kinds.fields import ARCHIVED_ALONE, EXPOSES, SET, Spec, optional, required
from reconciler.kinds.key_to import AnyKeyTo
from reconciler.kinds.kind import Creation, Identity, Kind, Wire

SLUG = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"
"""The form of an address: lowercase letters, digits and single hyphens."""


class ChannelEntry(Spec):
    """What every channel of an app says, whatever its type."""

    model_config = ConfigDict(json_schema_extra=ARCHIVED_ALONE)

    name: str = required(
        "Its name within the app, ours alone: the platform has none.",
        example="nightly",
        pattern=SLUG,
        max_length=64,
    )
    id: str = optional(
        "The platform's id, to settle which live channel is meant when several could be.",
        example="appchan_01933b5a000070008000000000000001",
        pattern=r"^appchan_[0-9a-f]{32}$",
    )
    archive: Literal[True] = optional("Take the channel away; the API can only delete it for good.", example=True)
    protect: bool = optional("Whether it must not be taken away.", example=True)
    adopt: Literal["exact", "overwrite", "never"] = optional(
        "What to do with a live channel that is not ours: take it over if every declared field agrees, take it over "
        "and change it, or stop.",
        example="overwrite",
        default="exact",
    )
    moved_from: str = optional(
        "The name it had before within the app: the channel is kept.", example="night", pattern=SLUG, max_length=64
    )
    enabled: Annotated[bool, EXPOSES] = optional("Whether it takes traffic.", example=True, default=True)

    @model_validator(mode="after")
    def _archived_by_id(self) -> ChannelEntry:
        if "archive" in self.model_fields_set and not self.id:
            raise PydanticCustomError(
                "archive_by_id",
                "a channel is taken away for good, and only by its id",
                {"at": "archive", "hint": "add id: appchan_... of the channel that is to go"},
            )
        return self


class KeyedEntry(ChannelEntry):
    """What a channel with a generated key says besides."""

    key_to: AnyKeyTo = optional(
        "Where its key goes when the platform shows it, at its creation and by --rotate; without it the key is lost.",
        example={"env_file": "../secrets/channels.env"},
    )


class SlackChannel(ChannelEntry):
    """A Slack app whose events reach the agent."""

    type: Literal["slack"] = required("What kind of way in this is.", example="slack")
    config: SlackConfig = required(
        "Its settings.",
        example={"signing_secret": {"env": "SLACK_SIGNING_SECRET"}, "bot_token": {"env": "SLACK_BOT_TOKEN"}},
    )


class AgUiChannel(ChannelEntry):
    """A chat surface that speaks AG-UI."""

    type: Literal["ag_ui"] = required("What kind of way in this is.", example="ag_ui")
    config: AgUiConfig = optional("Its settings.", example={"rate_limit_per_minute": 60})


class ScheduleChannel(ChannelEntry):
    """A clock that starts the agent."""

    type: Literal["schedule"] = required("What kind of way in this is.", example="schedule")
    config: ScheduleConfig = required(
        "Its settings.", example={"cron_expression": "0 9 * * *", "message": "Daily standup"}
    )


class WebhookChannel(ChannelEntry):
    """An address that other systems call."""

    type: Literal["webhook"] = required("What kind of way in this is.", example="webhook")
    config: WebhookConfig = required("Its settings.", example={"token": {"env": "HOOK_TOKEN"}, "message": "Run triage"})


class A2aChannel(KeyedEntry):
    """An address for other agents, with a generated key."""

    type: Literal["a2a"] = required("What kind of way in this is.", example="a2a")
    config: A2aConfig = required("Its settings.", example={"message": "{{text}}"})


class FcpChannel(ChannelEntry):
    """A handshake in plain text for agents of any make."""

    type: Literal["fcp"] = required("What kind of way in this is.", example="fcp")
    config: FcpConfig = optional("Its settings.", example={"response_timeout_seconds": 60})


class ApiEndpointChannel(KeyedEntry):
    """An HTTP endpoint with a generated key."""

    type: Literal["api_endpoint"] = required("What kind of way in this is.", example="api_endpoint")
    config: ApiEndpointConfig = optional("Its settings.", example={"session_mode": "session_per_invocation"})


class PublicChatChannel(ChannelEntry):
    """A chat page that anybody can open."""

    type: Literal["public_chat"] = required("What kind of way in this is.", example="public_chat")
    config: PublicChatConfig = optional("Its settings.", example={"rate_limit_per_minute": 20})


AnyChannel = Annotated[
    SlackChannel
    | AgUiChannel
    | ScheduleChannel
    | WebhookChannel
    | A2aChannel
    | FcpChannel
    | ApiEndpointChannel
    | PublicChatChannel,
    Field(discriminator="type"),
]

_SERVER_KEYS = frozenset({"api_key_hash", "api_key_prefix"})
_PUBLIC = frozenset({"proxy_secret_header", "requirements"})
_KEYED = {"a2a": "/a2a-channels", "api_endpoint": "/api-endpoint-channels"}
_CREATED_WITH = frozenset({"message", "session_mode", "agent_card_name", "agent_card_description", "auth"})


def _from_wire(wire: Mapping[str, Any]) -> Shape:
    """Leave out what the server writes by itself, and put SET where it has a secret, or may have one (3.2, 3.4)."""
    theirs = {k: v for k, v in masked(wire.get("channel_config") or {}).items() if k not in _SERVER_KEYS}
    config: Shape = veiled(theirs, public=_PUBLIC)
    provider = (config.get("auth") or {}).get("provider")
    if provider and provider.pop("password_hash", None):
        provider["password"] = SET
    return {"type": wire["channel_type"], "enabled": wire.get("enabled", True), "config": config}


def _to_wire(shape: Shape) -> dict[str, Any]:
    names = {"type": "channel_type", "config": "channel_config", "enabled": "enabled"}
    return {names[key]: value for key, value in shape.items()}


def _create(body: Shape, path: str) -> Creation:
    """A channel with a generated key has a call of its own, which takes a part of its settings (3.1, 3.6)."""
    special = _KEYED.get(body["type"])
    if special is None:
        return Creation(path=path, body={"config": {}, **body})
    config = body.get("config", {})
    flat = {key: value for key, value in config.items() if key in _CREATED_WITH}
    rest = {"config": config} if set(config) - _CREATED_WITH else {}
    enabled = {"enabled": body["enabled"]} if "enabled" in body else {}
    return Creation(
        path=path.removesuffix("/channels") + special,
        body=flat | enabled,
        raw=True,
        follow_up=rest,
        unwrap="channel",
        one_time="api_key",
        renewed_by="/regenerate-key",
    )


def _canonical(shape: Shape) -> Shape:
    """Sort the lists of `auth` that are sets, and spell its mode in one way."""
    auth = (shape.get("config") or {}).get("auth")
    if not auth:
        return shape
    form = dict(auth)
    if "mode" in form:
        form["mode"] = one_spelling(form["mode"])
    if form.get("requirements"):
        form["requirements"] = _lists_sorted(form["requirements"])
    if form.get("provider"):
        provider = _lists_sorted(form["provider"])
        form["provider"] = provider | {"type": one_spelling(provider["type"])} if "type" in provider else provider
    return shape | {"config": shape["config"] | {"auth": form}}


def _lists_sorted(value: Shape) -> Shape:
    return {key: sorted_set(item) if isinstance(item, list) else item for key, item in value.items()}


def _completed(desired: Shape, observed: Shape) -> Shape:
    """Keep live requirements that git does not speak of when it changes the mode of `auth`.

    Settings of another type are not kept: the platform would show its secrets, which are none to the new type.
    """
    if "config" not in desired and {"type"} <= desired.keys() & observed.keys() and desired["type"] != observed["type"]:
        return desired | {"config": {}}
    auth = (desired.get("config") or {}).get("auth")
    live = ((observed.get("config") or {}).get("auth") or {}).get("requirements")
    if not auth or not live or "requirements" in auth:
        return desired
    return desired | {"config": desired["config"] | {"auth": auth | {"requirements": live}}}


def _defaulted(observed: Shape) -> Shape:
    """The server stores what it was sent; what is absent means the default (3.2)."""
    model = CONFIGS.get(observed["type"])
    return observed | {"config": with_defaults(observed["config"], model)} if model else observed


def _blocked(desired: Shape, observed: Shape) -> str | None:
    """A channel gets its key when it is created, and one that goes by a key is refused without (3.1, 3.6)."""
    wanted, there = desired.get("type"), observed.get("type")
    if wanted == there or wanted not in _KEYED:
        return None
    return (
        f"a channel of type {there} cannot become one of type {wanted}, whose key is made when it is created: "
        "declare a new channel under another name"
    )


_MANAGE = "app.manage"
FROZEN = "this server has frozen apps: it reads them, and takes no changes to them or their channels"
"""everruns-api/orgs-apps-errors.md, 2.1; agent-channels.md, 6."""

CHANNEL = Kind(
    name="Channel",
    plural="channels",
    spec=AnyChannel,
    identity=Identity.POSITION,
    parent="App",
    archive_is_final=True,
    wire=Wire(
        collection="/v1/apps/{parent}/channels",
        inside="channels",
        members=("id", "channel_type"),
        known=frozenset({"channel_type", "channel_config"}),
        from_wire=_from_wire,
        to_wire=_to_wire,
        create=_create,
        archived=lambda _wire: False,
        policies="/v1/apps/config",
        frozen=FROZEN,
        policy_of={"create": _MANAGE, "update": _MANAGE, "archive": _MANAGE, "rotate": _MANAGE},
    ),
    canonical=_canonical,
    defaulted=_defaulted,
    completed=_completed,
    impossible=_blocked,
    restless=frozenset({"webhook_verified_at", "first_message_received_at"}),
)
