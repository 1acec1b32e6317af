"""What became of a change: a tagged union, and the whole of an apply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from reconciler.errors import Exit, ReconcilerError
from reconciler.plan.change import Action, Change, FieldChange
from reconciler.resource import Address


@dataclass(frozen=True, slots=True)
class Done:
    """Carried out; `adopted` when what git wants was there already. `note` is for people."""

    change: Change
    adopted: bool = False
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """Tried, and not carried out; `in_doubt` when that is not known, or when a part of it was.

    `made` says that the resource is there, and only its rest is missing.
    """

    change: Change
    error: ReconcilerError
    in_doubt: bool = False
    made: bool = False


@dataclass(frozen=True, slots=True)
class Blocked:
    """Not tried: a step it waits for did not succeed."""

    change: Change
    by: str


@dataclass(frozen=True, slots=True)
class Conflicted:
    """Not carried out: something else is there, and git does not say to overwrite it.

    `in_doubt` says that something of it may have been made all the same.
    """

    change: Change
    message: str
    fields: tuple[FieldChange, ...] = ()
    hint: str | None = None
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class NotStarted:
    """Nothing of it was done: the run was interrupted, or stopped, before."""

    change: Change


Outcome = Done | Failed | Blocked | Conflicted | NotStarted


@dataclass(frozen=True, slots=True)
class Remainder:
    """What still differs after a write that was accepted: you wrote `new`, the server keeps `old`."""

    address: Address
    fields: tuple[FieldChange, ...]
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """The whole of an apply: an outcome for every change, and what the proof found, or why it could not look.

    `stopped` is why the run ended before its last change, if nobody interrupted it; `unrecorded` why the ledger did
    not learn of it; `run` is what the run is called.
    """

    outcomes: tuple[Outcome, ...]
    interrupted: bool = False
    remainders: tuple[Remainder, ...] = ()
    unproved: ReconcilerError | None = None
    throttled_for: float = 0.0
    unrecorded: ReconcilerError | None = None
    run: str = ""
    stopped: ReconcilerError | None = None

    @property
    def archived(self) -> int:
        """How many resources were archived that the platform can bring back."""
        return sum(
            isinstance(one, Done) and one.change.action is Action.ARCHIVE and one.change.kind.can_restore
            for one in self.outcomes
        )

    @property
    def exit_codes(self) -> tuple[Exit, ...]:
        """Every exit code that this result deserves; DONE alone when all went well."""
        codes = {code for outcome in self.outcomes if (code := self._code(outcome)) is not Exit.DONE}
        if codes and not any(isinstance(outcome, Done) for outcome in self.outcomes):
            codes = {Exit.ERROR if code is Exit.PARTLY_APPLIED else code for code in codes}
        if (self.unproved or self.stopped) and not codes:
            codes.add(Exit.ERROR)
        if self.unrecorded:
            codes.add(Exit.ERROR)
        if self.remainders:
            codes.add(Exit.NOT_CONVERGED)
        if self.interrupted:
            codes.add(Exit.INTERRUPTED)
        return tuple(sorted(codes)) or (Exit.DONE,)

    def _code(self, outcome: Outcome) -> Exit:
        match outcome:
            case Done():
                return Exit.DONE
            case Failed() | Blocked() | Conflicted():
                return Exit.PARTLY_APPLIED
            case NotStarted():
                return Exit.INTERRUPTED if self.interrupted else Exit.PARTLY_APPLIED
            case _:
                assert_never(outcome)
