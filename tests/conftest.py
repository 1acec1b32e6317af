"""A world to run in: a stand-in server in this process, a meddler before it, and manifests on disk."""

import gc
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.emulator import create_app
from reconciler.ledger.file_backend import FileBackend
from reconciler.ledger.keeper import Keeper
from reconciler.ledger.lock import lock_of
from reconciler.live.client import ReadClient, WriteClient, open_reader, open_writer
from reconciler.live.clock import SYSTEM, Clock
from reconciler.live.endpoint import Endpoint
from reconciler.live.runs import Runs
from reconciler.manifest.config import Config
from reconciler.plan.outcome import Applied
from reconciler.plan.owned import Ledger, Owner
from reconciler.plan.plan import Plan
from reconciler.reconcile import Wanted, apply_plan, plan_afresh, read_manifests, want
from reconciler.resource import Adopt
from reconciler.settings import LOCAL_KEY, LOCAL_URL, Settings, settings

from .openapi.contract import Contract
from .survival.verdict import pytest_terminal_summary  # noqa: F401 - pytest finds it by its name

OWNER = Owner("example.com/acme/fleet", "manifests", "test")
DEFAULT_ORG = "org_" + f"{1:032x}"
Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]]
"""Status, body (JSON, or bytes as they are) and headers of an answer."""


