"""A request in the server's order: routed, authenticated, placed in an organization, its body read, allowed, run."""

from collections.abc import Mapping

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request

from reconciler.emulator import callers, changes, policies, routes
from reconciler.emulator.bodies import read
from reconciler.emulator.call import Call, Deployment, Reply, Route
from reconciler.emulator.inside import base_of, is_inside
from reconciler.emulator.problems import RejectionError, feature_off
from reconciler.emulator.store import Changed, Store

READING = frozenset({"GET", "HEAD"})


def run(request: Request, path: str, *, store: Store, deployment: Deployment) -> Reply:
    """Route a request and run it in one transaction."""
    route, args = _match(request, path)
    with store.transaction(reading=request.method in READING):
        call, reason = _admitted(request, route, args, store=store, deployment=deployment)
        reply = route.handler(call)
        if call.org and route.is_command and request.method in changes.MUTATING:
            entity = reply.entity or next(iter(args.values()), "")
            store.record_change(Changed(call.org, entity, request.method, reason))
        return reply


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


def _admitted(
    request: Request, route: Route, args: Mapping[str, str], *, store: Store, deployment: Deployment
) -> tuple[Call, str | None]:
    """Check everything the route asks for, in the server's order; gives the call and the reason for the change."""
    caller = callers.identify(request, deployment)
    place = callers.select_org(request, store, caller) if route.scoped else None
    if route.app_write and deployment.age.freezes_apps and not is_inside(request):
        raise RejectionError(405, allow="GET,HEAD")
    is_recorded = place and route.is_command and deployment.age.records_reasons
    reason = changes.reason(request, is_lenient=not deployment.age.refuses_reasons) if is_recorded else None
    body = read(request, route.body) if route.body is not None else {}
    if place:
        _check_access(route, place)
    call = Call(
        request=request,
        store=store,
        deployment=deployment,
        caller=caller,
        base=base_of(request),
        args=args,
        org=place.org if place else "",
        role=place.role if place else "member",
        flags=place.flags if place else {},
        body=body,
    )
    return call, reason


def _check_access(route: Route, place: callers.Membership) -> None:
    """Check the feature flag first, then the permission."""
    if route.flag and not place.flags[route.flag]:
        raise feature_off(route.flag)
    if route.policy and not policies.allowed(place.role, route.policy):
        raise policies.denied(route.policy)
