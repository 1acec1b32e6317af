"""The platform as it should be: what is ours compared with an undisturbed apply, what is not ours byte by byte."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx

from reconciler.emulator.app import Emulator
from reconciler.kinds.channel_config import CONFIGS, with_defaults
from reconciler.kinds.session import OURS

from . import deeper, fleet
from .others import NOBODY, Others
from .rows import Row, Rows, dump, rows

SOMEBODY = "evr_pat_else"
"""The key of somebody else."""
ID = re.compile(r"\b(?:[a-z]+_)?[0-9a-f]{32}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_RANDOM = re.compile(r"(_at|_hash|_prefix)$|^_?(key|hash|prefix)|^(at|version_number)$")
"""Fields that no two runs agree on: times, what belongs to a generated key, and what counts drafts."""


def lines(found: Mapping[str, Row], *, chosen: Iterable[str]) -> Counter[str]:
    """Say what is there, each of the chosen things in one line without ids and times, so that platforms compare.

    Left out is what the platform makes by itself.
    """
    return Counter(_line(found[one], found) for one in chosen if _is_shown(found[one]))


def _is_shown(row: Row) -> bool:
    """Say whether runs agree on a row; a draft of an agent is the platform's own doing."""
    return row.collection in _SHOWN and row.body.get("is_published") is not False


def _line(row: Row, found: Mapping[str, Row]) -> str:
    name = next((row.body[key] for key in ("name", "channel_type", "title", "version") if row.body.get(key)), None)
    above = found[row.parent].body["name"] if row.parent else ""
    body = row.body
    if row.collection == "channels":  # what is absent means the default, so both are the same
        body["channel_config"] = with_defaults(body["channel_config"], CONFIGS[body["channel_type"]])
    for held in body.get("capabilities") or []:
        held["config"] = held.get("config") or {}  # what POST and PUT make of a capability that comes by itself
    text = ID.sub(lambda match: _named(match[0], found), json.dumps(_plain(body), sort_keys=True))
    line = f"{_named(row.org, found)}/{row.collection}/{above}/{name} {row.status} {text}"
    return re.sub(r"\(archived [0-9a-f]{8}\)", "(archived)", line)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if not _RANDOM.search(key)}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _named(ident: str, found: Mapping[str, Row]) -> str:
    row = found.get(ident)
    if row is None or row.collection == "channels":
        return "<id>"
    body = row.body
    if row.collection == "agent_versions":
        return f"<version {body['version']} of {_named(row.parent, found)}>"
    return f"<{row.collection} {body.get('name') or body.get('model_id') or body.get('title')}>"


def twins(found: Mapping[str, Row]) -> list[str]:
    """Name whatever is live twice in a place, foreign or ours: in this fleet no two live things share a name."""
    shared = Counter(
        (row.org, row.collection, row.body["name"].lower() if row.collection == "memories" else row.body["name"])
        for row in found.values()
        if row.collection in ("orgs", "harnesses", "identities", "agents", "memories", "apps") and not row.is_gone
    )
    shared += Counter(
        (row.org, "sessions", tag)
        for row in found.values()
        if row.collection == "sessions"
        for tag in row.body["tags"]
        if tag.startswith(OURS)
    )
    return [str(place) for place, times in shared.items() if times > 1]


@dataclass(frozen=True)
class Expected:
    """What every try begins with and has to end with.

    `picture` and `start` are the platform before, `end` is the one after an undisturbed apply; `foreign` are the ids
    of what others had from the beginning.
    """

    picture: bytes
    start: Rows
    end: Rows
    foreign: frozenset[str]

    @cached_property
    def wanted(self) -> Counter[str]:
        """What is ours at the end, a line for each thing."""
        return lines(self.end, chosen=self.end.keys() - self.foreign)

    def faults(self, now: Rows, entries: Mapping[Any, Any], others: Others = NOBODY) -> list[str]:
        """Say what of platform and ledger is not as after an undisturbed run, but for what others did meanwhile."""
        theirs = {one: self.start[one] for one in self.foreign} | others.made
        theirs |= {one: row for one, row in others.last.items() if one in self.foreign}
        mine = now.keys() - theirs.keys()
        seen = others.undone(now)
        found = lines(seen, chosen=mine)
        buried = {one for one in mine if others.buried(now, one)}
        spare = lines(seen, chosen=buried)
        faults = [f"missing  {line}" for line in sorted((self.wanted - found).elements())]
        faults += [f"too much {line}" for line in sorted((found - self.wanted - spare).elements())]
        faults += [f"there twice: {twin}" for twin in twins(now)]
        faults += [
            f"foreign, and touched: {row} is now {now.get(one)}" for one, row in theirs.items() if now.get(one) != row
        ]
        lasting = self.start.keys() & self.end.keys()
        faults += [f"made anew: {self.start[one]}" for one in lasting - now.keys()]
        return faults + others.overwritten(now) + ours(entries, now)


def ours(entries: Mapping[Any, Any], found: Rows) -> list[str]:
    """Say what is wrong with a ledger: it must own exactly what git wants, each of it live and once."""
    owned = {str(address): entry.id for address, entry in entries.items()}
    wanted = fleet.addresses(fleet.after())
    faults = [f"the ledger does not own {one}" for one in sorted(wanted - set(owned))]
    faults += [f"the ledger still owns {one}" for one in sorted(set(owned) - wanted)]
    faults += [f"{one}: {ident} is not live" for one, ident in owned.items() if ident not in found]
    faults += [f"{one}: {ident} is archived" for one, ident in owned.items() if ident in found and found[ident].is_gone]
    return faults + [f"{ident} is owned twice" for ident, times in Counter(owned.values()).items() if times > 1]


_SHOWN = tuple("orgs harnesses identities agents agent_versions memories files apps channels sessions".split())


@dataclass
class Foreseen:
    """An emulator in which a fleet is set up: what is there before the try, and after an undisturbed apply."""

    emulator: Emulator
    seeded: Rows
    picture: bytes = b""
    start: Rows = field(default_factory=dict)
    foreign: frozenset[str] = frozenset()
    expected: Any = None

    def meddled(self) -> None:
        """Put a foreign channel into an app of ours, and take the picture that every try begins with."""
        headers = {"Authorization": f"Bearer {SOMEBODY}", "X-Org-Id": fleet.ACME}
        mine = rows(self.emulator).keys() - self.seeded.keys()
        transport = httpx.WSGITransport(app=self.emulator)
        with httpx.Client(transport=transport, base_url="http://localhost", headers=headers) as api:
            (app,) = [one for one in api.get("/v1/apps").json()["data"] if one["name"] == "support"]
            body = {"channel_type": "fcp", "channel_config": {"anonymous": True, "handshake": "Theirs"}}
            assert api.post(f"/v1/apps/{app['id']}/channels", json=body).is_success
            (guide,) = [one for one in api.get("/v1/memories").json()["data"] if one["name"] == "guide"]
            deeper.meddle(api, fleet.ACME, guide["id"])
        self.start, self.picture = rows(self.emulator), dump(self.emulator)
        self.foreign = frozenset(self.start.keys() - mine - {fleet.ACME})


@contextmanager
def foreseeing(emulator: Emulator) -> Iterator[Foreseen]:
    """Watch how a fleet is set up: inside, apply it, let it be meddled with, change it, and apply it undisturbed."""
    seen = Foreseen(emulator, rows(emulator))
    yield seen
    seen.expected = Expected(seen.picture, seen.start, rows(emulator), seen.foreign)
