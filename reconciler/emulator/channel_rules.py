"""What happens to a channel's configuration on its way in and out: checks, normalization, secrets."""

import json
from collections.abc import Mapping
from typing import Any

from reconciler.emulator import bodies, channel_auth, clock, cron, ids
from reconciler.emulator.bodies import MismatchError
from reconciler.emulator.call import Call
from reconciler.emulator.channel_configs import TYPES, Secret, blank
from reconciler.emulator.problems import bad_request, feature_off
from reconciler.emulator.store import Record, dumps

__all__ = ["TYPES", "accepted", "attach", "carried", "config_value", "visible"]

LEAST_INTERVAL = 300
NO_AUTH = "App endpoint auth is only supported for AG-UI and A2A channels"
NO_SCHEDULES = "App schedule channels are deprecated. Create a schedule trigger on the app's agent instead."


def config_value(value: Any) -> Any:
    """Accept a configuration: any JSON, or a string that holds JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise MismatchError(f"channel_config is not valid JSON: {error}") from error


def accepted(call: Call, kind: str, config: Any) -> dict[str, Any]:
    """Check a configuration and give what is stored: the JSON as sent, normalized where the server does."""
    declared = TYPES[kind]
    if declared.flag and not call.flags[declared.flag]:
        raise feature_off(declared.flag)
    if isinstance(config, dict) and config.get("auth") is not None and "auth" not in declared.fields:
        raise bad_request(NO_AUTH)
    try:
        typed = bodies.parse(declared.fields, config)
    except MismatchError as error:
        raise bad_request(f"Invalid {declared.label} channel config: {error}") from error
    for rule in declared.rules:
        if rule.broken(typed):
            raise bad_request(rule.message)
    channel_auth.check(kind, typed)
    stored = dict(config)
    if kind == "schedule":
        stored["cron_expression"] = _schedule(call, typed["cron_expression"])
    if "auth" in stored:
        stored["auth"] = channel_auth.hashed(stored["auth"])
    return stored


def attach(call: Call, app: str, kind: str, config: Mapping[str, Any], *, enabled: bool = True) -> Record:
    """Add a channel to an app, after those it has."""
    moment = clock.now()
    document: dict[str, Any] = {
        "id": ids.new("appchan"),
        "channel_type": kind,
        "channel_config": config,
        "enabled": enabled,
        "created_at": moment,
        "updated_at": moment,
    }
    record = Record(org=call.org, collection="channels", id=document["id"], text=dumps(document), parent=app)
    call.store.insert(record)
    return record


def visible(call: Call, channel: Mapping[str, Any]) -> dict[str, Any]:
    """Show a channel without its secrets; the oldest servers showed everything (orgs-apps-errors.md, 3.4)."""
    if call.deployment.age.shows_secrets:
        return dict(channel)
    config = dict(channel["channel_config"])
    for secret in TYPES[channel["channel_type"]].secrets:
        if not secret.within:
            _redact(config, secret)
        elif isinstance(config.get(secret.within), dict):
            config[secret.within] = dict(config[secret.within])
            _redact(config[secret.within], secret)
    if "auth" in config:
        config["auth"] = channel_auth.redacted(config["auth"])
    return {**channel, "channel_config": config}


def carried(call: Call, kind: str, old: Mapping[str, Any], new: Any) -> Any:
    """Fill a replacing configuration with the stored secrets it does not mention; the oldest servers kept keys only."""
    if not isinstance(new, dict):
        return new
    merged = dict(new)
    declared = TYPES[kind]
    secrets = [
        secret for secret in declared.secrets if secret.kept == "always" or not call.deployment.age.shows_secrets
    ]
    for secret in secrets:
        if not secret.within:
            _carry(merged, old, secret)
        elif isinstance(merged.get(secret.within), dict):
            merged[secret.within] = dict(merged[secret.within])
            _carry(merged[secret.within], old.get(secret.within) or {}, secret)
    merged |= {name: old[name] for name in declared.server_kept if name in old}
    if isinstance(merged.get("auth"), dict) and not call.deployment.age.shows_secrets:
        merged["auth"] = channel_auth.carried(old.get("auth"), merged["auth"])
    return merged


def _redact(holder: dict[str, Any], secret: Secret) -> None:
    """Take one secret out, leaving its marker where there was something."""
    value = holder.pop(secret.name, None)
    if secret.marker and not blank(value):
        holder[secret.marker] = True


def _carry(holder: dict[str, Any], old: Mapping[str, Any], secret: Secret) -> None:
    """Keep one stored secret when the rule of its type says so."""
    missing = secret.name not in holder
    is_kept = {
        "always": True,
        "absent": missing,
        "blank": missing or blank(holder.get(secret.name)),
    }
    if is_kept[secret.kept] and secret.name in old:
        holder[secret.name] = old[secret.name]


def _schedule(call: Call, expression: str) -> str:
    """Normalize a cron expression; strict servers also mind the interval and take no new schedules."""
    strict = call.deployment.age.refuses_schedules
    try:
        written = cron.normalized(expression)
    except cron.CronError as error:
        if strict and str(error) == cron.FIELD_COUNT:
            raise bad_request(cron.FIELD_COUNT) from error
        raise bad_request(f"Invalid schedule cron expression '{expression}': {error}") from error
    if strict and cron.least_gap(written) < LEAST_INTERVAL:
        raise bad_request(f"Schedule channel cron must fire no more than once every {LEAST_INTERVAL} seconds")
    if strict:
        raise bad_request(NO_SCHEDULES)
    return written
