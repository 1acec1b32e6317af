"""Operations the real API has and this stand-in does not: they answer 501 with a problem document."""

from reconciler.emulator.call import Call, Reply, Route
from reconciler.emulator.problems import ProblemError

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
FAMILIES = (
    "durable",
    "images",
    "knowledge-bases",
    "knowledge-indexes",
    "payments",
    "plugin_marketplaces",
    "plugins",
    "reports",
    "task-webhooks",
    "tasks",
    "users",
    "workspaces",
)
LISTED = ("capabilities", "mcp-servers", "providers", "skills")
"""Of these there is a list; what stands below it is not served."""
OPERATIONS = (
    ("POST", "/v1/agents/analyze"),
    ("POST", "/v1/agents/preview"),
    ("GET", "/v1/agents/<agent>/health-checks"),
    ("POST", "/v1/agents/<agent>/health-checks"),
    ("GET", "/v1/agents/<agent>/health-checks/<run>"),
    ("GET", "/v1/agents/<agent>/stats"),
    ("POST", "/v1/agents/<agent>/voice/sessions"),
    ("POST", "/v1/apps/<app>/a2a/<channel>"),
    ("GET", "/v1/apps/<app>/a2a/<channel>/.well-known/agent-card.json"),
    ("POST", "/v1/apps/<app>/api/<channel>/sessions"),
    ("GET", "/v1/apps/<app>/api/<channel>/sessions/<session>"),
    ("POST", "/v1/apps/<app>/api/<channel>/sessions/<session>/cancel"),
    ("POST", "/v1/apps/<app>/api/<channel>/sessions/<session>/messages"),
    ("POST", "/v1/apps/<app>/channels/<channel>/trigger"),
    ("GET", "/v1/apps/<app>/fcp"),
    ("POST", "/v1/apps/<app>/fcp"),
    ("POST", "/v1/apps/<app>/webhooks/<channel>"),
    ("POST", "/v1/capabilities"),
    ("POST", "/v1/harnesses/preview"),
    ("GET", "/v1/harnesses/<harness>/stats"),
    ("GET", "/v1/orgs/<org>/members"),
    ("POST", "/v1/orgs/<org>/members"),
    ("PATCH", "/v1/orgs/<org>/members/<user>"),
    ("DELETE", "/v1/orgs/<org>/members/<user>"),
    ("POST", "/v1/providers"),
)


def refuse(call: Call) -> Reply:
    """Say that the operation exists in the API and is not served here."""
    raise ProblemError(501, f"{call.request.method} {call.request.path} is not served by the emulator")


def _family(path: str) -> tuple[Route, ...]:
    """Cover a path and everything below it."""
    return tuple(
        Route(method, rule, refuse, scoped=False) for rule in (path, f"{path}/<path:rest>") for method in METHODS
    )


ROUTES = (
    *(route for name in FAMILIES for route in _family(f"/v1/{name}")),
    *(route for name in LISTED for route in _family(f"/v1/{name}")[len(METHODS) :]),
    *_family("/v1/sessions/<session>")[len(METHODS) :],
    *(Route(method, rule, refuse, scoped=False) for method, rule in OPERATIONS),
)
