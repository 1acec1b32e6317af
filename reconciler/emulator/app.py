"""The WSGI application: START HERE. A request is routed, authenticated, placed in an organization, run."""

import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request

from reconciler.emulator import callers, changes, ids, orgs, policies, routes
from reconciler.emulator.bodies import read
from reconciler.emulator.call import Call, Deployment, Reply, Route
from reconciler.emulator.problems import (
    PLAIN_TYPE,
    PROBLEM_TYPE,
    ProblemError,
    RejectionError,
    feature_off,
    internal,
)
from reconciler.emulator.store import Changed, Store, dumps

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Recorder = Callable[[str, str], None]
Answer = tuple[int, bytes, dict[str, str]]
PREFIX = "/api"
PROFILES = ("seeds", "strict", "frozen")
JSON_TYPE = "application/json"
logger = logging.getLogger(__name__)


def create_app(
    *,
    data: str | None = None,
    profile: str = "seeds",
    recorder: Recorder | None = None,
    tokens: Mapping[str, str] | None = None,
    limits: Mapping[str, int | None] | None = None,
    default_org: bool = False,
) -> "Emulator":
    """Make the application: `data` None keeps everything in memory, `tokens` maps a bearer token to a role.

    Profiles: `seeds` follows the pages of the API, `strict` adds the refusals of its later builds,
    `frozen` no longer takes writes to apps.
    Roles: owner, admin, member, and stranger (in no organization but its own).
    """
    if profile not in PROFILES:
        raise ValueError(f"unknown profile {profile!r}; there are {', '.join(PROFILES)}")
    deployment = Deployment(profile=profile, limits=limits or {}, tokens=tokens)
    return Emulator(Store(data), deployment, recorder=recorder, default_org=default_org)


class Emulator:
    """The WSGI callable; `store` is open to tests, `close` releases the database."""

    def __init__(self, store: Store, deployment: Deployment, *, recorder: Recorder | None, default_org: bool) -> None:
        self.store = store
        self._deployment = deployment
        self._recorder = recorder
        self._default_org = default_org
        self._plant()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        status, body, headers = self._answer(request)
        headers["X-Request-ID"] = request.headers.get("X-Request-ID") or str(uuid.uuid4())
        if status != HTTPStatus.NO_CONTENT:
            headers["Content-Length"] = str(len(body))
        start_response(f"{status} {HTTPStatus(status).phrase}", list(headers.items()))
        return [] if request.method == "HEAD" else [body]

    def reset(self) -> None:
        """Forget everything and start afresh."""
        with self.store.transaction():
            self.store.clear()
        self._plant()

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    def _plant(self) -> None:
        """Make the default organization where it is wanted and missing."""
        with self.store.transaction():
            if self._default_org and self.store.get("", "orgs", ids.DEFAULT_ORG) is None:
                owner = ids.derived("user", "owner")
                orgs.found(self.store, name="Default", user=owner, ident=ids.DEFAULT_ORG)

    def _answer(self, request: Request) -> Answer:
        """Run a request and turn whatever comes out of it into status, body and headers."""
        try:
            return _success(self._run(request))
        except ProblemError as problem:
            return _refusal(problem)
        except RejectionError as rejection:
            headers = {"Content-Type": PLAIN_TYPE} if rejection.text else {}
            if rejection.allow:
                headers["Allow"] = rejection.allow
            return rejection.status, rejection.text.encode(), headers
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            return _refusal(internal())

    def _run(self, request: Request) -> Reply:
        """Route a request and run it in one transaction."""
        prefix, path = _split(request.path)
        if path.startswith("/_emulator/"):
            return self._control(request.method, path)
        if self._recorder:
            self._recorder(request.method, path)
        route, args = _match(request, path)
        with self.store.transaction():
            return self._serve(request, route, args, base=request.host_url.rstrip("/") + prefix)

    def _serve(self, request: Request, route: Route, args: Mapping[str, str], *, base: str) -> Reply:
        """Check everything the route asks for, in the server's order, then run its handler."""
        caller = callers.identify(request, self._deployment)
        place = callers.select_org(request, self.store, caller) if route.scoped else None
        if route.app_write and self._deployment.profile == "frozen":
            raise RejectionError(405, allow="GET,HEAD")
        reason = changes.reason(request) if place else None
        body = read(request, route.body) if route.body is not None else {}
        if place:
            _check_access(route, place)
        call = Call(
            request=request,
            store=self.store,
            deployment=self._deployment,
            caller=caller,
            base=base,
            args=args,
            org=place.org if place else "",
            role=place.role if place else "member",
            flags=place.flags if place else {},
            body=body,
        )
        reply = route.handler(call)
        if place and request.method in changes.MUTATING:
            entity = reply.entity or next(iter(args.values()), "")
            self.store.record_change(Changed(place.org, entity, request.method, reason))
        return reply

    def _control(self, method: str, path: str) -> Reply:
        """Serve the routes that exist only here: health and reset."""
        if (method, path) == ("GET", "/_emulator/health"):
            return Reply(value={"status": "ok", "profile": self._deployment.profile})
        if (method, path) == ("POST", "/_emulator/reset"):
            self.reset()
            return Reply(204)
        raise RejectionError(404)


def _split(path: str) -> tuple[str, str]:
    """Take the optional `/api` in front of a path apart from it."""
    if path.startswith(PREFIX + "/"):
        return PREFIX, path[len(PREFIX) :]
    return "", path


def _match(request: Request, path: str) -> tuple[Route, Mapping[str, str]]:
    """Find the route; a missing one is a bare 404 and a wrong method a bare 405, without a problem body."""
    try:
        rule, args = routes.MAP.bind("emulator").match(path)
    except HTTPException as error:
        raise RejectionError(404) from error
    methods = routes.RULES[rule]
    route = methods.get("GET" if request.method == "HEAD" else request.method)
    if route is None:
        allowed = [*methods, "HEAD"] if "GET" in methods else methods
        raise RejectionError(405, allow=",".join(sorted(allowed)))
    return route, args


def _check_access(route: Route, place: callers.Membership) -> None:
    """Check the feature flag first, then the permission."""
    if route.flag and not place.flags[route.flag]:
        raise feature_off(route.flag)
    if route.policy and not policies.allowed(place.role, route.policy):
        raise policies.denied(route.policy)


def _success(reply: Reply) -> Answer:
    """Write a reply; 204 has no body and no content type."""
    if reply.status == HTTPStatus.NO_CONTENT:
        return reply.status, b"", {}
    text = reply.text if reply.text is not None else dumps(reply.value)
    return reply.status, text.encode(), {"Content-Type": JSON_TYPE}


def _refusal(problem: ProblemError) -> Answer:
    """Write a problem document; a wait is also told in Retry-After."""
    headers: dict[str, Any] = {"Content-Type": PROBLEM_TYPE}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    return problem.status, problem.body(), headers
