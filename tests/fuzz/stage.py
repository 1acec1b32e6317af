"""A platform with things of ours and of others, a plan for it, and a liar in front of it; copied for each run."""

import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import httpx

from reconciler.emulator import create_app
from reconciler.ledger.file_backend import FileBackend
from reconciler.ledger.keeper import Keeper
from reconciler.ledger.lock import lock_of
from reconciler.live.client import open_writer
from reconciler.live.clock import Clock
from reconciler.live.endpoint import Endpoint
from reconciler.manifest.config import Config
from reconciler.plan.outcome import Applied
from reconciler.plan.owned import Owner
from reconciler.plan.plan import Plan
from reconciler.reconcile import apply_plan, plan_afresh
from reconciler.settings import LOCAL_KEY, LOCAL_URL, Settings, settings
from tests.conftest import DEFAULT_ORG, FakeTime

from .files import folder

OWNER = Owner("example.com/acme/fleet", "manifests", "test")
SECRET = {"FUZZ_TOKEN": "sesame-open-84213"}
_HEAD = "apiVersion: everruns.reconciler/v1\n"
_BEFORE = (
    """\
kind: Agent
metadata: {name: triage}
spec:
  system_prompt: Sort.
  description: Sorts mail
  tags: [a, b]
  capabilities: [{ref: web_fetch, config: {timeout_ms: 30000}}]
  mcpServers: {crm: {url: https://mcp.example.com}}
""",
    "kind: Agent\nmetadata: {name: coach}\nspec: {system_prompt: Coach., max_iterations: 9}\n",
    "kind: Memory\nmetadata: {name: notes}\nspec: {description: Notes}\n",
    """\
kind: App
metadata: {name: bot}
spec:
  agent: triage
  harness: generic
  channels:
    - {name: nightly, type: schedule, config: {cron_expression: '0 2 * * *', message: Run.}}
    - {name: hook, type: webhook, config: {token: {env: FUZZ_TOKEN}, message: Go.}}
""",
)
_AFTER = (
    _BEFORE[0].replace("Sort.", "Sort it.").replace("a, b", "b, c"),
    "kind: Agent\nmetadata: {name: scout}\nspec: {system_prompt: Look.}\n",
    _BEFORE[2].replace("Notes", "Our notes"),
    _BEFORE[3].replace("Run.", "Run now.").replace("spec:\n", "spec:\n  published: true\n"),
)


class Asked(NamedTuple):
    """A request as it can be told from others, whatever order threads bring them in: its line, and how often before."""

    method: str
    target: str
    before: int


@dataclass
class Answer:
    """What is about to be answered."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class Liar:
    """A WSGI application before another one: lies about one request, and keeps the writes."""

    app: Any
    about: Asked | None = None
    lie: Callable[[Answer], Answer] = lambda answer: answer
    asked: list[Asked] = field(default_factory=list)
    answers: dict[Asked, Answer] = field(default_factory=dict)
    _counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer as the application does, or lie."""
        line = environ["REQUEST_METHOD"], environ["PATH_INFO"] + "?" + environ["QUERY_STRING"]
        asked = Asked(*line, self._counts[line])
        self._counts[line] += 1
        self.asked.append(asked)
        content = environ["wsgi.input"].read()
        environ["wsgi.input"] = BytesIO(content)
        told: list[Any] = []
        body = b"".join(self.app(environ, lambda status, headers, _exc=None: told.extend((status, headers))))
        answer = self.answers[asked] = Answer(told[0], told[1], body)
        if asked == self.about:
            answer = self.lie(replace(answer))
        start_response(answer.status, [pair for pair in answer.headers if pair[0].lower() != "content-length"])
        return [answer.body]

    @property
    def writes(self) -> list[Asked]:
        """Every request that was no read."""
        return [one for one in self.asked if one.method != "GET"]


@dataclass(frozen=True)
class Site:
    """A platform as it is before a run, kept in a file; `foreign` are the ids of what is not ours."""

    place: Path
    data: Path
    ledger: Path
    foreign: frozenset[str]
    manifests: Path

    @contextmanager
    def platform(self) -> Iterator[Any]:
        """Open a fresh copy of it."""
        copy = self.place / "run.sqlite"
        shutil.copyfile(self.data, copy)
        with _closing(create_app(data=str(copy), default_org=True)) as app:
            yield app

    def backend(self) -> FileBackend:
        """Give a fresh copy of the ledger."""
        shutil.rmtree(self.place / "ledger", ignore_errors=True)
        shutil.copytree(self.ledger, self.place / "ledger")
        return FileBackend(self.place / "ledger", OWNER)

    def settings(self) -> Settings:
        """Give the flags of a run."""
        return settings(env={}, manifests=(str(self.manifests),), parallelism=1)


