"""What became of an import: the fate of every file, what is missing from them, and what has to be provided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from reconciler.errors import Exit, ReconcilerError
from reconciler.plan.capture import Candidate, Gap, Home, Needed, Suspect
from reconciler.resource import Address


class Fate(Enum):
    """What became of a file; the value is the word that programs read."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    IN_THE_WAY = "in_the_way"
    LEFT_OUT = "left_out"

    @property
    def is_missing(self) -> bool:
        """Whether what the file would say stands nowhere now."""
        return self in (Fate.IN_THE_WAY, Fate.LEFT_OUT)


@dataclass(frozen=True, slots=True)
class Saved:
    """A file of a resource and its fate.

    Written; there already, equal to the byte; other content in the way, left alone; or left out because another file
    that it needs is in the way. `folder` is the one that a manifest names for it.
    """

    address: Address
    path: str
    fate: Fate
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """The whole of an import: `declared` is what was chosen and needed no file, `archived` counts what was left out.

    `owned` counts what the ledger took over; `unowned` is why it did not.
    """

    homes: Mapping[str, Home]
    saved: tuple[Saved, ...]
    gaps: tuple[Gap, ...]
    needed: tuple[Needed, ...]
    suspects: tuple[Suspect, ...]
    declared: tuple[Candidate, ...]
    archived: int
    owned: int = 0
    unowned: ReconcilerError | None = None

    @property
    def is_new(self) -> bool:
        """Whether anything was written."""
        return any(one.fate is Fate.WRITTEN for one in self.saved)

    def is_about(self, address: Address) -> bool:
        """Say whether a manifest of an address, or of what it stands below, was written."""
        return any(one.address in (address, address.above) for one in self.saved if one.fate is Fate.WRITTEN)

    @property
    def exit_code(self) -> Exit:
        """An error when a chosen resource has no manifest now or is not ours, done otherwise."""
        blocked = any(one.fate.is_missing for one in self.saved) or self.unowned is not None
        return Exit.ERROR if blocked or any(gap.is_total for gap in self.gaps) else Exit.DONE