@dataclass(frozen=True)
class Sent:
    """One request as the server received it; `org` is its X-Org-Id."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any

    @property
    def org(self) -> str | None:
        """The organization the request was sent to."""
        return self.headers.get("x-org-id")

    @property
    def line(self) -> str:
        """Method and path, with every id shortened to its prefix."""
        return f"{self.method} {re.sub(r'_[0-9a-f]{32}', '_', self.path)}"


@dataclass
class Rule:
    """What to do to the requests of a method and path: `times` of them, after letting `skip` pass."""

    method: str
    path: str
    do: Callable[[Sent, Callable[[], tuple[str, list[tuple[str, str]], bytes]]], Any]
    times: int | None = 1
    skip: int = 0

    def takes(self, sent: Sent) -> bool:
        """Say whether the rule is about this request, and count it."""
        if sent.method != self.method or not re.fullmatch(self.path, sent.path) or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times = None if self.times is None else self.times - 1
        return True


class Meddler:
    """A WSGI application before another one: records every request and meddles with chosen ones.

    What the client sends and what the server answers, before any meddling, is held against the published file.
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self.contract = Contract()
        self.sent: list[Sent] = []
        self.rules: list[Rule] = []

    def instead(self, method: str, path: str, answer: Answer, **when: Any) -> None:
        """Answer instead of the server, which never sees the request."""
        self.rules.append(Rule(method, path, lambda _sent, _pass_on: _spelled(answer), **when))

    def after(self, method: str, path: str, answer: Answer, **when: Any) -> None:
        """Let the server carry the request out, then answer something else."""

        def do(_sent: Sent, pass_on: Callable[[], Any]) -> Any:
            pass_on()
            return _spelled(answer)

        self.rules.append(Rule(method, path, do, **when))

    def cut(self, method: str, path: str, error: Exception, *, carried_out: bool = False, **when: Any) -> None:
        """Break the connection before the server sees the request, or after it was carried out."""

        def do(_sent: Sent, pass_on: Callable[[], Any]) -> Any:
            if carried_out:
                pass_on()
            raise error

        self.rules.append(Rule(method, path, do, **when))

    def edit(self, method: str, path: str, change: Callable[[Any], Any], **when: Any) -> None:
        """Let the server answer, then change the JSON of the answer."""

        def do(_sent: Sent, pass_on: Callable[[], Any]) -> Any:
            status, headers, content = pass_on()
            edited = json.dumps(change(json.loads(content))).encode()
            return status, [(k, v) for k, v in headers if k.lower() != "content-length"], edited

        self.rules.append(Rule(method, path, do, **when))

    def before(self, method: str, path: str, act: Callable[[], Any], **when: Any) -> None:
        """Do something first, then let the server answer as ever."""

        def do(_sent: Sent, pass_on: Callable[[], Any]) -> Any:
            act()
            return pass_on()

        self.rules.append(Rule(method, path, do, **when))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Record a request, find the rule for it, answer."""
        content = environ["wsgi.input"].read()
        environ["wsgi.input"] = BytesIO(content)
        sent = _sent(environ, content)
        self.sent.append(sent)
        self.contract.sent(sent.method, sent.path, sent.query, sent.headers, content)

        def pass_on() -> tuple[str, list[tuple[str, str]], bytes]:
            told: list[Any] = []
            body = b"".join(self.app(environ, lambda status, headers, _exc=None: told.extend((status, headers))))
            headers = {name.lower(): value for name, value in told[1]}
            self.contract.answered(sent.method, sent.path, sent.query, int(told[0][:3]), headers, body)
            return told[0], told[1], body

        rule = next((rule for rule in self.rules if rule.takes(sent)), None)
        status, headers, body = rule.do(sent, pass_on) if rule else pass_on()
        start_response(status, headers)
        return [body]


def _sent(environ: dict[str, Any], content: bytes) -> Sent:
    told = {"HTTP_CONTENT_TYPE": environ["CONTENT_TYPE"]} if environ.get("CONTENT_TYPE") else {}
    headers = {k[5:].replace("_", "-").lower(): v for k, v in {**environ, **told}.items() if k.startswith("HTTP_")}
    try:
        body = json.loads(content) if content else None
    except ValueError:
        body = content
    return Sent(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"], headers, body)


def _spelled(answer: Answer) -> tuple[str, list[tuple[str, str]], bytes]:
    status, body, *more = answer
    headers: dict[str, str] = more[0] if more else {}
    if isinstance(body, bytes):
        return f"{status} X", list(headers.items()), body
    return f"{status} X", list(({"Content-Type": "application/json"} | headers).items()), json.dumps(body).encode()


@dataclass
class World:
    """A server, what is declared for it, and the run on one page against it."""

    folder: Path
    meddler: Meddler
    emulator: Any
    key: str = LOCAL_KEY
    reason: str | None = None
    adopt: Adopt = "overwrite"
    clock: Clock = SYSTEM
    timeout: float | None = None
    declared: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    opened: list[Any] = field(default_factory=list)
    runs: Runs | None = None

    # --- git's side ---

    def declare(self, kind: str, name: str, spec: dict[str, Any] | None = None, **metadata: Any) -> None:
        """Declare a resource, in the place of what was declared under the name; keyword arguments are metadata."""
        document: dict[str, Any] = {
            "apiVersion": "everruns.reconciler/v1",
            "kind": kind,
            "metadata": {"name": name, **metadata},
        }
        if spec is not None:
            document["spec"] = spec
        self.declared[kind, name] = document

    def agent(self, name: str, /, **spec: Any) -> None:
        """Declare an agent; what is not said of it is a prompt."""
        self.declare("Agent", name, {"system_prompt": "Help.", **spec})

    def memory(self, name: str, /, **spec: Any) -> None:
        """Declare a memory."""
        self.declare("Memory", name, spec)

    def bot(self, name: str, /, *channels: dict[str, Any], **spec: Any) -> None:
        """Declare an app with channels in the generic harness."""
        self.declare("App", name, {"harness": "generic", "channels": list(channels), **spec})

    def drop(self, kind: str, name: str) -> None:
        """Declare a resource no more."""
        del self.declared[kind, name]

    def wanted(self, **flags: Any) -> Wanted:
        """Write what is declared into one file and read it as the tool does."""
        chosen = self._written(**flags)
        return want(read_manifests(chosen.manifests), chosen, ledger=self.ledger, config=self.config)

    def _written(self, **flags: Any) -> Settings:
        (self.folder / "fleet.yaml").write_text("\n---\n".join(map(json.dumps, self.declared.values())))
        return settings(env={}, manifests=(str(self.folder),), **flags)

    # --- the tool ---

    @property
    def endpoint(self) -> Endpoint:
        """Where the server is."""
        return Endpoint(
            url=LOCAL_URL,
            key=self.key,
            app=lambda: self.meddler,
            reason=self.reason,
            clock=self.clock,
            timeout=self.timeout,
        )

    def reader(self) -> ReadClient:
        """Open a client that can only read."""
        return self._kept(open_reader(self.endpoint))

    def writer(self) -> WriteClient:
        """Open a client that can write."""
        return self._kept(open_writer(self.endpoint, runs=self.runs))

    @property
    def config(self) -> Config:
        """The rules: what somebody made by hand is taken over, unless the world says otherwise."""
        return Config(adopt=self.adopt)

    @property
    def backend(self) -> FileBackend:
        """Where the ledger is kept."""
        return FileBackend(self.folder.with_suffix(".ledger"), OWNER)

    @property
    def ledger(self) -> Ledger:
        """What the ledger says now."""
        return self.backend.read()

    @property
    def keeper(self) -> Keeper:
        """Hold the ledger for a run."""
        return Keeper(self.backend, lock_of({}), commit="c" * 40)

    def lose_ledger(self) -> None:
        """Forget whatever is ours, as if this were the first run."""
        backend = self.backend
        with backend.lock(self.keeper.lock):
            backend.erase(message="lost")

    def plan(self, **flags: Any) -> Plan:
        """Plan what is declared."""
        settings = self._written(**flags)
        return plan_afresh(settings, client=self.reader(), read_ledger=self.backend.read, config=self.config)

    def apply(
        self, plan: Plan | None = None, *, recheck: bool = True, listen: Any = None, parallel: int = 1, **flags: Any
    ) -> Applied:
        """Apply a plan, by default the one of what is declared; one step at a time unless told otherwise."""
        plan = self.plan() if plan is None else plan
        chosen = settings(env={}, parallelism=parallel, **flags)
        return apply_plan(
            plan,
            chosen,
            client=self.writer(),
            keeper=self.keeper,
            listen=listen or (lambda _news: None),
            recheck=recheck,
        )

    def converge(self) -> None:
        """Apply what is declared and insist that all of it went well; then forget the requests."""
        applied = self.apply()
        assert applied.exit_codes == (0,), applied
        self.forget()

    # --- the server's side ---

    @property
    def api(self) -> httpx.Client:
        """A client of the server itself, unseen by the meddler."""
        transport = httpx.WSGITransport(app=self.emulator)
        headers = {"Authorization": f"Bearer {LOCAL_KEY}", "X-Org-Id": DEFAULT_ORG}
        return self._kept(httpx.Client(transport=transport, base_url=LOCAL_URL, headers=headers))

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """Create something on the server by hand."""
        response = self.api.post(path, json=body)
        assert response.status_code in (200, 201), response.text
        result: dict[str, Any] = response.json()
        return result

    def live(self, plural: str) -> list[dict[str, Any]]:
        """List what the server has, archived ones included."""
        params = {"include_archived": "true"} | ({"limit": "100"} if plural == "agents" else {})
        found: list[dict[str, Any]] = self.api.get(f"/v1/{plural}", params=params).json()["data"]
        return found

    def one(self, plural: str, name: str) -> dict[str, Any]:
        """Give the one resource of a name."""
        (found,) = [item for item in self.live(plural) if item["name"] == name]
        return found

    @property
    def harness(self) -> str:
        """The id of the generic harness."""
        return str(self.one("harnesses", "generic")["id"])

    @property
    def org(self) -> str:
        """The id of the server's own organization."""
        return DEFAULT_ORG

    # --- what was sent ---

    @property
    def sent(self) -> list[Sent]:
        """Every request since the last `forget`."""
        return self.meddler.sent

    @property
    def writes(self) -> list[Sent]:
        """Every request but GET since the last `forget`."""
        return [sent for sent in self.sent if sent.method != "GET"]

    @property
    def lines(self) -> list[str]:
        """Method and path of every write, ids shortened."""
        return [sent.line for sent in self.writes]

    def forget(self) -> None:
        """Forget what was sent."""
        self.meddler.sent.clear()

    def _kept(self, client: Any) -> Any:
        self.opened.append(client)
        return client


