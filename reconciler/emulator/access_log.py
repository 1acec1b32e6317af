"""The access log: one JSON object a line for every request, never headers or bodies."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from reconciler.emulator import clock
from reconciler.emulator.misbehaviour import APPLIED, CutError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)


class AccessLog:
    """A WSGI application before another one: passes every request on and writes a line about it when it ends.

    A log that cannot be written to is given up with a warning; the requests go on.
    """

    def __init__(self, app: "WSGIApplication", stream: IO[str]) -> None:
        self._app = app
        self._stream = stream
        self._lock = threading.Lock()
        self._is_given_up = False

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        entry = _Entry(environ, time.perf_counter())

        def told(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
            entry.status = int(status[:3])
            entry.request_id = next((value for name, value in headers if name == "X-Request-ID"), "")
            return start_response(status, headers, *rest)

        try:
            parts = self._app(environ, told)
        except CutError:
            entry.is_cut = True
            self._write(entry)
            raise
        if not isinstance(parts, list):
            return self._counted(parts, entry)
        entry.bytes = sum(map(len, parts))
        self._write(entry)
        return parts

    def _counted(self, parts: Iterable[bytes], entry: "_Entry") -> Iterator[bytes]:
        """Pass on a body that comes in pieces."""
        try:
            for part in parts:
                entry.bytes += len(part)
                yield part
        except CutError:
            entry.is_cut = True
            raise
        finally:
            self._write(entry)

    def _write(self, entry: "_Entry") -> None:
        """Write a line, whole."""
        line = json.dumps(entry.described(), ensure_ascii=False) + "\n"
        with self._lock:
            if self._is_given_up:
                return
            try:
                self._stream.write(line)
                self._stream.flush()
            except OSError as error:
                self._is_given_up = True
                name = getattr(self._stream, "name", "the access log")
                logger.warning("cannot write to %s: %s; no more requests are logged", name, error.strerror)


@dataclass(slots=True)
class _Entry:
    """What is known about a request so far."""

    environ: "WSGIEnvironment"
    started: float
    status: int | None = None
    bytes: int = 0
    request_id: str = ""
    is_cut: bool = False

    def described(self) -> dict[str, Any]:
        """Give the members of the line; those of faults only where there is one."""
        line = {
            "time": clock.now(),
            "method": self.environ["REQUEST_METHOD"],
            "path": _text(self.environ["PATH_INFO"]),
            "status": self.status,
            "bytes": self.bytes,
            "ms": round((time.perf_counter() - self.started) * 1000, 1),
            "request_id": self.request_id,
        }
        faults = self.environ.get(APPLIED)
        return line | ({"faults": faults} if faults else {}) | ({"cut": True} if self.is_cut else {})


def _text(path: str) -> str:
    """Undo the detour over Latin-1 that WSGI makes."""
    return path.encode("latin-1", "replace").decode("utf-8", "replace")
