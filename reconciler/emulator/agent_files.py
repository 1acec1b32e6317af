"""Agents as files: Markdown with front matter out; Markdown, JSON, YAML or plain text in."""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from reconciler.emulator import authored, bodies
from reconciler.emulator.bodies import Field, MismatchError

FENCE = "---"
TIMESTAMP = "tag:yaml.org,2002:timestamp"


def _capability(value: Any) -> dict[str, Any]:
    """Accept a capability as its bare reference or with a configuration."""
    if isinstance(value, str):
        return {"ref": value, "config": {}}
    found: dict[str, Any] = bodies.struct(authored.CAPABILITY)(value)
    return found


FILE = {
    "id": Field(bodies.identifier("agent")),
    "name": Field(bodies.text),
    "display_name": Field(bodies.text),
    "description": Field(bodies.text),
    "system_prompt": Field(bodies.text),
    "default_model_id": Field(bodies.identifier("model")),
    "harness_id": Field(bodies.identifier("harness")),
    "harness_name": Field(bodies.text),
    "tags": Field(authored.LISTS["tags"], nullable=False),
    "capabilities": Field(bodies.list_of(_capability), nullable=False),
    "initial_files": Field(authored.LISTS["initial_files"], nullable=False),
    "mcpServers": Field(authored.MCP_SERVERS, nullable=False, alias="mcp_servers"),
}


class _Loader(yaml.SafeLoader):
    """Reads YAML without turning what looks like a date into one."""


_Loader.yaml_implicit_resolvers = {
    first: [rule for rule in rules if rule[0] != TIMESTAMP]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def written(agent: Mapping[str, Any]) -> str:
    """Write an agent as Markdown: front matter without empty members, then the system prompt."""
    told = ("id", "name", "display_name", "description", "default_model_id", "harness_id")
    lines = [f"{name}: {json.dumps(agent[name], ensure_ascii=False)}" for name in told if name in agent]
    for name in ("tags", "capabilities", "initial_files"):
        if agent.get(name):
            lines += [f"{name}:", *(_item(entry) for entry in agent[name])]
    return "\n".join((FENCE, *lines, FENCE, agent["system_prompt"]))


def read(text: str) -> dict[str, Any]:
    """Read a file, trying each form in turn; what fits none is a system prompt."""
    content = text.strip()
    tries = (
        (content.startswith(FENCE), _markdown),
        (content.startswith("{"), lambda text: _typed(json.loads(text))),
        (True, _yaml),
    )
    for is_likely, reader in tries:
        try:
            if is_likely:
                return reader(content)
        except (ValueError, TypeError, RecursionError, yaml.YAMLError, MismatchError):
            continue
    return {"system_prompt": content}


def _markdown(content: str) -> dict[str, Any]:
    """Read front matter; a body below it is the system prompt."""
    front, found, body = content[len(FENCE) :].partition(f"\n{FENCE}")
    if not found:
        raise ValueError("the front matter does not end")
    told = _typed(_loaded(front))
    return {**told, "system_prompt": body.strip()} if body.strip() else told


def _yaml(content: str) -> dict[str, Any]:
    """Read plain YAML, which must at least name the agent or say its prompt."""
    told = _typed(_loaded(content))
    if told.get("name") is None and told.get("system_prompt") is None:
        raise ValueError("neither a name nor a system prompt")
    return told


def _loaded(text: str) -> Any:
    """Parse YAML into plain values."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader


def _typed(value: Any) -> dict[str, Any]:
    """Check what a file says against the members it may have; unset ones are left out."""
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # nothing that JSON cannot say
    return {name: told for name, told in bodies.parse(FILE, value).items() if told is not None}


def _item(entry: Any) -> str:
    """Write one entry of a list, a text or an object, as flow YAML, which JSON is."""
    if isinstance(entry, str):
        return f"  - {json.dumps(entry, ensure_ascii=False)}"
    first, *rest = (f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in entry.items())
    return "\n".join((f"  - {first}", *(f"    {line}" for line in rest)))