OpenWorld = Callable[..., AbstractContextManager[World]]


@contextmanager
def _world(**options: Any) -> Iterator[World]:
    key, reason = options.pop("key", LOCAL_KEY), options.pop("reason", None)
    emulator = create_app(**{"default_org": True} | options)
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top) / "fleet"
        folder.mkdir()
        world = World(folder, Meddler(emulator), emulator, key=key, reason=reason)
        try:
            yield world
            world.meddler.contract.settle()
        finally:
            for client in world.opened:
                client.close()
            emulator.close()
            gc.unfreeze()  # a run keeps the collector from what it built; here many runs share a process


@pytest.fixture(scope="session")
def open_world() -> OpenWorld:
    """Open worlds, with the emulator's options; each is closed by its `with`."""
    return _world


@pytest.fixture(autouse=True)
def _no_repository_is_far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep git on this machine, whatever address it is given."""
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file")


@pytest.fixture
def world() -> Iterator[World]:
    """Give a world whose server has one organization with nothing of ours in it."""
    with _world() as world:
        yield world


class FakeTime:
    """A clock that stands still until somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_000_000_000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Give the time."""
        return self.now

    time = monotonic

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.slept.append(seconds)
        self.now += seconds

    @property
    def waited(self) -> float:
        """How long everybody slept together."""
        return sum(self.slept)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, world: World) -> FakeTime:
    """Give the world's clients a clock of their own, so that nothing waits."""
    fake = FakeTime()
    monkeypatch.setattr("reconciler.live.problems.time", fake)  # a date is read by the wall clock
    world.clock = Clock(fake.monotonic, fake.sleep, chance=lambda: 0.0)
    return fake
