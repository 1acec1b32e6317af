"""What was found of an address: what is live, what is archived, and what else has its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.resource import Observed


@dataclass(frozen=True, slots=True)
class Found:
    """What answers to a Desired: the live resource, or an archived twin that may hold its name.

    `siblings` are the ids of the parent's live children, and of everything of a kind that each user has one of.
    """

    observed: Observed | None = None
    twin: Observed | None = None
    siblings: Sequence[str] = ()
    has_children: bool = False
