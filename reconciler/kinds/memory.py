"""Memory: files that agents mount; kept by hand or synced from git (everruns-api/agents-memories-sessions.md, 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Tag, model_validator
from pydantic_core import PydanticCustomError

from reconciler.kinds.canonical import Shape, picked, veiled
from reconciler.kinds.duration import Duration
from reconciler.kinds.fields import NOT_BLANK, SET, Spec, optional, required, rewrites
from reconciler.kinds.kind import Identity, Kind, Origin, Sync, Twin, Wire
from reconciler.kinds.markers import Clear, Syncs, Waits
from reconciler.kinds.memory_files import MemoryFiles, by_path
from reconciler.kinds.secrecy import has_userinfo

_GITHUB = re.compile(
    r"^(?:https://github\.com/|git@github\.com:)?/*([A-Za-z0-9._-]{1,100})/([A-Za-z0-9._-]{1,100}?)(?:\.git)?/*$"
)
_NAME_LIMIT = 255
_DECADE = 10 * 366 * 86400
"""An interval of more seconds than this is none, whoever set it."""


def _name(name: str) -> str:
    """Trim, as the server does (4.2)."""
    name = name.strip()
    if not name:
        raise PydanticCustomError("blank", "a memory's name cannot be blank")
    if len(name) > _NAME_LIMIT:
        raise PydanticCustomError("name_too_long", "a memory's name may have at most 255 characters")
    return name


def _branch(branch: str) -> str:
    """Trim; nothing left means `main` (4.3)."""
    return branch.strip() or "main"


def _root_folder(folder: str | None) -> str | None:
    """Strip slashes; nothing left means the whole repository (4.3)."""
    folder = (folder or "").strip().strip("/")
    if folder in ("", "."):
        return None
    if "//" in folder or ".." in folder.split("/") or "\0" in folder:
        raise PydanticCustomError("root_folder", "root_folder must be a relative path without empty segments or '..'")
    return folder


def _repository(repository: str) -> str:
    """Bring every spelling of a GitHub repository to owner/repo, case preserved (4.3)."""
    if has_userinfo(repository):
        raise PydanticCustomError("repository", "a secret must not stand in a repository: it is written owner/repo")
    match = _GITHUB.match(repository.strip())
    if not match:
        raise PydanticCustomError("repository", "repository is written owner/repo or https://github.com/owner/repo")
    return f"{match[1]}/{match[2]}"


def _url(url: str) -> str:
    """Refuse what the server refuses in a git URL (4.3)."""
    url = url.strip()
    if not url.startswith("https://"):
        raise PydanticCustomError("git_url", "a git url must start with https://")
    host = url.removeprefix("https://").split("/", 1)[0]
    if not host:
        raise PydanticCustomError("git_url", "a git url must name a host")
    if "@" in host:
        raise PydanticCustomError(
            "git_url", "a secret must not stand in a git url: the platform only reads public repositories this way"
        )
    if "?" in url or "#" in url or any(c.isspace() for c in url):
        raise PydanticCustomError("git_url", "a git url must not have a query, a fragment or spaces")
    return url


def _interval(seconds: int | None) -> int | None:
    """None and 0 mean no schedule; otherwise 5 minutes to a week (4.3)."""
    if not seconds:
        return None
    if not 300 <= seconds <= 604800:  # noqa: PLR2004 - the server's own limits
        raise PydanticCustomError("sync_interval", "sync_interval_secs must be between 300 and 604800, or 0 for never")
    return seconds


def _root() -> Any:
    return optional(
        "Only this folder of the repository.",
        example="docs",
        json_schema_extra={"not": {"type": "string", "pattern": r"(?:^|/)\.\.(?:/|$)|[^/]//+[^/]"}},
    )


def _sync_interval() -> Any:
    return optional(
        "Seconds between syncs, 300 to 604800; never without it.",
        example=3600,
        json_schema_extra={
            "anyOf": [{"const": 0}, {"type": "integer", "minimum": 300, "maximum": 604800}, {"type": "null"}]
        },
    )


_BRANCH = Annotated[str, AfterValidator(rewrites(_branch))]
_ROOT = Annotated[str | None, AfterValidator(rewrites(_root_folder))]
_INTERVAL = Annotated[int | None, AfterValidator(rewrites(_interval))]


class SyncedSource(Spec):
    """What every source synced from git says."""

    branch: _BRANCH = optional(
        "The branch to follow; the platform takes `main` without it.",
        example="main",
        default="main",
        max_length=255,
    )
    root_folder: _ROOT = _root()
    sync_interval_secs: _INTERVAL = _sync_interval()


class GithubSource(SyncedSource):
    """A memory synced from a GitHub repository, read with the connection of the user who created it."""

    type: Literal["github"] = required("Where the files come from.", example="github")
    repository: Annotated[str, AfterValidator(rewrites(_repository))] = required(
        "owner/repo, or its address.",
        example="acme/design-docs",
        json_schema_extra={"pattern": r"^\s*(?:https://github\.com/|git@github\.com:)?/*[\w.-]+/[\w.-]+/*\s*$"},
    )


class GitSource(SyncedSource):
    """A memory synced from a public git repository over https."""

    type: Literal["git"] = required("Where the files come from.", example="git")
    url: Annotated[str, AfterValidator(rewrites(_url))] = required(
        "https address without credentials, query or fragment.",
        example="https://git.example.com/handbook.git",
        max_length=2048,
        json_schema_extra={"pattern": r"^\s*https://[^\s/@?#]+(?:/[^\s?#]*)?\s*$"},
    )


class ManualSource(Spec):
    """A memory whose files are written by sessions, people or the API; what a memory is without a source."""

    type: Literal["manual"] = required("Where the files come from.", example="manual")


def _source(value: Any) -> str | None:
    tag = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return None if tag is None else str(tag)


Source = Annotated[
    Annotated[GithubSource, Tag("github")] | Annotated[GitSource, Tag("git")] | Annotated[ManualSource, Tag("manual")],
    Discriminator(_source),
]


class MemorySpec(Spec):
    """What a manifest may say of a memory."""

    name: Annotated[str, AfterValidator(rewrites(_name))] = optional(
        "Display name, unique whatever its case; the address without it.",
        example="Design docs",
        json_schema_extra=NOT_BLANK,
    )
    description: Annotated[str | None, Clear.NULL] = optional(
        "What the memory holds, for people; null clears it.", example="Living design documents"
    )
    source: Source = optional(
        "Where its files come from; manual without it. A synced memory cannot become manual again.",
        example={"type": "github", "repository": "acme/design-docs", "root_folder": "docs"},
    )
    files: MemoryFiles = optional(
        "Files of a memory kept by hand: a list, or {dir: path}. Others in it are left alone; one that leaves git and "
        "is as it was written goes.",
        example=[{"path": "/guides/returns.md", "content": "Returns take 30 days.\n"}],
    )

    sync: Annotated[Literal["on-apply"], Syncs("source")] = optional(
        "Have every apply sync it whose branch moved on after the last sync, or whose last sync failed.",
        example="on-apply",
    )
    wait_for_sync: Annotated[Duration, Waits("source")] = optional(
        "How long an apply that writes the source, or syncs it, waits for the sync, which is then part of its success.",
        example="120s",
    )

    @model_validator(mode="after")
    def _fits_its_source(self) -> Self:
        if "files" in self.model_fields_set and getattr(self.source, "type", "manual") != "manual":
            message = "a synced memory has the files of its source: declare none"
            raise PydanticCustomError("files_of_a_source", message, {"at": "files"})
        about = next((name for name in ("sync", "wait_for_sync") if name in self.model_fields_set), None)
        if about and getattr(self.source, "type", "manual") == "manual":
            what = "wait for" if about == "wait_for_sync" else "ask for"
            message = f"there is no sync to {what}: the source is not one that is synced"
            raise PydanticCustomError("no_sync", message, {"at": about, "hint": "declare source, or remove it"})
        return self


def _from_wire(wire: Mapping[str, Any]) -> Shape:
    """The answer tags the source with `provider` where the request says `type` (4.3); a login in it is a secret."""
    theirs = wire.get("source") or {"provider": "manual"}
    source: Shape = veiled({k: SET if has_userinfo(str(v)) else v for k, v in theirs.items()}, public=frozenset())
    source["type"] = source.pop("provider", wire.get("source_type", "manual"))
    return picked(wire, "name", "description") | {"source": source}


def _to_wire(shape: Shape) -> dict[str, Any]:
    """A manual source has no request form: it is left out (4.3)."""
    body = dict(shape)
    if (body.get("source") or {}).get("type") == "manual":
        del body["source"]
    return body


def _sync(wire: Mapping[str, Any]) -> Sync | None:
    """A manual memory fetches nothing; success is spelled in two ways, which say no more than its time (4.5)."""
    if (wire.get("source") or {}).get("provider", wire.get("source_type", "manual")) == "manual":
        return None
    status, error = wire.get("sync_status"), wire.get("last_sync_error")
    if has_userinfo(str(error)) or any(has_userinfo(str(value)) for value in (wire.get("source") or {}).values()):
        error = None  # it may repeat the login
    at, every = wire.get("last_synced_at"), (wire.get("source") or {}).get("sync_interval_secs")
    return Sync(
        at=None if at is None else str(at),
        failed=status == "failed",
        error=None if error is None else str(error),
        every=every if isinstance(every, int) and 0 < every <= _DECADE else None,
        is_running=status in ("pending", "syncing"),
        is_fetching=status == "syncing",
    )


def _origin(shape: Shape) -> Origin | None:
    """Where a synced memory's files come from; a branch that is not said is `main` (4.3)."""
    match shape.get("source"):
        case {"type": "github", "repository": str(repository), **rest}:
            return Origin(f"https://github.com/{repository}.git", str(rest.get("branch", "main")))
        case {"type": "git", "url": str(url), **rest}:
            return Origin(url, str(rest.get("branch", "main")))
    return None


