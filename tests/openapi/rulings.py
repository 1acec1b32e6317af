"""What schemathesis must think wrong of a server that is right: rules that no schema can say, one by one."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

REFUSED = "RejectedPositiveData"
ALIVE = "UseAfterFree"
TAKEN = "AcceptedNegativeData"


@dataclass(frozen=True)
class Ruling:
    """One verdict overruled: on which operations, answered with what, the fact behind it, the run that needs it."""

    fact: str
    reason: str
    ids: str
    status: int
    detail: str = ".*"
    failure: str = REFUSED
    when: Callable[[Any], bool] | None = None
    run: str = ""

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
    Ruling("orgs 4.2", "a malformed id in the path is 400", "", 400, r"Invalid \w+ ID: .*", run="rest"),
    Ruling(
        "agents 1.1",
        "a malformed id in a body is 422",
        "",
        422,
        BODY + r"\w*(_id|id): invalid (prefix|length|hex).*",
        run="rest",
    ),
    Ruling(
        "orgs 4.2",
        "the type behind a number is 32 bits wide",
        "",
        422,
        BODY + ".*expected -?\\d+[.][.].*",
        run="agents",
    ),
    Ruling(
        "orgs 4.2",
        "1.0 is a number, and no integer to the deserializer",
        "",
        422,
        BODY + ".*floating point.*",
        run="agents",
    ),
    # organizations
    Ruling("orgs 1.1", "the form of an id is checked", "switch_org", 400, "Invalid organization ID format", run="rest"),
    Ruling("orgs 1.3", "a name is not blank", ORGANIZATION, 400, "Organization name cannot be empty", run="orgs"),
    Ruling(
        "orgs 1.4",
        "the default organization keeps its name",
        ORGANIZATION,
        400,
        "Cannot update default organization",
        run="orgs",
    ),
    Ruling(
        "orgs 1.4",
        "one way to name a harness",
        ORGANIZATION,
        400,
        "Cannot specify both default_harness_id and default_harness_name",
        run="orgs",
    ),
    Ruling(
        "orgs 1.4",
        "a model exists, chats and is enabled",
        ORGANIZATION,
        400,
        "Model not found|Default model must be .*",
        run="orgs",
    ),
    Ruling(
        "orgs 1.6",
        "a flag is known and available",
        "update_org_feature_flags",
        400,
        "Unknown feature flag: .*|Feature flag '.*' is not available on this deployment",
        run="orgs",
    ),
    # what an organization offers
    Ruling(
        "agents 2.5",
        "a skill opens with its name and its description",
        "create_skill",
        422,
        "the skill needs front matter with name and description",
        run="rest",
    ),
    # memories and their files
    Ruling(
        "agents 4.2",
        "a name is 1 to 255 characters",
        MEMORIES,
        400,
        "Memory name (cannot be empty|must be at most 255 characters)",
        run="rest",
    ),
    Ruling(
        "agents 4.3",
        "an interval is 300 to 604800 seconds",
        MEMORIES,
        400,
        "sync_interval_secs must be between 300 and 604800",
        run="rest",
    ),
    Ruling(
        "agents 4.3",
        "a repository is owner/repo",
        MEMORIES,
        400,
        "GitHub repository must be owner/repo or .*",
        run="rest",
    ),
    Ruling("agents 4.3", "an address is public https", MEMORIES, 400, "Git URL must .*", run="rest"),
    Ruling(
        "agents 4.5",
        "only what has a source is synced",
        "sync_memory_now",
        400,
        "manual memories do not have a source to sync",
        run="rest",
    ),
    Ruling(
        "agents 4.5",
        "only what is active is synced",
        "sync_memory_now",
        400,
        "only active source-backed memories can be synced",
        run="rest",
    ),
    Ruling(
        "agents 4.6",
        "an encoding is text or base64",
        "create_file update_file",
        400,
        "unsupported encoding '.*'",
        run="rest",
    ),
    Ruling("agents 4.6", "a path has one spelling, and some are reserved", FILES, 400, "invalid path: .*", run="rest"),
    Ruling(
        "agents 4.6", "a pattern is a regular expression", "grep_action", 400, "invalid (path_)?pattern: .*", run="rest"
    ),
    # agents and harnesses
    Ruling(
        "agents 2.1",
        "a name that nothing can have is not available, before the other parameter is read",
        "check_agent_name check_harness_name",
        200,
        failure=TAKEN,
        when=_no_slug,
        run="agents",
    ),
    Ruling(
        "agents 2.1",
        "a file without a prompt is no agent",
        "import_agent",
        400,
        "System prompt is required .*",
        run="agents",
    ),
    Ruling(
        "agents 2.3",
        "by name, the body agrees",
        "upsert_agent",
        400,
        "Agent name in URL must match name in request body",
        run="agents",
    ),
    Ruling(
        "agents 2.4",
        "what is archived is not edited",
        "update_agent upsert_agent",
        400,
        "Archived or deleted agents cannot be edited",
        run="agents",
    ),
    Ruling(
        "agents 2.5",
        "an MCP server is public, and not stdio",
        f"{AGENTS} {HARNESSES} create_session",
        400,
        "MCP server '.*': .*|MCP server names .* clash",
        run="agents",
    ),
    Ruling(
        "agents 5",
        "what is archived is not edited",
        "update_harness",
        400,
        "Archived or deleted harnesses cannot be edited",
        run="harnesses",
    ),
    Ruling("agents 5", "an archived harness is shown", "get_harness", 200, failure=ALIVE, run="harnesses"),
    Ruling(
        "agents 3",
        "`auto` is for drafts",
        "create_agent_version",
        400,
        "Automatic change kind is reserved for draft snapshots",
        run="agents",
    ),
    Ruling(
        "agents 3",
        "a default is a published version of the agent",
        "set_default_agent_version diff_agent_versions rollback_agent_version fork_agent_version",
        400,
        "Agent version belongs to another agent|Default agent version must be published",
        run="agents",
    ),
    # sessions
    Ruling(
        "agents 8",
        "one way to name an agent or a harness",
        "create_session",
        400,
        "Cannot specify both .*_id and .*_name",
        run="rest",
    ),
    Ruling("agents 8", "a locale is one of a list", SESSIONS, 400, "Input exceeds allowed limits", run="rest"),
    # apps
    Ruling(
        "orgs 2.1",
        "runs are of a window, and grouped by hour",
        "list_app_runs",
        400,
        "Invalid (window|groupBy): .*",
        run="apps",
    ),
    Ruling(
        "orgs 2.4",
        "a config comes with its type",
        "create_app",
        400,
        "channel_config requires channel_type",
        run="apps",
    ),
    Ruling(
        "orgs 3.3",
        "a config fits its type",
        APPS,
        400,
        r"(Invalid )?[\w -]+ channel config:? .*|[\w-]+ token must be non-empty.*",
        run="apps",
    ),
    Ruling(
        "orgs 3.5",
        "auth fits its mode and its type",
        ENDPOINTS,
        400,
        ".*(auth|mTLS|HTTP Basic|OIDC|OAuth).*",
        run="apps",
    ),
    Ruling(
        "orgs 2.5",
        "what is archived is not edited",
        f"update_app {ENDPOINTS} regenerate_a2a_key regenerate_api_endpoint_key",
        400,
        "Archived or deleted apps cannot be edited",
        run="apps",
    ),
    Ruling(
        "orgs 2.5",
        "publishing has calls of its own",
        "update_app",
        400,
        "Use publish/unpublish endpoints to change app publish status",
        run="apps",
    ),
    Ruling(
        "orgs 2.6",
        "only a draft with a channel is published",
        "publish_app",
        400,
        "App must (be draft before publishing|have at least one channel before publishing)",
        run="apps",
    ),
    Ruling(
        "orgs 3.1",
        "a key belongs to its kind of channel",
        "regenerate_a2a_key regenerate_api_endpoint_key",
        400,
        "Channel is not an .* channel|Channel does not belong to this app",
        run="apps",
    ),
    Ruling(
        "orgs 2.4",
        "a version is of the agent",
        APPS,
        400,
        "Agent version must belong to the selected agent",
        run="apps",
    ),
)
