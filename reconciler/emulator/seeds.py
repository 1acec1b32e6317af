"""Seeds: a document that says what exists; it is checked whole, then applied through the emulator's own handlers."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from reconciler.emulator import ids, orgs, seed_entries
from reconciler.emulator.inside import OWNER, Inside
from reconciler.emulator.seed_entries import KINDS, Kind, SeedError
from reconciler.emulator.store import Store

__all__ = ["SeedError", "plant", "read"]
ORG_KEYS = ("id", "name", "default_model", "default_harness", "feature_flags", *KINDS)
FORM = "a seed is {orgs: [{name: ..., agents: [...]}, ...]} and nothing else"
KEYED = {"a2a": "a2a-channels", "api_endpoint": "api-endpoint-channels"}


def read(path: str) -> Any:
    """Read a seed file (YAML, of which JSON is a part); raises SeedError, in which the caller names the file."""
    try:
        document = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader
    except OSError as error:
        raise SeedError(str(error.strerror)) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise SeedError(str(error)) from error
    if document is None:
        raise SeedError(f"the file is empty; {FORM}")
    return document


class _Loader(yaml.SafeLoader):
    """The safe loader of YAML, which takes no key twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        """Make a mapping; of two equal keys YAML's own loader would keep the last without a word."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} is given twice", key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else "")
        return super().construct_mapping(node, deep=deep)


def plant(document: Any, *, inside: Inside, store: Store) -> dict[str, int]:
    """Create everything a seed says, or nothing when one thing is refused; raises SeedError."""
    faults = list(_faults(document))
    if faults:
        raise SeedError("\n".join(faults))
    with store.transaction():
        planting = _Planting(inside, store)
        for place, org in enumerate(document["orgs"]):
            planting.org(f"orgs[{place}]", org)
        return dict(planting.created)


def _faults(document: Any) -> Iterator[str]:
    """Say everything that is wrong with the form of a seed."""
    if not isinstance(document, dict) or set(document) != {"orgs"} or not isinstance(document["orgs"], list):
        yield FORM
        return
    try:
        json.dumps(document, allow_nan=False)
    except (TypeError, ValueError):
        yield "the seed holds a value that JSON does not have; put a date in quotes"
        return
    first: dict[str, int] = {}
    for place, org in enumerate(document["orgs"]):
        yield from _org_faults(f"orgs[{place}]", org)
        ident = org.get("id") if isinstance(org, dict) else None
        if ident is not None and first.setdefault(str(ident), place) != place:
            yield f"orgs[{place}].id: orgs[{first[str(ident)]}] has it already"


def _org_faults(where: str, org: Any) -> Iterator[str]:
    """Say what is wrong with the form of an organization and what is in it."""
    yield from seed_entries.faults(where, org, ORG_KEYS)
    if not isinstance(org, dict):
        return
    fault = ids.fault("org", str(org["id"])) if "id" in org else None
    if fault:
        yield f"{where}.id: {fault}"
    for name, kind in KINDS.items():
        entries = org.get(name, [])
        if not isinstance(entries, list):
            yield f"{where}.{name}: expected a list"
            continue
        for place, entry in enumerate(entries):
            yield from seed_entries.faults(f"{where}.{name}[{place}]", entry, kind.keys)


@dataclass(frozen=True, slots=True)
class _Planting:
    """Creates one thing after the other, in the order in which they refer to each other."""

    inside: Inside
    store: Store
    created: Counter[str] = field(default_factory=Counter)

    def org(self, where: str, org: Mapping[str, Any]) -> None:
        """Create an organization, or take the one that has the id, and fill it."""
        ident = self._org_id(where, org)
        for name, kind in KINDS.items():
            for place, entry in enumerate(org.get(name, [])):
                self._entry(f"{where}.{name}[{place}]", ident, name, kind, entry)
        settings = {key: org[key] for key in ("default_model", "default_harness") if key in org}
        if settings:
            body = seed_entries.resolved(where, settings, self.store, ident)
            self._send(where, "PATCH", f"/v1/orgs/{ident}", body=body)
        if "feature_flags" in org:
            body = {"flags": org["feature_flags"]}
            self._send(f"{where}.feature_flags", "PATCH", f"/v1/orgs/{ident}/feature-flags", body=body)

    def _org_id(self, where: str, org: Mapping[str, Any]) -> str:
        """Give the organization to fill; with an id of its own it is made beside the API, which lets nobody choose."""
        ident: str | None = org.get("id")
        if ident and self.store.get("", "orgs", ident):
            return ident
        self.created["orgs"] += 1
        if ident is None:
            return str(self._send(where, "POST", "/v1/orgs", body={"name": org["name"]})["id"])
        orgs.found(self.store, name=org["name"], user=OWNER.user, ident=ident)
        return ident

    def _entry(self, where: str, org: str, name: str, kind: Kind, entry: Mapping[str, Any]) -> None:
        """Create one resource and bring it to the state it is said to be in."""
        said = {key: value for key, value in entry.items() if key not in seed_entries.STATES}
        body = seed_entries.resolved(where, said, self.store, org)
        ident = self._send(where, "POST", kind.path, org=org, body=body)["id"]
        self.created[name] += 1
        for place, channel in enumerate(entry.get("channels", [])):
            self._channel(f"{where}.channels[{place}]", org, f"{kind.path}/{ident}", channel)
        if entry.get("published"):
            self._send(where, "POST", f"{kind.path}/{ident}/publish", org=org)
        if entry.get("archived"):
            self._send(where, "DELETE", f"{kind.path}/{ident}", org=org)

    def _channel(self, where: str, org: str, app: str, channel: Any) -> None:
        """Create a channel; those with a key have a route of their own, whose body has no type."""
        said = dict(channel) if isinstance(channel, dict) else {}
        route = KEYED.get(str(said.get("channel_type")), "channels")
        if route != "channels":
            del said["channel_type"]
        self._send(where, "POST", f"{app}/{route}", org=org, body=said)
        self.created["channels"] += 1

    def _send(self, where: str, method: str, path: str, *, org: str = "", body: Any = None) -> Any:
        """Send a request and insist on success."""
        status, told = self.inside.send(method, path, org=org, body=body)
        if status >= 400:  # noqa: PLR2004 - a refusal
            raise SeedError(f"{where}: refused with {status}: {told['detail']}")
        return told