@contextmanager
def _closing(app: Any) -> Iterator[Any]:
    try:
        yield app
    finally:
        app.close()


@contextmanager
def still_time() -> Iterator[None]:
    """Let nothing wait, and let secrets have a value."""
    clock = FakeTime()
    with (
        patch("reconciler.live.problems.time", clock),
        patch.dict(os.environ, SECRET),
    ):
        yield


@cache
def site() -> Site:
    """Make the platform: what is ours is applied, then the manifests move on; others have things of the same kinds."""
    place = folder("site")
    manifests, data, ledger = place / "manifests", place / "base.sqlite", place / "base-ledger"
    manifests.mkdir(parents=True)
    file = manifests / "fleet.yaml"
    with _closing(create_app(data=str(data), default_org=True)) as app, still_time():
        foreign = _foreign(app)
        made = Site(place, data, ledger, foreign, manifests)
        file.write_text("\n---\n".join(_HEAD + text for text in _BEFORE))
        backend = FileBackend(ledger, OWNER)
        applied = converge(Liar(app), backend, made.settings())
        assert applied.exit_codes == (0,), applied
    file.write_text("\n---\n".join(_HEAD + text for text in _AFTER))
    return made


def _foreign(app: Any) -> frozenset[str]:
    headers = {"Authorization": f"Bearer {LOCAL_KEY}", "X-Org-Id": DEFAULT_ORG}
    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url=LOCAL_URL, headers=headers) as api:

        def post(path: str, **body: Any) -> str:
            answer = api.post(path, json=body)
            assert answer.status_code in (200, 201), answer.text
            return str(answer.json()["id"])

        harness = next(one["id"] for one in api.get("/v1/harnesses").json()["data"] if one["name"] == "generic")
        agent = post("/v1/agents", name="theirs", system_prompt="Ours, not yours.", harness_id=harness)
        memory = post("/v1/memories", name="their notes")
        bot = post("/v1/apps", name="their bot", harness_id=harness, agent_id=agent)
        return frozenset({agent, memory, bot})


def make_plan(app: Any, backend: FileBackend, chosen: Settings) -> Plan:
    """Plan as the verbs do."""
    client = open_writer(endpoint(app))
    try:
        return plan_afresh(chosen, client=client, read_ledger=backend.read, config=Config())
    finally:
        client.close()


def apply(app: Any, plan: Plan, backend: FileBackend, chosen: Settings, *, recheck: bool = False) -> Applied:
    """Apply as the verbs do."""
    client = open_writer(endpoint(app))
    keeper = Keeper(backend, lock_of({}), commit="c" * 40)
    try:
        return apply_plan(plan, chosen, client=client, keeper=keeper, listen=lambda _news: None, recheck=recheck)
    finally:
        client.close()


def converge(app: Any, backend: FileBackend, chosen: Settings) -> Applied:
    """Plan and apply."""
    return apply(app, make_plan(app, backend, chosen), backend, chosen)


def endpoint(app: Any) -> Endpoint:
    """Say where the platform is."""
    clock = FakeTime()
    still = Clock(clock.monotonic, clock.sleep, chance=lambda: 0.0)
    return Endpoint(url=LOCAL_URL, key=LOCAL_KEY, app=lambda: app, clock=still)


@dataclass(frozen=True)
class Sane:
    """What a run does when nobody lies: its plan, what it asks, and what it is answered."""

    plan: Plan
    planned: tuple[Asked, ...]
    applied: tuple[Asked, ...]
    answers: dict[Asked, Answer]

    @property
    def writes(self) -> frozenset[tuple[str, str]]:
        """The writes, by method and path."""
        return frozenset((one.method, one.target) for one in self.applied if one.method != "GET")


@cache
def sane() -> Sane:
    """Run once without a lie."""
    here = site()
    backend = here.backend()
    with here.platform() as app, still_time():
        planning, applying = Liar(app), Liar(app)
        plan = make_plan(planning, backend, here.settings())
        applied = apply(applying, plan, backend, here.settings(), recheck=True)
        assert applied.exit_codes == (0,), applied
    return Sane(
        plan,
        tuple(sorted(planning.asked, key=_order)),
        tuple(sorted(applying.asked, key=_order)),
        planning.answers | applying.answers,
    )


def _order(one: Asked) -> tuple[str, str, int]:
    return one.target, one.method, one.before


def tree_of(answer: Answer) -> Any:
    """Return the JSON of an answer, None for an empty one."""
    return json.loads(answer.body) if answer.body else None


def pick(rng: random.Random, asked: tuple[Asked, ...]) -> Asked:
    """Choose the request to lie about."""
    return rng.choice(asked)
