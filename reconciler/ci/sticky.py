"""One comment for a purpose and a fleet: found by its marker, written over, never written twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from reconciler.ci.marker import Fleet, Purpose, among, remembered_by
from reconciler.ci.reviewed import Reviewed, recall
from reconciler.errors import ForgeError

if TYPE_CHECKING:
    from reconciler.ci.forge import Forge, Post

T = TypeVar("T")
_TRIES = 3
_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Persistence:
    """How often something is tried that looks first and writes then, and how to wait in between."""

    tries: int = _TRIES
    sleep: Callable[[float], None] = field(default=time.sleep)

    def __call__(self, act: Callable[[], T]) -> T:
        """Do it, again where GitHub stumbled: as `act` looks first, what was done all the same is found."""
        for attempt in range(1, self.tries):
            try:
                return act()
            except ForgeError as error:
                if not error.may_pass:
                    raise
            self.sleep(_PAUSE * attempt)
        return act()


PERSISTENT = Persistence()


def stick(
    forge: Forge, number: int, compose: Callable[[Sequence[Post]], str], *, purpose: Purpose, fleet: Fleet
) -> str:
    """Write the comment that begins with its marker, over the one that is there; return where it is.

    `compose` makes its text, and is given all comments of ours, which are read once. Of several, as two runs at once
    may leave behind, the first is kept. Raises ForgeError.
    """

    def write() -> str:
        posts = list(forge.comments(number))
        body = compose(posts)
        found = among(posts, purpose, fleet)
        if not found:
            return forge.comment(number, body).url
        kept, *others = found
        if kept.body.replace("\r\n", "\n") != body:
            forge.edit(kept, number, body)
        for other in others:
            forge.remove(other, number)
        return kept.url

    return PERSISTENT(write)


def reviewed_at(forge: Forge, number: int, *, fleet: Fleet) -> Reviewed | None:
    """Return the plan that the comment on a pull request shows, None where there is none. Raises ForgeError."""
    memory = remembered(forge, number, purpose="plan", fleet=fleet)
    return recall(memory) if memory is not None else None


def remembered(forge: Forge, number: int, *, purpose: Purpose, fleet: Fleet) -> Mapping[str, Any] | None:
    """Return what the marker of a comment remembers, None where there is no such comment. Raises ForgeError."""
    found = PERSISTENT(lambda: among(forge.comments(number), purpose, fleet))
    return remembered_by(found[0].body) if found else None
