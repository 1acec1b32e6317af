"""Bad input made from good input: nodes of a tree replaced, removed, doubled, moved; bytes flipped, cut, spliced.

Everything is drawn from the `random.Random` that is handed in, so a seed makes the same input every time.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from copy import deepcopy
from typing import Any

import yaml

AGAIN = "\ufdd0again"
"""Behind a key: it is to be written without this, so that it stands twice."""
_RAW = "\ufdd1raw"

RAW = (
    "NaN",
    "-Infinity",
    "1e999",
    "-1e999",
    "1e-999",
    "1" + "0" * 400,
    "9" * 31,
    "-" + "9" * 31,
    "18446744073709551616",
    "-9223372036854775809",
    "0123",
    "-0",
    "1.7976931348623159e308",
    "[" * 300 + "]" * 300,
    "[" * 1_100 + "]" * 1_100,
    '{"a":' * 300 + "1" + "}" * 300,
    '{"a":' * 900 + "1" + "}" * 900,
    '"\\ud800"',
    '"\\udfff\\ud800"',
    '"\\u0000"',
    "undefined",
    "",
    ",",
)
"""What no Python value is spelled as."""

NASTY: tuple[Callable[[random.Random], Any], ...] = (
    lambda _: None,
    lambda _: True,
    lambda _: False,
    lambda _: 0,
    lambda _: -1,
    lambda _: 1.5,
    lambda _: 2**63 - 1,
    lambda _: 2**64 - 1,
    lambda _: 10**30,
    lambda _: "",
    lambda _: " ",
    lambda _: "\n",
    lambda _: "\x00",
    lambda _: "a\x00b",
    lambda _: "\x1b[2J\x1b]0;owned\x07",
    lambda _: "\u202egnp.exe",
    lambda _: "e\u0301",
    lambda _: "\u00e9",
    lambda _: "\ufeff",
    lambda _: "\ud800",
    lambda _: "\U0010ffff",
    lambda _: "9" * 31,
    lambda _: "agent_" + "9" * 31,
    lambda _: "agent_" + "9" * 32,
    lambda _: "org_" + "0" * 33,
    lambda _: "default",
    lambda _: "acme/Agent/triage",
    lambda _: "a/b/c/d/e",
    lambda _: "../../etc/passwd",
    lambda _: "https://evil.example.com/v1/agents",
    lambda _: "2026-13-45T99:99:99Z",
    lambda _: "sha256:" + "0" * 64,
    lambda _: "{{ template }}",
    lambda _: "%s %d {0} {name} [red]",
    lambda rng: "x" * rng.choice((300, 5_000, 70_000)),
    lambda rng: "é" * rng.choice((300, 5_000)),
    lambda rng: "a\n" * rng.choice((50, 3_000)),
    lambda _: [],
    lambda _: {},
    lambda _: [None],
    lambda _: [[]],
    lambda _: [{}],
    lambda _: [1, "a", None, {}],
    lambda _: {"": ""},
    lambda _: {"id": None},
    lambda _: {"k" * 5_000: 1},
    lambda _: {"\x00": {"\u2028": []}},
    lambda _: {"$secret": {"env": "HOME"}},
    lambda _: {"$secret": "set"},
    lambda _: {"$secret": {}},
    lambda _: {"env": "HOME"},
    lambda _: {"file": "../../etc/passwd"},
    lambda _: {"type": "slack"},
    lambda _: {"mode": []},
    lambda rng: list(range(rng.choice((10, 2_000)))),
    lambda rng: [{"id": "x", "name": "x"}] * rng.choice((2, 500)),
    lambda rng: {f"k{number}": number for number in range(rng.choice((10, 2_000)))},
    lambda rng: nested(rng.choice((8, 40, 70, 200))),
    lambda rng: _RAW + rng.choice(RAW),
)

BYTES = (
    b"\x00",
    b"\xff",
    b"\xfe\xff",
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\xf4\x90\x80\x80",
    b"\xef\xbb\xbf",
    b"\x1b[31m",
    b"\r",
    b"\t",
    b"\x85",
    b"\xe2\x80\xa8",
    b"\n---\n",
    b"\n...\n",
    b"\n---\n" * 300,
    b"%YAML 9.9\n",
    b"%TAG ! tag:x,2000:\n",
    b"&a ",
    b"*a ",
    b"<<: ",
    b"!!python/object:os.system ",
    b"!!binary ",
    b"? ",
    b": ",
    b"- ",
    b"# ",
    b"|",
    b">-",
    b'"',
    b"'",
    b"\\",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"[" * 2_000,
    b"{" * 2_000,
    b"- " * 2_000,
    b"a:\n " * 50,
    b"{a: " * 200,
    b"9" * 31,
    b"1e400",
    b"x" * 20_000,
    b" " * 5_000,
)

_ALONE: tuple[Callable[[random.Random], bytes], ...] = (
    lambda _: b"",
    lambda _: b" ",
    lambda _: b"\n",
    lambda _: b"\x00",
    lambda _: b"null",
    lambda _: b"{}",
    lambda _: b"[]",
    lambda _: b'""',
    lambda _: b"0",
    lambda _: b"NaN",
    lambda _: b"---\n" * 2_000,
    lambda _: b"a: &x [*x]\n",
    lambda _: b"[" * 50_000,
    lambda _: b"{" * 50_000,
    lambda _: b'{"a":' * 20_000,
    lambda _: b"\xff\xfe" + "kind: Agent".encode("utf-16-le"),
    lambda rng: rng.randbytes(rng.choice((1, 50, 3_000))),
    lambda rng: b"x" * rng.choice((1_000, 300_000)),
    lambda rng: b"- x\n" * rng.choice((1_000, 40_000)),
)


def nested(levels: int) -> Any:
    """Nest lists and maps in one another."""
    value: Any = 1
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return value


def nasty(rng: random.Random) -> Any:
    """Give a value that stands nowhere in a good input."""
    return rng.choice(NASTY)(rng)


def mutated(tree: Any, rng: random.Random, *, times: int | None = None) -> Any:
    """Return a tree with one node changed, or a few; the given one stays as it is."""
    tree = [deepcopy(tree)]
    for _ in range(times or rng.choice((1, 1, 1, 2, 4))):
        _change(tree, rng)
    return tree[0]


def _change(root: list[Any], rng: random.Random) -> None:
    places = [*_places(root)]
    holder, key = rng.choice(places)
    match rng.randrange(10):
        case 0 if isinstance(holder, dict):
            del holder[key]
        case 0 if holder is not root:
            del holder[key]
        case 1:  # what stands elsewhere
            other, there = rng.choice(places)
            holder[key] = deepcopy(other[there])
        case 2 if isinstance(holder, dict):  # the same key twice
            holder[key + AGAIN] = rng.choice((holder[key], nasty(rng)))
        case 2:
            holder[key] = [deepcopy(holder[key])] * rng.choice((2, 300))
        case 3 if isinstance(holder, dict):  # another key
            holder[rng.choice((*_KEYS, key.upper(), key + " ", key + "\u0301"))] = holder.pop(key)
        case 4 if isinstance(holder[key], dict):
            holder[key][rng.choice(_KEYS)] = nasty(rng)
        case 4 if isinstance(holder[key], list):
            holder[key].insert(rng.randrange(len(holder[key]) + 1), nasty(rng))
        case 5 if isinstance(holder[key], list) and holder[key]:
            holder[key] *= rng.choice((2, 50))
        case 5:
            holder[key] = {"value": holder[key]}
        case 6 if isinstance(holder[key], str):
            holder[key] = _text(holder[key], rng)
        case _:
            holder[key] = nasty(rng)


_KEYS = (
    *("id", "name", "kind", "type", "spec", "org", "status", "data", "total", "x", "", "\x00", "$secret", "$$secret"),
    *("0", "null", "k" * 5_000, "~", "__class__", "channels", "config", "on", "a.b", "a/b", "\ud800"),
)


def _text(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text) + 1)
    piece = rng.choice(("\x00", "\ud800", "\x1b[m", " ", "/", "\u200b", "é", "e\u0301", "\n", "'", "9" * 31))
    return rng.choice((text[:at], text[at:], text[:at] + piece + text[at:], text * 40, text.upper(), text + "\n"))


def _places(root: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield every container and key of a tree."""
    waiting: list[Any] = [root]
    while waiting:
        node = waiting.pop()
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            yield node, key
            if isinstance(node[key], dict | list):
                waiting.append(node[key])


