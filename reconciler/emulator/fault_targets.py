"""What a fault that changes data is about: the collection, the organization and the item of its request."""

from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Request

from reconciler.emulator import bodies as bodies_
from reconciler.emulator import callers
from reconciler.emulator.faults import COLLECTION, ITEM
from reconciler.emulator.inside import OWNER, split
from reconciler.emulator.problems import ProblemError
from reconciler.emulator.store import Store

GONE = ("archived", "deleted")


@dataclass(frozen=True, slots=True)
class Revival:
    """The operation that makes an archived item live again."""

    operation: str
    method: str
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Noun:
    """How a collection is called where it is not called by its path, and what brings an archived item back."""

    one: str
    collection: str
    get: str
    revival: Revival | None = None


NOUNS = {
    "orgs": Noun("organization", "orgs", "get_organization"),
    "agents": Noun("agent", "agents", "get_agent", Revival("upsert_agent", "PUT")),
    "harnesses": Noun("harness", "harnesses", "get_harness"),
    "memories": Noun("memory", "memories", "get_memory"),
    "apps": Noun("app", "apps", "get_app", Revival("unpublish_app", "POST", "/unpublish")),
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request points: `/v1/<path>`, in an organization, at an item (an id or a name) or at the whole list."""

    path: str
    item: str
    org: str

    @property
    def noun(self) -> Noun:
        """How the collection is called."""
        return NOUNS[self.path]


def target_of(request: Request, store: Store) -> Target | None:
    """Find what a request is about; None when it could not be served anyway."""
    path = split(request.path)[1]
    found = ITEM.fullmatch(path) or COLLECTION.fullmatch(path)
    if found is None:
        return None
    item = found[2] if found.re is ITEM else ""
    if found[1] == "orgs":
        return Target("orgs", item, "")
    try:
        return Target(found[1], item, callers.select_org(request, store, OWNER).org)
    except ProblemError:
        return None


def bodies(store: Store, target: Target) -> list[dict[str, Any]]:
    """Read the collection, newest first, without what is deleted."""
    found = [record.body() for record in store.everything(target.org, target.noun.collection)]
    return [body for body in reversed(found) if body.get("status") != "deleted"]


def named(store: Store, target: Target, name: str) -> list[dict[str, Any]]:
    """Find those that carry a name; the names of memories do not tell cases apart."""
    fold = str.lower if target.path == "memories" else str
    return [body for body in bodies(store, target) if fold(body["name"]) == fold(name)]


def is_gone(body: dict[str, Any]) -> bool:
    """Tell whether an item is archived or deleted."""
    return body.get("status") in GONE


def wanted_name(request: Request) -> str | None:
    """Read the name that a create asks for."""
    try:
        body = bodies_.loads(request.get_data())
    except ValueError:
        return None
    name = body.get("name") if isinstance(body, dict) else None
    return name if isinstance(name, str) else None
