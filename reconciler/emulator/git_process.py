"""Running git: its output is read as it comes, and it ends with the shutdown or when its time is up."""

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from git.cmd import Git

POLL = 0.05
CHUNK = 64 * 1024
BLOCK = 512
UNPREPARED = "failed to prepare repository checkout"
UNREACHABLE = "Could not reach the repository. Check the network and retry"
# The transport and the unpacking are children of git, so the limit has to be there before git is; it is told as a
# failed write, and not by a signal that the children alone hear of.
LIMITED = ("sh", "-c", 'trap "" XFSZ; ulimit -f "$0" && exec "$@"')


class SyncError(Exception):
    """A sync that failed, in the words of `last_sync_error` (everruns-api/agents-memories-sessions.md, 4.5)."""


class StoppedError(Exception):
    """The server is shutting down; the sync is abandoned."""


class FailedError(Exception):
    """Git ended with an error; its text is what git said."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository and how long it may be worked on: until `stop` is set, or until the monotonic `deadline`."""

    git: "Git"
    stop: threading.Event
    deadline: float

    def run(self, *arguments: str, most: int | None = None) -> None:
        """Run git to its end, raising FailedError when it fails; no file it writes is longer than `most` bytes."""
        limited = () if most is None else (*LIMITED, str(most // BLOCK))
        with self._streamed([*limited, "git", *arguments]) as chunks:
            for _ in chunks:
                pass

    @contextmanager
    def streamed(self, *arguments: str, stdin: BinaryIO | None = None) -> Iterator[Iterator[bytes]]:
        """Give the output of git in pieces; leaving the block ends git wherever it is."""
        with self._streamed(["git", *arguments], stdin) as chunks:
            yield chunks

    @contextmanager
    def _streamed(self, command: Sequence[str], stdin: BinaryIO | None = None) -> Iterator[Iterator[bytes]]:
        """Start a command in a process group of its own and see it gone in the end."""
        from git.exc import GitCommandNotFound  # noqa: PLC0415 - start-up: only a sync pays for git

        self._check()
        try:
            started: Any = self.git.execute(command, istream=stdin, as_process=True, start_new_session=True)
        except GitCommandNotFound as error:
            raise SyncError(UNPREPARED) from error
        process: subprocess.Popen[bytes] = started.proc
        try:
            yield self._chunks(process)
        finally:
            _end(process)

    def _chunks(self, process: subprocess.Popen[bytes]) -> Iterator[bytes]:
        """Read what git puts out, then its exit code."""
        said = b""
        with selectors.DefaultSelector() as selector:
            for stream in filter(None, (process.stdout, process.stderr)):
                selector.register(stream, selectors.EVENT_READ)
            while selector.get_map():
                self._check()
                for key, _ in selector.select(POLL):
                    chunk = os.read(key.fd, CHUNK)
                    if not chunk:
                        selector.unregister(key.fileobj)
                    elif key.fileobj is process.stdout:
                        yield chunk
                    else:
                        said = (said + chunk)[-CHUNK:]
        if self._code(process):
            raise FailedError(said.decode(errors="replace"))

    def _code(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for the exit code."""
        while True:
            self._check()
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(POLL)

    def _check(self) -> None:
        """Leave when there is no more time."""
        if self.stop.is_set():
            raise StoppedError
        if time.monotonic() >= self.deadline:
            raise SyncError(UNREACHABLE)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill git with all it started unless it has ended, and wait until none of them holds its output open."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
