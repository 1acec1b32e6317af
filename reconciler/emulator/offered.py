"""MCP servers and skills that an organization shares: made and listed, so that capabilities can name them."""

import re
import uuid
from dataclasses import dataclass
from typing import Any

from reconciler.emulator import bodies, clock, ids, links
from reconciler.emulator.bodies import Field, Fields
from reconciler.emulator.call import Call, Reply, Route
from reconciler.emulator.problems import RejectionError, conflict
from reconciler.emulator.store import Record, Store, dumps


@dataclass(frozen=True, slots=True)
class Family:
    """One of the two: its path, the prefix of its ids and of what names it, and what a new one says of itself."""

    path: str
    prefix: str
    noun: str
    create: Fields
    made: dict[str, Any]
    flag: str = ""
    has_unique_names: bool = False

    @property
    def policy(self) -> str:
        """What its permissions are called."""
        return self.path.removesuffix("s").replace("-", "_")


SERVERS = Family(
    "mcp-servers",
    "mcp",
    "MCP server",
    {
        "name": Field(bodies.text, required=True),
        "url": Field(bodies.text, required=True),
        "description": Field(bodies.text),
        "api_key": Field(bodies.text),
        "auth_mode": Field(bodies.choice("none", "api_key", "o_auth")),
        "headers": Field(bodies.map_of(bodies.text)),
        "protocol_mode": Field(bodies.choice("auto", "legacy", "stable", "rc")),
        "transport_type": Field(bodies.choice("http", "stdio"), nullable=False),
    },
    {"transport_type": "http", "auth_mode": "none", "api_key_set": False},
)
SKILLS = Family(
    "skills",
    "skill",
    "Skill",
    {"skill_md": Field(bodies.text, required=True)},
    {"source_type": "markdown", "version": "1.0.0"},
    flag="skills",
    has_unique_names=True,
)
FRONT = re.compile(r"---\n(.*?)\n---\n", re.DOTALL)


def _front(skill_md: str) -> dict[str, str]:
    """Read the name and the description that open the text of a skill."""
    found = FRONT.match(skill_md)
    told = dict(line.split(": ", 1) for line in found[1].splitlines() if ": " in line) if found else {}
    if not {"name", "description"} <= told.keys():
        raise RejectionError(422, "the skill needs front matter with name and description")
    return {"name": told["name"], "description": told["description"]}


def missing(store: Store, org: str, ref: str) -> str | None:
    """Say what kind of thing a capability names that is not there, None where it is: `mcp:{uuid}`, `skill:{uuid}`."""
    prefix, _, text = ref.partition(":")
    family = SERVERS if prefix == SERVERS.prefix else SKILLS
    try:
        record = store.get(org, family.path, f"{prefix}_{uuid.UUID(text).hex}")
    except ValueError:
        record = None
    return family.noun if record is None else None


def _routes(family: Family) -> tuple[Route, ...]:
    def listing(call: Call) -> Reply:
        """List them, newest first."""
        records = call.store.listed(call.org, family.path, call.window())
        return Reply(value={"data": [_linked(call, family, record.body()) for record in records]})

    def create(call: Call) -> Reply:
        """Make one that is active."""
        given = {key: value for key, value in call.body.items() if value is not None}
        given = _front(given["skill_md"]) if family is SKILLS else given
        if family.has_unique_names and call.store.named(call.org, family.path, given["name"]):
            raise conflict(f"{family.noun} name '{given['name']}' is already taken")
        moment = clock.now()
        shown = {key: value for key, value in given.items() if key != "api_key"}
        body = {"id": ids.new(family.prefix), **family.made, **shown, "status": "active"}
        body |= {"api_key_set": True} if "api_key" in given else {}
        body |= {"created_at": moment, "updated_at": moment}
        record = Record(
            org=call.org,
            collection=family.path,
            id=body["id"],
            text=dumps(body),
            name=body["name"] if family.has_unique_names else None,
            haystack=f"{body['name']} {body.get('description', '')}".lower(),
        )
        call.store.insert(record)
        return Reply(201, _linked(call, family, body), entity=record.id)

    rule, policy = f"/v1/{family.path}", family.policy
    return (
        Route("GET", rule, listing, f"{policy}.view", family.flag),
        Route("POST", rule, create, f"{policy}.manage", family.flag, body=family.create),
    )


def _linked(call: Call, family: Family, body: dict[str, Any]) -> dict[str, Any]:
    """Add the links."""
    return {**body, **links.urls(call.base, family.path, body["id"])}


ROUTES = (*_routes(SERVERS), *_routes(SKILLS))
