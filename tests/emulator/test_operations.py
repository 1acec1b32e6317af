"""Every operation of the published API is known: served, or refused in so many words."""

import re
from pathlib import Path

import pytest
from werkzeug.exceptions import HTTPException

from reconciler.emulator import routes, unserved

# `METHOD path` of every operation in the published OpenAPI file, one a line.
OPERATIONS = Path(__file__).with_name("operations.txt").read_text(encoding="utf-8").split("\n")[:-1]
SERVED = re.compile(
    r"/v1/(orgs|apps|agents|harnesses|harness-examples|models|sessions|sessions/chat|sessions/stats)(/.*)?"
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


@pytest.mark.parametrize(
    "operation",
    [
        "POST /v1/apps/{app_id}/delete",
        "GET /v1/apps/{app_id}/channels",
        "POST /v1/apps/{app_id}/channels",
        "PATCH /v1/apps/{app_id}/channels/{channel_id}",
        "DELETE /v1/apps/{app_id}/channels/{channel_id}",
        "POST /v1/agents/{agent_id}/delete",
        "POST /v1/harnesses/{harness_id}/delete",
        "GET /v1/agent-identities",
        "POST /v1/agent-identities",
        "GET /v1/agent-identities/config",
        "GET /v1/agent-identities/{identity_id}",
        "PATCH /v1/agent-identities/{identity_id}",
        "DELETE /v1/agent-identities/{identity_id}",
        "POST /v1/agent-identities/{identity_id}/delete",
    ],
)
def test_channels_3_1_routes_missing_from_the_file(operation):
    """Real routes that the published file lacks are served too."""
    assert handler_of(operation) not in (None, unserved.refuse)