def spelled(tree: Any, rng: random.Random | None = None) -> bytes:
    """Spell a mutated tree as JSON, which is YAML too; with a `rng` now and then as YAML of the usual looks."""
    if rng is not None and rng.random() < 0.5:
        with suppress(UnicodeEncodeError, yaml.YAMLError, RecursionError):  # not every tree can be spelled as YAML
            text = yaml.dump(tree, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
            if AGAIN not in text and _RAW not in text:
                return text.encode()
    text = json.dumps(tree, ensure_ascii=True, indent=rng and rng.choice((None, 2)))
    text = text.replace(json.dumps(AGAIN)[1:-1], "")
    mark = json.dumps(_RAW)[:-1]
    while (start := text.find(mark)) >= 0:
        end = text.index('"', _skip_escapes(text, start + len(mark)))
        text = text[:start] + json.loads('"' + text[start + len(mark) : end] + '"') + text[end + 1 :]
    return text.encode()


def _skip_escapes(text: str, start: int) -> int:
    """Return where the closing quote of a JSON text can be looked for: behind the last quote that is escaped."""
    at = start
    while text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return at


def damaged(data: bytes, rng: random.Random, *, others: Sequence[bytes] = ()) -> bytes:
    """Return bytes flipped, cut, doubled, spliced, or replaced by something else altogether."""
    if rng.random() < 0.02:
        return rng.choice(_ALONE)(rng)
    for _ in range(rng.choice((1, 1, 2, 5))):
        data = _damage(data, rng, others)
    return data


def _damage(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    start, end = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    end = min(end, start + rng.choice((1, 4, 30, 10**9)))
    match rng.randrange(9):
        case 0:
            return data[:start]
        case 1:
            return data[:start] + data[end:]
        case 2:
            return data[:end] + data[start:end] * rng.choice((1, 3, 40)) + data[end:]
        case 3 if start < len(data):
            return data[:start] + bytes([data[start] ^ (1 << rng.randrange(8))]) + data[start + 1 :]
        case 4 if others:
            other = rng.choice(others)
            return data[:start] + other[rng.randrange(len(other) + 1) :]
        case 5:
            lines = data.split(b"\n")
            rng.shuffle(lines)
            return b"\n".join(lines)
        case 6:
            return data.replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\n", b" \n", b"\n\t")))
        case _:
            return data[:start] + rng.choice(BYTES) + data[start:]
