"""GitHub's expressions, as far as the workflows use them; whatever else stands in one is an error, never empty.

docs.github.com/actions, "Evaluate expressions in workflows and actions": operators, coercion, truth.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<sign>&&|\|\||==|!=|[()])|(?P<name>[A-Za-z_][\w.-]*))")
_PLACE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_STRICT = ("github", "runner", "matrix")
"""Contexts in which a name that is not there is a mistake of the workflow; elsewhere it is null, as GitHub has it."""


class UnknownFormError(Exception):
    """Something stands in a workflow that this stand-in does not know."""


@dataclass(frozen=True)
class Scope:
    """What an expression sees: contexts by name, and whether the job has `failed`, which only `always()` ignores."""

    contexts: Mapping[str, Any]
    failed: bool = False

    def said(self, text: str) -> str:
        """Return a text with every expression in it evaluated and spelled out."""
        if "${{" in _PLACE.sub("", text):
            raise UnknownFormError(f"an expression that is not closed: {text}")
        return _PLACE.sub(lambda place: _spelled(self.value(place[1])), text)

    def holds(self, condition: str | None) -> bool:
        """Say whether an `if:` is true; one that asks for no status is false once the job failed."""
        if condition is None:
            return not self.failed
        whole = _PLACE.fullmatch(condition.strip())
        expression = whole[1] if whole else condition
        if "${{" in expression:
            raise UnknownFormError(f"an if: that is a text is always true: {condition}")
        truth = _is_true(self.value(expression))
        return truth if "always()" in expression else truth and not self.failed

    def value(self, expression: str) -> Any:
        """Evaluate an expression."""
        return _Reader(self, _tokens(expression), expression).whole()


def _tokens(expression: str) -> list[str]:
    tokens, at, text = [], 0, expression.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            raise UnknownFormError(f"what is this: {text[at:]!r} in {expression!r}")
        tokens.append(found[0].strip())
        at = found.end()
    return tokens


class _Reader:
    """Reads tokens from left to right: `||` binds weakest, then `&&`, then `==` and `!=`."""

    def __init__(self, scope: Scope, tokens: Sequence[str], source: str) -> None:
        self.scope = scope
        self.left = list(tokens)
        self.source = source

    def whole(self) -> Any:
        value = self._any()
        if self.left:
            raise UnknownFormError(f"what is {self.left[0]!r} for in {self.source!r}")
        return value

    def _any(self) -> Any:
        value = self._all()
        while self._takes("||"):
            other = self._all()
            value = value if _is_true(value) else other
        return value

    def _all(self) -> Any:
        value = self._compared()
        while self._takes("&&"):
            other = self._compared()
            value = other if _is_true(value) else value
        return value

    def _compared(self) -> Any:
        value = self._one()
        if self._takes("=="):
            return _same(value, self._one())
        if self._takes("!="):
            return not _same(value, self._one())
        return value

    def _one(self) -> Any:
        if not self.left:
            raise UnknownFormError(f"ends too soon: {self.source!r}")
        token = self.left.pop(0)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token == "(":
            value = self._any()
            if not self._takes(")"):
                raise UnknownFormError(f"a bracket is not closed: {self.source!r}")
            return value
        if self._takes("("):
            if token != "always" or not self._takes(")"):
                raise UnknownFormError(f"a function that is not known: {token} in {self.source!r}")
            return True
        return self._named(token)

    def _named(self, token: str) -> Any:
        if token in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[token]
        context, *names = token.split(".")
        if context not in self.scope.contexts or not names:
            raise UnknownFormError(f"a context that is not there: {token}")
        value = self.scope.contexts[context]
        if context in _STRICT and names[0] not in value:
            raise UnknownFormError(f"nothing of that name: {token}")
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def _takes(self, token: str) -> bool:
        if self.left and self.left[0] == token:
            self.left.pop(0)
            return True
        return False


def _is_true(value: Any) -> bool:
    return value not in (None, False, 0, "")


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.casefold() == other.casefold()
    if type(one) is type(other):
        return bool(one == other)
    return _number(one) == _number(other)


def _number(value: Any) -> float:
    match value:
        case None:
            return 0
        case bool() | int() | float():
            return float(value)
        case str():
            try:
                return float(value or 0)
            except ValueError:
                return math.nan
    return math.nan


def _spelled(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str() | int():
            return str(value)
    raise UnknownFormError(f"cannot be spelled out: {value!r}")
