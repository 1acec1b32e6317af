"""What schemathesis must think wrong of a server that is right: rules that no schema can say, one by one."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

REFUSED = "RejectedPositiveData"
ALIVE = "UseAfterFree"
MISSING = "EnsureResourceAvailability"
TAKEN = "AcceptedNegativeData"


@dataclass(frozen=True)
class Ruling:
    """One verdict overruled: on which operations, when answered with what, and the fact behind it."""

    fact: str
    reason: str
    ids: str
    status: int
    detail: str = ".*"
    failure: str = REFUSED
    when: Callable[[Any], bool] | None = None

    def excuses(self, failure: str, ident: str, case: Any, response: Any) -> bool:
        """Tell whether the verdict is overruled."""
        return (
            failure == self.failure
            and (not self.ids or ident in self.ids.split())
            and response.status_code == self.status
            and re.fullmatch(self.detail, said(response), re.DOTALL) is not None
            and (self.when is None or self.when(case))
        )


def said(response: Any) -> str:
    """Give the detail of a problem, or the text of a plain refusal; nothing of a success."""
    if response.status_code < 400:
        return ""
    content_type = response.headers.get("content-type", [""])[0]
    return str(response.json().get("detail", "")) if "problem" in content_type else response.content.decode()


def _long_name(case: Any) -> bool:
    """Tell whether the name of an app is too long for its column."""
    return isinstance(case.body, dict) and len(str(case.body.get("name"))) > 255


def _no_slug(case: Any) -> bool:
    """Tell whether the name in a query is one that no agent or harness can have."""
    return re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", str((case.query or {}).get("name"))) is None


MEMORIES = "create_memory update_memory"
ORGANIZATION = "create_organization update_organization"
AGENTS = "create_agent update_agent upsert_agent"
HARNESSES = "create_harness update_harness"
APPS = "create_app update_app"
ENDPOINTS = "add_a2a_channel add_api_endpoint_channel"
SESSIONS = "create_session update_session get_or_create_chat_session"
FILES = "list_root get_file create_file update_file delete_file download_action stat_action"
BODY = "Failed to deserialize the JSON body into the target type: "

RULINGS = (
    # ids and numbers
    Ruling("orgs 4.2", "a malformed id in the path is 400", "", 400, r"Invalid \w+ ID: .*"),
    Ruling(
        "agents 1.1", "a malformed id in a body is 422", "", 422, BODY + r"\w*(_id|id): invalid (prefix|length|hex).*"
    ),
    Ruling("orgs 4.2", "the type behind a number is 32 bits wide", "", 422, BODY + ".*expected -?\\d+[.][.].*"),
    Ruling("orgs 4.2", "1.0 is a number, and no integer to the deserializer", "", 422, BODY + ".*floating point.*"),
    # what is missing is what the body names, or the channel; what was just created is the thing in the path
    Ruling(
        "orgs 2.4",
        "what a body names exists",
        APPS,
        404,
        "(Harness|Agent|Agent version|Agent identity) not found",
        MISSING,
    ),
    Ruling(
        "agents 2.5",
        "what a body names exists",
        f"{AGENTS} {HARNESSES} create_session",
        404,
        "(Agent|Harness|Parent harness|Model|Capability|MCP server|Skill) not found",
        MISSING,
    ),
    Ruling(
        "agents 3", "the body names a version", "set_default_agent_version", 404, "Agent version not found", MISSING
    ),
    Ruling("orgs 1.4", "what a body names exists", ORGANIZATION, 404, "Harness not found", MISSING),
    Ruling("agents 7", "the body names a provider", "update_model", 404, "Provider not found", MISSING),
    Ruling(
        "orgs 3.1",
        "a channel exists",
        "regenerate_a2a_key regenerate_api_endpoint_key",
        404,
        "Channel not found",
        MISSING,
    ),
    # organizations
    Ruling("orgs 1.1", "the form of an id is checked", "switch_org", 400, "Invalid organization ID format"),
    Ruling("orgs 1.3", "a name is not blank", ORGANIZATION, 400, "Organization name cannot be empty"),
    Ruling(
        "orgs 1.3", "a name has at most 255 bytes", ORGANIZATION, 400, "Organization name cannot exceed 255 characters"
    ),
    Ruling(
        "orgs 1.4", "the default organization keeps its name", ORGANIZATION, 400, "Cannot update default organization"
    ),
    Ruling(
        "orgs 1.4",
        "one way to name a harness",
        ORGANIZATION,
        400,
        "Cannot specify both default_harness_id and default_harness_name",
    ),
    Ruling(
        "orgs 1.4",
        "a model exists, chats and is enabled",
        ORGANIZATION,
        400,
        "Model not found|Default model must be .*",
    ),
    Ruling(
        "orgs 1.4",
        "a provider exists, of a known service",
        ORGANIZATION,
        400,
        "Provider .* not found|Unknown service kind: .*",
    ),
    Ruling(
        "orgs 1.6",
        "a flag is known and available",
        "update_org_feature_flags",
        400,
        "Unknown feature flag: .*|Feature flag '.*' is not available on this deployment",
    ),
    # memories and their files
    Ruling(
        "agents 4.2",
        "a name is 1 to 255 characters",
        MEMORIES,
        400,
        "Memory name (cannot be empty|must be at most 255 characters)",
    ),
    Ruling(
        "agents 4.3",
        "an interval is 300 to 604800 seconds",
        MEMORIES,
        400,
        "sync_interval_secs must be between 300 and 604800",
    ),
    Ruling("agents 4.3", "a repository is owner/repo", MEMORIES, 400, "GitHub repository must be owner/repo or .*"),
    Ruling("agents 4.3", "an address is public https", MEMORIES, 400, "Git URL must .*"),
    Ruling("agents 4.3", "a root folder does not climb", MEMORIES, 400, "root_folder must be a relative path .*"),
    Ruling(
        "agents 4.5",
        "only what has a source is synced",
        "sync_memory_now",
        400,
        "manual memories do not have a source to sync",
    ),
    Ruling(
        "agents 4.5",
        "only what is active is synced",
        "sync_memory_now",
        400,
        "only active source-backed memories can be synced",
    ),
    Ruling("agents 4.1", "an archived memory is shown", "get_memory", 200, failure=ALIVE),
    Ruling("agents 4.4", "an archived memory is changed", "update_memory", 200, failure=ALIVE),
    Ruling("agents 4.6", "the body names a path", "stat_action", 404, "not found", MISSING),
    Ruling("agents 4.6", "an encoding is text or base64", "create_file update_file", 400, "unsupported encoding '.*'"),
    Ruling("agents 4.6", "base64 is base64", "create_file update_file", 400, "invalid base64 content: .*"),
    Ruling("agents 4.6", "a path has one spelling, and some are reserved", FILES, 400, "invalid path: .*"),
    Ruling("agents 4.6", "a pattern is a regular expression", "grep_action", 400, "invalid (path_)?pattern: .*"),
    Ruling(
        "agents 4.6", "a directory is no file", "download_action", 400, "path is a directory; refuse to read as file"
    ),
    # agents and harnesses
    Ruling(
        "agents 2.1",
        "a name that nothing can have is not available, before the other parameter is read",
        "check_agent_name check_harness_name",
        200,
        failure=TAKEN,
        when=_no_slug,
    ),
    Ruling(
        "agents 2.1",
        "the other parameter is an id",
        "check_agent_name check_harness_name",
        400,
        "Invalid exclude_id: .*",
    ),
    Ruling("agents 2.1", "a file without a prompt is no agent", "import_agent", 400, "System prompt is required .*"),
    Ruling("agents 2.1", "the name of a file is a slug", "import_agent", 400, "Agent name must .*"),
    Ruling(
        "agents 2.3",
        "by name, the body agrees",
        "upsert_agent",
        400,
        "Agent name in URL must match name in request body",
    ),
    Ruling(
        "agents 2.4",
        "what is archived is not edited",
        "update_agent upsert_agent",
        400,
        "Archived or deleted agents cannot be edited",
    ),
    Ruling(
        "agents 2.5",
        "an MCP server is public, and not stdio",
        f"{AGENTS} {HARNESSES} create_session",
        400,
        "MCP server '.*': .*|MCP server names .* clash",
    ),
    Ruling(
        "agents 5",
        "what is built in stays",
        "update_harness delete_harness",
        400,
        "Cannot (modify|delete) built-in harness[.].*",
    ),
    Ruling(
        "agents 5",
        "what is archived is not edited",
        "update_harness",
        400,
        "Archived or deleted harnesses cannot be edited",
    ),
    Ruling(
        "agents 5", "`default` is reserved", HARNESSES, 400, "Harness name 'default' is reserved and cannot be used"
    ),
    Ruling(
        "agents 5",
        "inheritance ends",
        HARNESSES,
        400,
        "Harness cannot inherit from itself|Parent harness must be active|Harness inheritance cycle detected",
    ),
    Ruling("agents 2.1", "an archived agent is shown", "get_agent", 200, failure=ALIVE),
    Ruling("agents 2.3", "PUT revives an agent", "upsert_agent", 200, failure=ALIVE),
    Ruling("agents 2.1", "an archived agent is copied", "copy_agent", 201, failure=ALIVE),
    Ruling("agents 2.1", "archiving twice is fine", "delete_agent", 204, failure=ALIVE),
    Ruling("agents 5", "an archived harness is shown", "get_harness", 200, failure=ALIVE),
    Ruling(
        "agents 3",
        "a version is made and shown of an archived agent",
        "list_agent_versions create_agent_version",
        200,
        failure=ALIVE,
    ),
    Ruling(
        "agents 3",
        "`auto` is for drafts",
        "create_agent_version",
        400,
        "Automatic change kind is reserved for draft snapshots",
    ),
    Ruling(
        "agents 3",
        "a default is a published version of the agent",
        "set_default_agent_version diff_agent_versions rollback_agent_version fork_agent_version",
        400,
        "Agent version belongs to another agent|Default agent version must be published",
    ),
    # sessions
    Ruling(
        "agents 8",
        "one way to name an agent or a harness",
        "create_session",
        400,
        "Cannot specify both .*_id and .*_name",
    ),
    Ruling("agents 8", "the name of a harness is a slug", "create_session", 400, "Harness name must .*"),
    Ruling("agents 8", "a locale is one of a list", SESSIONS, 400, "Input exceeds allowed limits"),
    # apps
    Ruling(
        "orgs 2.1", "runs are of a window, and grouped by hour", "list_app_runs", 400, "Invalid (window|groupBy): .*"
    ),
    Ruling("orgs 2.4", "a config comes with its type", "create_app", 400, "channel_config requires channel_type"),
    Ruling(
        "orgs 3.3",
        "a config fits its type",
        APPS,
        400,
        r"(Invalid )?[\w -]+ channel config:? .*|[\w-]+ token must be non-empty.*",
    ),
    Ruling("orgs 3.3", "a message is told", ENDPOINTS, 400, "A2A channel config requires a non-empty message"),
    Ruling("orgs 3.5", "auth fits its mode and its type", ENDPOINTS, 400, ".*(auth|mTLS|HTTP Basic|OIDC|OAuth).*"),
    Ruling(
        "orgs 2.5",
        "what is archived is not edited",
        f"update_app {ENDPOINTS} regenerate_a2a_key regenerate_api_endpoint_key",
        400,
        "Archived or deleted apps cannot be edited",
    ),
    Ruling(
        "orgs 2.5",
        "publishing has calls of its own",
        "update_app",
        400,
        "Use publish/unpublish endpoints to change app publish status",
    ),
    Ruling(
        "orgs 2.6",
        "only a draft with a channel is published",
        "publish_app",
        400,
        "App must (be draft before publishing|have at least one channel before publishing)",
    ),
    Ruling(
        "orgs 3.1",
        "a key belongs to its kind of channel",
        "regenerate_a2a_key regenerate_api_endpoint_key",
        400,
        "Channel is not an .* channel|Channel does not belong to this app",
    ),
    Ruling("orgs 2.4", "only active things are assigned", APPS, 400, "Archived or deleted .* cannot be assigned"),
    Ruling("orgs 2.4", "a version is of the agent", APPS, 400, "Agent version must belong to the selected agent"),
    Ruling(
        "orgs 2.4",
        "a name over 255 characters does not fit the column",
        APPS,
        500,
        "Internal server error",
        "ServerError",
        _long_name,
    ),
    Ruling("orgs 2.3", "an archived app is shown", "get_app", 200, failure=ALIVE),
    Ruling("orgs 2.6", "an archived app is archived again", "delete_app", 204, failure=ALIVE),
    Ruling("orgs 2.6", "unpublishing revives", "unpublish_app", 200, failure=ALIVE),
)
