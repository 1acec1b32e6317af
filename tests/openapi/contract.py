"""openapi-core between our client and the emulator: every request that is sent and every answer must fit the file."""

import json
import re
from functools import cache
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl

from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from .deviations import amended
from .published import METHODS, operations, served, shape

HOST = "http://contract"
WORD = re.compile(r"[\w.-]{0,40}")
ID = re.compile(r"([a-z]+_)[0-9a-f]{32}")
# Operations that the server has and the file lacks, by method and path, each with the fact that says so.
ABSENT = {
    ("post", "/v1/agents/{}/delete"): "agents 1.4: an undocumented POST .../delete leaves a tombstone",
    ("post", "/v1/harnesses/{}/delete"): "agents 1.4: an undocumented POST .../delete leaves a tombstone",
    ("post", "/v1/apps/{}/delete"): "orgs 2.1: a real route that the file lacks",
    ("get", "/v1/apps/{}/channels"): "orgs 3.1: the channel routes are real and missing from the file",
    ("post", "/v1/apps/{}/channels"): "orgs 3.1: the channel routes are real and missing from the file",
    ("patch", "/v1/apps/{}/channels/{}"): "orgs 3.1: the channel routes are real and missing from the file",
    ("delete", "/v1/apps/{}/channels/{}"): "orgs 3.1: the channel routes are real and missing from the file",
    ("get", "/v1/agent-identities"): "agents 6: identities are not in the file",
    ("post", "/v1/agent-identities"): "agents 6: identities are not in the file",
    ("get", "/v1/agent-identities/config"): "agents 6: identities are not in the file",
    ("get", "/v1/agent-identities/{}"): "agents 6: identities are not in the file",
    ("patch", "/v1/agent-identities/{}"): "agents 6: identities are not in the file",
    ("delete", "/v1/agent-identities/{}"): "agents 6: identities are not in the file",
    ("post", "/v1/agent-identities/{}/delete"): "agents 6: identities are not in the file",
}


@cache
def _openapi() -> OpenAPI:
    """Read the amended file, once in a process: only what is served, wherever it is served."""
    spec = amended()
    spec["servers"] = [{"url": HOST}]
    kept = {
        path: {key: value for key, value in item.items() if key not in METHODS or (key, shape(path)) in served()}
        for path, item in spec["paths"].items()
    }
    spec["paths"] = {path: item for path, item in kept.items() if METHODS & item.keys()}
    for operation in operations(spec).values():
        for parameter in operation.get("parameters", ()):
            _never_null(parameter)
    problems = {"application/problem+json": json.loads}
    return OpenAPI.from_dict(spec, config=Config(spec_validator_cls=None, extra_media_type_deserializers=problems))


def _never_null(parameter: dict[str, Any]) -> None:
    """Say only what a parameter can be where it stands, in text; openapi-core reads no list of types there."""
    schema = parameter["schema"]
    if isinstance(schema.get("type"), list):
        (schema["type"],) = [name for name in schema["type"] if name != "null"]
    if "oneOf" in schema:
        (parameter["schema"],) = [one for one in schema["oneOf"] if one != {"type": "null"}]


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Give a pattern for each path of the file and of what it lacks, those without variables first."""
    published = _openapi().spec["paths"].keys()
    paths = {shape(path) for path in published} | {path for _, path in ABSENT}
    ordered = sorted(paths, key=lambda path: (path.count("{}"), path))
    return [(re.compile(re.escape(path).replace(r"\{\}", "[^/]+")), path) for path in ordered]


_OF_FILES = re.compile(r"(/v1/memories/[^/]+/fs/(?:_/download/)?)([^_].*)")


def _in_one(path: str) -> str:
    """Give the path of a memory's file as one segment: OpenAPI knows no variable that goes over several."""
    found = _OF_FILES.fullmatch(path)
    return found[1] + found[2].replace("/", "~") if found else path


