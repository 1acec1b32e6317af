"""The command line as a user runs it: a process of its own, in a folder of its own, against a server on loopback."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

REPOSITORY = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "reconciler"]
KEY = "evr_pat_tests"
PATIENCE = 60


@dataclass(frozen=True)
class Ran:
    """How a run ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Everything it printed."""
        return self.out + self.err

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it printed as events; every line must be one."""
        assert self.err.strip() == ""
        events = [json.loads(line) for line in self.out.splitlines()]
        assert all(event["schema"] == "everruns.reconciler/events/v1" and event["type"] for event in events)
        assert events[-1]["type"] == "finished"
        assert events[-1]["exit_code"] == self.code
        return events

    def of(self, type_: str) -> list[dict[str, Any]]:
        """The events of a type."""
        return [event for event in self.events if event["type"] == type_]


@dataclass
class Shell:
    """A folder to run in and the environment that a run sees, nothing of the tests' own."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def environment(self, **more: str) -> dict[str, str]:
        """Give the whole environment of a run."""
        base = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", "PYTHONPATH": str(REPOSITORY)}
        return base | {"GIT_CEILING_DIRECTORIES": str(self.folder.parent)} | self.env | more

    def start(self, *arguments: str, **more: str) -> "subprocess.Popen[str]":
        """Start a run and do not wait for it."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [*PROGRAM, *arguments],
            cwd=self.folder,
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            encoding="utf-8",
        )

    def run(self, *arguments: str, stdin: str = "", **more: str) -> Ran:
        """Run to the end; keyword arguments are environment. No run may ever print a traceback."""
        done = subprocess.run(
            [*PROGRAM, *arguments],
            cwd=self.folder,
            env=self.environment(**more),
            input=stdin.encode(),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        return checked(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def write(self, name: str, text: str) -> Path:
        """Write a file below the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def agents(self, *names: str, prompt: str = "Help.", file: str = "manifests/agents.yaml") -> None:
        """Declare agents, all in one file."""
        documents = [
            f"apiVersion: everruns.reconciler/v1\nkind: Agent\nmetadata: {{name: {name}}}\n"
            f"spec: {{system_prompt: {json.dumps(prompt)}}}\n"
            for name in names
        ]
        self.write(file, "---\n".join(documents))


def checked(code: int, out: str, err: str) -> Ran:
    """Insist that there is no traceback, whatever happened."""
    assert "Traceback" not in out + err, out + err
    return Ran(code, out, err)


def ended(process: "subprocess.Popen[str]") -> Ran:
    """Wait for a started run."""
    out, err = process.communicate(timeout=PATIENCE)
    return checked(process.returncode, out, err)


@dataclass
class Site(Shell):
    """A shell beside a server in this process, every request of which is seen and can be meddled with."""

    world: Any = None
    url: str = ""

    @property
    def lines(self) -> list[str]:
        """Method and path of every write since the last `forget`, ids shortened."""
        lines: list[str] = self.world.lines
        return lines

    @property
    def reads(self) -> list[str]:
        """Path and query of every read since the last `forget`."""
        return [f"{one.path}?{one.query}" for one in self.world.sent if one.method == "GET"]

    def converge(self, *arguments: str) -> None:
        """Apply and insist that all went well; then forget the requests."""
        ran = self.run("apply", "--auto-approve", *arguments)
        assert ran.code == 0, ran.text
        self.world.forget()


class _Quiet(WSGIRequestHandler):
    """A handler of requests that logs nothing."""

    def log(self, type: str, message: str, *arguments: Any) -> None:  # noqa: A002 - werkzeug's own name
        """Say nothing."""


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve a WSGI application on a free port of loopback, one thread for each request; gives its address."""

    def bounded(environ: dict[str, Any], start_response: Any) -> Any:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(length))
        return app(environ, start_response)

    server = make_server("127.0.0.1", 0, bounded, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def serve() -> Callable[[Any], Any]:
    """Serve an application, as a context that gives its address."""
    return serving


@pytest.fixture
def finish() -> Callable[["subprocess.Popen[str]"], Ran]:
    """Wait for a started run."""
    return ended


@pytest.fixture
def shell(tmp_path) -> Shell:
    """Give an empty folder to run in, without any server."""
    return Shell(tmp_path)


@pytest.fixture
def open_site(tmp_path, open_world) -> Any:
    """Open sites, with the emulator's options; each is closed by its `with`."""

    @contextmanager
    def opened(**options: Any) -> Iterator[Site]:
        with open_world(**options) as world, serving(world.meddler) as url:
            env = {"EVERRUNS_API_URL": url, "EVERRUNS_API_KEY": KEY}
            yield Site(tmp_path, env, world=world, url=url)

    return opened


@pytest.fixture
def site(open_site) -> Iterator[Site]:
    """Give a site whose server has one organization with nothing in it."""
    with open_site() as site:
        yield site


@pytest.fixture(scope="session")
def repository() -> Path:
    """Give the root of this repository."""
    return REPOSITORY


@pytest.fixture(scope="session")
def demo_env() -> dict[str, str]:
    """Read the made-up secrets of the example fleet, as a shell would."""
    text = (REPOSITORY / "manifests" / "demo.env").read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Z0-9_]+)=(.*)$", text, re.MULTILINE))


@pytest.fixture
def fleet(site, demo_env) -> Site:
    """Give a site with a copy of the example fleet and its made-up secrets."""
    shutil.copytree(REPOSITORY / "manifests", site.folder / "manifests")
    site.env |= demo_env
    return site


@dataclass(frozen=True)
class Served:
    """An emulator that was started from the command line."""

    url: str
    data: Path
    process: "subprocess.Popen[str]"


@contextmanager
def emulating(folder: Path) -> Iterator[Served]:
    """Start `reconciler emulator` on a free port, and stop it as a service manager does."""
    data = folder / "platform.sqlite"
    process = Shell(folder).start("emulator", "--port", "0", "--data", str(data))
    try:
        assert process.stdout
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        yield Served(found[0], data, process)
    finally:
        process.send_signal(signal.SIGTERM)
        ran = ended(process)
    assert ran.code == 0, ran.text


@pytest.fixture
def served(tmp_path) -> Iterator[Served]:
    """Give an emulator that runs as a process of its own."""
    folder = tmp_path / "served"
    folder.mkdir()
    with emulating(folder) as served:
        yield served
