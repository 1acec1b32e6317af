"""What reconciler.yaml may say, and every fault in one; imported only where there is such a file."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from reconciler.errors import Fault, ManifestError, Source
from reconciler.kinds import KINDS
from reconciler.kinds.channel import SLUG
from reconciler.kinds.duration import Duration
from reconciler.kinds.fields import Spec, optional
from reconciler.manifest.faults import faults_of
from reconciler.manifest.suggest import suggest

_REF: Final = r"^[A-Za-z0-9_]+(?:[./-]+[A-Za-z0-9_]+)*$"


def _ref(value: Any) -> Any:
    if isinstance(value, str) and (not re.fullmatch(_REF, value) or ".." in value or "//" in value):
        raise PydanticCustomError("ref", "is not a name that git knows: use letters, digits, - _ . and /")
    return value


Ref = Annotated[str, BeforeValidator(_ref)]


class LedgerSpec(Spec):
    """Where the ledger is kept."""

    backend: Literal["git", "file"] = optional(
        "A branch of the manifests' repository, or a file; without it git where there is a remote.", example="git"
    )
    path: str = optional("The folder of the file, from reconciler.yaml's.", example=".reconciler/ledger", min_length=1)
    branch: Ref = optional("The branch.", example="reconciler-ledger")
    remote: Ref = optional("The remote it is pushed to.", example="origin")
    lock_lasts: Duration = optional("After how long a lock on the branch counts as left behind.", example="1h")


class LimitSpec(Spec):
    """How much of a kind one run may archive; what is left out is as for all kinds."""

    percent: int = optional("Percent of what is owned of the kind.", example=10, ge=0, le=100)
    floor: int = optional("As many are always allowed.", example=2, ge=0)


class RemovalSpec(LimitSpec):
    """How much one run may archive of any kind, and other limits for some."""

    per_kind: dict[str, LimitSpec] = optional("Other limits for some kinds.", example={"Agent": {"percent": 10}})


class ConfigSpec(Spec):
    """What reconciler.yaml may say."""

    ledger: LedgerSpec = optional("Where the ledger is kept.", example={"backend": "file"})
    environment: str = optional(
        "What these manifests are applied to; without it the platform's host.",
        example="production",
        pattern=SLUG,
        max_length=64,
    )
    adopt: Literal["exact", "overwrite", "never"] = optional(
        "What to do with live resources that are not ours, where a document does not say.", example="exact"
    )
    removal: RemovalSpec = optional("How much one run may archive.", example={"percent": 10})
    max_sync_age: Duration = optional("How old a memory's last sync may be before it counts as drift.", example="7d")


def checked(value: Any, source: Source) -> dict[str, Any]:
    """Return what a reconciler.yaml says, times as seconds; raises ManifestError with every fault in it."""
    if not isinstance(value, dict):
        raise ManifestError([Fault("must be a map", source, hint="for example removal: {percent: 10}")])
    try:
        found = TypeAdapter(ConfigSpec).validate_python(value, context={}).model_dump(exclude_unset=True)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise ManifestError(faults_of(details, value=value, source=source, at=(), spec=ConfigSpec)) from error
    if faults := [*_unknown_kinds(found, source), *_contradictions(found.get("ledger", {}), source)]:
        raise ManifestError(faults)
    return found


def _unknown_kinds(found: dict[str, Any], source: Source) -> list[Fault]:
    known = [kind.name for kind in KINDS if kind.managed]
    return [
        Fault(f'unknown kind "{kind}"', source, ("removal", "per_kind", kind), hint=suggest(kind, known))
        for kind in found.get("removal", {}).get("per_kind", {})
        if kind not in known
    ]


def _contradictions(place: dict[str, Any], source: Source) -> list[Fault]:
    if "path" in place and place.get("backend") != "file":
        return [Fault("a path is only for a file", source, ("ledger", "path"), hint="write backend: file beside it")]
    surplus = ("branch", "remote", "lock_lasts") if place.get("backend") == "file" else ()
    return [
        Fault(f"a file has no {field}", source, ("ledger", field), hint="remove the line")
        for field in surplus
        if field in place
    ]
