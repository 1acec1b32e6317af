"""The published OpenAPI file, and which of its operations the emulator serves."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from reconciler.emulator import routes, unserved

FILE = Path(__file__).with_name("openapi.json")
METHODS = frozenset({"get", "post", "put", "patch", "delete"})
VARIABLE = re.compile(r"<[^>]*>|\{[^}]*\}")


def document() -> dict[str, Any]:
    """Read the file as it was published; every caller gets a copy of its own."""
    read: dict[str, Any] = json.loads(FILE.read_bytes())
    return read


def shape(path: str) -> str:
    """Write a path with nameless variables, so that both spellings of a rule compare equal."""
    return VARIABLE.sub("{}", path)


@cache
def served() -> frozenset[tuple[str, str]]:
    """Give method and path shape of what the emulator serves; what it answers with 501 is not served."""
    return frozenset(
        (route.method.lower(), shape(route.rule)) for route in routes.ROUTES if route.handler is not unserved.refuse
    )


def operations(spec: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Give the operations of a document by their ids."""
    return {
        item[method]["operationId"]: item[method] for item in spec["paths"].values() for method in METHODS & item.keys()
    }


def covered(spec: dict[str, Any]) -> dict[str, str]:
    """Give the ids and the paths of the operations that the emulator serves."""
    return {
        operation["operationId"]: path
        for path, item in spec["paths"].items()
        for method, operation in item.items()
        if (method, shape(path)) in served()
    }
