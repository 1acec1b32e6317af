"""The language of faults: `NAME [OPTION=VALUE ...]`, such as `503 when=after method=POST times=2`."""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

HEADER = "X-Emulator-Fault"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
KINDS = "(?:orgs|agents|harnesses|memories|apps)"
COLLECTION = re.compile(rf"/v1/({KINDS})")
ORG = re.compile(r"/v1/orgs(?:/[^/]+)?")
ITEM = re.compile(rf"/v1/({KINDS})/([^/]+)")


class FaultError(ValueError):
    """A fault that is not spelled as the language has it; the message says what would do."""


@dataclass(frozen=True, slots=True)
class Span:
    """A number of seconds, fixed or drawn between two bounds."""

    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a fault: its value when it is not given, how a value is read, what may be given."""

    default: Any
    read: Callable[[str], Any]
    takes: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault: what it does, its own options, the requests it can happen to."""

    does: str
    options: Mapping[str, Option]
    methods: tuple[str, ...] = METHODS
    where: tuple[re.Pattern[str], ...] = ()

    def fits(self, method: str, path: str) -> bool:
        """Tell whether a request is one that this kind can happen to."""
        if method not in self.methods:
            return False
        return not self.where or any(pattern.fullmatch(path) for pattern in self.where)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault as it was asked for: what happens, and to which requests."""

    name: str
    text: str
    options: Mapping[str, Any]
    methods: tuple[str, ...]
    path: str = "*"
    times: int | None = None
    skip: int = 0
    rate: float = 1.0

    def concerns(self, method: str, path: str) -> bool:
        """Tell whether the fault is about a request; the path is without `/api` and query."""
        if self.spares_orgs and ORG.fullmatch(path):
            return False
        return method in self.methods and fnmatchcase(path, self.path) and KNOWN[self.name].fits(method, path)

    @property
    def spares_orgs(self) -> bool:
        """Tell whether the fault needs what organizations lack: an archive, or a text field besides the name."""
        if self.name == "edit":
            return self.options["field"] not in (None, "name")
        return self.name == "archived" or self.options.get("by") == "archive"


def _number(text: str) -> float:
    """Read a number that is not negative."""
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise ValueError
    return float(text)


def _whole(text: str) -> int:
    """Read a whole number that is not negative."""
    if not re.fullmatch(r"\d{1,9}", text):
        raise ValueError
    return int(text)


def _share(text: str) -> float:
    """Read a rate between 0 and 1."""
    rate = _number(text)
    if rate > 1:
        raise ValueError
    return rate


def _span(text: str) -> Span:
    """Read `0.2` or `0.1..0.5`."""
    least, dots, most = text.partition("..")
    span = Span(_number(least), _number(most if dots else least))
    if span.most < span.least:
        raise ValueError
    return span


def _wait(text: str) -> int | None:
    """Read whole seconds, or `none`."""
    return None if text == "none" else _whole(text)


def _methods(text: str) -> tuple[str, ...]:
    """Read methods separated by commas."""
    methods = tuple(text.upper().split(","))
    if not set(methods) <= set(METHODS):
        raise ValueError
    return methods


def _path(text: str) -> str:
    """Read a path pattern; `/api` in front makes no difference."""
    if not text.startswith(("/", "*")):
        raise ValueError
    return text.removeprefix("/api") if text.startswith("/api/") else text


def _choice(*words: str) -> Option:
    """Make an option that takes one of some words; the first is the default."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError
        return text

    return Option(words[0], read, " or ".join(words))


