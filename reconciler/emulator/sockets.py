"""The stand-in on a socket: waitress with threads, connections that can be cut, a stop that loses nothing."""

import contextlib
import logging
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.channel import ClientDisconnected, HTTPChannel  # type: ignore[import-untyped]
from waitress.server import create_server  # type: ignore[import-untyped]
from waitress.task import WSGITask  # type: ignore[import-untyped]

from reconciler.emulator.misbehaviour import CutError

THREADS = 16
CONNECTIONS = 512
BACKLOG = 512
GRACE = 8.0
"""How many seconds requests in flight are given when the server stops; service managers wait ten."""
POLL = 0.5
NO_LINGER = struct.pack("ii", 1, 0)


class _Task(WSGITask):  # type: ignore[misc]  # waitress has no types
    """A request that can end in a cut: waitress closes, and a reset drops what was not sent."""

    def execute(self) -> None:
        try:
            super().execute()
        except CutError as cut:
            if cut.how == "reset":
                with contextlib.suppress(OSError):
                    self.channel.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            raise ClientDisconnected from cut


class _Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection whose requests can be cut."""

    task_class = _Task


class Listener:
    """A bound port: `run` serves until `stop`, which any thread and any signal handler may call; `url` has `shown`."""

    def __init__(self, app: Callable[..., Any], *, host: str = "127.0.0.1", port: int = 0, shown: str = "") -> None:
        for name in ("waitress", "waitress.queue"):
            logging.getLogger(name).setLevel(logging.ERROR)  # a queue of some requests is no news
        self._map: dict[int, Any] = {}
        self._server = create_server(
            app,
            map=self._map,
            host=host,
            port=port,
            threads=THREADS,
            connection_limit=CONNECTIONS,
            backlog=BACKLOG,
            ident=None,
        )
        self._server.channel_class = _Channel
        self._stopping = threading.Event()
        name = shown or host
        self.url = f"http://{f'[{name}]' if ':' in name else name}:{self._server.effective_port}"

    def run(self) -> None:
        """Serve until stopped, then finish what is in flight and close everything."""
        try:
            while not self._stopping.is_set():
                wasyncore.loop(timeout=POLL, map=self._map, count=1, use_poll=True)
            self._drain()
        finally:
            self._server.task_dispatcher.shutdown(timeout=1)
            wasyncore.close_all(self._map, ignore_all=True)

    def stop(self) -> None:
        """Take no more connections and return from `run` soon."""
        self._stopping.set()
        self._server.pull_trigger()

    def _drain(self) -> None:
        """Close the port, then wait for the requests that have begun, for as long as the grace lasts."""
        wasyncore.dispatcher.close(self._server)
        until = time.monotonic() + GRACE
        while self._is_busy() and time.monotonic() < until:
            wasyncore.loop(timeout=0.05, map=self._map, count=1, use_poll=True)

    def _is_busy(self) -> bool:
        """Tell whether a request is being received, carried out or answered."""
        channels = list(self._server.active_channels.values())
        return any(one.requests or one.request or one.total_outbufs_len for one in channels)
