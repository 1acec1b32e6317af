"""What every new organization starts with: models of two providers and the built-in harnesses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.emulator import clock, ids
from reconciler.emulator.store import Record, Store, dumps


@dataclass(frozen=True, slots=True)
class Model:
    """One model of the catalogue."""

    model_id: str
    display_name: str
    provider: str
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """One harness the platform provides."""

    name: str
    display_name: str
    description: str
    parent: str = ""
    capabilities: tuple[str, ...] = ()


CHAT = ("text", "tools", "vision")
THINKING = (*CHAT, "thinking")
MODELS = (
    Model("claude-opus-4-1", "Claude Opus 4.1", "Anthropic", THINKING),
    Model("claude-sonnet-4-5", "Claude Sonnet 4.5", "Anthropic", THINKING),
    Model("claude-haiku-4-5", "Claude Haiku 4.5", "Anthropic", THINKING),
    Model("gpt-4o", "GPT-4o", "OpenAI", CHAT),
    Model("gpt-4o-mini", "GPT-4o mini", "OpenAI", CHAT),
    Model("text-embedding-3-small", "Text Embedding 3 Small", "OpenAI", ("embeddings",)),
)
HARNESSES = (
    BuiltIn("base", "Base", "The least every session needs."),
    BuiltIn(
        "generic",
        "Generic Harness",
        "Safe baseline for new agents.",
        capabilities=("current_time", "session_file_system", "session_storage", "web_fetch"),
    ),
    BuiltIn("platform-chat", "Platform Chat", "The chat of the platform itself.", parent="generic"),
)


def is_chat(model: Mapping[str, Any]) -> bool:
    """Tell whether a model can hold a conversation."""
    return "text" in model["capabilities"]


def plant(store: Store, org: str) -> dict[str, str]:
    """Give a new organization its models and built-in harnesses; returns harness ids by name."""
    moment = clock.now()
    for model in MODELS:
        body = _model(model, org, moment)
        store.insert(Record(org=org, collection="models", id=body["id"], text=dumps(body)))
    planted: dict[str, str] = {}
    for harness in HARNESSES:
        body = _harness(harness, planted, moment)
        planted[harness.name] = body["id"]
        haystack = f"{harness.display_name} {harness.name} {harness.description}".lower()
        store.insert(
            Record(
                org=org,
                collection="harnesses",
                id=body["id"],
                text=dumps(body),
                name=harness.name,
                haystack=haystack,
            )
        )
    return planted


def _model(model: Model, org: str, moment: str) -> dict[str, Any]:
    """Write a model the way the list shows it."""
    return {
        "id": ids.new("model"),
        "provider_id": ids.derived("provider", f"{org}/{model.provider}"),
        "model_id": model.model_id,
        "display_name": model.display_name,
        "capabilities": list(model.capabilities),
        "is_favorite": False,
        "enabled": True,
        "source": "predefined",
        "created_at": moment,
        "updated_at": moment,
        "provider_name": model.provider,
        "provider_type": model.provider.lower(),
        "healthy": True,
        "model_vendor": model.provider.lower(),
    }


def _harness(harness: BuiltIn, planted: Mapping[str, str], moment: str) -> dict[str, Any]:
    """Write a built-in harness the way the list shows it."""
    body: dict[str, Any] = {
        "id": ids.new("harness"),
        "name": harness.name,
        "display_name": harness.display_name,
        "description": harness.description,
        "tags": [],
        "capabilities": [{"ref": ref, "config": {}} for ref in harness.capabilities],
        "is_built_in": True,
        "status": "active",
        "created_at": moment,
        "updated_at": moment,
    }
    if harness.parent:
        body["parent_harness_id"] = planted[harness.parent]
    return body
