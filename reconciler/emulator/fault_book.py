"""Which faults are asked for, and which of them happen to a request: decided by the seed and the order of requests."""

import random
import secrets
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.emulator.faults import KNOWN, Fault, FaultError, Span, parse, parse_header


def new_seed() -> int:
    """Choose a seed that nobody asked for."""
    return secrets.randbits(32)


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault that happens to a request: how long it takes, where it takes time, and its number among all."""

    fault: Fault
    seconds: float
    number: int


class _Armed:
    """A fault that waits for its requests; every one of them draws the same numbers, whatever else happens."""

    def __init__(self, fault: Fault, seed: str) -> None:
        self.fault = fault
        self.seen = 0
        self.fired = 0
        self._random = random.Random(seed)  # noqa: S311 - a run must be repeatable

    def draw(self) -> tuple[bool, float]:
        """Count a request, and say whether it is hit and for how long."""
        self.seen += 1
        chance, part = self._random.random(), self._random.random()
        spent = self.fault.times is not None and self.fired >= self.fault.times
        hit = self.seen > self.fault.skip and not spent and chance < self.fault.rate
        return hit, _seconds(self.fault, part)


class FaultBook:
    """The faults in force; the ones it began with come back on `restart`."""

    def __init__(self, texts: Iterable[str] = (), *, seed: int | None = None) -> None:
        self.seed = new_seed() if seed is None else seed
        self._lock = threading.Lock()
        self._first = tuple(texts)
        self._first_seed = self.seed
        self._armed: list[_Armed] = []
        self._number = 0
        self.replace(self._first)

    @property
    def is_armed(self) -> bool:
        """Tell whether any fault is in force."""
        return bool(self._armed)

    def replace(self, texts: Sequence[str], *, seed: int | None = None) -> None:
        """Put these faults in the place of those in force, and start to count anew; raises FaultError."""
        faults = [parse(text) for text in texts]
        with self._lock:
            self.seed = self.seed if seed is None else seed
            self._number = 0
            self._armed = [self._arm(place, fault) for place, fault in enumerate(faults)]

    def add(self, texts: Sequence[str]) -> None:
        """Put these faults after those in force; raises FaultError."""
        faults = [parse(text) for text in texts]
        with self._lock:
            first = len(self._armed)
            self._armed = self._armed + [self._arm(first + place, fault) for place, fault in enumerate(faults)]

    def restart(self) -> None:
        """Go back to the faults and the seed of the beginning."""
        self.replace(self._first, seed=self._first_seed)

    def describe(self) -> dict[str, Any]:
        """Say what is in force, with how many requests were seen and hit."""
        with self._lock:
            faults = [{"fault": one.fault.text, "seen": one.seen, "fired": one.fired} for one in self._armed]
            return {"seed": self.seed, "faults": faults}

    def choose(self, method: str, path: str, header: str | None) -> tuple[Struck, ...]:
        """Decide what happens to a request: delays add up, of everything else the first happens.

        What the header of the request asks for comes first. Raises FaultError for a header that cannot be read.
        """
        asked = parse_header(header) if header else ()
        with self._lock:
            hits: list[tuple[Fault, float]] = []
            for fault in asked:
                _check_fit(fault, method, path)
                if _has_room(hits, fault):
                    hits.append((fault, _seconds(fault, 0.5)))
            for one in [one for one in self._armed if one.fault.concerns(method, path)]:
                hit, seconds = one.draw()
                if hit and _has_room(hits, one.fault):
                    one.fired += 1
                    hits.append((one.fault, seconds))
            first = self._number
            self._number += len(hits)
            return tuple(Struck(fault, seconds, first + place) for place, (fault, seconds) in enumerate(hits, 1))

    def _arm(self, place: int, fault: Fault) -> _Armed:
        return _Armed(fault, f"{self.seed}/{place}/{fault.text}")


def _check_fit(fault: Fault, method: str, path: str) -> None:
    """Insist that the fault of a header can happen to its request."""
    if not fault.concerns(method, path):
        kind = KNOWN[fault.name]
        about = " or ".join(kind.methods) + (", not of organizations" if fault.spares_orgs else "")
        raise FaultError(f"{fault.name}: cannot happen to {method} {path}; it {kind.does} ({about})")


def _has_room(hits: Sequence[tuple[Fault, float]], fault: Fault) -> bool:
    """Tell whether a fault can happen beside those that already do."""
    return fault.name == "latency" or all(other.name == "latency" for other, _ in hits)


def _seconds(fault: Fault, part: float) -> float:
    """Give the duration of a fault; `part` says where in its range."""
    span = fault.options.get("seconds")
    return span.least + part * (span.most - span.least) if isinstance(span, Span) else 0.0
