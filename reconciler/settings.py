"""Flags and environment as one frozen value; nothing else reads either."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from reconciler.errors import UsageError

DEFAULT_URL = "https://app.everruns.com/api"
DEFAULT_PARALLELISM = 8
DEFAULT_MANIFESTS = ("manifests",)
MAX_PARALLELISM = 64
REASON_LIMIT = 1000
"""Characters that the platform records of a change reason (everruns-api/orgs-apps-errors.md, 6)."""
STATE_FOLDER = ".reconciler"
LOCAL_URL = "http://localhost"
LOCAL_KEY = "evr_pat_local"

OnConflict = Literal["report", "overwrite"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run works with.

    `local` runs against the embedded emulator in this process, whose data lies in `.reconciler/`. Without `prune`
    nothing is archived for being left out; `allow_archive` says by kind how many may be. `rotate` are globs of
    addresses whose secrets are sent again. `on_conflict` is for what others change between plan and write. With `debug`
    every request is logged. `timeout` is how many seconds the run may speak to the platform, None for any time. `since`
    is the commit since which a document must have been touched.
    """

    manifests: tuple[str, ...] = DEFAULT_MANIFESTS
    orgs: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    api_url: str = DEFAULT_URL
    api_key: str = ""
    org_id: str | None = None
    parallelism: int = DEFAULT_PARALLELISM
    reason: str | None = None
    local: bool = False
    prune: bool = True
    allow_archive: Mapping[str, int] = field(default_factory=dict)
    rotate: tuple[str, ...] = ()
    on_conflict: OnConflict = "report"
    debug: bool = False
    timeout: int | None = None
    since: str | None = None

    @property
    def is_partial(self) -> bool:
        """Whether the run is about a selection of what is declared."""
        return bool(self.orgs or self.target or self.exclude or self.since is not None)

    def __repr__(self) -> str:
        """Leave the key out."""
        return f"Settings({self.api_url}, manifests={self.manifests})"


def settings(
    *,
    env: Mapping[str, str],
    manifests: tuple[str, ...] = (),
    orgs: tuple[str, ...] = (),
    target: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
    api_url: str | None = None,
    parallelism: int = DEFAULT_PARALLELISM,
    reason: str | None = None,
    local: bool = False,
    prune: bool = True,
    allow_archive: Mapping[str, int] = MappingProxyType({}),
    rotate: tuple[str, ...] = (),
    on_conflict: OnConflict = "report",
    debug: bool = False,
    timeout: int | None = None,
    since: str | None = None,
) -> Settings:
    """Combine flags with the environment; a flag wins. Raises UsageError for what cannot work together."""
    if local and api_url:
        raise UsageError("--local and --api-url exclude each other", hint="--local is the emulator in this process")
    if timeout == 0:
        raise UsageError("--timeout 0 leaves no time for anything", hint="leave it out for as long as it takes")
    return Settings(
        manifests=manifests or DEFAULT_MANIFESTS,
        orgs=orgs,
        target=target,
        exclude=exclude,
        api_url=LOCAL_URL if local else api_url or env.get("EVERRUNS_API_URL") or DEFAULT_URL,
        api_key=LOCAL_KEY if local else env.get("EVERRUNS_API_KEY", ""),
        org_id=None if local else env.get("EVERRUNS_ORG_ID") or None,
        parallelism=parallelism,
        reason=None if reason is None else _recordable(reason),
        local=local,
        prune=prune,
        allow_archive=allow_archive,
        rotate=rotate,
        on_conflict=on_conflict,
        debug=debug,
        timeout=timeout,
        since=since,
    )


def _recordable(reason: str) -> str:
    """Return a change reason as the platform records it; raises UsageError for one that it would not."""
    reason = reason.strip()
    if not reason:
        raise UsageError("--reason is empty", hint="leave it out instead")
    if len(reason) > REASON_LIMIT:
        raise UsageError(f"--reason has {len(reason)} characters, the platform records {REASON_LIMIT}")
    if any(not c.isprintable() and c not in "\n\t" for c in reason):
        raise UsageError("--reason contains control characters")
    return reason
