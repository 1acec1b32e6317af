"""Subjects that come from the platform: lists, single objects, error answers and headers, while planning and applying.

Whatever it answers, nothing of others is written to, and nothing is archived that the sane run does not archive.
"""

import json
import random
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from typing import Any

import httpx

from reconciler.kinds.fields import SecretRef
from reconciler.kinds.taint import Tainted
from reconciler.ledger.file_backend import FileBackend
from reconciler.live import hearsay
from reconciler.live.client import open_reader
from reconciler.live.problems import problem_of
from reconciler.live.refusals import from_problem
from reconciler.manifest.config import Config
from reconciler.plan.change import Action
from reconciler.plan.plan import Plan
from reconciler.reconcile import Wanted, make_plan, read_manifests, want
from reconciler.report import events
from reconciler.report.outcome_text import applied_text
from reconciler.report.plan_text import plan_text
from reconciler.settings import LOCAL_URL

from . import stage
from .files import STYLE
from .judge import Input, Subject, Wrong
from .mutate import damaged, mutated, nasty, spelled
from .stage import Answer, Asked, Liar, sane, site, still_time

_PROBLEM = {
    "type": "about:blank",
    "title": "Conflict",
    "status": 409,
    "detail": "Agent name 'triage' is already taken",
    "code": "already_exists",
    "retry_after_seconds": 2,
    "allowed_actions": [
        {"rel": "get-existing", "href": "/v1/agents/agent_1", "method": "GET", "operation_id": "get_agent"},
        {"rel": "unarchive", "href": "https://evil.example.com/x", "method": "POST", "hint": "bring it back"},
    ],
}
_STATUSES = (200, 201, 204, 206, 301, 304, 400, 401, 403, 404, 405, 409, 410, 418, 422, 429, 499, 500, 502, 503, 599)
_HEADERS = {
    "content-type": ("application/json", "text/html", "application/json; charset=utf-16", "\x7f", "x" * 10_000),
    "content-encoding": ("identity", "gzip", "br", "nonsense", "deflate, gzip"),
    "retry-after": (
        "1",
        "-5",
        "9" * 400,
        "NaN",
        "1e9",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "²",
        "32 Dec 99999",
        "0" * 5_000,
    ),
    "x-request-id": ("a" * 20_000, "\x1b[2J", "é", ""),
    "location": ("https://evil.example.com/", "//", "\x00", "/v1/agents"),
    "set-cookie": ("a=b", "=" * 5_000),
    "x-odd": ("\udcff", "\t"),
}


def _list_in_plan(rng: random.Random) -> Input:
    return _in_plan(rng, _another_tree)


def _bytes_in_plan(rng: random.Random) -> Input:
    return _in_plan(rng, _other_bytes)


def _refusal_in_plan(rng: random.Random) -> Input:
    return _in_plan(rng, _refusal)


def _in_plan(rng: random.Random, make: Any) -> Input:
    about = stage.pick(rng, sane().planned)
    answer = make(rng, sane().answers[about])
    return Input((about, answer), lambda: _plan(about, answer, whole=rng.random() < 0.25))


def _in_apply(rng: random.Random) -> Input:
    about = stage.pick(rng, sane().applied)
    answer = rng.choice((_another_tree, _another_tree, _other_bytes, _refusal))(rng, sane().answers[about])
    lies_early = about.method == "GET" and rng.random() < 0.5
    return Input((about, lies_early, answer), lambda: _apply(about, answer, lies_early=lies_early))


def _another_tree(rng: random.Random, answer: Answer) -> Answer:
    body = spelled(mutated(stage.tree_of(answer), rng))
    return replace(answer, body=body)


def _other_bytes(rng: random.Random, answer: Answer) -> Answer:
    return replace(answer, body=damaged(answer.body, rng))


def _refusal(rng: random.Random, answer: Answer) -> Answer:
    status = rng.choice(_STATUSES)
    body = rng.choice((_PROBLEM, {"error": "no"}, {"message": None}, stage.tree_of(answer), "text", None))
    data = spelled(mutated(body, rng)) if rng.random() < 0.8 else damaged(json.dumps(body).encode(), rng)
    headers = [(name, rng.choice(_HEADERS[name])) for name in rng.sample([*_HEADERS], rng.randrange(4))]
    headers = [pair for pair in headers if pair[1].isascii()]  # the stand-in for a network takes no others
    return Answer(f"{status} X", headers, rng.choice((data, data, b"")))