SECONDS = "0.2, or a range such as 0.1..0.5"
ACTION = _choice("operation", "href", "relative", "foreign", "none")
WHEN = {"when": _choice("before", "after")}
COMMON: Mapping[str, Option] = {
    "method": Option(None, _methods, f"methods separated by commas, of {', '.join(METHODS)}"),
    "path": Option("*", _path, "a path such as /v1/agents or a pattern such as '/v1/apps/*'"),
    "times": Option(None, _whole, "a whole number"),
    "skip": Option(0, _whole, "a whole number"),
    "rate": Option(1.0, _share, "a number between 0 and 1"),
}
KNOWN: Mapping[str, Kind] = {
    "latency": Kind("waits before the request is carried out", {"seconds": Option(Span(0.2, 0.2), _span, SECONDS)}),
    "429": Kind(
        "refuses with 429", {"retry-after": Option(60, _wait, "whole seconds, or none for no Retry-After at all")}
    ),
    "500": Kind("answers 500, before or after the request was carried out", WHEN),
    "502": Kind("answers 502, before or after the request was carried out", WHEN),
    "503": Kind("answers 503, before or after the request was carried out", WHEN),
    "cut": Kind(
        "cuts the connection: before the request is read, after it was carried out, or in the middle of the body",
        {"when": _choice("before", "after", "body"), "how": _choice("reset", "close")},
    ),
    "slow": Kind("sends the body in small pieces", {"seconds": Option(Span(1.0, 1.0), _span, SECONDS)}),
    "truncate": Kind("sends half of the body as if it were all", {}),
    "shift": Kind(
        "after a page was read, puts a new item in front of it, or archives its first",
        {"by": _choice("insert", "archive")},
        methods=("GET",),
        where=(COLLECTION,),
    ),
    "edit": Kind(
        "edits the resource as somebody else would: after a read, before a write",
        {
            "field": Option(None, str, "the name of a text field [description; of an organization name]"),
            "value": Option(None, str, "a text"),
            "name": Option(None, str, "the name of an item of the list"),
        },
        methods=("GET", "PUT", "PATCH", "DELETE"),
        where=(COLLECTION, ITEM),
    ),
    "conflict": Kind(
        "refuses a create with 409 because somebody was quicker, with get-existing or without",
        {"action": ACTION},
        methods=("POST",),
        where=(COLLECTION,),
    ),
    "archived": Kind(
        "refuses a create with 409 because an archived twin is in the way, with unarchive or without",
        {"action": ACTION},
        methods=("POST",),
        where=(COLLECTION,),
    ),
}


def parse(text: str) -> Fault:
    """Read one fault; raises FaultError."""
    name, given = _words(text)
    kind = KNOWN[name]
    common, own = dict.fromkeys(COMMON), {key: option.default for key, option in kind.options.items()}
    read = {key: _value(name, key, value) for key, value in given.items()}
    chosen = {key: read.get(key, COMMON[key].default) for key in common}
    methods = chosen.pop("method") or kind.methods
    if not set(methods) <= set(kind.methods):
        raise FaultError(f"{name}: happens to {', '.join(kind.methods)} only")
    own |= {key: value for key, value in read.items() if key in kind.options}
    return Fault(name=name, text=shlex.join(shlex.split(text)), options=own, methods=methods, **chosen)


def parse_header(text: str) -> tuple[Fault, ...]:
    """Read the faults of one request, separated by semicolons; raises FaultError."""
    faults = tuple(parse(part) for part in text.split(";") if part.strip())
    for fault in faults:
        if (fault.path, fault.times, fault.skip, fault.rate) != ("*", None, 0, 1.0):
            raise FaultError(f"{fault.name}: in a header a fault is about its own request, without path or rate")
    return faults


def manual() -> str:
    """Describe the language: every fault with its options, then those that all of them take."""
    lines = ["NAME [OPTION=VALUE ...], for example: 503 when=after method=POST path=/v1/agents times=1", ""]
    for name, kind in KNOWN.items():
        lines.append(f"  {name:<9} {kind.does}")
        lines += [_described(key, option) for key, option in kind.options.items()]
    lines += ["", "  Every fault takes:", *(_described(key, option) for key, option in COMMON.items())]
    return "\n".join(lines)


def _described(key: str, option: Option) -> str:
    """Describe an option in a line."""
    default = option.default
    if isinstance(default, Span):
        default = default.least
    shown = "" if default is None else f" [{default}]"
    return f"{'':<12}{key}={option.takes}{shown}"


def _words(text: str) -> tuple[str, dict[str, str]]:
    """Split a fault into its name and its options as they are written."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise FaultError(f"{text!r}: {error}") from error
    if not words:
        raise FaultError(f"a fault needs a name: {', '.join(KNOWN)}")
    name, *rest = words
    if name not in KNOWN:
        raise FaultError(f"no such fault: {name}{_hint(name, KNOWN)}")
    given: dict[str, str] = {}
    for word in rest:
        key, equals, value = word.partition("=")
        if not equals:
            raise FaultError(f"{name}: {word!r} is not OPTION=VALUE")
        if key in given:
            raise FaultError(f"{name}: {key} is given twice")
        given[key] = value
    return name, given


def _value(name: str, key: str, text: str) -> Any:
    """Read the value of an option."""
    options = {**KNOWN[name].options, **COMMON}
    if key not in options:
        raise FaultError(f"{name}: no such option: {key}{_hint(key, options)}")
    try:
        return options[key].read(text)
    except ValueError as error:
        raise FaultError(f"{name}: {key} takes {options[key].takes}, not {text!r}") from error


def _hint(word: str, known: Mapping[str, object]) -> str:
    """Say what was probably meant, or what there is."""
    close = get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"
