"""The whole error tree, each class with the exit code that the command line returns for it.

    ReconcilerError                 1
    ├── UsageError                 64   flags or environment that cannot work together
    ├── ManifestError               1   faults in the manifests, all of them
    ├── PlanFileError               1   a plan file that cannot be read, is damaged or was used
    ├── PlanRefused                 4   safety or policy says no
    ├── StalePlan                   5   what the plan was made for has moved
    │   ├── NotReviewed                 it is not the plan that was reviewed
    │   └── Behind                      something newer than what is checked out was applied or merged
    ├── SecretUnavailable           1   a referenced secret has no value here
    ├── KeyUndelivered              1   a key that is shown once cannot go where the manifest says
    ├── CannotAmend                 1   a manifest cannot be changed in place; nothing was written
    ├── OutputError                 1   standard output cannot be written
    ├── Defect                      1   a mistake of ours
    ├── JournalError                1   what a run is about to do cannot be noted, so it is not done
    ├── LedgerError                 1   the ledger cannot be read or written, or belongs to others
    │   ├── LedgerDamaged               what stands in its place is no ledger that this version reads
    │   ├── LedgerLocked                another run holds it
    │   └── LedgerMoved             5   another run wrote it, or took its lock, meanwhile
    ├── ForgeError                  1   GitHub could not be asked, or not be told
    ├── Interrupted               130   the operator asked to stop
    ├── Stopped                     1   the run may send nothing more
    │   ├── OutOfTime                   its time is up (--timeout)
    │   └── CircuitOpen                 too many server errors in a row
    └── ApiError                    1   the platform said no, or nothing; in `api_errors.py`
        ├── Unreachable                 no answer at all
        ├── Unauthorized                401
        ├── Forbidden                   403
        ├── NotFound                    404
        ├── Conflict                    409
        ├── Throttled                   429 for longer than we wait
        ├── Refused                     any other 4xx
        └── ServerFault                 5xx, or an answer that makes no sense

Only `cli/` catches these to print and exit.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Exit(IntEnum):
    """What the process returns; the worst of a run wins (design, section 6)."""

    DONE = 0
    ERROR = 1
    CHANGES_PENDING = 2
    DRIFT_FOUND = 3
    REFUSED = 4
    STALE_PLAN = 5
    PARTLY_APPLIED = 6
    NOT_CONVERGED = 7
    USAGE = 64
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A manifest file as read: its path as the user would write it, and its text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where a document stands: its file, its number in the file (from 0) and its first line (from 1)."""

    file: SourceFile
    index: int
    line: int


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the input.

    `path` leads from the document's root to the key at fault; `line` and `column` (from 1) are given where
    they are known without it. `hint` says how to mend it. `on_value` points at the value, not at its key.
    """

    message: str
    source: Source | None = None
    path: tuple[str | int, ...] = ()
    hint: str | None = None
    line: int | None = None
    column: int | None = None
    on_value: bool = False


@dataclass(frozen=True, slots=True)
class LocatedFault:
    """A fault with its place: file, line and column (from 1), and the text of the line."""

    path: str
    line: int
    column: int
    text: str
    message: str
    hint: str | None = None


class ReconcilerError(Exception):
    """Anything this tool reports instead of a traceback; `hint` says what to do about it."""

    exit_code = Exit.ERROR

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ReconcilerError):
    """Flags, arguments or environment that cannot work."""

    exit_code = Exit.USAGE


class ManifestError(ReconcilerError):
    """The manifests have faults; carries every one of them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        count = len(faults)
        super().__init__(f"{count} fault{'' if count == 1 else 's'} in the manifests")
        self.faults = tuple(faults)


class PlanFileError(ReconcilerError):
    """A plan file that is no plan, was changed by hand, is of another version, or was applied before."""


class PlanRefused(ReconcilerError):
    """A change that safety or policy forbids."""

    exit_code = Exit.REFUSED


class StalePlan(ReconcilerError):
    """The platform moved since the plan was made; `moved` names each address and what happened to it."""

    exit_code = Exit.STALE_PLAN

    def __init__(self, moved: Mapping[str, str]) -> None:
        super().__init__(
            f"the plan is stale: {len(moved)} of its resources moved since it was made",
            hint="make a new plan and review it",
        )
        self.moved = dict(moved)


