"""What an entry of a seed may say, and how the names in it become ids."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from reconciler.emulator import agent_documents, app_bodies, harness_documents, identities, memories
from reconciler.emulator.bodies import Fields
from reconciler.emulator.store import Store

FLAGS = ("archived", "published")
STATES = (*FLAGS, "channels")


class SeedError(ValueError):
    """A seed that cannot be applied; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A key that holds a name where the API wants an id: the collection it points into, and what is called a name."""

    collection: str
    name: str = "name"


REFERENCES = {
    "agent": Reference("agents"),
    "harness": Reference("harnesses"),
    "parent_harness": Reference("harnesses"),
    "default_harness": Reference("harnesses"),
    "default_model": Reference("models", name="model_id"),
    "agent_identity": Reference("identities"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of resource: where it is created, what the API takes, which states a seed can put it in."""

    path: str
    fields: Fields
    states: tuple[str, ...] = ("archived",)

    @property
    def keys(self) -> tuple[str, ...]:
        """What an entry may say: the members of the API's body, names for ids, states."""
        aliases = [one.alias for one in self.fields.values() if one.alias]
        names = [key for key in REFERENCES if f"{key}_id" in self.fields]
        return (*self.fields, *aliases, *names, *self.states)


KINDS = {
    "harnesses": Kind("/v1/harnesses", harness_documents.CREATE),
    "identities": Kind("/v1/agent-identities", identities.CREATE),
    "agents": Kind("/v1/agents", agent_documents.CREATE),
    "memories": Kind("/v1/memories", memories.CREATE),
    "apps": Kind("/v1/apps", app_bodies.CREATE, states=STATES),
}


def faults(where: str, entry: Any, keys: Sequence[str]) -> Iterator[str]:
    """Say what is wrong with the form of an entry."""
    if not isinstance(entry, dict):
        yield f"{where}: expected a mapping"
        return
    for key in entry:
        if key not in keys:
            close = get_close_matches(str(key), keys, n=1)
            yield f"{where}: no such key: {key}" + (f"; did you mean {close[0]}?" if close else "")
    if not isinstance(entry.get("name"), str):
        yield f"{where}: a name is needed"
    for state in FLAGS:
        if state in keys and not isinstance(entry.get(state, False), bool):
            yield f"{where}.{state}: expected true or false"
    if not isinstance(entry.get("channels", []), list):
        yield f"{where}.channels: expected a list"


def resolved(where: str, entry: Mapping[str, Any], store: Store, org: str) -> dict[str, Any]:
    """Put ids in the place of names."""
    return dict(
        (f"{key}_id", _ident(f"{where}.{key}", REFERENCES[key], value, store, org))
        if key in REFERENCES and value is not None
        else (key, value)
        for key, value in entry.items()
    )


def _ident(where: str, reference: Reference, name: Any, store: Store, org: str) -> str:
    """Find the one resource of a name."""
    found = [body for record in store.everything(org, reference.collection) if (body := record.body())]
    there = [body["id"] for body in found if body[reference.name] == name and body.get("status") != "deleted"]
    if len(there) == 1:
        return str(there[0])
    if there:
        raise SeedError(f"{where}: {len(there)} {reference.collection} are called {name}; give an id instead")
    close = get_close_matches(str(name), [body[reference.name] for body in found], n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise SeedError(f"{where}: none of the {reference.collection} is called {name}{hint}")
