"""Serving in the foreground: from the switches to a port, until SIGTERM or SIGINT."""

import contextlib
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import IO, Any

from reconciler.emulator.access_log import AccessLog
from reconciler.emulator.app import create_app

SYNC_POLL = 60.0


class HostError(ValueError):
    """The host to listen on is unknown, or is no address of this machine."""


def serve(
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    access_log: str | None = None,
    sync_poll: float = SYNC_POLL,
    on_ready: Callable[[str], None] | None = None,
    **options: Any,
) -> None:
    """Serve until a signal comes; port 0 takes any free one and `on_ready` is told the base URL.

    `access_log` is a file to append to, or `-` for standard output; memories are synced every `sync_poll` seconds, 0
    never. All other options are those of `create_app`. Raises HostError.
    """
    from reconciler.emulator.sockets import Listener  # noqa: PLC0415 - waitress is only needed here

    address = _address(host)
    app = create_app(sync_poll=sync_poll, **options)
    with contextlib.closing(app), _opened(access_log) as stream:
        listener = Listener(AccessLog(app, stream) if stream else app, host=address, port=port, shown=host)
        with _stopped_by_signals(listener.stop):
            if on_ready:
                on_ready(listener.url)
            listener.run()


def _address(host: str) -> str:
    """Find the address to listen on, the first of a name, IPv4 before IPv6, and insist that it is one of ours."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
        with socket.socket(family, kind, protocol) as probe:
            probe.bind(address)
    except OSError as error:
        raise HostError(f"cannot listen on {host}: {error.strerror}") from error
    except UnicodeError as error:
        raise HostError(f"cannot listen on {host}: this is no name of a host") from error
    return str(address[0])


@contextlib.contextmanager
def _opened(target: str | None) -> Iterator[IO[str] | None]:
    """Open the access log."""
    if target is None or target == "-":
        yield sys.stdout if target else None
        return
    stream = open(target, "a", encoding="utf-8")  # noqa: PTH123, SIM115 - a path or a device, as it was given
    try:
        yield stream
    finally:
        with contextlib.suppress(OSError):  # what could not be written was told when it was tried
            stream.close()


@contextlib.contextmanager
def _stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Let the first SIGTERM or SIGINT stop the server, and a second one end the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(_number: int, _frame: Any) -> None:
        restore()
        stop()

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        restore()
