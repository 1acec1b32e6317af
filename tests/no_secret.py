"""What looks for values: the command line in this process, and every encoding that a value could come out in."""

import base64
import io
import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, quote_plus

from reconciler.cli import connect
from reconciler.cli.main import main
from reconciler.live.endpoint import Endpoint
from reconciler.settings import Settings
from tests.survival.wire import STILL

SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "as it is": str,
    "escaped for JSON": lambda text: json.dumps(text)[1:-1],
    "escaped for JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "url-encoded": quote,
    "form-encoded": quote_plus,
    "hexadecimal": lambda text: text.encode().hex(),
}


def traces(value: str) -> Iterator[str]:
    """Yield what of a value would stand in a text that holds it, in any of the spellings."""
    yield from (spell(value) for name, spell in SPELLINGS.items() if name != "base64")
    yield repr(value)[1:-1]
    yield quote(value, safe="")
    for offset in range(3):  # in base64 a value looks different at each of three places; its ends depend on neighbours
        shifted = base64.b64encode(b"\0" * offset + value.encode()).decode()
        yield shifted[4 if offset else 0 : -4]


def leaked(text: str, values: Iterable[str]) -> list[str]:
    """Return every value that stands in a text in some spelling."""
    return [value for value in values if any(trace in text for trace in traces(value))]


class Desk:
    """A folder in which the command line runs in this process, and all that it said and left behind."""

    def __init__(self, folder: Path, url: str, key: str) -> None:
        self.folder = folder
        self.said: list[str] = []
        self._env = {"EVERRUNS_API_URL": url, "EVERRUNS_API_KEY": key, "NO_COLOR": "1"}

    def run(self, *arguments: str) -> int:
        """Run a command line; what it prints is kept."""
        with _process(self.folder, self._env) as (out, err), patch.object(connect, "_endpoint", _without_waiting):
            code = main(arguments)
        self.said += [" ".join(arguments), out.buffer.getvalue().decode(), err.buffer.getvalue().decode()]
        assert "Traceback" not in self.said[-1]
        return code

    @property
    def left(self) -> str:
        """Everything that was printed, and every file."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return "\n".join([*self.said, *(path.read_bytes().decode(errors="replace") for path in files)])


_endpoint = connect._endpoint


def _without_waiting(chosen: Settings) -> Endpoint:
    """Say where the platform is, on a clock on which waiting takes no time."""
    return replace(_endpoint(chosen), clock=STILL)


@contextmanager
def _process(folder: Path, env: Mapping[str, str]) -> Iterator[tuple[Any, Any]]:
    """Stand in for a process of its own: folder, environment, streams, hooks."""
    streams, hooks = (sys.stdout, sys.stderr), (sys.excepthook, sys.unraisablehook, threading.excepthook)
    before, known = Path.cwd(), dict(os.environ)
    sys.stdout, sys.stderr = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    os.chdir(folder)
    os.environ.update(env)
    try:
        yield sys.stdout, sys.stderr
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.chdir(before)
        os.environ.clear()
        os.environ.update(known)
        sys.stdout, sys.stderr = streams
        sys.excepthook, sys.unraisablehook, threading.excepthook = hooks


class Echo:
    """A server before another one that refuses chosen requests, and repeats the whole request in the refusal."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.methods: tuple[str, ...] = ()
        self.status = 400
        self.spell: Callable[[str], str] = str
        self.is_document = True
        self.count = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Refuse, or let the server answer."""
        if environ["REQUEST_METHOD"] not in self.methods or environ["PATH_INFO"].endswith("/config"):
            return self.app(environ, start_response)
        self.count += 1
        body = environ["wsgi.input"].read().decode()
        bodies = [*_texts(json.loads(body))] if body else []
        headers = [f"{name}: {value}" for name, value in environ.items() if name.startswith("HTTP_")]
        told = self.spell("\n".join([environ["PATH_INFO"], *headers, body, *bodies]))
        one_line = self.spell(environ.get("HTTP_AUTHORIZATION", "")).replace("\n", " ")
        action = {"href": f"/v1/agents/{told}", "hint": told, "operation_id": told, "method": told}
        actions = [action | {"rel": rel} for rel in ("get-existing", told)]
        document = {"title": told, "detail": told, "code": told, "error": told, "allowed_actions": actions}
        answer = json.dumps(document) if self.is_document else told
        kind = "application/problem+json" if self.is_document else "text/plain"
        start_response(f"{self.status} {one_line}", [("Content-Type", kind), ("X-Request-ID", one_line)])
        return [answer.encode()]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
