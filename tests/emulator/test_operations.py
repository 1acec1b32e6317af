"""Every operation of the published API is known: served, or refused in so many words."""

import re

import pytest
from werkzeug.exceptions import HTTPException

from reconciler.emulator import routes, unserved
from tests.openapi import published

PATHS = published.document()["paths"]
OPERATIONS = [f"{method.upper()} {path}" for path in PATHS for method in sorted(published.METHODS & PATHS[path].keys())]
SERVED = re.compile(
    r"/v1/(orgs|apps|agents|harnesses|harness-examples|memories|models|sessions|sessions/chat|sessions/stats)(/.*)?"
)
RUNTIME = (
    "/a2a/",
    "/api/",
    "/fcp",
    "/webhooks/",
    "/health-checks",
    "/voice/",
    "/stats",
    "/preview",
    "/analyze",
)
SESSION = {"/v1/sessions", "/v1/sessions/chat", "/v1/sessions/stats", "/v1/sessions/{session_id}"}


def handler_of(operation):
    """Find what answers an operation, or None."""
    method, path = operation.split(" ")
    filled = re.sub(r"\{[^}]*\}", "x", path)
    try:
        rule, _ = routes.MAP.bind("emulator").match(filled)
    except HTTPException:
        return None
    route = routes.RULES[rule].get(method)
    return route and route.handler


def is_wanted(path):
    """Tell whether an operation is one that a declarative tool may need."""
    if path.startswith("/v1/sessions"):
        return path in SESSION or path.endswith("/pin")
    return bool(SERVED.fullmatch(path)) and not any(part in path for part in RUNTIME)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_published_operation_is_known(operation):
    """No published operation is a bare 404 or 405."""
    assert handler_of(operation) is not None


@pytest.mark.parametrize("operation", [found for found in OPERATIONS if is_wanted(found.split(" ")[1])])
def test_resources_are_served_whole(operation):
    """What manages a resource is served; only what runs something is refused with 501."""
    assert handler_of(operation) is not unserved.refuse
