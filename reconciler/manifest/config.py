"""reconciler.yaml: how runs over these manifests are meant to go; looked for in their root and upwards.

ledger: {backend: git, branch: reconciler-ledger, remote: origin, lock_lasts: 1h}    or {backend: file, path: ledger}
environment: production
removal: {percent: 30, floor: 5, per_kind: {Agent: {percent: 10}}}
adopt: exact
max_sync_age: 7d
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from reconciler.errors import Fault, ManifestError, Source, SourceFile, UsageError
from reconciler.manifest.load import CONFIG, STDIN
from reconciler.manifest.parsed import MAX_BYTES
from reconciler.plan.verdict import Limit
from reconciler.resource import Adopt


@dataclass(frozen=True, slots=True)
class LedgerPlace:
    """Where the ledger is to be kept; None is not said. `path` can be opened, `lock_lasts` is in seconds."""

    backend: Literal["git", "file"] | None = None
    path: Path | None = None
    branch: str | None = None
    remote: str | None = None
    lock_lasts: int | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """What reconciler.yaml says; `max_sync_age` is in seconds, None for any age.

    `limit` is how much of a kind one run may archive, `limits` that of some kinds; `adopt` is the rule of adoption
    where a document says none.
    """

    ledger: LedgerPlace = field(default_factory=LedgerPlace)
    environment: str | None = None
    adopt: Adopt = "exact"
    limit: Limit = field(default_factory=Limit)
    limits: Mapping[str, Limit] = field(default_factory=dict)
    max_sync_age: int | None = None


def read_config(manifests: Sequence[str]) -> Config:
    """Find and read the reconciler.yaml of manifests; without one every rule is the default.

    Raises ManifestError with every fault in it, UsageError when it cannot be read or the manifests have several.
    """
    found = {path for path in map(_nearest, manifests) if path is not None}
    if len(found) > 1:
        names = " and ".join(sorted(map(os.path.relpath, found)))
        raise UsageError(f"the manifests have different rules: {names}", hint="run once for each of them")
    return _read(found.pop()) if found else Config()


def _nearest(manifests: str) -> Path | None:
    """Look in the root and above, up to the top of its repository; outside of git one folder up and no further."""
    place = Path("." if manifests == STDIN else manifests)
    folder = Path(os.path.abspath(place.parent if place.is_file() else place))  # noqa: PTH100 - links stay as they are
    above = [folder, *folder.parents]
    top = next((number for number, one in enumerate(above) if (one / ".git").exists()), 1)
    return next((one / CONFIG for one in above[: top + 1] if (one / CONFIG).is_file()), None)


def _read(path: Path) -> Config:
    from reconciler.manifest.config_spec import checked
    from reconciler.manifest.parse import parse

    name = os.path.relpath(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}", hint="check its permissions") from error
    if len(data) > MAX_BYTES:
        raise UsageError(f"{name} is larger than {MAX_BYTES // 2**20} MiB", hint="is it the right file?")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name}:{line} is not UTF-8 text", hint="save it as UTF-8") from error
    source = Source(SourceFile(path=name, text=text), 0, 1)
    parsed, faults = parse(text)
    if faults:
        raise ManifestError([Fault(fault.message, source, line=fault.line, column=fault.column) for fault in faults])
    if len(parsed) > 1:
        raise ManifestError([Fault("must be one document, not several", source, line=parsed[1].line, column=1)])
    return _config(checked(parsed[0].value, source), folder=path.parent) if parsed else Config()


def _config(found: Mapping[str, Any], *, folder: Path) -> Config:
    place = dict(found.get("ledger", {}))
    if "path" in place:
        place["path"] = folder / place["path"]
    removal = dict(found.get("removal", {}))
    per_kind = removal.pop("per_kind", {})
    return Config(
        ledger=LedgerPlace(**place),
        environment=found.get("environment"),
        adopt=found.get("adopt", "exact"),
        limit=Limit(**removal),
        limits={kind: Limit(**{**removal, **own}) for kind, own in per_kind.items()},
        max_sync_age=found.get("max_sync_age"),
    )
