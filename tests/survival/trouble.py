"""Trouble on the way to the platform: a run that dies at a request, and faults that touch nobody's data."""

import random
import shutil
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

MOST = 3
_WRITES = "POST,PATCH,PUT,DELETE"


@dataclass
class Death:
    """A WSGI application before another one: from a request on it answers nothing, as after `kill -9` of who asks.

    What the dead run wrote into its ledger afterwards is taken back by `bury`: it never came that far.
    """

    app: Any
    at: int
    carried_out: bool
    ledger: Path
    seen: int = 0
    is_dead: bool = False
    dying: threading.Lock = field(default_factory=threading.Lock)

    @property
    def copy(self) -> Path:
        """Where the ledger is kept as it was at the moment of death."""
        return self.ledger.with_suffix(".dead")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Pass a request on, up to the one at which the run dies."""
        self.seen += 1
        if self.seen < self.at:
            return self.app(environ, start_response)
        with self.dying:
            if not self.is_dead:
                self._die(environ)
        raise httpx.ReadError("killed")

    def _die(self, environ: dict[str, Any]) -> None:
        self.is_dead = True
        shutil.rmtree(self.copy, ignore_errors=True)
        if self.ledger.exists():
            shutil.copytree(self.ledger, self.copy)
        if self.carried_out:
            with suppress(httpx.TransportError):  # of a fault that was in its way, too
                b"".join(self.app(environ, lambda *_: None))

    def bury(self) -> None:
        """Put the ledger back to what it was when the run died, if it did."""
        with self.dying:
            if self.is_dead:
                self._put_back()

    def _put_back(self) -> None:
        shutil.rmtree(self.ledger, ignore_errors=True)
        if self.copy.exists():
            shutil.copytree(self.copy, self.ledger)


def trouble(seed: int) -> tuple[str, ...]:
    """Make faults of a seed that hide what happened and change nobody's data."""
    rng = random.Random(seed)
    return tuple(_one(rng) for _ in range(rng.randint(1, MOST)))


def _one(rng: random.Random) -> str:
    fault = rng.choice(
        [
            f"429 retry-after={rng.choice(['none', 1, 7])}",
            f"{rng.choice([500, 502, 503])} when={rng.choice(['before', 'after'])}",
            f"cut when={rng.choice(['before', 'after', 'body'])} how={rng.choice(['reset', 'close'])}",
            "truncate",
        ]
    )
    methods = rng.choice(["POST", _WRITES, _WRITES, "GET"])
    return f"{fault} method={methods} skip={rng.randint(0, 8)} times={rng.randint(1, 3)}"