@cache
def _wanted() -> Wanted:
    here = site()
    chosen = here.settings()
    with still_time():
        declared = read_manifests(chosen.manifests)
        return want(declared, chosen, ledger=here.backend().read(), config=Config())


@cache
def _app() -> Any:
    """Open a platform that is only read."""
    return _kept.enter_context(site().platform())


_kept = ExitStack()


def _plan(about: Asked, answer: Answer, *, whole: bool) -> None:
    here = site()
    liar = Liar(_app(), about, lambda _answer: answer)
    with still_time():
        if whole:
            plan = stage.make_plan(liar, FileBackend(here.ledger, stage.OWNER), here.settings())
        else:
            client = open_reader(stage.endpoint(liar))
            try:
                plan = make_plan(_wanted(), here.settings(), client=client)
            finally:
                client.close()
    if liar.writes:
        raise Wrong(f"a plan wrote: {liar.writes}")
    _judge_plan(plan)


def _judge_plan(plan: Plan) -> None:
    """Show a plan in every way, and insist that it takes nothing away that the sane one does not."""
    "\n".join(plan_text(plan, style=STYLE)).encode()
    for change in plan.changes:
        events.line(events.change(change))
    events.line(events.plan_made(plan))
    gone = {change.address for change in sane().plan.changes if change.action is Action.ARCHIVE}
    for change in plan.writes:
        if change.id in site().foreign or change.frees in site().foreign:
            raise Wrong(f"would write to what is not ours: {change}")
        if change.action is Action.ARCHIVE and change.address not in gone:
            raise Wrong(f"would archive: {change}")


def _apply(about: Asked, answer: Answer, *, lies_early: bool) -> None:
    here, backend = site(), site().backend()
    with here.platform() as app, still_time():
        planning = Liar(app, about if lies_early else None, lambda _answer: answer)
        applying = Liar(app, None if lies_early else about, lambda _answer: answer)
        try:
            plan = stage.make_plan(planning, backend, here.settings()) if lies_early else sane().plan
            applied = stage.apply(applying, plan, backend, here.settings(), recheck=not lies_early)
        finally:
            _judge_writes([*planning.writes, *applying.writes])
    "\n".join(applied_text(applied, style=STYLE)).encode()
    for outcome in applied.outcomes:
        events.line(events.outcome(outcome))
    for remainder in applied.remainders:
        events.line(events.remainder(remainder))


def _judge_writes(writes: list[Asked]) -> None:
    """Insist that nothing of others was written to, and nothing archived that the sane run does not archive."""
    for one in writes:
        if any(id_ in one.target for id_ in site().foreign):
            raise Wrong(f"wrote to what is not ours: {one}")
        if one.method == "DELETE" and ("DELETE", one.target) not in sane().writes:
            raise Wrong(f"archived: {one}")


def _error_answer(rng: random.Random) -> Input:
    made = _refusal(rng, Answer("409 X", [], json.dumps(_PROBLEM).encode()))
    status = rng.choice((*_STATUSES, 100, 600, 999))
    body = (
        {"name": "triage", "token": Tainted(SecretRef(source="env", name="TOKEN"), "sesame")}
        if rng.random() < 0.5
        else nasty(rng)
    )
    asked = hearsay.Asked("POST", "/v1/agents", LOCAL_URL, None, body)
    names = [name for name in rng.sample([*_HEADERS], rng.randrange(4)) if name != "content-encoding"]
    pairs = [(name.encode(), rng.choice(_HEADERS[name]).encode(errors="surrogateescape")) for name in names]

    def feed() -> None:
        response = httpx.Response(status, headers=pairs, content=made.body)
        with still_time():
            raise from_problem(problem_of(response, asked), doing="listing agents of acme")

    return Input((status, pairs, made.body, body), feed, placed=lambda error: "listing agents" in error.message)


ANSWERS = (
    Subject("list, tree", 6, _list_in_plan),
    Subject("list, bytes", 2, _bytes_in_plan),
    Subject("refused read", 2, _refusal_in_plan),
    Subject("error answer", 8, _error_answer),
    Subject("answer during apply", 3, _in_apply),
)
