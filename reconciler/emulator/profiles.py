"""Profiles: in what the servers of different ages behave differently, as one value with a name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Profile:
    """What one age of the server does (orgs-apps-errors.md, 0 and 2.4 to 3.4)."""

    shows_secrets: bool = False
    requires_agent: bool = False
    pins_published_only: bool = False
    refuses_schedules: bool = False
    freezes_apps: bool = False
    clears_default_model: bool = False
    records_reasons: bool = True
    refuses_reasons: bool = False
    synced: str = "succeeded"


PROFILES: Mapping[str, Profile] = {
    "seeds": Profile(),
    "strict": Profile(
        requires_agent=True, pins_published_only=True, refuses_schedules=True, refuses_reasons=True, synced="synced"
    ),
    "frozen": Profile(freezes_apps=True, clears_default_model=True, refuses_reasons=True, synced="synced"),
}
# Behaviour that may be added to a profile, written `seeds+unredacted`.
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "unredacted": {"shows_secrets": True},
    "no-reasons": {"records_reasons": False},
}


class ProfileError(ValueError):
    """There is no profile, or no variant of one, of that name."""


@cache
def named(text: str) -> Profile:
    """Find a profile by its name, with the variants added to it; raises ProfileError."""
    name, *added = text.split("+")
    if name not in PROFILES:
        raise ProfileError(f"unknown profile {name!r}; there are {', '.join(PROFILES)}")
    profile = PROFILES[name]
    for variant in added:
        if variant not in VARIANTS:
            raise ProfileError(f"unknown variant {variant!r} of a profile; there are {', '.join(VARIANTS)}")
        profile = replace(profile, **VARIANTS[variant])
    return profile
