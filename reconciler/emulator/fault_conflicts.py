"""The two conflicts of a create: somebody was quicker, or an archived twin is in the way."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from werkzeug.wrappers import Request

from reconciler.emulator import fault_targets
from reconciler.emulator.answers import Answer
from reconciler.emulator.fault_targets import Target
from reconciler.emulator.inside import Inside, base_of
from reconciler.emulator.problems import ProblemError
from reconciler.emulator.store import Store

FOREIGN = "https://elsewhere.example"


@dataclass(frozen=True, slots=True)
class Create:
    """A create that is to be refused, with the form of the recovery action that the refusal carries."""

    request: Request
    action: str
    carry_out: Callable[[], Answer]
    inside: Inside
    store: Store


def quicker(create: Create) -> ProblemError | Answer:
    """Refuse because of one that holds the name; without one the request itself is carried out first."""
    target = fault_targets.target_of(create.request, create.store)
    name = fault_targets.wanted_name(create.request)
    if target is None or name is None:
        return create.carry_out()
    holders = [body for body in fault_targets.named(create.store, target, name) if not fault_targets.is_gone(body)]
    if holders:
        return _refusal(create, target, holders[0])
    answer = create.carry_out()
    return answer if answer[0] >= 400 else _refusal(create, target, json.loads(answer[1]))  # noqa: PLR2004


def twin(create: Create) -> ProblemError | Answer:
    """Refuse because of an archived one of the name; without one the request is carried out and its result archived."""
    target = fault_targets.target_of(create.request, create.store)
    name = fault_targets.wanted_name(create.request)
    if target is None or name is None:
        return create.carry_out()
    found = fault_targets.named(create.store, target, name)
    gone = [body for body in found if fault_targets.is_gone(body)]
    if gone:
        return _refusal(create, target, gone[0], archived=True)
    if found:
        return create.carry_out()
    answer = create.carry_out()
    if answer[0] >= 400:  # noqa: PLR2004 - refused for a reason of its own
        return answer
    body = json.loads(answer[1])
    create.inside.send("DELETE", f"/v1/{target.path}/{body['id']}", org=target.org)
    return _refusal(create, target, body, archived=True)


CONFLICTS: Mapping[str, Callable[[Create], ProblemError | Answer]] = {"conflict": quicker, "archived": twin}


def _refusal(create: Create, target: Target, holder: Mapping[str, Any], *, archived: bool = False) -> ProblemError:
    """Write the 409: as the server words it without an action, as the API pages promise it with one."""
    told, code = _worded(target, holder["name"])
    if create.action == "none":
        return ProblemError(409, told, code=code)
    action = _unarchive(create, target, holder) if archived else _get_existing(create, target, holder)
    code = f"{target.noun.one.replace(' ', '_')}_already_exists"
    return ProblemError(409, told, code=code, actions=[action])


def _worded(target: Target, name: str) -> tuple[str, str | None]:
    """Give detail and code of a taken name (everruns-api/orgs-apps-errors.md, 4.2 and 4.4)."""
    if target.path in ("agents", "harnesses"):
        return f"{target.noun.one.capitalize()} name '{name}' is already taken", None
    if target.path == "memories":
        return "memory name already exists", "already_exists"
    return "Resource already exists", "already_exists"


def _get_existing(create: Create, target: Target, holder: Mapping[str, Any]) -> dict[str, str]:
    """Offer to fetch what is there (everruns-api/orgs-apps-errors.md, 4.3)."""
    hint = f"Fetch the existing {target.noun.one} and reuse it."
    action = {"rel": "get-existing", "operation_id": target.noun.get, "hint": hint}
    return action | _linked(create, target, holder)


def _unarchive(create: Create, target: Target, holder: Mapping[str, Any]) -> dict[str, str]:
    """Offer to bring the archived one back; operation and method are named only where the API has one that does."""
    action = {"rel": "unarchive", "hint": f"Unarchive the existing {target.noun.one}, then retry."}
    revival = target.noun.revival
    if revival is None:
        return action | _linked(create, target, holder)
    named = {"operation_id": revival.operation, "method": revival.method}
    return action | named | _linked(create, target, holder, suffix=revival.suffix)


def _linked(create: Create, target: Target, holder: Mapping[str, Any], *, suffix: str = "") -> dict[str, str]:
    """Give the link: absolute, relative, or on somebody else's origin."""
    base = base_of(create.request)
    path = f"/v1/{target.path}/{holder['id']}{suffix}"
    hrefs = {"href": base + path, "relative": urlsplit(base).path + path, "foreign": FOREIGN + path}
    return {"href": hrefs[create.action]} if create.action in hrefs else {}
