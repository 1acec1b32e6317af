"""Texts of the platform that can hold no secret: what is shown of an answer to a request that carried one."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from reconciler.kinds.channel_config import CONFIGS
from reconciler.live.hearsay import Asked

_NOUN: Final = (
    "(?:Organization|App|Agent(?: version| versions| identity)?|Channel|Memory|Harness|Parent harness|Model|Provider"
    "|MCP server|Skill|Capability)"
)
_TYPE: Final = "(?:Slack|AG-UI|schedule|webhook|A2A|FCP|api_endpoint|Public Chat)"
_LABEL: Final = "(?:Slack|AG-UI|Schedule|Webhook|A2A|FCP|api_endpoint|Public Chat)"
_FLAG: Final = (
    "(?:memory|skills|knowledge|plugins|evals|observers|notifications|machine_payments|agent_versions|public_chat"
    "|agent_api|global_chat|voice)"
)
_POLICY: Final = (
    "(?:apps?|agents?|agent_identit(?:y|ies)|identit(?:y|ies)|memor(?:y|ies)|models?|harness(?:es)?|channels?|sessions?"
    "|org|organizations?|settings)"
)
_DEED: Final = "(?:view|manage|dangerous)"
_PLACE: Final = r"(?: at line \d{1,9} column \d{1,9})?"

_BODY: Final = "Failed to deserialize the JSON body into the target type: (?:channel_config: )?"
_NO_AGENT: Final = (
    r"Apps require an agent\. Existing agent-less apps remain runnable, "
    r"but must be assigned an agent before they can be updated\."
)

HIGH_RISK: Final = "Admin role required to assign high-risk capabilities: "
"""everruns-api/agents-memories-sessions.md, 2.5."""

_KNOWN: Final = (
    # everruns-api/orgs-apps-errors.md, 4.2, 4.4 and 4.5
    "Internal server error",
    "Bad gateway",
    "Database capacity is temporarily unavailable",
    r"Too many requests\. Please try again later\.",
    "Resource already exists",
    f"{_NOUN} not found",
    f"Feature '{_FLAG}' is not enabled",
    "(?:Agent|Harness) name '(?P<name>.+)' is already taken",
    r"(?:Agent|Harness|Organization|Session) limit reached \(max \d{1,9}\)",
    # 5: who may
    "Authentication required",
    "Invalid authorization header",
    "Invalid or expired token",
    "Invalid personal access token(?: format)?",
    "Personal access token expired",
    "No organization available",
    "Invalid organization ID format",
    r"Multiple organizations available\. Specify the target organization via the X-Org-Id header\.",
    f"Access denied: policy '{_POLICY}[.]{_DEED}' requires 'org:{_POLICY}:{_DEED}'",
    "(?:Admin|Owner|Platform user) access required",
    "Only organization admins can update organization settings",
    f"{HIGH_RISK}(?P<refs>.+)",
    "Setting status=deleted requires dangerous delete permission",
    # 2: apps and what they refer to
    "App must have at least one channel before publishing",
    "App must be draft before publishing",
    "App must be archived before deletion",
    "Archived or deleted (?:apps|harnesses|agents) cannot be edited",
    "Archived or deleted (?:harnesses|agents|agent identities) cannot be assigned",
    _NO_AGENT,
    # 3: channels
    "Channel does not belong to this app",
    "App endpoint auth is only supported for AG-UI and A2A channels",
    r"App schedule channels are deprecated\. Create a schedule trigger on the app's agent instead\.",
    "App schedule channels require durable execution to be enabled",
    f"{_LABEL} channel config requires (?:a )?non-empty (?P<field>[a-z_]+)(?: and (?P<second_field>[a-z_]+))?",
    f"{_LABEL} (?P<field>[a-z_]+) must be (?:non-empty when configured|at most [0-9,]{{1,9}}(?: characters| bytes)?)",
    "FCP handshake must be at most 8 KiB",
    "FCP response_timeout_seconds must be between 1 and 600",
    "Public Chat captcha requires a (?:site_key|secret_key when enabled)",
    f"Invalid {_TYPE} channel config: missing field `(?P<field>[a-z_]+)`{_PLACE}",
    "(?:shared_secret|api_key) auth is only supported for (?:AG-UI and Public Chat|A2A and api_endpoint) channels",
    "shared_secret auth requires a non-empty token",
    "http_basic auth requires a username and a password or password_hash",
    # the web framework's own
    f"{_BODY}missing field `(?P<field>[a-z_]+)`{_PLACE}",
)


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    return tuple(map(re.compile, _KNOWN))


@cache
def _fields() -> frozenset[str]:
    """Return the names of the settings of channels, and of what every request of a channel or agent holds."""
    settings = {name for model in CONFIGS.values() for name in model.model_fields}
    return frozenset({"name", "channel_type", "channel_config", "enabled", "system_prompt", "harness_id"} | settings)


def known(text: str, asked: Asked) -> str | None:
    """Return a text that the platform is known to say of such a request, None for any other one."""
    for pattern in _patterns():
        if (found := pattern.fullmatch(text)) is not None and _is_harmless(found.groupdict(), asked):
            return text
    return None


def _is_harmless(parts: dict[str, str | None], asked: Asked) -> bool:
    """Say whether the variable parts of a text are names that were sent in clear and names of fields."""
    given = {part: value for part, value in parts.items() if value is not None}
    names = {given.pop("name")} if "name" in given else set()
    names |= set(given.pop("refs").split(", ")) if "refs" in given else set()
    return set(given.values()) <= _fields() and names <= set(asked.in_clear())
