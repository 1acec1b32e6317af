"""A stage for the real command line: a served platform and a folder, both put back before every try."""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from reconciler.emulator import create_app
from reconciler.ledger.choose import Wish, choose
from tests.cli.conftest import KEY, PATIENCE, PROGRAM, Ran, Shell, checked, serving

from . import fleet
from .expected import SOMEBODY, foreseeing
from .rows import restore
from .syncing import Synced

Moment = Literal["before", "after"]
Keeping = Literal["file", "git"]
FLAGS = ("apply", "--auto-approve")
TIMING_OUT = 30.0


@dataclass
class Gate:
    """A WSGI application before the platform that counts requests and kills a process at one of them.

    The process dies before the platform carries the request out, or after it did and before it answers. Whatever the
    dead process had on its way is carried out, as it would be by a platform that does not know.
    """

    app: Any
    seen: int = 0
    writes: int = 0
    kill_at: int | None = None
    moment: Moment = "before"
    process: "subprocess.Popen[bytes] | None" = None
    struck: str | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    armed: threading.Event = field(default_factory=threading.Event)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Count a request; kill who sent it when it is the one."""
        with self.lock:
            self.seen += 1
            self.writes += environ["REQUEST_METHOD"] != "GET"
            is_struck = self.seen == self.kill_at
        if not is_struck:
            return self.app(environ, start_response)
        self.struck = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        if self.moment == "after":
            b"".join(self.app(environ, lambda *_: None))
        assert self.armed.wait(TIMING_OUT)
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(TIMING_OUT)
        raise ConnectionAbortedError("who asked is dead")

    def rest(self) -> None:
        """Count from the beginning, and kill nobody."""
        self.seen, self.writes, self.kill_at, self.process, self.struck = 0, 0, None, None, None
        self.armed.clear()


@dataclass
class Stage:
    """The folder, the platform, and what every try begins and ends with."""

    shell: Shell
    emulator: Any
    gate: Gate
    keeping: Keeping
    top: Path
    expected: Any = None
    requests: int = 0
    writes: int = 0

    @property
    def saved(self) -> Path:
        """Where the copy of the folder is kept."""
        return self.top / "saved"

    @property
    def folder(self) -> Path:
        """Where the command line runs; the git remote is inside."""
        return self.shell.folder

    def run(self, *arguments: str) -> Ran:
        """Run to the end."""
        return self.shell.run(*arguments)

    def build(self) -> None:
        """Apply what was there before, put foreign things beside it, take the pictures, and apply once undisturbed."""
        self.shell.write("reconciler.yaml", f"ledger: {{backend: {self.keeping}}}\nenvironment: survival\n")
        self.shell.write("manifests/fleet.yaml", fleet.text(fleet.before()))
        if self.keeping == "git":
            self._repository()
        with foreseeing(self.emulator) as seen:
            self._apply()
            seen.meddled()
            self.shell.write("manifests/fleet.yaml", fleet.text(fleet.after()))
            shutil.copytree(self.folder, self.saved, symlinks=True)
            self.gate.rest()
            self._apply()
        self.expected = seen.expected
        self.requests, self.writes = self.gate.seen, self.gate.writes

    def _apply(self) -> None:
        ran = self.run(*FLAGS, "--parallelism", "1")
        assert ran.code == 0, ran.text

    def reset(self) -> None:
        """Put platform and folder back to what they were."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.saved, self.folder, symlinks=True)
        restore(self.emulator, self.expected.picture)
        self.gate.rest()

    def killed(self, number: int, moment: Moment, *, parallelism: int) -> Ran | None:
        """Start an apply that dies at a request; gives how it ended when it was through before."""
        self.gate.kill_at, self.gate.moment = number, moment
        process = subprocess.Popen(
            [*PROGRAM, *FLAGS, "--parallelism", str(parallelism)],
            cwd=self.folder,
            env=self.shell.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.gate.process = process
        self.gate.armed.set()
        out, err = process.communicate(timeout=PATIENCE)
        self._quiet()
        struck = self.gate.struck
        ran = checked(process.returncode, out.decode(), err.decode())
        self.gate.kill_at = None
        assert (process.returncode == -signal.SIGKILL) == (struck is not None), ran.text
        self._later()
        return None if struck else ran

    def _later(self) -> None:
        """Let a while pass: what was sent a moment ago may still arrive, and would be waited for."""
        for path in (self.folder / ".reconciler" / "runs").glob("*.jsonl"):
            path.write_bytes(re.sub(rb'"at":"20[0-9]{2}', b'"at":"2020', path.read_bytes()))

    def owned(self) -> Any:
        """Read the ledger as the command line does."""
        here = Path.cwd()
        os.chdir(self.folder)
        try:
            wish = Wish(backend=self.keeping, environment="survival")
            return choose(["manifests"], api_url="http://localhost", wish=wish).read()
        finally:
            os.chdir(here)

    def told(self) -> list[str]:
        """Name the files below the folder that hold the value of a secret."""
        values = [value.encode() for value in fleet.SECRETS.values()]
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return [str(path) for path in files if any(value in path.read_bytes() for value in values)]

    def _quiet(self) -> None:
        """Wait until the platform is done with what the dead process had sent."""
        deadline = time.monotonic() + TIMING_OUT
        while any("process_request_thread" in thread.name for thread in threading.enumerate()):
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def _repository(self) -> None:
        """Make the folder a repository with a remote, in which the manifests are committed."""
        us = ("-c", "user.name=A", "-c", "user.email=a@example.com")
        for command in (
            ["init", "-q", "--initial-branch=main"],
            ["init", "-q", "--bare", "remote.git"],
            ["remote", "add", "origin", "./remote.git"],
            ["add", "reconciler.yaml", "manifests"],
            [*us, "commit", "-qm", "Before"],
        ):
            subprocess.run(["git", *command], cwd=self.folder, check=True, env=self.shell.environment())


@contextmanager
def staged(top: Path, keeping: Keeping) -> Iterator[Stage]:
    """Open a stage below a folder, with the ledger in a file or on a branch."""
    folder = top / "fleet"
    folder.mkdir()
    emulator = create_app(seed=fleet.foreign_seed(), tokens={SOMEBODY: "admin", KEY: "owner"})
    gate = Gate(Synced(emulator))
    plain = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    try:
        with serving(gate) as url:
            env = {"EVERRUNS_API_URL": url, "EVERRUNS_API_KEY": KEY, **plain, **fleet.SECRETS}
            stage = Stage(Shell(folder, env), emulator, gate, keeping, top)
            stage.build()
            yield stage
    finally:
        emulator.close()
