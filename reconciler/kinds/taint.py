"""A secret's value on its way: carried by everything, shown by nothing, opened where bytes are made of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from reconciler.kinds.fields import SecretRef


class Tainted:
    """The value of a secret, which every way to print, format, copy or serialize shows as its reference.

    Equal is only what is the same: values are compared by their fingerprints (see `ledger/fingerprint.py`).
    """

    __slots__ = ("_value", "ref")

    def __init__(self, ref: SecretRef, value: str) -> None:
        self.ref = ref
        self._value = value

    def __repr__(self) -> str:
        return repr(self.ref)

    def __format__(self, _spec: str) -> str:
        return repr(self.ref)

    def __copy__(self) -> Tainted:
        return self

    def __deepcopy__(self, _memo: object) -> Tainted:
        return self

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError(f"the value of {self.ref} is not to be stored")


def opened(value: Any) -> str:
    """Return the value itself, for the bytes of a request and for a fingerprint; raises TypeError for anything else.

    Only `live/connection.py`, `live/keys.py` and `ledger/fingerprint.py` may call it, which a test holds.
    """
    if not isinstance(value, Tainted):
        raise TypeError(f"{type(value).__name__} is not a secret")
    return value._value  # noqa: SLF001 - the one door


def shown_once(answer: Any, member: str) -> Any:
    """Return an answer of the platform with a member of it tainted, if it has one."""
    if not isinstance(answer, dict) or not isinstance(answer.get(member), str):
        return answer
    return answer | {member: Tainted(SecretRef(source="shown once", name=member), answer[member])}


def carried(body: Any) -> Iterator[SecretRef]:
    """Yield the references of the values that a request body carries."""
    if isinstance(body, Tainted):
        yield body.ref
    elif isinstance(body, dict):
        for item in body.values():
            yield from carried(item)
    elif isinstance(body, list):
        for item in body:
            yield from carried(item)
