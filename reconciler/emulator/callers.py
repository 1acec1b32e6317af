"""Who is calling, and in which organization: tokens, the X-Org-Id header, memberships."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Request

from reconciler.emulator import feature_flags, ids, inside
from reconciler.emulator.call import Caller, Deployment
from reconciler.emulator.problems import ProblemError, bad_request, unauthorized
from reconciler.emulator.store import Record, Store

PAT = "evr_pat_"
COOKIE = "everruns_org"
FOREIGN_KEYS = ("evra2a_",)


@dataclass(frozen=True, slots=True)
class Membership:
    """An organization the caller belongs to, the role there, and its effective feature flags."""

    org: str
    role: str
    flags: Mapping[str, bool]


def identify(request: Request, deployment: Deployment) -> Caller:
    """Find the user behind the Authorization header."""
    if inside.is_inside(request):
        return inside.OWNER
    token = _token(request.headers.get("Authorization"))
    if token.startswith("evr_") and not token.startswith(PAT):
        raise unauthorized("Invalid personal access token format")
    if token.startswith(FOREIGN_KEYS):
        raise unauthorized("Invalid or expired token")
    role = "owner" if deployment.tokens is None else deployment.tokens.get(token)
    if role is None:
        is_pat = token.startswith(PAT)
        raise unauthorized("Invalid personal access token" if is_pat else "Invalid or expired token")
    return Caller(user=ids.derived("user", role), role=role, is_session=not token.startswith(PAT))


def _token(header: str | None) -> str:
    """Take the credential out of `Bearer x`, `ApiKey evr_pat_x` or a bare `evr_pat_x`."""
    if header is None:
        raise unauthorized("Authentication required")
    scheme, _, rest = header.strip().partition(" ")
    token = rest.strip()
    if not token and scheme.startswith(PAT):
        return scheme
    if token and (scheme.lower() == "bearer" or (scheme.lower() == "apikey" and token.startswith(PAT))):
        return token
    raise unauthorized("Invalid authorization header")


def memberships(store: Store, caller: Caller) -> list[tuple[Record, dict[str, Any]]]:
    """List the organizations of the caller, by name."""
    found = [(record, record.body()) for record in store.everything("", "orgs")]
    mine = [(record, body) for record, body in found if caller.role_in(body)]
    return sorted(mine, key=lambda pair: pair[1]["name"])


def select_org(request: Request, store: Store, caller: Caller) -> Membership:
    """Choose the organization of an org-scoped call: header, then cookie, then the only one there is."""
    chosen = request.headers.get("X-Org-Id") or request.cookies.get(COOKIE)
    if chosen is None:
        return _implied(store, caller)
    if ids.fault("org", chosen):
        raise unauthorized("Invalid organization ID format")
    record = store.get("", "orgs", chosen)
    membership = _membership(record, caller) if record else None
    if membership is None:
        raise ProblemError(404, "Organization not found")
    return membership


def _implied(store: Store, caller: Caller) -> Membership:
    """Choose without a selection: a session takes the first by name, a token needs exactly one."""
    mine = memberships(store, caller)
    if not mine:
        raise unauthorized("No organization available")
    if len(mine) > 1 and not caller.is_session:
        raise bad_request("Multiple organizations available. Specify the target organization via the X-Org-Id header.")
    membership = _membership(mine[0][0], caller)
    assert membership is not None
    return membership


def _membership(record: Record, caller: Caller) -> Membership | None:
    """Describe the caller's place in an organization, or None for a stranger."""
    body = record.body()
    role = caller.role_in(body)
    return None if role is None else Membership(record.id, role, feature_flags.effective(body))
