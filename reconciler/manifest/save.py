"""SAVE: new files, each whole or not at all; what is there already is never touched."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from reconciler.errors import UsageError
from reconciler.kinds import TENANT
from reconciler.manifest.layout import File, Sheet
from reconciler.plan.imported import Fate, Saved
from reconciler.resource import Address

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


def save(sheets: Sequence[Sheet], *, root: str) -> list[Saved]:
    """Write the files of each resource below `root`, all of them or, where one is in the way, none.

    Texts come before the manifest that refers to them, an organization before what belongs to it; without it, its
    folder could be another's. Raises UsageError where the disk does not allow it.
    """
    homeless: set[str] = set()
    saved: list[Saved] = []
    for sheet in sheets:
        saved += _saved(sheet, root, is_homeless=sheet.address.org in homeless)
        if sheet.address.kind == TENANT.name and saved[-1].fate.is_missing:
            homeless.add(sheet.address.org)
    return saved


def in_the_way(sheets: Iterable[Sheet], *, root: str) -> frozenset[Address]:
    """Return the addresses of the resources that could not be written, since other files have their places."""
    return frozenset(
        sheet.address for sheet in sheets if any(_fate(file, root) is Fate.IN_THE_WAY for file in sheet.files)
    )


def _saved(sheet: Sheet, root: str, *, is_homeless: bool) -> list[Saved]:
    fates = {file.path: _fate(file, root) for file in sheet.files}
    if is_homeless or Fate.IN_THE_WAY in fates.values():
        fates = {path: Fate.LEFT_OUT if fate is Fate.WRITTEN else fate for path, fate in fates.items()}
    return [
        Saved(
            sheet.address,
            f"{root}/{file.path}",
            _written(file, root) if fates[file.path] is Fate.WRITTEN else fates[file.path],
            f"{root}/{file.folder}" if file.folder else "",
        )
        for file in sheet.files
    ]


def _fate(file: File, root: str) -> Fate:
    """Say what would become of a file: whether its place is free, holds it already, or holds something else."""
    place = Path(root) / file.path
    if not os.path.lexists(place):
        return Fate.WRITTEN
    try:
        return Fate.UNCHANGED if place.read_bytes() == file.data else Fate.IN_THE_WAY
    except OSError:
        return Fate.IN_THE_WAY


def _written(file: File, root: str) -> Fate:
    """Write a file that gets its name only when it is whole, and never over one that came meanwhile."""
    place = Path(root) / file.path
    part = place.parent / f".{place.name}.{os.getpid()}.part"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("xb") as stream:
                stream.write(file.data)
                stream.flush()
                os.fsync(stream.fileno())
            _named(part, place)
        finally:
            part.unlink(missing_ok=True)
    except FileExistsError:
        return Fate.IN_THE_WAY
    except OSError as error:
        raise UsageError(f"cannot write {place}: {error.strerror}", hint="choose another --into") from error
    return Fate.WRITTEN


def _named(part: Path, place: Path) -> None:
    """Give a file its name; a link fails where something is, which a rename would replace."""
    try:
        place.hardlink_to(part)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(place):
            raise FileExistsError(errno.EEXIST, "File exists") from error
        part.rename(place)
