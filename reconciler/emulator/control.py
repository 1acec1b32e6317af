"""The control endpoints below `/_emulator`: health, reset, seed, faults, requests; the real server has none of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Request

from reconciler.emulator import bodies
from reconciler.emulator.call import NO_CONTENT, Reply
from reconciler.emulator.fault_book import FaultBook
from reconciler.emulator.faults import FaultError
from reconciler.emulator.journal import Journal
from reconciler.emulator.problems import ProblemError, RejectionError, bad_request
from reconciler.emulator.seeds import SeedError

PREFIX = "/_emulator/"


@dataclass(frozen=True, slots=True)
class Controls:
    """What can be controlled; `is_open` False leaves health alone."""

    profile: str
    faults: FaultBook
    journal: Journal
    reset: Callable[[], None]
    seed: Callable[[Any], Mapping[str, int]]
    is_open: bool = True


def answer(request: Request, path: str, controls: Controls) -> Reply:
    """Serve a control endpoint."""
    name = path.removeprefix(PREFIX)
    methods = ENDPOINTS.get(name)
    if not (controls.is_open or name == "health"):
        raise RejectionError(404)  # as the real server, which has nothing here
    if methods is None:
        raise ProblemError(404, f"no such endpoint: {name}; there are {', '.join(ENDPOINTS)}")
    if request.method not in methods:
        allowed = ",".join(sorted(methods))
        raise ProblemError(405, f"{name} takes {allowed}, not {request.method}", allow=allowed)
    try:
        return methods[request.method](request, controls)
    except (FaultError, SeedError) as error:
        raise bad_request(str(error)) from error


def _health(_request: Request, controls: Controls) -> Reply:
    """Say that requests are served."""
    return Reply(value={"status": "ok", "profile": controls.profile})


def _reset(_request: Request, controls: Controls) -> Reply:
    """Go back to the beginning: its data, its faults, no requests."""
    controls.reset()
    return Reply(NO_CONTENT)


def _seed(request: Request, controls: Controls) -> Reply:
    """Add what a seed says, all of it or nothing."""
    return Reply(value={"created": controls.seed(_json(request))})


def _faults(_request: Request, controls: Controls) -> Reply:
    """Show the faults in force."""
    return Reply(value=controls.faults.describe())


def _replace_faults(request: Request, controls: Controls) -> Reply:
    """Put other faults in force and count anew."""
    texts, seed = _wanted(request)
    controls.faults.replace(texts, seed=seed)
    return Reply(value=controls.faults.describe())


def _add_faults(request: Request, controls: Controls) -> Reply:
    """Put more faults in force."""
    texts, seed = _wanted(request)
    if seed is not None:
        raise bad_request("a seed begins anew: PUT all faults with it")
    controls.faults.add(texts)
    return Reply(value=controls.faults.describe())


def _clear_faults(_request: Request, controls: Controls) -> Reply:
    """Put no fault in force."""
    controls.faults.replace(())
    return Reply(NO_CONTENT)


def _requests(_request: Request, controls: Controls) -> Reply:
    """Show the last requests."""
    return Reply(value=controls.journal.describe())


def _forget_requests(_request: Request, controls: Controls) -> Reply:
    """Forget the requests so far."""
    controls.journal.clear()
    return Reply(NO_CONTENT)


def _wanted(request: Request) -> tuple[list[str], int | None]:
    """Read `{"faults": [...], "seed": N}`."""
    body = _json(request)
    if not isinstance(body, dict) or not set(body) <= {"faults", "seed"}:
        raise bad_request('expected {"faults": ["503 times=1", ...], "seed": 7}; the seed may be left out')
    texts, seed = body.get("faults"), body.get("seed")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise bad_request("faults: expected a list of texts such as '503 times=1'")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise bad_request("seed: expected a whole number")
    return texts, seed


def _json(request: Request) -> Any:
    """Read the body."""
    try:
        return bodies.loads(request.get_data())
    except ValueError as error:
        raise bad_request(f"the body is not JSON: {error}") from error


Endpoint = Callable[[Request, Controls], Reply]
ENDPOINTS: Mapping[str, Mapping[str, Endpoint]] = {
    "health": {"GET": _health},
    "reset": {"POST": _reset},
    "seed": {"POST": _seed},
    "faults": {"GET": _faults, "PUT": _replace_faults, "POST": _add_faults, "DELETE": _clear_faults},
    "requests": {"GET": _requests, "DELETE": _forget_requests},
}
