"""Where the published file and the server disagree, one by one: what the file would have to say, and who says so.

Every check reads the file through `amended`. Rules that no file can say stand in `rulings`; nothing is left out of a
check in any other way. `orgs` and `agents` in front of a section number name the facts documents
`orgs-apps-errors.md` and `agents-memories-sessions.md`.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from .published import FILE, METHODS, operations

Spec = dict[str, Any]
Amend = Callable[[Spec], None]
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}}
PLAIN = {"text/plain": {"schema": {"type": "string"}}}
SHORT_ID = re.compile(r"\b([a-z]+_[0-9a-f]{31})(?![0-9a-f])")
SLUG = "[a-z0-9]+(-[a-z0-9]+)*"
PAGED = ("list_agents", "list_sessions", "list_capabilities")
STATUSES = ("started", "active", "idle", "waiting_for_tool_results", "waitingfortoolresults", "paused")
PREFIXES = {
    "agent_id": "agent",
    "agent_identity_id": "identity",
    "agent_version_id": "agentver",
    "app_id": "app",
    "base_harness_id": "harness",
    "default_harness_id": "harness",
    "default_model_id": "model",
    "default_version_id": "agentver",
    "harness_id": "harness",
    "parent_harness_id": "harness",
    "provider_id": "provider",
    "version_id": "agentver",
}


@dataclass(frozen=True)
class Deviation:
    """One disagreement: the fact behind it, why the server is right, and what the file should say."""

    fact: str
    reason: str
    amend: Amend


def amended() -> Spec:
    """Give the published file with every deviation applied; every caller gets a copy of its own."""
    spec: Spec = json.loads(_amended())
    return spec


@cache
def _amended() -> str:
    spec: Spec = json.loads(SHORT_ID.sub(r"\g<1>1", FILE.read_text(encoding="utf-8")))
    for deviation in DEVIATIONS:
        deviation.amend(spec)
    return json.dumps(spec)


def _each(spec: Spec) -> Iterator[dict[str, Any]]:
    """Go through the operations."""
    for item in spec["paths"].values():
        yield from (item[method] for method in METHODS if method in item)


def _answers(operation: dict[str, Any], status: int, content: dict[str, Any]) -> None:
    """Let an operation answer with a status in one more form."""
    response = operation["responses"].setdefault(str(status), {"description": "Not in the published file"})
    response["content"] = response.get("content", {}) | content


def _also(status: int, ids: str) -> Amend:
    """Let operations answer with a problem that the file does not list."""

    def amend(spec: Spec) -> None:
        found = operations(spec)
        for ident in ids.split():
            _answers(found[ident], status, PROBLEM)

    return amend


def _property(schema: str, name: str, **says: Any) -> Amend:
    """Say more about one member of a schema; None takes back what the file says."""

    def amend(spec: Spec) -> None:
        member = spec["components"]["schemas"][schema]["properties"][name]
        member |= {key: value for key, value in says.items() if value is not None}
        for key in [key for key, value in says.items() if value is None]:
            member.pop(key)

    return amend


def _all(*amends: Amend) -> Amend:
    """Do several things for one reason."""

    def amend(spec: Spec) -> None:
        for one in amends:
            one(spec)

    return amend


def _twins(spec: Spec) -> None:
    seen: set[str] = set()
    for path in sorted(spec["paths"], key=lambda path: (len(path), path)):
        for operation in [spec["paths"][path][method] for method in METHODS if method in spec["paths"][path]]:
            ident = operation["operationId"]
            if ident in seen:
                operation["operationId"] = f"{ident} {path}"
            seen.add(ident)


def _session_status(spec: Spec) -> None:
    spec["components"]["schemas"]["SessionStatus"] = {"type": "string", "enum": STATUSES}


def _problems(spec: Spec) -> None:
    for operation in _each(spec):
        for status, response in operation["responses"].items():
            if status >= "4":
                response["content"] = dict(PROBLEM)


def _bearer(spec: Spec) -> None:
    spec["components"]["securitySchemes"] = {"bearerAuth": {"type": "http", "scheme": "bearer"}}
    for operation in _each(spec):
        operation["security"] = [{"bearerAuth": []}]
        _answers(operation, 401, PROBLEM)


def _rejections(spec: Spec) -> None:
    for operation in _each(spec):
        if "requestBody" in operation:
            for status in (400, 415, 422):
                _answers(operation, status, PLAIN)
        if any(one["in"] == "query" or "$ref" in one["schema"] for one in operation.get("parameters", ())):
            _answers(operation, 400, PLAIN)


def _numbers(spec: Spec) -> None:
    found = operations(spec)
    for parameter in (one for ident in PAGED for one in found[ident]["parameters"]):
        if parameter["name"] in ("limit", "offset"):
            parameter["schema"] = {"type": ["integer", "null"], "minimum": 0, "maximum": 2**32 - 1}


def _secrets(spec: Spec) -> None:
    provider = {"properties": dict.fromkeys(("password", "password_hash", "client_secret", "proxy_secret"), False)}
    config = dict.fromkeys(("signing_secret", "bot_token", "token", "api_key_hash"), False)
    nested = {"captcha": {"properties": {"secret_key": False}}, "auth": {"properties": {"provider": provider}}}
    spec["components"]["schemas"]["AppChannel"]["properties"]["channel_config"] |= {"properties": config | nested}


def _one_harness(spec: Spec) -> None:
    both = {name: {"type": "string"} for name in ("harness_id", "harness_name")}
    for name in ("CreateAgentRequest", "UpdateAgentRequest"):
        spec["components"]["schemas"][name]["not"] = {"properties": both, "required": sorted(both)}


def _ids(spec: Spec) -> None:
    for schema in spec["components"]["schemas"].values():
        for part in (schema, *schema.get("allOf", ())):
            for name, member in part.get("properties", {}).items():
                if name in PREFIXES and "string" in member.get("type", ()):
                    member["pattern"] = _id(PREFIXES[name])
    for path, item in spec["paths"].items():
        for operation in [item[method] for method in METHODS if method in item]:
            for one in operation.get("parameters", ()):
                _path_id(path, operation, one)


def _id(prefix: str) -> str:
    return f"^{prefix}_[0-9a-f]{{32}}$"


def _path_id(path: str, operation: dict[str, Any], parameter: dict[str, Any]) -> None:
    """Say what stands in the path: an id, and for some operations a name as well."""
    name = parameter["name"]
    prefix = "model" if (path.split("/")[2], name) == ("models", "id") else PREFIXES.get(name)
    if name == "exclude_id":
        prefix = {"agents": "agent", "harnesses": "harness"}[path.split("/")[2]]
    if prefix is None:
        return
    by_name = "or name" in parameter["description"] or operation["operationId"] in BY_NAME
    parameter["schema"]["pattern"] = f"^({prefix}_[0-9a-f]{{32}}|{SLUG})$" if by_name else _id(prefix)


BY_NAME = frozenset({"copy_agent", "get_harness", "copy_harness"})  # the file does not say so of these
# Every served operation inside an organization for which the file has no 404.
CHOSEN = (
    "agent_config app_config harness_config model_config check_agent_name check_harness_name "
    "create_agent create_app create_file create_harness create_memory upsert_agent get_session_stats "
    "list_agents list_all_models list_apps list_examples list_harnesses list_memories list_sessions"
)
# Every served operation whose permission members lack, and for which the file has no 403.
RANKED = (
    "create_memory update_memory delete_memory sync_memory_now update_model delete_model import_harness "
    "delete_app publish_app unpublish_app"
)
GUARDED = (
    "create_agent upsert_agent update_agent copy_agent import_agent fork_agent_version rollback_agent_version "
    "set_default_agent_version update_app"
)
NAME = {"pattern": f"^{SLUG}$", "maxLength": 64}

DEVIATIONS = (
    Deviation("agents 8", "an operationId is unique; the file gives the sessions of channels the same ones", _twins),
    Deviation(
        "agents 8", "the status of a session is a word; the file mixes it up with another schema", _session_status
    ),
    Deviation("orgs 4.1", "every JSON 4xx and 5xx is application/problem+json", _problems),
    Deviation("orgs 5", "the file names bearerAuth and does not define it; no call goes without a token: 401", _bearer),
    Deviation("orgs 4.2", "what the web framework refuses is text/plain: 400, 415, 422", _rejections),
    Deviation("orgs 1.5", "the organization chosen may be unknown, and a feature flag may be off", _also(404, CHOSEN)),
    Deviation("orgs 7", "an id is its prefix and exactly 32 digits; the file says any text, with examples of 31", _ids),
    Deviation(
        "agents 2.2",
        "names of agents and harnesses are slugs of at most 64 characters",
        _all(
            _property("CreateAgentRequest", "name", **NAME),
            _property("UpdateAgentRequest", "name", **NAME),
            _property("ForkAgentVersionRequest", "name", **NAME),
            _property("CreateHarnessRequest", "name", **NAME),
            _property("UpdateHarnessRequest", "name", **NAME),
        ),
    ),
    Deviation("orgs 1.4", "the values of a patch are checked", _also(400, "update_organization")),
    Deviation("orgs 1.4", "members may not change settings", _also(403, "update_organization")),
    Deviation(
        "orgs 1.3",
        "creation is capped and rationed",
        _all(*(_also(status, "create_organization") for status in (409, 429))),
    ),
    Deviation(
        "orgs 4.4",
        "names of agents and harnesses are taken, their number is capped",
        _also(
            409,
            "create_agent update_agent upsert_agent copy_agent import_agent fork_agent_version "
            "create_harness update_harness copy_harness",
        ),
    ),
    Deviation("agents 2.4", "what an app uses is not archived", _also(409, "delete_agent delete_harness")),
    Deviation("orgs 5", "what asks for more than a member may refuse", _also(403, RANKED)),
    Deviation("orgs 5", "high-risk capabilities are an admin's, and status deleted nobody's", _also(403, GUARDED)),
    Deviation("orgs 2.4", "the name column holds 255 characters", _also(500, "create_app update_app")),
    Deviation(
        "agents 1.1",
        "a malformed id in the path is 400, but for memories",
        _also(
            400,
            "list_agent_versions create_agent_version set_default_agent_version diff_agent_versions "
            "get_harness check_agent_name",
        ),
    ),
    Deviation(
        "agents 1.3", "a limit over 100 is clamped, 0 is an empty page; the type is unsigned, not int32", _numbers
    ),
    Deviation("agents 2.5", "harness_id and harness_name exclude each other", _one_harness),
    Deviation(
        "agents 8", "what a session is made of is checked", _also(400, "create_session get_or_create_chat_session")
    ),
    Deviation("agents 4.6", "a path is checked, in a body too", _also(400, "stat_action get_file delete_file")),
    Deviation("orgs 3.4", "what is secret in a channel's config is written and never read", _secrets),
)
