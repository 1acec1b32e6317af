"""What a report is about: a plan that was made, one that was carried out, or a drift that was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.plan.drift import Drift
    from reconciler.plan.outcome import Applied
    from reconciler.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class Made:
    """A plan; `environment` is what to call its environment where that is not as its ledger does."""

    plan: Plan
    environment: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """A plan and what its apply did; `flags` lead to the same manifests and platform."""

    plan: Plan
    applied: Applied
    flags: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A drift in an environment; `flags` lead to the same manifests and platform."""

    drift: Drift
    environment: str = ""
    flags: str = ""


Subject = Made | Tried | Found


class About(NamedTuple):
    """A subject and what it was made from, by name."""

    subject: Subject
    facts: Mapping[str, str]