class NotReviewed(StalePlan):
    """What would be done is not what was reviewed; `moved` names each step and how it differs, where that is known."""

    def __init__(self, message: str, moved: Mapping[str, str], *, hint: str) -> None:
        ReconcilerError.__init__(self, message, hint=hint)
        self.moved = dict(moved)


class Behind(StalePlan):
    """What is checked out is older than what was applied or merged: to apply it would undo that."""

    def __init__(self, message: str, *, hint: str) -> None:
        ReconcilerError.__init__(self, message, hint=hint)
        self.moved = {}


class NothingDeclared(UsageError):
    """There is not one manifest where manifests are looked for."""


class SecretUnavailable(ReconcilerError):
    """A secret that must be sent has no value in this environment; names the reference, never a value."""


class KeyUndelivered(ReconcilerError):
    """A key that the platform shows once could not be handed over, or could not be when it comes."""


class CannotAmend(ReconcilerError):
    """A manifest that cannot be changed in place without a change elsewhere, or that changed meanwhile."""


class OutputError(ReconcilerError):
    """What was to be printed could not be."""


class Defect(ReconcilerError):
    """A mistake of ours: told by its type and place alone, as the text of an exception may hold a value."""


class JournalError(ReconcilerError):
    """The journal of a run cannot be written: the disk is full, or the folder is not ours to write to."""


class LedgerError(ReconcilerError):
    """The ledger cannot be read or written where it is kept, or belongs to somebody else."""


class LedgerDamaged(LedgerError):
    """What stands in the ledger's place is not a ledger, or is one of a newer version."""


class LedgerLocked(LedgerError):
    """Another run holds the ledger; nothing was written."""


class LedgerMoved(LedgerError):
    """Another run wrote the ledger since it was read, or took its lock away."""

    exit_code = Exit.STALE_PLAN


class ForgeError(ReconcilerError):
    """GitHub did not do what was asked; `status` is that of its answer, 0 where there was none.

    `wait` is for how many seconds a limit of GitHub's refuses to do it, None where it was no limit. `is_gone` says that
    what was to be changed had been read before, and was deleted since.
    """

    def __init__(self, message: str, *, hint: str | None = None, status: int = 0, wait: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.wait = wait
        self.is_gone = False

    @property
    def may_pass(self) -> bool:
        """Whether it may work a moment later; what was asked for may have been done all the same."""
        return self.status == 0 or self.status >= _SERVER_FAULT or self.is_gone


_SERVER_FAULT = 500


class Interrupted(ReconcilerError):
    """The operator interrupted the run."""

    exit_code = Exit.INTERRUPTED


class Stopped(ReconcilerError):
    """The run may send nothing more; what was under way is finished, nothing new is started."""


class OutOfTime(Stopped):
    """The time that the run was given is up, or would be before what it waits for."""


class CircuitOpen(Stopped):
    """The platform failed too often in a row to go on asking it."""


def worst(codes: Sequence[Exit]) -> Exit:
    """Return the exit code that wins among several: the most serious, not the highest number.

    >>> worst([Exit.DONE, Exit.CHANGES_PENDING])
    <Exit.CHANGES_PENDING: 2>
    """
    return max(codes, key=_SERIOUSNESS.index, default=Exit.DONE)


_SERIOUSNESS: list[Exit] = [
    Exit.DONE,
    Exit.CHANGES_PENDING,
    Exit.DRIFT_FOUND,
    Exit.STALE_PLAN,
    Exit.REFUSED,
    Exit.NOT_CONVERGED,
    Exit.PARTLY_APPLIED,
    Exit.ERROR,
    Exit.USAGE,
    Exit.INTERRUPTED,
]


def json_of(error: ReconcilerError) -> dict[str, Any]:
    """Describe an error as plain data for the JSON event stream."""
    data: dict[str, Any] = {
        "error": type(error).__name__,
        "message": error.message,
        "exit_code": int(error.exit_code),
    }
    if error.hint:
        data["hint"] = error.hint
    if isinstance(error, StalePlan):
        data["moved"] = error.moved
    return data
