"""One change on its way up the ladder: what was tried, what is in doubt, and what a refusal was about."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.api_errors import ApiError, Problem
from reconciler.kinds.kind import Identity
from reconciler.live.client import WriteClient
from reconciler.live.ids import Ids
from reconciler.live.perform import org_of
from reconciler.live.shapes import Wire
from reconciler.live.standing import siblings
from reconciler.plan.change import Action, Change
from reconciler.plan.outcome import Outcome


@dataclass(slots=True)
class Climb:
    """A change that is being carried out, by one worker.

    `change` is the plan's, or what is carried out in its place. `notes` is what people are told once it is done.
    `is_in_doubt` says that a write of it was sent whose fate was not known; `written_before` counts the worker's writes
    before this change. With `overwrites` what others changed since the plan is written over.
    """

    change: Change
    client: WriteClient
    ids: Ids
    overwrites: bool = False
    is_in_doubt: bool = False
    notes: list[str] = field(default_factory=list)
    written_before: int = field(init=False)

    def __post_init__(self) -> None:
        self.written_before = self.client.written

    @property
    def creates(self) -> bool:
        """Whether the resource is still to be made: once it has an id, only the rest of it is to be written."""
        return self.change.action is Action.CREATE and not self.ids.has(self.change.address)

    @property
    def may_have_made(self) -> bool:
        """Whether something of it may be there though it failed: its fate is unknown, or only its rest was refused."""
        has_written = self.client.written != self.written_before
        return self.is_in_doubt or (has_written and self.ids.has(self.change.address))

    def siblings(self) -> list[Wire]:
        """Read everything live of the kind, beside the change's resource. Raises ApiError."""
        found = siblings(self.change, client=self.client, ids=self.ids)
        return [wire for wire in found if wire.get("status") != "deleted"]

    def namesakes(self, name: str) -> list[Wire]:
        """Read what has a name, as the platform compares it, archived ones too; nothing has one among channels."""
        kind = self.change.kind
        if kind.identity is Identity.POSITION:
            return []
        return [wire for wire in self.siblings() if kind.folded(str(wire.get("name", ""))) == kind.folded(name)]

    def is_called(self, wire: Wire) -> bool:
        """Say whether a live resource has the name that git wants."""
        kind = self.change.kind
        return kind.folded(str(wire.get("name", ""))) == kind.folded(self.change.title)

    @property
    def org(self) -> str | None:
        """The id of the organization it happens in."""
        return org_of(self.change, self.ids)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A write of a climb that was refused, or whose fate is unknown; after the last, nothing is tried again.

    `was_sent` says that a write went out before the error came.
    """

    climb: Climb
    error: ApiError
    is_last: bool
    was_sent: bool = True

    @property
    def change(self) -> Change:
        """The change that was refused."""
        return self.climb.change

    @property
    def problem(self) -> Problem:
        """The platform's answer, an empty one where it gave none."""
        return self.error.problem or _NO_ANSWER

    @property
    def status(self) -> int:
        """The answer's status, 0 where there was none."""
        return self.problem.status


_NO_ANSWER = Problem(status=0)


class Again:
    """What stood in the way is out of it: try again."""


Settled = Outcome | Again | None
"""What a rung makes of a refusal; None leaves it to the next."""
