"""Channels of an app: no names, oldest first, deleted for good; keys are shown once."""

import hashlib
import secrets
from typing import Any

from reconciler.emulator import apps, bodies, channel_rules, clock
from reconciler.emulator.bodies import Field
from reconciler.emulator.call import NO_CONTENT, Call, Reply, Route
from reconciler.emulator.channel_auth import typed
from reconciler.emulator.problems import bad_request, not_found
from reconciler.emulator.store import Record

COLLECTION = apps.CHANNELS
PLACE = "/v1/apps/<app>"
KEY_PREFIXES = {"a2a": "evra2a_", "api_endpoint": "evr_app_"}
KEY_BYTES = 32
KEY_SHOWN = 8
TYPE = bodies.choice(*channel_rules.TYPES)
SESSION_MODE = Field(bodies.choice("shared_session", "session_per_invocation"), nullable=False)
CREATE = {
    "channel_type": Field(TYPE, required=True),
    "channel_config": Field(channel_rules.config_value),
    "enabled": Field(bodies.flag),
}
UPDATE = {**CREATE, "channel_type": Field(TYPE)}
ENDPOINT = {"session_mode": SESSION_MODE, "auth": Field(typed), "enabled": Field(bodies.flag)}
A2A = {
    **ENDPOINT,
    "message": Field(bodies.text, required=True),
    "agent_card_name": Field(bodies.text),
    "agent_card_description": Field(bodies.text),
}


def listing(call: Call) -> Reply:
    """GET /v1/apps/{id}/channels."""
    channels = call.store.children(apps.by_id(call).id, COLLECTION)
    return Reply(value={"data": [channel_rules.visible(call, channel.body()) for channel in channels]})


def create(call: Call) -> Reply:
    """POST /v1/apps/{id}/channels."""
    app = _editable(call)
    kind = call.body["channel_type"]
    config = channel_rules.accepted(call, kind, call.body.get("channel_config"))
    record = channel_rules.attach(call, app.id, kind, config, enabled=_enabled(call))
    return Reply(201, channel_rules.visible(call, record.body()), entity=record.id)


def update(call: Call) -> Reply:
    """PATCH /v1/apps/{id}/channels/{cid}: a config replaces the whole object, secrets are carried over."""
    record = _channel(call, _editable(call))
    channel = record.body()
    kind = call.body.get("channel_type") or channel["channel_type"]
    config = call.body.get("channel_config")
    if config is not None and kind == channel["channel_type"]:
        config = channel_rules.carried(call, kind, channel["channel_config"], config)
    if config is not None or kind != channel["channel_type"]:
        wanted = channel["channel_config"] if config is None else config
        channel["channel_config"] = channel_rules.accepted(call, kind, wanted)
    channel["channel_type"] = kind
    if call.body.get("enabled") is not None:
        channel["enabled"] = call.body["enabled"]
    channel["updated_at"] = clock.now()
    call.store.save(record.with_body(channel))
    return Reply(value=channel_rules.visible(call, channel), entity=record.id)


def remove(call: Call) -> Reply:
    """DELETE /v1/apps/{id}/channels/{cid}: for good, even the last one of a published app."""
    record = _channel(call, _editable(call))
    call.store.remove(record.id)
    return Reply(NO_CONTENT, entity=record.id)


def create_a2a(call: Call) -> Reply:
    """POST /v1/apps/{id}/a2a-channels: with a key made by the server."""
    told = ("message", "agent_card_name", "agent_card_description")
    return _create_keyed(call, "a2a", {name: call.body[name] for name in told if call.body.get(name)})


def create_api_endpoint(call: Call) -> Reply:
    """POST /v1/apps/{id}/api-endpoint-channels: with a key made by the server."""
    return _create_keyed(call, "api_endpoint", {})


def regenerate_a2a(call: Call) -> Reply:
    """POST /v1/apps/{id}/a2a-channels/{cid}/regenerate-key."""
    return _regenerate(call, "a2a", "Channel is not an A2A channel")


def regenerate_api_endpoint(call: Call) -> Reply:
    """POST /v1/apps/{id}/api-endpoint-channels/{cid}/regenerate-key."""
    return _regenerate(call, "api_endpoint", "Channel is not an api_endpoint channel")


def _create_keyed(call: Call, kind: str, told: dict[str, Any]) -> Reply:
    """Add a channel with a fresh key, which is shown in this answer and never again."""
    app = _editable(call)
    key, stored = _new_key(kind)
    mode = call.body.get("session_mode", "shared_session")
    auth = {"auth": call.body["auth"]} if call.body.get("auth") is not None else {}
    wanted = {**stored, "session_mode": mode, **told, **auth}
    config = channel_rules.accepted(call, kind, wanted)
    record = channel_rules.attach(call, app.id, kind, config, enabled=_enabled(call))
    value = {"api_key": key, "channel": channel_rules.visible(call, record.body())}
    return Reply(201, value, entity=record.id)


def _regenerate(call: Call, kind: str, otherwise: str) -> Reply:
    """Replace the key of a channel; the old one dies at once."""
    record = _channel(call, _editable(call))
    channel = record.body()
    if channel["channel_type"] != kind:
        raise bad_request(otherwise)
    key, stored = _new_key(kind)
    channel["channel_config"] |= stored
    channel["updated_at"] = clock.now()
    call.store.save(record.with_body(channel))
    value = {"api_key": key, "channel": channel_rules.visible(call, channel)}
    return Reply(value=value, entity=record.id)


def _new_key(kind: str) -> tuple[str, dict[str, str]]:
    """Make a key, and what is stored of it: its hash and its first characters."""
    prefix = KEY_PREFIXES[kind]
    key = prefix + secrets.token_hex(KEY_BYTES)
    shown = f"{key[: len(prefix) + KEY_SHOWN]}..."
    return key, {"api_key_hash": hashlib.sha256(key.encode()).hexdigest(), "api_key_prefix": shown}


def _enabled(call: Call) -> bool:
    """Read `enabled`, which defaults to true."""
    enabled = call.body.get("enabled")
    return True if enabled is None else bool(enabled)


def _editable(call: Call) -> Record:
    """Find the app in the path and insist that it may be edited."""
    app = apps.by_id(call)
    apps.check_editable(app.body())
    return app


def _channel(call: Call, app: Record) -> Record:
    """Find the channel in the path; a malformed id is just not found."""
    record = call.store.get(call.org, COLLECTION, call.args["channel"])
    if record is None:
        raise not_found("Channel")
    if record.parent != app.id:
        raise bad_request("Channel does not belong to this app")
    return record


ROUTES = (
    Route("GET", f"{PLACE}/channels", listing, "app.view"),
    apps.write("POST", f"{PLACE}/channels", create, "app.manage", body=CREATE),
    apps.write("PATCH", f"{PLACE}/channels/<channel>", update, "app.manage", body=UPDATE),
    apps.write("DELETE", f"{PLACE}/channels/<channel>", remove, "app.manage"),
    apps.write("POST", f"{PLACE}/a2a-channels", create_a2a, "app.manage", body=A2A),
    apps.write("POST", f"{PLACE}/a2a-channels/<channel>/regenerate-key", regenerate_a2a, "app.manage"),
    apps.write("POST", f"{PLACE}/api-endpoint-channels", create_api_endpoint, "app.manage", body=ENDPOINT),
    apps.write(
        "POST", f"{PLACE}/api-endpoint-channels/<channel>/regenerate-key", regenerate_api_endpoint, "app.manage"
    ),
)
