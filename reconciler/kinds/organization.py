"""Organization: the tenant that everything else lives in (everruns-api/orgs-apps-errors.md, 1)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from reconciler.kinds.canonical import Shape, picked
from reconciler.kinds.fields import NOT_BLANK, WHOLE, Spec, optional
from reconciler.kinds.kind import Creation, Identity, Kind, Wire
from reconciler.kinds.markers import Apart, Clear, Flags, References

_NAME_BYTES = 255


def _name(name: str) -> str:
    """Refuse what the server refuses (1.3)."""
    if not name.strip():
        raise PydanticCustomError("blank", "an organization's name cannot be blank")
    if len(name.encode()) > _NAME_BYTES:
        raise PydanticCustomError("too_many_bytes", "an organization's name may have at most 255 bytes")
    return name


_Provider = Annotated[str, References("Provider")]


class ServiceProviders(Spec):
    """Which provider serves what, where nothing names another (orgs-apps-errors.md, 1.4)."""

    chat: _Provider = optional("Who serves conversations.", example="Anthropic")
    embeddings: _Provider = optional("Who serves embeddings.", example="OpenAI")
    realtime: _Provider = optional("Who serves spoken conversations.", example="OpenAI")
    images: _Provider = optional("Who makes images.", example="OpenAI")
    rerank: _Provider = optional("Who ranks search results.", example="OpenAI")


class OrganizationSpec(Spec):
    """What a manifest may say of an organization."""

    name: Annotated[str, AfterValidator(_name)] = optional(
        "Display name; the address without it. Names are not unique on the platform.",
        example="Acme Corp",
        json_schema_extra=NOT_BLANK,
    )
    default_model: Annotated[str | None, References("Model"), Clear.NULL] = optional(
        "The model of agents that name none; null goes back to the platform's.", example="claude-sonnet-4-5"
    )
    default_harness: Annotated[str, References("Harness")] = optional(
        "The harness preselected for agents and sessions; it can be changed but not cleared.",
        example="generic",
    )
    base_harness: Annotated[str, References("Harness")] = optional(
        "The harness of sessions that name none; it can be changed but not cleared.", example="base"
    )
    feature_flags: Annotated[dict[str, bool], Apart("feature-flags", Flags("flags"))] = optional(
        "Features to switch on or off; those that are not named stay as they are.", example={"memory": True}
    )
    default_provider_per_service: Annotated[ServiceProviders | None, WHOLE, Clear.EMPTY] = optional(
        "Who serves what, by the name, type or id of a provider; services that it leaves out have none.",
        example={"chat": "Anthropic", "embeddings": "OpenAI"},
    )


def _create(body: Shape, path: str) -> Creation:
    """POST takes the name alone; the rest follows as a PATCH (1.3, 1.4)."""
    rest = {key: value for key, value in body.items() if key != "name"}
    return Creation(path=path, body={"name": body["name"]}, follow_up=rest)


_LIMITED = "by default a user may create 5 organizations in all, and 10 in an hour; the hosts can raise that"


ORGANIZATION = Kind(
    name="Organization",
    plural="organizations",
    spec=OrganizationSpec,
    identity=Identity.NAME,
    name_field="name",
    can_archive=False,
    limited=_LIMITED,
    wire=Wire(
        collection="/v1/orgs",
        org_scoped=False,
        known=frozenset({"onboarding_completed_at"}),
        from_wire=lambda wire: picked(wire, "name", "default_provider_per_service"),
        create=_create,
        archived=lambda _wire: False,
    ),
)
