"""What others did meanwhile: everything that faults change on the platform as somebody else, seen as it happens."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.emulator.app import Emulator
from reconciler.emulator.inside import Inside

from . import fleet
from .rows import Row, Rows, rows

REPLACED = "writer"
"""The agent that is written by PUT: what others write between our last read and that is lost, as the API has it."""


@dataclass
class Others:
    """The rows that others made, the last form they gave to a row, and what they archived."""

    made: Rows = field(default_factory=dict)
    last: Rows = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)
    described: dict[str, str] = field(default_factory=dict)

    def watch(self, emulator: Emulator) -> None:
        """See every request that a fault sends as somebody else."""

        def answer(request: Any) -> Any:
            before = rows(emulator)
            answered = emulator._answer(request)
            if request.method != "GET":
                self._note(before, rows(emulator))
            return answered

        emulator._inside = Inside(answer)

    def _note(self, before: Rows, now: Rows) -> None:
        for one, row in now.items():
            was = before.get(one)
            if was == row:
                continue
            if was is None or one in self.made:
                self.made[one] = row
            self.last[one] = row
            if row.is_gone:
                self.archived.add(one)
            text = row.body.get("description")
            if was is not None and text != was.body.get("description"):
                self.described[one] = text

    def undone(self, now: Rows) -> Rows:
        """Give the platform without the descriptions that others wrote where git says none: they may stay."""
        return now | {
            one: _undescribed(now[one]) for one in self.described if one in now and not _is_declared(now[one])
        }

    def overwritten(self, now: Rows) -> list[str]:
        """Say where a description that others wrote is gone although git says none."""
        return [
            f"not declared, and overwritten: {now.get(one)}, which others gave {text!r}"
            for one, text in self.described.items()
            if one in now and not _is_declared(now[one]) and now[one].body.get("description") != text
        ]

    def buried(self, now: Mapping[str, Row], one: str) -> bool:
        """Say whether others archived a thing, or what it stands in, and it is so still."""
        above = now[one].parent or one
        return above in self.archived and now[above].is_gone


NOBODY = Others()


def _is_declared(row: Row) -> bool:
    """Say whether git says the description of what a row is."""
    kinds = {"agents": "Agent", "memories": "Memory", "apps": "App"}
    name = row.body.get("name")
    if name == REPLACED or row.collection not in kinds:
        return True
    found = [
        one["spec"]
        for one in fleet.after()
        if one["kind"] == kinds[row.collection] and name in (one["metadata"]["name"], one["spec"].get("name"))
    ]
    return any("description" in spec for spec in found)


def _undescribed(row: Row) -> Row:
    body = row.body
    if row.collection == "apps":
        body["description"] = None
    else:
        body.pop("description", None)
    return replace(row, text=json.dumps(body))