class Contract:
    """What was sent and answered in one world; `settle` fails when anything did not fit."""

    # Of the whole process: a form that fits is checked once. One that does not is checked again wherever it is met,
    # because what one test means is a fault in another.
    fitting: set[Any] = set()  # noqa: RUF012
    lock = Lock()

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.meant: list[str] = []

    def but(self, pattern: str) -> None:
        """Expect that something does not fit, because the test means it so."""
        self.meant.append(pattern)

    def sent(self, method: str, path: str, query: str, headers: dict[str, str], content: bytes) -> None:
        """Check a request."""
        path = _in_one(path)
        place = self._place(method, path)
        key = (
            "sent",
            method,
            place,
            _form(dict(parse_qsl(query))),
            "authorization" in headers,
            _form(_parsed(content)),
        )
        if place is None or key in self.fitting:
            return
        found = _openapi().iter_request_errors(_request(method, path, query, headers, content))
        self._note(key, found, f"{method} {path} ", content)

    def answered(
        self, method: str, path: str, query: str, status: int, headers: dict[str, str], content: bytes
    ) -> None:
        """Check what the server answered to a request."""
        path = _in_one(path)
        place = self._place(method, path)
        kind = headers.get("content-type", "")
        key = ("answered", method, place, status, kind, _form(_parsed(content)))
        if place is None or key in self.fitting:
            return
        parsed = _parsed(content)
        if isinstance(parsed, dict | list):
            content = json.dumps(_thinned(parsed)).encode()
        response = MockResponse(content, status, dict(headers), kind)
        found = _openapi().iter_response_errors(_request(method, path, query, {}, b""), response)
        self._note(key, found, f"{method} {path} {status}", content)

    def settle(self) -> None:
        """Fail with everything that did not fit, and was not meant."""
        faults = [fault for fault in self.faults if not any(re.match(pattern, fault) for pattern in self.meant)]
        assert not faults, "\n".join(faults)

    def _place(self, method: str, path: str) -> str | None:
        """Find the path in the file; None where the file has no such operation, which must then be known."""
        path = path.removeprefix("/api")
        place = next((place for pattern, place in _patterns() if pattern.fullmatch(path)), None)
        if (method.lower(), place) in ABSENT:
            return None
        if place is None or (method.lower(), place) not in served():
            self.faults.append(f"{method} {path} is in the file neither as published nor as amended")
            return None
        return place

    def _note(self, key: Any, errors: Any, exchange: str, content: bytes) -> None:
        found = list(errors)
        if not found:
            with self.lock:
                self.fitting.add(key)
        for error in found:
            why = (
                "; ".join(str(one.message) for one in getattr(error.__cause__, "schema_errors", ())) or error.__cause__
            )
            self.faults.append(f"{exchange}: {error} {why}: {content[:400]!r}")


def _request(method: str, path: str, query: str, headers: dict[str, str], content: bytes) -> MockRequest:
    """Spell a request as openapi-core reads it."""
    kind = headers.get("content-type", "application/json")
    args = dict(parse_qsl(query, keep_blank_values=True))
    return MockRequest(HOST, method.lower(), path.removeprefix("/api"), None, args, None, headers, None, content, kind)


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content


def _thinned(value: Any) -> Any:
    """Keep one of each form in every list: a page of a thousand agents says no more than two of them."""
    if isinstance(value, list):
        return list({_form(item): _thinned(item) for item in value}.values())
    return {key: _thinned(member) for key, member in value.items()} if isinstance(value, dict) else value


def _form(value: Any) -> Any:
    """Give the form of a value: names, types and short words stay, so that equal forms fit or do not fit alike."""
    if isinstance(value, dict):
        return tuple(sorted((key, _form(member)) for key, member in value.items()))
    if isinstance(value, list):
        return "list", frozenset(_form(item) for item in value)
    if not isinstance(value, str):
        return type(value).__name__
    found = ID.fullmatch(value)
    return found[1] if found else value if WORD.fullmatch(value) and not value[:4].isdigit() else "text"
