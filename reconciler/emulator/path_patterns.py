"""Patterns for paths: a glob where one is spelt, else a part of the path."""

import re
from collections.abc import Callable

WORKSPACE = "/workspace"
GLOB = frozenset("*?[{")
SINGLE = {"*": "[^/]*", "?": "[^/]", "}": ")", ",": "|"}


class PatternError(ValueError):
    """A glob that cannot be read."""


def matcher(pattern: str) -> Callable[[str], bool]:
    """Make a test of paths: `*` stays within a segment, `**` does not, a bare file name is meant at any depth."""
    wanted = _relative(pattern.strip())
    if not GLOB.intersection(wanted):
        return lambda path: wanted in _relative(path)
    compiled = re.compile(_translated(wanted if "/" in wanted else f"**/{wanted}"), re.DOTALL)
    return lambda path: compiled.fullmatch(_relative(path)) is not None


def _relative(path: str) -> str:
    """Take slashes at both ends and the alias of the workspace off."""
    collapsed = re.sub(r"/+", "/", path)
    if collapsed == WORKSPACE or collapsed.startswith(f"{WORKSPACE}/"):
        collapsed = collapsed.removeprefix(WORKSPACE)
    return collapsed.strip("/")


def _translated(glob: str) -> str:
    """Write a glob as a regular expression."""
    parts: list[str] = []
    depth = place = 0
    while place < len(glob):
        character = glob[place]
        step, text = _token(glob, place, inside=depth > 0)
        depth += (character == "{") - (character == "}")
        parts.append(text)
        place += step
    if depth:
        raise PatternError("unclosed alternate group; missing '}'")
    return "".join(parts)


def _token(glob: str, place: int, *, inside: bool) -> tuple[int, str]:
    """Translate what begins at a place, and say how long it is; `inside` means within braces."""
    rest = glob[place:]
    is_segment = place == 0 or glob[place - 1] == "/"
    if is_segment and rest.startswith("**/"):
        return 3, "(?:.*/)?"
    if is_segment and rest == "**":
        return 2, ".*"
    character = rest[0]
    if character == "[":
        return _class(rest)
    if character == "{":
        return 1, "(?:"
    if character == "}" and not inside:
        raise PatternError("unopened alternate group; missing '{'")
    if character == "," and not inside:
        return 1, ","
    return 1, SINGLE.get(character) or re.escape(character)


def _class(rest: str) -> tuple[int, str]:
    """Translate a class of characters; a closing bracket in the first place stands for itself."""
    negated = rest[1:2] in ("!", "^")
    end = rest.find("]", 3 if negated else 2)
    if end < 0:
        raise PatternError("unclosed character class; missing ']'")
    members = re.sub(r"([\[\]\\^&~|])", r"\\\1", rest[2 if negated else 1 : end])
    try:
        re.compile(f"[{members}]")
    except re.error as error:
        raise PatternError(f"invalid range; {error.msg}") from error
    return end + 1, f"(?!/)[{'^' if negated else ''}{members}]"
