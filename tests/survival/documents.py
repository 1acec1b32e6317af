"""Manifest documents of the fleet that is applied, as values."""

from collections.abc import Mapping
from typing import Any

Documents = list[dict[str, Any]]


def document(kind: str, name: str, spec: Mapping[str, Any], *, org: str = "acme", **metadata: Any) -> dict[str, Any]:
    """Write a manifest document."""
    where = {} if kind == "Organization" else {"org": org}
    head = {"name": name, **where, **metadata}
    return {"apiVersion": "everruns.reconciler/v1", "kind": kind, "metadata": head, "spec": dict(spec)}


def secret(name: str) -> dict[str, str]:
    """Refer to a secret."""
    return {"env": name}


def agent(name: str, *, org: str = "acme", moved_from: str | None = None, **spec: Any) -> dict[str, Any]:
    """Write an agent."""
    moved = {"moved_from": moved_from} if moved_from else {}
    return document("Agent", name, {"system_prompt": f"You are {name}.", **spec}, org=org, **moved)


def app(name: str, *channels: Mapping[str, Any], org: str = "acme", **spec: Any) -> dict[str, Any]:
    """Write an app."""
    listed = {"channels": list(channels)} if channels else {}
    return document("App", name, {"harness": "generic", **spec, **listed}, org=org)


def channel(name: str, type_: str, *, enabled: bool = True, **config: Any) -> dict[str, Any]:
    """Write a channel."""
    return {"name": name, "type": type_, "enabled": enabled, "config": config}


def hook(name: str, token: str = "HOOK", *, message: str = "New ticket") -> dict[str, Any]:
    """Write a channel that is called from outside."""
    return channel(name, "webhook", token=secret(token), message=message)


def slack(name: str) -> dict[str, Any]:
    """Write a channel of a chat."""
    return channel(name, "slack", signing_secret=secret("SLACK_SIGNING"), bot_token=secret("SLACK_BOT"))


CRM = {"crm": {"url": "https://crm.example.com/v1", "headers": {"Authorization": secret("CRM")}}}


KEYS = "keys.env"
"""The file beside the manifests that keeps what the platform shows once."""


def kept(keyed: Mapping[str, Any]) -> dict[str, Any]:
    """Say of a channel that its key goes to the file."""
    return {**keyed, "key_to": {"env_file": KEYS}}
