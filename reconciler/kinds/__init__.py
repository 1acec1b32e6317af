"""WHAT can be managed: data, no I/O; `KINDS` is the only list of kinds, in the order they are created."""

from __future__ import annotations

from reconciler.kinds.agent import AGENT
from reconciler.kinds.agent_identity import AGENT_IDENTITY
from reconciler.kinds.agent_version import AGENT_VERSION
from reconciler.kinds.app import APP
from reconciler.kinds.channel import CHANNEL
from reconciler.kinds.chat_session import CHAT_SESSION
from reconciler.kinds.harness import HARNESS
from reconciler.kinds.kind import Kind
from reconciler.kinds.memory import MEMORY
from reconciler.kinds.model import MODEL
from reconciler.kinds.offered import MCP_SERVER, SKILL
from reconciler.kinds.organization import ORGANIZATION
from reconciler.kinds.provider import PROVIDER
from reconciler.kinds.session import SESSION

KINDS: tuple[Kind, ...] = (
    ORGANIZATION,
    PROVIDER,
    MODEL,
    MCP_SERVER,
    SKILL,
    MEMORY,
    HARNESS,
    AGENT_IDENTITY,
    AGENT,
    AGENT_VERSION,
    APP,
    CHANNEL,
    SESSION,
    CHAT_SESSION,
)
TENANT: Kind = ORGANIZATION
"""The kind that everything else belongs to."""
BY_NAME: dict[str, Kind] = {kind.name: kind for kind in KINDS}
RANK: dict[str, int] = {kind.name: rank for rank, kind in enumerate(KINDS)}
DECLARABLE: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind.managed and kind.parent is None)
