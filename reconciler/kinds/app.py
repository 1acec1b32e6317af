"""App: an agent offered to the world through channels (everruns-api/orgs-apps-errors.md, 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from reconciler.kinds.canonical import Shape, picked
from reconciler.kinds.channel import FROZEN, AnyChannel
from reconciler.kinds.fields import EXPOSES, Spec, optional, required
from reconciler.kinds.kind import Identity, Kind, Wire
from reconciler.kinds.markers import Clear, References, Switch


class AppSpec(Spec):
    """What a manifest may say of an app."""

    name: str = optional(
        "Display name; the address without it. Names are not unique on the platform.",
        example="Support bot",
        min_length=1,
        max_length=255,
    )
    description: Annotated[str | None, Clear.EMPTY] = optional(
        "What the app does, for people.", example="Answers support in Slack"
    )
    harness: Annotated[str, References("Harness")] = required("The harness it runs in, by name.", example="generic")
    agent: Annotated[str, References("Agent")] = optional(
        "The agent it runs, by name; it can be changed but never removed.", example="support-triage"
    )
    agent_identity: Annotated[str | None, References("AgentIdentity"), Clear.NULL] = optional(
        "Whom it acts as when nobody is present, by name.", example="support-desk"
    )
    agent_version_policy: Literal["default", "latest", "pinned"] = optional(
        "Which version of the agent runs: its default, the newest published, or the one in agent_version.",
        example="default",
        default="default",
    )
    agent_version: Annotated[str | None, References("AgentVersion"), Clear.NULL] = optional(
        "The version of the agent that `pinned` runs: its number, latest-published, or its id.",
        example="1.2.0",
        pattern=r"^(latest-published|[0-9]+\.[0-9]+\.[0-9]+|agentver_[0-9a-f]{32})$",
    )
    published: Annotated[bool, EXPOSES, Switch(on="publish", off="unpublish")] = optional(
        "Whether the world can reach it; publishing needs a channel and an owner's key.",
        example=True,
        default=False,
    )
    channels: list[AnyChannel] = optional(
        "The ways in, each with a name of its own.",
        example=[
            {
                "name": "nightly",
                "type": "schedule",
                "config": {"cron_expression": "0 2 * * *", "message": "Run."},
            }
        ],
    )

    @model_validator(mode="after")
    def _pinned_needs_a_version(self) -> AppSpec:
        if self.agent_version_policy == "pinned" and self.agent_version is None:
            raise PydanticCustomError(
                "pinned",
                "agent_version_policy pinned needs agent_version",
                {
                    "at": "agent_version_policy",
                    "hint": "add agent_version: latest-published, or a number as 1.2.0",
                },
            )
        return self


def _from_wire(wire: Mapping[str, Any]) -> Shape:
    shape = picked(wire, "name", "description", "agent_version_policy")
    return shape | {"published": wire.get("status") == "published"}


def _canonical(shape: Shape) -> Shape:
    """An empty description is the only cleared one that the API knows (2.5)."""
    return {key: value for key, value in shape.items() if key != "description" or value != ""} | (
        {"description": None} if shape.get("description") == "" else {}
    )


_MANAGE, _DANGEROUS = "app.manage", "app.dangerous"

APP = Kind(
    name="App",
    plural="apps",
    spec=AppSpec,
    identity=Identity.NAME,
    name_field="name",
    children=("channels", "Channel"),
    wire=Wire(
        collection="/v1/apps",
        query={"include_archived": "true"},
        known=frozenset("owner effective_owner owner_principal_id resolved_owner_user_id published_at".split()),
        from_wire=_from_wire,
        policies="/v1/apps/config",
        frozen=FROZEN,
        policy_of={
            "create": _MANAGE,
            "update": _MANAGE,
            "archive": _DANGEROUS,
            "publish": _DANGEROUS,
            "unpublish": _DANGEROUS,
        },
    ),
    canonical=_canonical,
)
