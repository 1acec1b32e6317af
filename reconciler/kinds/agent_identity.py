"""AgentIdentity: whom an app acts as when nobody is present (everruns-api/agents-memories-sessions.md, 6)."""

from __future__ import annotations

from typing import Annotated

from reconciler.kinds.canonical import picked
from reconciler.kinds.fields import NOT_BLANK, Spec, optional
from reconciler.kinds.kind import Identity, Kind, Twin, Wire
from reconciler.kinds.locale import Locale
from reconciler.kinds.markers import Clear


class AgentIdentitySpec(Spec):
    """What a manifest may say of an identity that agents act under."""

    name: str = optional(
        "Display name; the address without it. Names are not unique on the platform.",
        example="Support desk",
        min_length=1,
        json_schema_extra=NOT_BLANK,
    )
    description: Annotated[str | None, Clear.NULL] = optional(
        "Whom it stands for, for people.", example="Answers in the name of the support team"
    )
    avatar_url: Annotated[str | None, Clear.NULL] = optional(
        "Address of its picture.", example="https://www.example.com/desk.png"
    )
    locale: Annotated[Locale | None, Clear.NULL] = optional(
        "Its language, of those that the platform knows.", example="de-DE", others=["en"], min_length=1
    )
    timezone: Annotated[str | None, Clear.NULL] = optional(
        "Its IANA time zone, of those that the platform knows.", example="Europe/Berlin", others=["UTC"], min_length=1
    )


AGENT_IDENTITY = Kind(
    name="AgentIdentity",
    plural="agent identities",
    spec=AgentIdentitySpec,
    identity=Identity.NAME,
    name_field="name",
    twin=Twin.REACTIVATE,
    wire=Wire(
        collection="/v1/agent-identities",
        query={"include_archived": "true"},
        from_wire=lambda wire: picked(wire, "name", "description", "avatar_url", "locale", "timezone"),
        revival={"status": "active"},
    ),
)
