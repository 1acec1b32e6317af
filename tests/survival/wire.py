"""The emulator as a client meets it over a network, in this process, and a clock on which nobody waits."""

from typing import Any

import httpx
import pytest

from reconciler.emulator import misbehaviour
from reconciler.emulator.misbehaviour import CutError
from reconciler.live import problems
from reconciler.live.clock import Clock


class Wire:
    """The emulator as a client meets it over a network: what is cut arrives as the error that a socket would give."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Pass a request on."""
        told: list[Any] = []
        begun = False
        try:
            answer = self.app(environ, lambda status, headers, _exc=None: told.extend((status, headers)))
            begun = True
            body = b"".join(answer)
        except CutError as cut:
            if cut.how == "reset":
                raise httpx.ReadError("[Errno 104] Connection reset by peer") from cut
            what = "peer closed connection without sending complete message body" if begun else "Server disconnected"
            raise httpx.RemoteProtocolError(what) from cut
        start_response(*told)
        return [body]


class _Clock:
    """A clock that stands still until somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_000_000_000.0

    def monotonic(self) -> float:
        """Give the time."""
        return self.now

    time = monotonic

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.now += seconds


_CLOCK = _Clock()
STILL = Clock(_CLOCK.monotonic, _CLOCK.sleep, chance=lambda: 0.0)
"""The clock of a client that waits without time."""


def without_waiting(patch: pytest.MonkeyPatch) -> None:
    """Give the same clock to slow faults, and to who reads the date until which to wait."""
    for module in (problems, misbehaviour):
        patch.setattr(module, "time", _CLOCK)
