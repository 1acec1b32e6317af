"""A saved plan as a file: it is read, and good for one use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import PlanFileError, UsageError

if TYPE_CHECKING:
    from reconciler.plan.file import PlanFile


def read_plan(name: str) -> PlanFile:
    """Read a plan file. Raises UsageError when it cannot be read, PlanFileError when it is no plan."""
    from reconciler.plan.file import loads

    try:
        data = Path(name).read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read {name}: {error.strerror}", hint="make it with reconciler plan --out FILE"
        ) from error
    return loads(data, name=name)


def marker_of(saved: PlanFile, name: str) -> Path:
    """Return where the use of a plan is noted; raises PlanFileError when it was used here before."""
    from reconciler.cli.connect import state_folder

    if not saved.id.isalnum():
        raise PlanFileError(f"{name} is damaged: its id is not one", hint="make a new plan")
    folder = state_folder() / "applied-plans"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot use {folder}/: {error.strerror}", hint="remove what is in the way") from error
    marker = folder / saved.id
    if marker.exists():
        raise PlanFileError(f"{name} was applied before: a plan is good for one use", hint="make a new plan")
    return marker


def claim(marker: Path) -> None:
    """Note the use of a saved plan before its first write; of two applies at once, one comes too late."""
    try:
        marker.open("x").close()
    except FileExistsError as error:
        raise PlanFileError(
            "this plan was applied meanwhile: a plan is good for one use", hint="make a new plan"
        ) from error