def _blocked(desired: Shape, observed: Shape) -> str | None:
    """A synced memory cannot go back to manual: there is no request form for it (4.4)."""
    wanted = (desired.get("source") or {}).get("type")
    if wanted == "manual" and (observed.get("source") or {}).get("type") != "manual":
        return "a synced memory cannot become manual again: declare a new memory under another name"
    if "files" in desired and (observed.get("source") or {}).get("type") != "manual":
        return "it is synced: its files come from its source, and the platform lets nobody write others"
    return None


def _discards(desired: Shape, observed: Shape) -> str | None:
    """The first sync puts the files of the source in the place of those that were written by hand (4.4, 4.5)."""
    wanted = (desired.get("source") or {}).get("type", "manual")
    is_manual = (observed.get("source") or {}).get("type", "manual") == "manual"
    return "files" if is_manual and wanted != "manual" else None


MEMORY = Kind(
    name="Memory",
    plural="memories",
    spec=MemorySpec,
    identity=Identity.CASELESS,
    name_field="name",
    twin=Twin.RENAME,
    wire=Wire(
        collection="/v1/memories",
        query={"include_archived": "true"},
        known=frozenset("source_type is_readonly sync_status last_sync_error last_synced_at".split()),
        from_wire=_from_wire,
        to_wire=_to_wire,
        policy_of=dict.fromkeys(("create", "update", "archive", "sync"), "memory.manage"),
    ),
    canonical=by_path,
    impossible=_blocked,
    discards=_discards,
    sync=_sync,
    resync="sync",
    origin=_origin,
)
