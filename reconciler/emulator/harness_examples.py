"""Harness examples: defined here, adopted by import as ordinary editable harnesses."""

from dataclasses import dataclass
from typing import Any

from reconciler.emulator import harnesses, slugs
from reconciler.emulator.call import Call, Reply, Route
from reconciler.emulator.problems import ProblemError


@dataclass(frozen=True, slots=True)
class Example:
    """One harness that may be adopted by its name."""

    name: str
    display_name: str
    description: str
    tags: tuple[str, ...]
    capabilities: tuple[str, ...]
    parent: str = "generic"

    def shown(self) -> dict[str, Any]:
        """Write the example as the list shows it."""
        return {
            "name": self.name,
            "display_name": self.display_name,
            "description": self.description,
            "tags": list(self.tags),
            "capabilities": [{"ref": ref, "config": {}} for ref in self.capabilities],
            "parent_name": self.parent,
            "dev_only": False,
        }


EXAMPLES = (
    Example("data-analyst", "Data Analyst", "Answers questions about data.", ("data",), ("session_sql_database",)),
    Example("coding-container", "Coding Container", "Writes code in a container.", ("coding",), ("container",)),
    Example("coding-daytona", "Coding Daytona", "Writes code in a Daytona sandbox.", ("coding",), ("daytona",)),
)
NAMED = {example.name: example for example in EXAMPLES}


def listing(_call: Call) -> Reply:
    """GET /v1/harness-examples: a bare array."""
    return Reply(value=[example.shown() for example in EXAMPLES])


def adopt(call: Call) -> Reply:
    """POST /v1/harnesses/import?from-example=: an ordinary harness, with a suffix where the name is taken."""
    name = call.text("from-example")
    example = NAMED.get(name)
    if example is None:
        raise ProblemError(404, f"harness example '{name}' not found", code="not_found")
    free = slugs.of_example(call, harnesses.PATH, name)
    parent = call.store.named(call.org, harnesses.PATH, example.parent)
    told = {key: value for key, value in example.shown().items() if key not in ("parent_name", "dev_only")}
    return harnesses.make(call, {**told, "name": free, "parent_harness_id": parent.id if parent else None})


ROUTES = (
    Route("GET", "/v1/harness-examples", listing, "harness.view"),
    Route("POST", "/v1/harnesses/import", adopt, "harness.manage"),
)
