"""What agents and harnesses are both made of: how it is checked, compared and completed.

The server has one set of rules for the two (everruns-api/agents-memories-sessions.md, 2.5 and 5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from reconciler.kinds.canonical import Shape, picked, sorted_set, veiled, without
from reconciler.kinds.fields import SET
from reconciler.kinds.starter_files import normal_path

KIB, MIB = 1024, 1024 * 1024


def at_most(limit: int, what: str) -> AfterValidator:
    """Refuse a text of more than `limit` bytes in UTF-8 (everruns-api/agents-memories-sessions.md, 2.5)."""

    def check(text: str | None) -> str | None:
        if text is not None and len(text) * 4 > limit and len(text.encode()) > limit:
            raise PydanticCustomError(
                "too_many_bytes", "{what} may have at most {limit} bytes in UTF-8", {"what": what, "limit": limit}
            )
        return text

    return AfterValidator(check)


_FILE_DEFAULTS = {"encoding": "text", "is_readonly": False}
_MCP_DEFAULTS: Shape = {
    "type": "http",
    "headers": {},
    "auth_mode": "none",
    "protocol_mode": "auto",
    "tool_discovery": True,
    "command": "",
    "args": [],
    "env": {},
}
_MCP_PUBLIC = frozenset({"headers", "env", "args", "auth_mode", "oauth_provider_id"})
_CARRIES_MORE = re.compile("[?@#]")
_FILES_CAPABILITY = "session_file_system"
_DECLARATIVE = "declarative:"


def _mount(mount: Shape) -> Shape:
    return {"mode": "readonly", **mount}


def _capability_form(capability: Shape) -> Shape:
    """Absent, null and empty configurations are equal (2.5)."""
    config = capability.get("config")
    if not config:
        return {"ref": capability["ref"]}
    if capability["ref"] == "memory" and isinstance(config.get("mounts"), list):
        config = {**config, "mounts": [_mount(mount) for mount in config["mounts"]]}
    elif len(capability) == 2:  # noqa: PLR2004 - a reference and its configuration, as nearly all are written
        return capability
    return {"ref": capability["ref"], "config": config}


def _mcp_seen(server: Shape) -> Shape:
    """Forget what may be secret in a live server's settings: environment, arguments, and what a URL carries along."""
    seen: Shape = veiled(server, public=_MCP_PUBLIC)
    if not isinstance(seen.get("headers", {}), (dict, type(None))):
        seen["headers"] = SET
    if seen.get("env"):
        seen["env"] = dict.fromkeys(seen["env"], SET)
    if seen.get("args"):
        seen["args"] = [SET for _ in seen["args"]]
    if _CARRIES_MORE.search(str(seen.get("url", ""))):
        seen["url"] = SET
    return seen


def _mcp_form(server: Shape) -> Shape:
    form = without(server, _MCP_DEFAULTS)
    return form | {"auth_mode": "o_auth"} if form.get("auth_mode") == "oauth" else form


def canonical(shape: Shape) -> Shape:
    """Fill or drop what says nothing, sort what has no order; the same for both sides."""
    form = dict(shape)
    if form.get("capabilities"):
        form["capabilities"] = [_capability_form(capability) for capability in form["capabilities"]]
    if form.get("tags"):
        form["tags"] = sorted_set(form["tags"])
    if form.get("initial_files"):
        files = [without(file, _FILE_DEFAULTS) | {"path": normal_path(file["path"])} for file in form["initial_files"]]
        form["initial_files"] = sorted(files, key=lambda file: str(file["path"]))
    if form.get("tools"):
        form["tools"] = sorted(form["tools"], key=lambda tool: str(tool.get("name", "")))
    if form.get("mcpServers"):
        form["mcpServers"] = {name: _mcp_form(server) for name, server in form["mcpServers"].items()}
    if "network_access" in form:
        lists = {k: sorted_set(v) for k, v in (form["network_access"] or {}).items() if v}
        form["network_access"] = lists or None
    return form


def completed(desired: Shape, observed: Shape) -> Shape:
    """Add the capability that the server adds to what has initial files, spell declarative ones its way (2.5)."""
    desired = _with_declarative(desired, observed)
    files = desired["initial_files"] if "initial_files" in desired else observed.get("initial_files")
    listed = desired.get("capabilities")
    if not files or listed is None or any(item["ref"] == _FILES_CAPABILITY for item in listed):
        return desired
    return desired | {"capabilities": [{"ref": _FILES_CAPABILITY}, *listed]}


def _with_declarative(desired: Shape, observed: Shape) -> Shape:
    """Take the live form of declarative capabilities: stored under a prefix, with a config of the server."""
    refs = {str(item["ref"]): item for item in observed.get("capabilities") or ()}
    live = {ref: item for ref, item in refs.items() if ref.startswith(_DECLARATIVE)}
    if not live or not desired.get("capabilities"):
        return desired
    plain = {item["ref"] for item in observed["capabilities"]}
    listed = []
    for item in desired["capabilities"]:
        ref = item["ref"] if item["ref"] in plain else _DECLARATIVE + item["ref"]
        listed.append(live.get(ref, item))
    return desired | {"capabilities": listed}


_MEMBERS = (
    "name",
    "display_name",
    "description",
    "system_prompt",
    "capabilities",
    "tags",
    "initial_files",
    "mcpServers",
    "network_access",
)


def seen(wire: Mapping[str, Any], *more: str) -> Shape:
    """Return the members of either that a manifest can say, and those that only one has; no secrets of MCP servers."""
    return without_secrets(picked(wire, *_MEMBERS, *more))


def without_secrets(shape: Shape) -> Shape:
    """Return a live shape that says nothing of its MCP servers that may be secret."""
    servers = shape.get("mcpServers")
    return shape | {"mcpServers": {name: _mcp_seen(server) for name, server in servers.items()}} if servers else shape
