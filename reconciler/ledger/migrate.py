"""From older documents to this version's, one step at a time; every step is kept for good."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

VERSION: Final = 1
"""The schema version that is written; a document of a greater one is refused."""

Raw = dict[str, Any]


def migrated(raw: Raw, version: int) -> Raw:
    """Bring a document to this version; raises KeyError, TypeError, AttributeError or ValueError for a damaged one."""
    for number in range(version, VERSION):
        raw = MIGRATIONS[number](raw) | {"version": number + 1}
    return raw


def _from_0(raw: Raw) -> Raw:
    """Sort one flat map of addresses by organization; nothing was announced then, and `at` was the time."""
    orgs: dict[str, Raw] = {}
    for address, item in raw["resources"].items():
        org, _, local = address.partition("/")
        orgs.setdefault(org, {})[local] = {
            **{name: value for name, value in item.items() if name != "at"},
            "applied_at": item["at"],
        }
    return {
        **{name: value for name, value in raw.items() if name != "resources"},
        "orgs": orgs,
        "org_ids": {},
        "begun": [],
    }


MIGRATIONS: Final[Mapping[int, Callable[[Raw], Raw]]] = {0: _from_0}
"""By the version that a step starts from."""
