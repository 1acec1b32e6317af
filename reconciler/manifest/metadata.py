"""What a document, and a child inside it, say of themselves; and what of that contradicts itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import ConfigDict

from reconciler.errors import Fault, Source
from reconciler.kinds.channel import SLUG
from reconciler.kinds.fields import ARCHIVED_ALONE, Spec, optional, required

SAID_OF_ITSELF = frozenset({"name", "id", "archive", "protect", "adopt", "moved_from", "key_to"})
"""What a child says of itself beside the fields that the platform keeps."""


class Metadata(Spec):
    """What a document says of itself."""

    model_config = ConfigDict(json_schema_extra=ARCHIVED_ALONE)

    name: str = required(
        "The address: stable, lowercase letters, digits and single hyphens.",
        example="support-triage",
        pattern=SLUG,
        max_length=64,
    )
    org: str = optional(
        "The organization, by the name of its document or org_ id; without it the nearest one declared upwards.",
        example="acme",
        pattern=r"^(?:org_[0-9a-f]{32}|[a-z0-9]+(?:-[a-z0-9]+)*)$",
    )
    id: str = optional(
        "The platform's id, to settle which live resource is meant when several carry the name.",
        example="app_01933b5a000070008000000000000001",
        pattern=r"^[a-z]+_[0-9a-f]{32}$",
    )
    archive: Literal[True] = optional(
        "Archive the resource on the platform; the document stays as the record of it.", example=True
    )
    protect: bool = optional("Whether it must not be archived; without it nothing new is said of that.", example=True)
    adopt: Literal["exact", "overwrite", "never"] = optional(
        "What to do with a live resource of this name that is not ours: take it over if every declared field agrees, "
        "take it over and change it, or stop.",
        example="overwrite",
        default="exact",
    )
    replace: Literal[True] = optional(
        "Take the resource away and make it anew where a field differs that cannot be changed, or let a memory get the "
        "files of a source in the place of its own: what it holds is lost.",
        example=True,
    )
    moved_from: str = optional(
        "The name this address had before, of the same kind and organization: the resource is kept.",
        example="triage",
        pattern=SLUG,
        max_length=64,
    )


def contradictions(said: Mapping[str, Any], *, source: Source, at: tuple[str | int, ...]) -> Iterator[Fault]:
    """Yield a fault for what cannot be true together of what stands at a path of a valid document."""
    if "archive" in said:
        if said.get("protect"):
            message = "what is protected cannot be archived"
            yield Fault(
                message, source, (*at, "protect"), hint="remove archive, or write protect: false", on_value=True
            )
        if said.get("adopt", "overwrite") != "overwrite":
            message = "what is not ours is archived with adopt: overwrite alone"
            yield Fault(message, source, (*at, "adopt"), hint="write overwrite, or remove the line", on_value=True)
        if "replace" in said:
            yield Fault("what is to be archived is not replaced", source, (*at, "replace"), hint="remove the line")
        if "moved_from" in said:
            yield Fault("what is to be archived does not move", source, (*at, "moved_from"), hint="remove the line")
    if "moved_from" in said and said["moved_from"] == said["name"]:
        message = f'moved_from is "{said["name"]}", which is its name now'
        yield Fault(message, source, (*at, "moved_from"), hint="write the old name, or remove the line", on_value=True)
