"""What a server says in its own words, and how much of it may be repeated: words can hold what they answer to.

Every request carries the key, and some carry secrets. So nothing is looked for in a text; it is shown as far as it can
be told that it holds neither. `known` recognises whole texts of the platform, whose variable parts must be what was
sent in clear. `plainly` shows a text word by word: ordinary words, numbers, ids, and what was sent in clear; a key is
none of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import unquote

from reconciler.kinds.channel_config import CONFIGS
from reconciler.kinds.fields import SecretRef
from reconciler.kinds.taint import carried

OMITTED: Final = "…"


ASKED: Final = "reconciler.asked"
"""Names, among the extensions of a request, what it was made from."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Asked:
    """A request as it was before its secrets were opened: what an answer is judged by, and what `--debug` shows.

    `base` is the API's own address.
    """

    method: str = "GET"
    path: str = ""
    base: str = ""
    org: str | None = None
    body: Any = None

    def secrets(self) -> tuple[SecretRef, ...]:
        """Return the references of the values that it carried, each once."""
        return tuple(dict.fromkeys(carried(self.body)))

    def in_clear(self) -> Iterator[str]:
        """Yield every text that was sent in clear, and each part of the path."""
        yield from map(unquote, self.path.partition("?")[0].split("/"))
        yield from (self.org,) if self.org else ()
        yield from _texts(self.body)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


# --- whole texts ---

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
_POLICY: Final = "(?:app|agent|memory|organization|harness|channel)"
_DEED: Final = "(?:view|manage|dangerous)"
_PLACE: Final = r"(?: at line \d{1,9} column \d{1,9})?"

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
    f"Access denied: policy '{_POLICY}[.]{_DEED}' requires 'org:{_POLICY}s?:{_DEED}'",
    "(?:Admin|Owner|Platform user) access required",
    "Only organization admins can update organization settings",
    "Setting status=deleted requires dangerous delete permission",
    # 2: apps and what they refer to
    "App must have at least one channel before publishing",
    "App must be draft before publishing",
    "App must be archived before deletion",
    "Archived or deleted (?:apps|harnesses|agents) cannot be edited",
    "Archived or deleted (?:harnesses|agents|agent identities) cannot be assigned",
    r"Apps require an agent\. Existing agent-less apps remain runnable, but must be assigned an agent before they can "
    r"be updated\.",
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
    "Failed to deserialize the JSON body into the target type: (?:[a-z_]+: )?"
    f"missing field `(?P<field>[a-z_]+)`{_PLACE}",
)


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    return tuple(map(re.compile, _KNOWN))


@cache
def _fields() -> frozenset[str]:
    """Return the names of the settings of channels, and of what every request of a channel or server holds."""
    named = {name for model in CONFIGS.values() for name in model.model_fields}
    return frozenset(named | {"name", "channel_type", "channel_config", "enabled", "system_prompt", "harness_id", "url"})


def known(text: str, asked: Asked) -> str | None:
    """Return a text that the platform is known to say, None for any other one."""
    for pattern in _patterns():
        if (found := pattern.fullmatch(text)) is None:
            continue
        parts = {part: value for part, value in found.groupdict().items() if value is not None}
        names = {value for part, value in parts.items() if part == "name"}
        if parts.keys() - {"name"} and not {v for k, v in parts.items() if k != "name"} <= _fields():
            continue
        if not names or names <= set(asked.in_clear()):
            return text
    return None


# --- word by word ---

_RUN: Final = re.compile(r"""[^\s"'`,;()\[\]{}<>]+""")
_EDGE: Final = ".:!?=…"
_NUMBER: Final = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,6})?%?|[0-9]{1,6}[a-z]{1,3}|v[0-9]{1,2}")
_IDENTIFIER: Final = re.compile(r"[a-z]{1,20}(?:[_.:/=-][a-z]{1,20}){1,7}|X-[A-Z][a-z]+(?:-[A-Z][a-z]+){0,3}")
_CREDENTIAL: Final = re.compile(r"evr|whk|sk|pat|xox|gh[pousr]", re.IGNORECASE)
_ID: Final = re.compile(
    "(?:org|app|appchan|agent|agentver|identity|harness|model|provider|mem|memory|user|principal|cap|session)"
    "_[0-9a-f]{32}"
)
_LONGEST: Final = 24
_ORDINARY_NAMES: Final = frozenset(
    ["JSON", "GitHub", "OAuth", "OAuth2", "AG-UI", "A2A", "FCP", "MCP", "KiB", "MiB", "UTF-8", "ID", "URL", "2.0"]
)


def plainly(text: str, asked: Asked) -> str:
    """Return a text with everything left out that is neither an ordinary word nor was sent in clear."""
    sent: set[str] = set()

    def shown(found: re.Match[str]) -> str:
        word = found[0]
        core = word.strip(_EDGE)
        if not core or _is_ordinary(core):
            return word
        if not sent:
            sent.update(part for one in asked.in_clear() for part in (one, *_cores(one)))
        return word if core in sent else word.replace(core, OMITTED)

    return _RUN.sub(shown, text)


def _cores(text: str) -> Iterator[str]:
    return (word.strip(_EDGE) for word in _RUN.findall(text))


def _is_ordinary(word: str) -> bool:
    """Say whether a word is one of a language, a number, an id, or the name of a field or flag."""
    if len(word) <= _LONGEST and word.isalpha():
        return word.islower() or word.isupper() or word.istitle()
    if word in _ORDINARY_NAMES or _NUMBER.fullmatch(word) or _ID.fullmatch(word):
        return True
    return _IDENTIFIER.fullmatch(word) is not None and _CREDENTIAL.match(word) is None
